"""The command on a real broker, with somebody in the place of the daemon."""

import asyncio
import contextlib
import itertools
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from gateway.cli.exits import Exit
from tests.mqtt.broker import Broker, BrokerTls, Peer, eventually, peer
from tests.mqtt.certificates import Authority

pytestmark = pytest.mark.mosquitto

ROOT = "pinsmith/home"
type Answer = Callable[[dict[str, Any]], dict[str, Any] | None]


@pytest.fixture
async def broker(tmp_path: Path) -> AsyncIterator[Broker]:
    """A mosquitto that lets everybody in."""
    async with Broker(tmp_path) as running:
        yield running


@pytest.fixture
async def other(broker: Broker) -> AsyncIterator[Peer]:
    """Somebody else on that broker, who hears everything."""
    async with peer(broker.port) as somebody:
        yield somebody


def configure(folder: Path, port: int, *more: str, version: str = "5", scheme: str = "mqtt") -> list[str]:
    """Write a configuration; return the beginning of a command line that uses it."""
    file = folder / "pinsmith.toml"
    lines = ['[gateway]\nid = "home"\ntime_zone = "UTC"\n[mqtt]', f'url = "{scheme}://127.0.0.1:{port}"']
    file.write_text("\n".join([*lines, f'version = "{version}"', *more]) + "\n")
    return [sys.executable, "-m", "gateway.cli.main", "--config", str(file)]


async def run(*command: str, stdin: str = "") -> tuple[int | None, str, str]:
    """Run a command; return exit code, output and errors."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, stderr=pipe)
    try:
        out, err = await asyncio.wait_for(process.communicate(stdin.encode()), 60)
    except BaseException:
        process.kill()
        raise
    return process.returncode, out.decode(), err.decode()


@contextlib.asynccontextmanager
async def daemon(port: int, answer: Answer, user: str | None = None) -> AsyncIterator[Peer]:
    """Answer requests; None leaves one unanswered."""
    async with peer(port, user=user, password=user and f"{user}-password") as somebody:

        async def serve() -> None:
            for number in itertools.count():
                await eventually(lambda: somebody.heard[number:], 60)  # noqa: B023 - awaited right here
                message = somebody.heard[number]
                if "/request/" in message.topic:
                    reply = answer(json.loads(message.payload))
                    if reply is not None:
                        topic = message.topic.replace("/request/", "/response/")
                        await somebody.publish(topic, json.dumps(reply).encode())

        serving = asyncio.create_task(serve())
        try:
            yield somebody
        finally:
            serving.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await serving


def ok(request: dict[str, Any]) -> dict[str, Any]:
    """An answer that shows what was asked."""
    return {"transaction": request["transaction"], "status": "ok", "data": {"asked": request}, "error": None}


@pytest.mark.parametrize("version", ["5", "3.1.1"])
async def test_a_request_is_answered(broker: Broker, tmp_path: Path, version: str) -> None:
    """Under a transaction of its own each time; where the broker cannot drop it late, the daemon can."""
    command = configure(tmp_path, broker.port, version=version)
    async with daemon(broker.port, ok):
        first = await run(*command, "--json", "plan", "front-door")
        second = await run(*command, "--json", "plan", "front-door")

    assert (first[0], first[2]) == (Exit.OK, "")
    asked, again = (json.loads(out)["asked"] for _, out, _ in (first, second))
    assert asked["device_id"] == "front-door"
    assert asked["transaction"] != again["transaction"]
    assert ("expires_at" in asked) == (version == "3.1.1")


async def test_answers_to_others_are_not_taken(broker: Broker, tmp_path: Path) -> None:
    """Two commands of one user listen to the same topic."""
    command = configure(tmp_path, broker.port)

    async with daemon(broker.port, ok) as somebody:
        # Retained, so that it comes before the answer that is waited for.
        stranger = ok({"transaction": "of somebody else"})
        for client in ("cli-somebody", "cli-other"):
            await somebody.publish(
                f"{ROOT}/response/{client}/clock/get", json.dumps(stranger).encode(), retain=True
            )
        command = configure(tmp_path, broker.port, 'username = "cli-somebody"')
        code, out, _ = await run(*command, "--json", "clock")

    assert code == Exit.OK
    assert json.loads(out)["asked"]["transaction"] != "of somebody else"


async def test_a_refusal_of_the_daemon_is_told(broker: Broker, tmp_path: Path) -> None:
    """With the exit code for refusals."""

    def refuse(request: dict[str, Any]) -> dict[str, Any]:
        error = {"type": "not_found", "message": "there is no lock of this name", "data": {}}
        return {"transaction": request["transaction"], "status": "error", "data": None, "error": error}

    async with daemon(broker.port, refuse):
        done = await run(*configure(tmp_path, broker.port), "locks", "show", "attic")

    assert done == (Exit.REFUSED, "", "pinsmith: there is no lock of this name\n")


async def test_a_broker_without_daemon_is_told_at_once(broker: Broker, tmp_path: Path) -> None:
    """MQTT 5 says that nobody listens, so nobody has to wait."""
    code, _, err = await run(*configure(tmp_path, broker.port), "plan")

    assert code == Exit.NO_DAEMON
    assert err.startswith("pinsmith: the daemon does not answer: is it running")


async def test_a_daemon_known_to_be_offline_is_not_waited_for(
    broker: Broker, other: Peer, tmp_path: Path
) -> None:
    """Its will is on the broker; `other` hears the request and does not answer."""
    await other.publish(f"{ROOT}/bridge/state", b'{"state":"offline"}', retain=True)

    async with asyncio.timeout(12):
        code, _, err = await run(*configure(tmp_path, broker.port), "plan")

    assert code == Exit.NO_DAEMON
    assert "is it running" in err


@pytest.mark.slow
async def test_a_daemon_that_keeps_silent_is_given_up(broker: Broker, tmp_path: Path) -> None:
    """It is unknown then whether anything was done, and the message does not claim either."""
    async with daemon(broker.port, lambda _: None) as somebody:
        code, out, err = await run(*configure(tmp_path, broker.port), "codes", "delete", "c1")
        await eventually(lambda: somebody.heard)

    assert (code, out) == (Exit.NO_DAEMON, "")
    assert "the daemon does not answer" in err


async def test_a_wrong_password_is_told_and_not_shown(tmp_path: Path) -> None:
    """The reason is the broker's."""
    (tmp_path / "password").write_text("hunter2")
    async with Broker(tmp_path, passwords={"anna": "anna-password"}) as broker:
        command = configure(tmp_path, broker.port, 'username = "anna"', 'password_file = "password"')
        code, out, err = await run(*command, "plan")

    assert code == Exit.NO_DAEMON
    assert "does not let us in" in err
    assert "hunter2" not in out + err


async def test_an_encrypted_connection_believes_only_the_authority_given(tmp_path: Path) -> None:
    """With a certificate of its own where the broker asks for one. No daemon listens at this broker."""
    (tmp_path / "other").mkdir()
    authority, other = Authority(tmp_path), Authority(tmp_path / "other")
    own = authority.issue("hub")
    tls = BrokerTls(authority.ca_file, authority.issue("broker"), ask_client=True)
    certificate = [f'cert_file = "{own.cert}"', f'key_file = "{own.key}"']
    said = []
    async with Broker(tmp_path, tls=tls) as broker:
        for ca_file in (authority.ca_file, other.ca_file):
            command = configure(tmp_path, broker.port, f'ca_file = "{ca_file}"', *certificate, scheme="mqtts")
            said.append(await run(*command, "clock"))

    assert [code for code, _, _ in said] == [Exit.NO_DAEMON, Exit.NO_DAEMON]
    assert "the daemon does not answer" in said[0][2]
    assert "its certificate is not believed" in said[1][2]


async def test_an_access_list_by_user_name_fits(tmp_path: Path) -> None:
    """Request and response topics carry the name of the user at the broker."""
    (tmp_path / "password").write_text("anna-password\n")
    patterns = f"pattern write {ROOT}/request/%u/#\npattern read {ROOT}/response/%u/#\n"
    acl = f"user hub\ntopic readwrite {ROOT}/#\n{patterns}"
    passwords = {"anna": "anna-password", "hub": "hub-password"}
    async with (
        Broker(tmp_path, passwords=passwords, acl=acl) as broker,
        daemon(broker.port, ok, user="hub"),
    ):
        command = configure(tmp_path, broker.port, 'username = "anna"', 'password_file = "password"')
        code, _, err = await run(*command, "clock")

    assert (code, err) == (Exit.OK, "")


async def test_events_are_printed_as_they_come(broker: Broker, other: Peer, tmp_path: Path) -> None:
    """Until Ctrl-C, which is a proper end."""
    process = await asyncio.create_subprocess_exec(
        *configure(tmp_path, broker.port),
        "events",
        "--follow",
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        async with asyncio.timeout(60):
            assert b"following events" in await process.stderr.readline()
            event = {
                "event_type": "lock.unlocked",
                "device_id": "front-door",
                "occurred_at": "2026-11-20T12:00:00.000Z",
                "method": "keycode",
            }
            await other.publish(f"{ROOT}/event/front-door/lock.unlocked", json.dumps(event).encode())
            line = await process.stdout.readline()
            process.send_signal(signal.SIGINT)
            await process.wait()
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()

    assert line == b"2026-11-20 12:00 UTC  front-door  lock.unlocked  method=keycode\n"
    assert process.returncode == Exit.OK


async def test_pairing_is_followed_to_its_end(broker: Broker, tmp_path: Path) -> None:
    """Events that come right behind the answer are not missed."""
    lock = '[locks.cellar]\ndriver = "nuki"'
    command = configure(tmp_path, broker.port, lock)
    asked: list[dict[str, Any]] = []

    def begin(request: dict[str, Any]) -> dict[str, Any]:
        asked.append(request)
        return ok(request) | {"data": {"action_attempt": {"action_attempt_id": "a1"}}}

    async with daemon(broker.port, begin) as somebody:

        async def tell() -> None:
            await eventually(lambda: asked, 60)
            told = {"action_attempt_id": "a1", "event_type": "device.pairing_progress", "message": "press"}
            topic = f"{ROOT}/event/cellar/device"
            await somebody.publish(f"{topic}.pairing_progress", json.dumps(told).encode())
            ended = {"action_attempt_id": "a1", "event_type": "device.paired"}
            await somebody.publish(f"{topic}.paired", json.dumps(ended).encode())

        telling = asyncio.create_task(tell())
        code, out, err = await run(*command, "pair", "nuki", "cellar", "--stdin", stdin="4711\n")
        await telling

    assert (code, err) == (Exit.OK, "")
    assert out.splitlines()[0] == "press"
    assert asked[0]["given"] == {"security_pin": "4711"}
