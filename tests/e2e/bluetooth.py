"""A gateway with Bluetooth locks as a process of its own, and what a test orders there and types at it."""

import asyncio
import json
import os
import pty
import sys
import termios
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.ble_bed.doors import ADDRESSES, SECURITY_PIN
from tests.ble_bed.yale.lock import KEY, KEY_SLOT
from tests.daemon.bed import Somebody, online
from tests.daemon.process import PROJECT
from tests.e2e.house import PATIENCE_S, in_time
from tests.mqtt.broker import eventually

LOCKS = ("cellar", "attic", "shed")
PINS = ("385274", "469731", "571968", "748596", "835147", "961358")
"""Every family takes them: six digits, without a zero, not beginning with 12."""
_CLI_S = 60.0
_ASKED = b": "
"""Behind every question."""


def written_settings(folder: Path, broker_port: int, extra: str = "") -> Path:
    """Write a configuration with a lock of each family below `folder`."""
    file = folder / "pinsmith.toml"
    file.write_text(
        f"""
        [gateway]
        id = "hub"
        time_zone = "Europe/Berlin"
        data_directory = "data"
        [mqtt]
        url = "mqtt://127.0.0.1:{broker_port}"
        [drivers.ble]
        idle_s = 0.2
        restart_first_s = 0.1
        restart_most_s = 1
        [locks.cellar]
        driver = "nuki"
        [locks.attic]
        driver = "yale"
        address = "{ADDRESSES["attic"]}"
        slots = 3
        [locks.shed]
        driver = "ttlock"
        {extra}
        """
    )
    return file


class Hub:
    """A gateway, its locks and its radio. They survive `kill` and `stop`; `start` starts them again."""

    def __init__(self, config: Path, app: Somebody) -> None:
        self.config = config
        self.app = app
        self.log = config.parent / "daemon.log"
        self.arguments = b""
        """Of all processes that were started, as every user of the machine sees them."""
        self.printed = ""
        """What the command showed."""
        self._process: Process | None = None
        self._ordering = asyncio.Lock()

    async def start(self) -> None:
        """Start the gateway and wait until it is there."""
        command = [sys.executable, "-m", "tests.ble_bed.daemon", str(self.config), str(self._shelf)]
        self.app.heard = [one for one in self.app.heard if not one.topic.endswith("bridge/state")]
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *command, stdin=PIPE, stdout=PIPE, stderr=log, cwd=PROJECT
            )
        await online(self.app)
        self.arguments += _arguments(self._process)

    async def stop(self) -> int:
        """End it in order; return the exit status."""
        assert self._process is not None
        self._process.terminate()
        async with asyncio.timeout(PATIENCE_S):
            return await self._process.wait()

    async def kill(self) -> None:
        """End it as a power cut does."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()

    async def order(self, do: str, lock: str | None = None, **parameters: object) -> Any:  # noqa: ANN401 - JSON
        """Have something happen at a lock or with the radio; `tests.ble_bed.daemon.Orders` has what."""
        assert self._process is not None
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        where = {} if lock is None else {"lock": lock}
        async with self._ordering, asyncio.timeout(PATIENCE_S):
            self._process.stdin.write(json.dumps({"do": do, **where, **parameters}).encode() + b"\n")
            answer = json.loads(await self._process.stdout.readline())
        assert "error" not in answer, answer["error"]
        return answer["answer"]

    async def type(self, *words: str, typed: Sequence[str] = (), status: int = 0) -> str:
        """Run `pinsmith` in a terminal, type the answers to its questions, and return what it showed."""
        screen, terminal = pty.openpty()
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "gateway.cli.main", *words, "--config", str(self.config)),
            stdin=terminal,
            stdout=terminal,
            stderr=terminal,
            cwd=PROJECT,
            start_new_session=True,
        )
        self.arguments += _arguments(process)
        shown = bytearray()
        reading = asyncio.create_task(asyncio.to_thread(_read, screen, shown))
        try:
            for number, answer in enumerate(typed):
                await eventually(lambda asked=number: shown.count(_ASKED) > asked)  # type: ignore[misc]
                # Typed before echoing ends it would be shown, as in every terminal.
                await eventually(lambda: not termios.tcgetattr(terminal)[3] & termios.ECHO)
                os.write(screen, answer.encode() + b"\n")
            async with asyncio.timeout(_CLI_S):
                ended = await process.wait()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
            os.close(terminal)
            await reading
        text = shown.decode()
        self.printed += text
        assert ended == status, text
        return text

    async def pair(self, *locks: str) -> None:
        """Pair with locks at the command line, with somebody at the door."""
        for lock in locks:
            await self.order("hold_button", lock)
            if lock == "cellar":
                await self.type("pair", "nuki", lock, typed=[str(SECURITY_PIN)])
            elif lock == "attic":
                await self.type("pair", "yale", lock, "--key-slot", str(KEY_SLOT), typed=[KEY.hex()])
            else:
                await self.type("pair", "ttlock", lock)
            await self.hears("device.paired", lock)
            await self.knows(lock)

    async def knows(self, lock: str) -> None:
        """Wait until the gateway knows what a lock can do."""
        await eventually(lambda: self.state(lock).get("capabilities_supported"))

    async def create(self, lock: str, pin: str) -> str:
        """Ask for a code and return its id."""
        code_id: str = (await self.do("access_codes/create", device_id=lock, code=pin))["access_code"][
            "access_code_id"
        ]
        return code_id

    async def sync(self, lock: str) -> None:
        """Have the gateway look at a lock and wait until it has."""
        begun = (await self.do("devices/sync", device_id=lock))["action_attempt"]["action_attempt_id"]

        async def is_done() -> bool:
            got = await self.do("action_attempts/get", action_attempt_id=begun)
            return bool(got["action_attempt"]["status"] == "success")

        await self.order("touch", lock)
        await in_time(is_done)

    async def create_set(self, lock: str, pin: str) -> str:
        """Ask for a code and wait until it is told to be on the lock."""
        code_id = await self.create(lock, pin)
        await self.touched_until(lambda: bool(self.told("access_code.set_on_device", code_id)), lock)
        return code_id

    async def touched_until(self, condition: Callable[[], object], lock: str) -> None:
        """Touch a lock every few minutes, as people do, until a condition holds."""
        for _ in range(10):
            await self.order("touch", lock)
            with suppress(AssertionError):
                await eventually(condition, 5.0)
                return
            await self.order("let_pass", seconds=120)
        raise AssertionError(f"did not come true at {lock}")

    async def holds(self, lock: str, *pins: str) -> None:
        """Wait until a lock holds exactly these codes."""

        async def is_so() -> bool:
            return bool(await self.order("pins", lock) == sorted(pins))

        await in_time(is_so, PATIENCE_S)

    async def do(self, verb: str, **parameters: object) -> dict[str, Any]:
        """Give a command that must succeed; return its data."""
        answer = await self.app.ask(verb, transaction=None, **parameters)
        assert answer["status"] == "ok", answer["error"]
        data: dict[str, Any] = answer["data"]
        return data

    def told(self, event_type: str, about: str | None = None) -> list[dict[str, Any]]:
        """Return the events of a type, of one code or lock or of all."""
        return [
            event
            for event in self.app.events()
            if event["event_type"] == event_type
            and about in {None, event["access_code_id"], event["device_id"]}
        ]

    async def hears(self, event_type: str, about: str | None = None, times: int = 1) -> None:
        """Wait until an event has been told so many times."""
        await eventually(lambda: len(self.told(event_type, about)) >= times, PATIENCE_S)

    async def comes_true(self, condition: Callable[[], object]) -> None:
        """Wait for what the gateway tells to fulfil a condition."""
        await eventually(condition, PATIENCE_S)

    def health(self) -> str:
        """Return what the gateway says is wrong with Bluetooth."""
        drivers: dict[str, Any] = self._last("bridge/health").get("drivers", {})
        return str(drivers.get("ble"))

    def state(self, lock: str) -> dict[str, Any]:
        """Return the retained state of a lock."""
        return self._last(f"lock/{lock}/state")

    def code(self, code_id: str) -> dict[str, Any]:
        """Return the retained state of a code."""
        return self._last(f"access_code/{code_id}/state")

    @property
    def data(self) -> Path:
        """Return the folder of the database."""
        return self.config.parent / "data"

    @property
    def _shelf(self) -> Path:
        return self.config.parent / "locks"

    def _last(self, path: str) -> dict[str, Any]:
        return self.app.last(path) if self.app.under(path) else {}


def _arguments(process: Process) -> bytes:
    return (Path("/proc") / str(process.pid) / "cmdline").read_bytes()


def _read(screen: int, shown: bytearray) -> None:
    """Read a terminal to its end, which Linux tells as an error."""
    with suppress(OSError):
        while piece := os.read(screen, 4096):
            shown.extend(piece)
    os.close(screen)
