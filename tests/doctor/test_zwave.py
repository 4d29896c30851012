"""What is wrong with the Z-Wave server and its nodes: the real server, a simulated radio."""

import asyncio
import contextlib
import json
import shutil
import socket
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from msgspec.structs import replace

from drivers.zwave.settings import ZwaveLockSettings
from drivers.zwave.survey import NodeFacts, ServerFacts, survey
from gateway.doctor.finding import Severity
from gateway.doctor.probe_zwave import LocalServerFacts, probe_local_server
from gateway.doctor.zwave import check_node, check_server
from gateway.domain.lock import Device, Identity, LockPolicy
from gateway.domain.store import Tx
from tests.doctor.bed import Report, remember, report, settings
from tests.doctor.network import NODES
from tests.mqtt.broker import eventually, free_port
from tests.zwave_bed.bed import HERE, ZwaveBed, install
from tests.zwave_bed.config import Faults, Model

type Handler = Callable[[web.Request], Coroutine[Any, Any, web.StreamResponse]]

pytestmark = [pytest.mark.zwave_bed, pytest.mark.slow]


def home(url: str, node: str) -> str:
    """The configuration of one Z-Wave lock."""
    return f'[drivers.zwave]\nurl = "{url}"\n[locks.door]\ndriver = "zwave"\n{node}\n'


async def look(folder: Path, url: str, node: str) -> Report:
    """Let the doctor look at one Z-Wave lock."""
    return await report(settings(folder, free_port(), rest=home(url, node)), "door")


def node(model: Model) -> str:
    """The line of the configuration that names the node of a model."""
    return f"node = {NODES[model].node_id}"


async def test_a_lock_in_order(network: ZwaveBed, tmp_path: Path) -> None:
    """Included with S2 Access Control, alive and interviewed."""
    found = await look(tmp_path, network.ws, node("v2_s2"))
    assert {"zwave", "door"} <= found.in_order
    # The bed is a program of its own, not the command zwave-server.
    found.says("zwave_codes_kept_unknown", "not visible from here", "queryAllUserCodes")
    # The figure of codes is not asked for over the air either.
    assert (await network.counters(NODES["v2_s2"].node_id)).total == 0


async def test_a_dead_node(network: ZwaveBed, tmp_path: Path) -> None:
    """It acknowledges nothing, and the server has noticed."""
    number = NODES["v2_s2"].node_id
    await network.fault(number, Faults(dead=True))
    async with asyncio.timeout(30):
        while (await survey(network.ws)).nodes[number].status != "dead":
            await _ping(network.ws, number)
    found = await look(tmp_path, network.ws, node("v2_s2"))
    await network.alive(number)
    found.says("node_dead", "batteries are empty", "Change the batteries")


async def test_a_node_that_was_out_of_reach_in_its_interview(network: ZwaveBed, tmp_path: Path) -> None:
    """What it can do is unknown to the server until it is asked again."""
    number = NODES["v2_s2"].node_id
    await network.fault(number, Faults(dead=True))
    await _ask(network.ws, command="node.refresh_info", nodeId=number)
    await _until(network.ws, lambda nodes: nodes[number].status == "dead")
    found = await look(tmp_path, network.ws, node("v2_s2"))
    # Else every test behind this one would meet a lock without an interview.
    await network.fault(number, Faults())
    await network.alive(number)
    await _until(network.ws, lambda nodes: nodes[number].ready)
    told = found.says("node_interview_incomplete", "out of reach while", "interview it again")
    assert found.ids >= {"node_dead", told.id}


async def test_a_node_without_security(network: ZwaveBed, tmp_path: Path) -> None:
    """PINs go over the air in clear."""
    found = await look(tmp_path, network.ws, node("v2_plain"))
    found.says("node_without_security", "Anybody nearby can read PINs", "with S2 Access Control")


async def test_a_node_with_the_old_security(network: ZwaveBed, tmp_path: Path) -> None:
    """It works, at three times the cost."""
    found = await look(tmp_path, network.ws, node("masked_s0"))
    told = found.says("node_s0", "three times the battery", "include it again")
    assert told.severity is Severity.WARNING


async def test_a_lock_of_the_next_kind(network: ZwaveBed, tmp_path: Path) -> None:
    """User Credential, with User Code beside it for other hubs or without."""
    for model in ("user_credential", "dual"):
        found = await look(tmp_path, network.ws, node(model))
        found.says("node_user_credential", "newer lock than this release knows", "another lock")


async def test_a_number_that_is_the_stick(network: ZwaveBed, tmp_path: Path) -> None:
    """1 is the controller itself; the locks that are there are named."""
    found = await look(tmp_path, network.ws, "node = 1")
    found.says("node_is_controller", "number 1", "2 (v2_s2 door)")


async def test_a_number_or_name_that_nobody_has(network: ZwaveBed, tmp_path: Path) -> None:
    """A typing mistake; the locks that are there are named."""
    found = await look(tmp_path, network.ws, "node = 77")
    found.says("node_missing", "2 (v2_s2 door)", "Correct node or node_name")
    found = await look(tmp_path, network.ws, 'node_name = "front dor"')
    assert "0 nodes" in found.one("node_missing").what


async def test_another_lock_under_the_known_number(network: ZwaveBed, tmp_path: Path) -> None:
    """The hub has pinned who it was: another serial number is another lock (rule 15)."""
    seen = (await survey(network.ws)).nodes[NODES["v2_s2"].node_id].identity
    await remember(tmp_path, _pinned(seen))
    assert "door" in (await look(tmp_path, network.ws, node("v2_s2"))).in_order
    await network.replace(NODES["v2_s2"].node_id, (0x1234, 1, 1), serial="another")
    found = await look(tmp_path, network.ws, node("v2_s2"))
    found.says("node_other_lock", "The lock was swapped", "pinsmith locks replace door")


async def test_no_server(tmp_path: Path) -> None:
    """It is stopped."""
    found = await look(tmp_path, f"ws://127.0.0.1:{free_port()}", "node = 2")
    found.says("zwave_nobody_listens", "does not run", "drivers.zwave.url")


async def test_a_port_of_another_program(tmp_path: Path) -> None:
    """The pages of a web interface answer instead of the server."""

    async def page(_: web.Request) -> web.StreamResponse:
        return web.Response(text="<html>")

    async with served(page) as url:
        found = await look(tmp_path, url, "node = 2")
    found.says("zwave_no_server", "The port belongs to another program", "3000")


async def test_a_server_that_is_too_old(tmp_path: Path) -> None:
    """It greets as server 1.28 did, which spoke schema 0 to 29."""
    async with served(_greeting("10.23.2", "1.28.0", 29)) as url:
        found = await look(tmp_path, url, "node = 2")
    told = found.says("zwave_wrong_version", "too old or too new", "@zwave-js/server 3.10")
    assert "schema 0 to 29" in told.what


async def test_a_server_whose_stick_is_gone(tmp_path: Path) -> None:
    """It takes the connection and closes it with 1013, as it does while its driver is not ready."""

    async def hang_up(request: web.Request) -> web.StreamResponse:
        opened = web.WebSocketResponse()
        await opened.prepare(request)
        await opened.close(code=1013)
        return opened

    async with served(hang_up) as url:
        found = await look(tmp_path, url, "node = 2")
    found.says("zwave_not_ready", "the stick is not there", "put the stick in")


async def test_a_server_that_would_erase_locks_and_shows_its_files(tmp_path: Path) -> None:
    """The server's own program, started with a configuration that lacks the option, in open files."""
    cache = tmp_path / "cache"
    cache.mkdir(mode=0o755)
    config = tmp_path / "zwave.json"
    config.write_text(
        json.dumps({"securityKeys": {"S0_Legacy": "01" * 16}, "storage": {"cacheDir": str(cache)}})
    )
    config.chmod(0o644)
    port = free_port()
    async with program(config, port):
        local = await asyncio.to_thread(probe_local_server, port)
        found = await look(tmp_path, f"ws://127.0.0.1:{port}", "node = 2")
    assert local.exposed_at == ()
    found.says("zwave_erases_codes", "queryAllUserCodes", '"interview": {"queryAllUserCodes": true}')
    found.says("zwave_config_open", "keys of the network", f"chmod 600 {config}")
    found.says("zwave_cache_open", "PINs in clear", f"chmod 700 {cache}")


async def test_a_server_with_the_option_and_closed_files(tmp_path: Path) -> None:
    """As the README shows it."""
    cache = tmp_path / "cache"
    cache.mkdir(mode=0o700)
    config = tmp_path / "zwave.json"
    content = {
        "securityKeys": {"S0_Legacy": "01" * 16},
        "storage": {"cacheDir": str(cache)},
        "interview": {"queryAllUserCodes": True},
    }
    config.write_text(json.dumps(content))
    config.chmod(0o600)
    port = free_port()
    async with program(config, port):
        found = await look(tmp_path, f"ws://127.0.0.1:{port}", "node = 2")
    assert not {"zwave_erases_codes", "zwave_config_open", "zwave_cache_open"} & found.ids


def test_a_server_open_to_the_network(tmp_path: Path) -> None:
    """What the kernel writes of a socket on all addresses; a test itself listens on loopback only."""
    net = tmp_path / "net"
    net.mkdir()
    head = "  sl  local_address rem_address   st\n"
    (net / "tcp").write_text(
        f"{head}   0: 0100007F:0BB8 00000000:0000 0A\n   1: 00000000:0BB8 00000000:0000 0A\n"
        "   2: 0501A8C0:0BB8 0901A8C0:D1F0 01\n"
    )
    (net / "tcp6").write_text(f"{head}   0: {'0' * 32}:0BB8 {'0' * 32}:0000 0A\n")
    local = probe_local_server(3000, tmp_path)
    assert local.exposed_at == ("0.0.0.0", "::")  # noqa: S104 - what is looked for
    server = ServerFacts(driver_version="15.29.0", server_version="3.10.2")
    found = {one.id: one for one in check_server(server, local, "ws://127.0.0.1:3000")}
    assert "without a password" in found["zwave_exposed"].cause
    assert "--host 127.0.0.1" in found["zwave_exposed"].remedy


def test_a_server_of_the_next_kind() -> None:
    """zwave-js 16 is not published with a server yet: what it will call itself is given."""
    newer = ServerFacts(driver_version="16.0.1", server_version="4.0.0")
    found = {one.id: one for one in check_server(newer, LocalServerFacts(), "ws://127.0.0.1:3000")}
    assert "16 tells changes" in found["zwave_driver_untested"].cause
    assert "Stay with zwave-js 15" in found["zwave_driver_untested"].remedy


@pytest.mark.parametrize(
    ("changed", "kind", "cause", "remedy"),
    [
        ({"status": "asleep"}, "node_asleep", "included wrongly", "Wake it"),
        ({"has_user_code": False}, "node_no_codes", "not a lock with a keypad", "Correct node"),
        ({"security": "S2_AUTHENTICATED"}, "node_low_class", "during inclusion", "grant Access Control"),
    ],
)
def test_nodes_that_the_simulated_radio_has_none_of(
    changed: dict[str, Any], kind: str, cause: str, remedy: str
) -> None:
    """What the server would say of such a node is given."""
    lock = NodeFacts(
        node_id=7,
        name="door",
        label="Lock",
        is_controller=False,
        status="alive",
        ready=True,
        security="S2_ACCESS_CONTROL",
        has_user_code=True,
        has_user_credential=False,
        identity=Identity(network="1", manufacturer="2", product="3"),
        battery=0.5,
    )
    facts = replace(lock, **changed)
    found = {one.id: one for one in check_node("door", ZwaveLockSettings(node=7), {7: facts}, None)}
    assert cause in found[kind].cause
    assert remedy in found[kind].remedy


@contextlib.asynccontextmanager
async def served(
    answer: Callable[[web.Request], Coroutine[Any, Any, web.StreamResponse]],
) -> AsyncIterator[str]:
    """Somebody who listens on loopback and is not the server that one would expect."""
    app = web.Application()
    app.router.add_get("/", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        yield f"ws://127.0.0.1:{port}"
    finally:
        await runner.cleanup()


@contextlib.asynccontextmanager
async def program(config: Path, port: int) -> AsyncIterator[None]:
    """The command zwave-server as people start it, with the stand-in for a stick that it brings along."""
    await install()
    node = shutil.which("node")
    assert node is not None
    process = await asyncio.create_subprocess_exec(
        node,
        str(HERE / "node_modules" / ".bin" / "zwave-server"),
        "--mock-driver",
        "--config",
        str(config),
        "--port",
        str(port),
        "--host",
        "127.0.0.1",
        "--disable-dns-sd",
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        await eventually(lambda: probe_listening(port), 40)
        yield
    finally:
        process.kill()
        await process.wait()


def probe_listening(port: int) -> bool:
    """Say whether anybody listens."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def _greeting(driver: str, server: str, newest: int) -> Handler:
    async def greet(request: web.Request) -> web.StreamResponse:
        opened = web.WebSocketResponse()
        await opened.prepare(request)
        await opened.send_json(
            {
                "type": "version",
                "homeId": 1,
                "driverVersion": driver,
                "serverVersion": server,
                "minSchemaVersion": 0,
                "maxSchemaVersion": newest,
            }
        )
        await opened.receive()
        return opened

    return greet


def _pinned(identity: Identity) -> Callable[[Tx], None]:
    door = Device(
        device_id="door", policy=LockPolicy(name="door", driver="zwave"), identity=identity, is_paired=True
    )
    return lambda tx: tx.save_device(door)


async def _ping(url: str, number: int) -> None:
    """Let the server speak with a node, as its operator may."""
    await _ask(url, command="node.ping", nodeId=number)


async def _ask(url: str, **message: object) -> None:
    """Give the server a command, as its operator may."""
    async with aiohttp.ClientSession() as http, http.ws_connect(url, max_msg_size=0) as server:
        await server.receive()
        for one in ({"command": "initialize", "schemaVersion": 50}, message):
            await server.send_json({"messageId": "1"} | one)
            await server.receive()


async def _until(url: str, true: Callable[[Mapping[int, NodeFacts]], bool]) -> None:
    """Wait until the nodes are as the server should know them."""
    async with asyncio.timeout(60):
        while not true((await survey(url)).nodes):  # noqa: ASYNC110 - the server tells only who asks
            await asyncio.sleep(0.2)
