"""A real Home Assistant in a process of its own, talked to over its HTTP interface as its owner."""

import asyncio
import contextlib
import json
import os
import signal
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

from tests.docs.pages import ROOT, blocks
from tests.mqtt.broker import free_port

PATIENCE_S = 90.0
PAGE = "docs/home-assistant.md"
BLUEPRINTS = ROOT / "docs" / "blueprints"
_CONFIGURATION = """
homeassistant:
  name: House
  country: DE
  time_zone: Europe/Berlin
  unit_system: metric
http:
  server_host: 127.0.0.1
  server_port: {port}
frontend:
automation: !include automations.yaml
"""
_OWNER = {"name": "Owner", "username": "owner", "password": "of-a-test", "language": "en"}


async def until(condition: Callable[[], Any], seconds: float = PATIENCE_S) -> Any:  # noqa: ANN401 - JSON
    """Wait until `condition` returns something; return that."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    while not (found := await asyncio.to_thread(condition)):
        if loop.time() > deadline:
            raise AssertionError(f"did not come true within {seconds} s: {condition}")
        await asyncio.sleep(0.25)
    return found


class House:
    """One installation, whose memory outlives its restarts."""

    def __init__(self, hass: Path, folder: Path) -> None:
        """`hass` starts one in a folder; `folder` is to be its own."""
        self._hass = hass
        self.folder = folder
        self._address = f"http://127.0.0.1:{free_port()}"
        self._token = ""
        self._process: asyncio.subprocess.Process | None = None

    def prepare(self, automations: Sequence[dict[str, Any]]) -> None:
        """Write the configuration, with the blueprints and the automations of the documentation."""
        place = self.folder / "blueprints" / "automation" / "pinsmith"
        place.mkdir(parents=True)
        for blueprint in BLUEPRINTS.glob("*.yaml"):
            (place / blueprint.name).write_text(blueprint.read_text())
        port = self._address.rpartition(":")[2]
        [shown] = [block.text for block in blocks(PAGE) if block.kind == "yaml"]
        page = shown.replace("automation:", "automation of_the_page:", 1)
        (self.folder / "configuration.yaml").write_text(_CONFIGURATION.format(port=port) + page)
        # JSON is YAML too.
        (self.folder / "automations.yaml").write_text(json.dumps(automations))

    async def start(self) -> None:
        """Start it and wait until it answers."""
        with (self.folder / "output").open("ab") as output:
            self._process = await asyncio.create_subprocess_exec(
                self._hass, self.folder, stdout=output, stderr=output, start_new_session=True
            )
        await until(self._answers)

    async def stop(self) -> None:
        """End it in order."""
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(OSError, AssertionError):
                await asyncio.to_thread(self.post, "/api/services/homeassistant/stop", {})
            try:
                await asyncio.wait_for(self._process.wait(), 30)
            except TimeoutError:
                os.killpg(self._process.pid, signal.SIGKILL)
                await self._process.wait()

    async def become_owner(self) -> None:
        """Make the first user and log in as it."""
        client = f"{self._address}/"
        made = await asyncio.to_thread(self.post, "/api/onboarding/users", {"client_id": client, **_OWNER})
        form = {"client_id": client, "grant_type": "authorization_code", "code": made["auth_code"]}
        body = urllib.parse.urlencode(form).encode()
        token = await asyncio.to_thread(
            self._call, "POST", "/auth/token", body, "application/x-www-form-urlencoded"
        )
        # Outlives the half hour of the test; a restart of Home Assistant does not end it.
        self._token = token["access_token"]

    async def add_broker(self, port: int, user: str, password: str, *, protocol: str | None = None) -> None:
        """Add the MQTT integration, as a person does in the browser, who may choose the `protocol`."""
        begin = {"handler": "mqtt", "show_advanced_options": protocol is not None}
        flow = await asyncio.to_thread(self.post, "/api/config/config_entries/flow", begin)
        answers = {"broker": "127.0.0.1", "port": port, "username": user, "password": password}
        if protocol is not None:
            await self._answer(flow, {**answers, "advanced_options": True})
            answers["protocol"] = protocol
        done = await self._answer(flow, answers)
        assert done["type"] == "create_entry", done

    async def _answer(self, flow: dict[str, Any], answers: dict[str, Any]) -> dict[str, Any]:
        path = f"/api/config/config_entries/flow/{flow['flow_id']}"
        told: dict[str, Any] = await asyncio.to_thread(self.post, path, answers)
        return told

    def states(self) -> dict[str, dict[str, Any]]:
        """Return all entities by their id."""
        return {state["entity_id"]: state for state in self._call("GET", "/api/states")}

    def state(self, entity_id: str) -> str | None:
        """Return the state of an entity; None if there is no such."""
        found = self.states().get(entity_id)
        return found["state"] if found is not None else None

    def post(self, path: str, content: object) -> Any:  # noqa: ANN401 - JSON
        """Send JSON and return the answer."""
        return self._call("POST", path, json.dumps(content).encode())

    def render(self, template: str) -> str:
        """Return what a template says."""
        return str(self._raw("POST", "/api/template", json.dumps({"template": template}).encode()))

    def log(self) -> str:
        """Return what it logged."""
        return (self.folder / "output").read_text()

    def _answers(self) -> bool:
        if self._process is None or self._process.returncode is not None:
            raise AssertionError(f"Home Assistant did not start:\n{self.log()}")
        try:
            config = self._call("GET", "/api/config") if self._token else self._call("GET", "/api/onboarding")
        except (OSError, ValueError):
            return False
        return not self._token or config["state"] == "RUNNING"

    def _call(self, method: str, path: str, body: bytes | None = None, kind: str = "application/json") -> Any:  # noqa: ANN401 - JSON
        answer = self._raw(method, path, body, kind)
        return json.loads(answer) if answer else None

    def _raw(self, method: str, path: str, body: bytes | None = None, kind: str = "application/json") -> str:
        headers = {"Content-Type": kind}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        request = urllib.request.Request(self._address + path, body, headers, method=method)  # noqa: S310 - loopback
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - loopback
                text: str = answer.read().decode()
                return text
        except urllib.error.HTTPError as error:
            if error.code in {401, 404, 503}:
                raise OSError(f"{path}: {error.code}") from None
            raise AssertionError(f"{path}: {error.code} {error.read().decode()}") from None


@contextlib.asynccontextmanager
async def house(hass: Path, folder: Path, automations: Sequence[dict[str, Any]]) -> AsyncIterator[House]:
    """Start a new installation and make somebody its owner."""
    one = House(hass, folder)
    one.prepare(automations)
    await one.start()
    try:
        await one.become_owner()
        yield one
    finally:
        await one.stop()
