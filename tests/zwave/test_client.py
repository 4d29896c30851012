"""What the client does with servers of all kinds: a hand-made one says what no real one does."""

import asyncio
import json
import logging
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.datastructures import Headers
from websockets.http11 import Request, Response

from drivers.zwave import client as module
from drivers.zwave.client import Client, opened
from drivers.zwave.messages import Failure, LinkBroke, LinkFailed, NotSent, ServerRefused
from tests.mqtt.broker import free_port
from tests.mqtt.certificates import Authority

GREETING = {
    "type": "version",
    "driverVersion": "15.29.0",
    "serverVersion": "3.10.2",
    "homeId": 77,
    "minSchemaVersion": 0,
    "maxSchemaVersion": 50,
}
STATE: dict[str, Any] = {
    "state": {"driver": {}, "controller": {}, "nodes": [{"nodeId": 2, "status": 4, "ready": True}]}
}

type Script = Callable[["Server"], Awaitable[None]]


class Server:
    """The server's end of one connection."""

    def __init__(self, link: ServerConnection) -> None:
        self._link = link

    async def says(self, message: object) -> None:
        """Send a message, whatever it is."""
        await self._link.send(message if isinstance(message, str | bytes) else json.dumps(message))

    async def hears(self) -> dict[str, Any]:
        """Return the next command."""
        command: dict[str, Any] = json.loads(await self._link.recv())
        return command

    async def answers(self, result: object = None) -> dict[str, Any]:
        """Carry out the next command, and return it."""
        command = await self.hears()
        await self.says(_result(command, success=True, result=result))
        return command

    async def begins(self) -> None:
        """Do what every server does first."""
        await self.says(GREETING)
        await self.answers({})
        await self.answers(STATE)

    @classmethod
    async def begins_on(cls, link: ServerConnection) -> None:
        """Begin, and keep the link."""
        server = cls(link)
        await server.begins()
        await server.stays()

    async def stays(self) -> None:
        """Keep the link until the other side ends it."""
        await self._link.wait_closed()


@asynccontextmanager
async def serving(script: Script) -> AsyncIterator[str]:
    """Run a server that does this on each connection, and give its address."""

    async def handle(link: ServerConnection) -> None:
        await script(Server(link))

    async with serve(handle, "127.0.0.1", 0, close_timeout=0.1, ping_interval=None) as server:
        [socket] = server.sockets
        yield f"ws://127.0.0.1:{socket.getsockname()[1]}"


@asynccontextmanager
async def listening(script: Script) -> AsyncIterator[tuple[Client, asyncio.Task[None]]]:
    """Give a client that has the state of such a server, and the task that listens."""
    async with serving(script) as url, opened(url) as client:
        ready = asyncio.Event()
        task = asyncio.create_task(client.listen(ready.set))
        async with asyncio.timeout(10):
            await ready.wait()
        yield client, task
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def failure(url: str) -> Failure:
    """Return why there is no link with a state."""
    with pytest.raises(LinkFailed) as failed:
        async with asyncio.timeout(10), opened(url) as client:
            await client.listen(lambda: None)
    assert str(failed.value) == failed.value.failure.value
    return failed.value.failure


def _result(command: dict[str, Any], **more: object) -> dict[str, object]:
    return {"type": "result", "messageId": command["messageId"], **more}


async def test_a_link_tells_who_serves_and_which_nodes_there_are() -> None:
    """Nothing is known of the nodes before."""
    async with serving(Server.begins) as url, opened(url) as client:
        assert (client.version.home_id, client.version.server_version) == (77, "3.10.2")
        assert client.nodes.by_id == {}
        await client.listen(lambda: None)  # until the server closes it
        assert set(client.nodes.by_id) == {2}
        assert not client.connected


@pytest.mark.parametrize(("newest", "asked"), [(49, 49), (50, 50), (51, 50)])
async def test_the_newest_version_that_both_speak_is_used(newest: int, asked: int) -> None:
    """And none that was not tried."""
    heard: list[dict[str, Any]] = []

    async def script(server: Server) -> None:
        await server.says(GREETING | {"maxSchemaVersion": newest})
        heard.append(await server.answers({}))
        heard.append(await server.answers(STATE))

    async with serving(script) as url, opened(url) as client:
        await client.listen(lambda: None)
    assert heard[0] == {"messageId": "initialize", "command": "initialize", "schemaVersion": asked}
    assert heard[1] == {"messageId": "start_listening", "command": "start_listening"}


@pytest.mark.parametrize("range_", [(0, 48), (51, 60)])
async def test_a_server_of_another_time_is_told_by_its_greeting(range_: tuple[int, int]) -> None:
    """It is asked for nothing."""

    async def script(server: Server) -> None:
        await server.says(GREETING | {"minSchemaVersion": range_[0], "maxSchemaVersion": range_[1]})
        await server.stays()

    async with serving(script) as url:
        assert await failure(url) is Failure.WRONG_VERSION


@pytest.mark.parametrize(
    "greeting",
    ["hello", "[]", '{"type": "version"}', "{", '{"driverVersion": 1}', b'{"driverVersion": "\xff"}'],
)
async def test_what_greets_otherwise_is_no_server(greeting: str | bytes) -> None:
    """Somebody else's websocket."""

    async def script(server: Server) -> None:
        await server.says(greeting)
        await server.stays()

    async with serving(script) as url:
        assert await failure(url) is Failure.NO_SERVER


@pytest.mark.parametrize(
    "state",
    ['{"type": "result", "messageId": 5}', "nonsense", '{"type": "result"', "[1]"],
)
async def test_a_server_that_is_not_understood_is_of_another_version(state: str) -> None:
    """What greets rightly and then says what nobody can read."""

    async def script(server: Server) -> None:
        await server.says(GREETING)
        await server.answers({})
        await server.says(state)
        await server.stays()

    async with serving(script) as url:
        assert await failure(url) is Failure.WRONG_VERSION


@pytest.mark.parametrize("state", [None, {}, {"state": {}}, {"state": {"nodes": 5}}, {"state": 7}])
async def test_a_state_that_is_not_understood_is_of_another_version(state: object) -> None:
    """All nodes would be missing, and their locks pass for removed."""

    async def script(server: Server) -> None:
        await server.says(GREETING)
        await server.answers({})
        await server.answers(state)
        await server.stays()

    async with serving(script) as url:
        assert await failure(url) is Failure.WRONG_VERSION


@pytest.mark.parametrize(
    ("odd", "known"),
    [
        ({"nodeId": "4711"}, {2}),
        ({"nodeId": 3, "name": {"4711": 1}}, {2}),
        ({"nodeId": 3, "values": [{"commandClass": 99, "property": ["4711"], "metadata": 5}]}, {2, 3}),
        (
            {
                "nodeId": 3,
                "values": [{"commandClass": 99, "property": "x", "propertyKey": {}, "endpoint": None}],
            },
            {2, 3},
        ),
        ({"nodeId": 3, "values": [{"commandClass": 99, "property": 5, "metadata": {"states": [1]}}]}, {2, 3}),
    ],
)
async def test_a_node_that_is_not_understood_takes_no_other_with_it(
    odd: dict[str, object], known: set[int], caplog: pytest.LogCaptureFixture
) -> None:
    """Some lamp; if it is a lock, that one is missing. Values of no interest are no trouble at all."""

    async def script(server: Server) -> None:
        await server.says(GREETING)
        await server.answers({})
        await server.answers({"state": {"nodes": [odd, *STATE["state"]["nodes"]]}})
        await server.stays()

    async with listening(script) as (client, _):
        assert set(client.nodes.by_id) == known
    assert ("a node that is not understood" in caplog.text) is (known == {2})
    assert "4711" not in caplog.text


@pytest.mark.parametrize("before", [0, 1, 2])
async def test_a_server_that_closes_before_the_state_is_not_ready(before: int) -> None:
    """At any of its first messages: its driver starts, or has lost its stick."""

    async def script(server: Server) -> None:
        if before > 0:
            await server.says(GREETING)
        if before > 1:
            await server.answers({})

    async with serving(script) as url:
        assert await failure(url) is Failure.NOT_READY


async def test_a_server_that_refuses_to_begin_is_not_ready() -> None:
    """It says no to the first command."""

    async def script(server: Server) -> None:
        await server.says(GREETING)
        await server.says(_result(await server.hears(), success=False, errorCode="schema_incompatible"))
        await server.stays()

    async with serving(script) as url:
        assert await failure(url) is Failure.NOT_READY


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("ws://nobody.invalid:3000", Failure.NAME_NOT_FOUND),
        (f"ws://{'x' * 70}.example:3000", Failure.NAME_NOT_FOUND),
        ("ws://127.0.0.1:{port}", Failure.NOBODY_LISTENS),
    ],
)
async def test_where_nobody_answers_it_is_said_why(url: str, expected: Failure) -> None:
    """A wrong name is put right elsewhere than a server that does not run."""
    assert await failure(url.format(port=free_port())) is expected


async def test_a_server_without_tls_is_told_from_one_that_is_not_there() -> None:
    """`wss://` where the server speaks `ws://`."""
    async with serving(Server.begins) as url:
        assert await failure(url.replace("ws://", "wss://")) is Failure.NO_TLS


async def test_a_certificate_that_is_not_trusted_is_a_matter_of_tls(tmp_path: Path) -> None:
    """The usual mistake with `wss://`; the name of the server is right."""
    certificate = Authority(tmp_path).issue("server")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.cert, certificate.key)
    async with serve(Server.begins_on, "127.0.0.1", 0, ssl=context, close_timeout=0.1) as server:
        [listener] = server.sockets
        assert await failure(f"wss://127.0.0.1:{listener.getsockname()[1]}") is Failure.NO_TLS


@pytest.mark.parametrize("to", ["ws://127.0.0.2:{port}/", "http://127.0.0.1:{port}/", "/elsewhere"])
async def test_no_redirect_is_followed(to: str) -> None:
    """PINs go where the configuration says, and nowhere in clear that it did not allow."""
    heard = 0

    async def script(server: Server) -> None:
        nonlocal heard
        heard += 1
        await server.begins()

    async with serving(script) as url:

        def redirect(_: ServerConnection, __: Request) -> Response:
            return Response(302, "Found", Headers({"Location": to.format(port=url.rpartition(":")[2])}))

        async with serve(Server.begins_on, "127.0.0.1", 0, process_request=redirect) as other:
            [listener] = other.sockets
            assert await failure(f"ws://127.0.0.1:{listener.getsockname()[1]}") is Failure.NO_SERVER
    assert heard == 0


async def test_an_address_from_which_nothing_comes_back_keeps_nobody_from_the_next() -> None:
    """A name with an address of IPv6 that leads nowhere: a full queue of a listener drops who knocks."""
    with socket.socket(socket.AF_INET6) as hole, ExitStack() as knocking:
        try:
            hole.bind(("::1", 0))
        except OSError:
            pytest.skip("this machine has no IPv6")
        hole.listen(0)
        port = hole.getsockname()[1]
        for _ in range(3):
            one = knocking.enter_context(socket.socket(socket.AF_INET6))
            one.settimeout(0)
            one.connect_ex(("::1", port))
        found = [(socket.AF_INET6, ("::1", port, 0, 0)), (socket.AF_INET, ("127.0.0.1", port))]

        async def addresses(*_: object, **__: object) -> list[object]:
            return [(family, socket.SOCK_STREAM, 6, "", address) for family, address in found]

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(asyncio.get_running_loop(), "getaddrinfo", addresses)
            async with (
                serve(Server.begins_on, "127.0.0.1", port, close_timeout=0.1),
                asyncio.timeout(10),
                opened(f"ws://server.example:{port}") as client,
            ):
                assert client.version.home_id == 77


async def test_half_an_emoji_takes_no_lock_away() -> None:
    """JavaScript writes it as it is; somebody cut the name of a lamp."""
    half = r'{"nodeId": 3, "name": "lamp \ud83d"}'

    async def script(server: Server) -> None:
        await server.says(GREETING)
        await server.answers({})
        command = await server.hears()
        text = json.dumps(_result(command, success=True, result=STATE))
        await server.says(text.replace('{"nodeId": 2,', half + ', {"nodeId": 2,'))
        await server.says(r'{"type": "event", "event": {"source": "node", "event": "x", "a": "\udc00"}}')
        await server.answers("done")
        await server.stays()

    async with listening(script) as (client, _):
        assert await client.ask("after it") == "done"
        assert client.nodes.by_id[3].name == "lamp ?"


async def test_answers_find_who_asked_in_whatever_order_they_come() -> None:
    """The server answers at once what needs no radio. Other answers are nobody's."""

    async def script(server: Server) -> None:
        await server.begins()
        first, second = await server.hears(), await server.hears()
        await server.says({"type": "result", "messageId": "of another", "success": True, "result": 3})
        await server.says(_result(second, success=True, result={"of": second["command"]}))
        await server.says(_result(first, success=True, result={"of": first["command"]}))
        await server.says(_result(first, success=True, result={"of": "nobody any more"}))
        await server.stays()

    async with listening(script) as (client, _):
        answers = await asyncio.gather(client.ask("slow", nodeId=2), client.ask("quick"))
    assert list(answers) == [{"of": "slow"}, {"of": "quick"}]


@pytest.mark.parametrize(
    ("refusal", "code"),
    [
        ({"errorCode": "zwave_error", "zwaveErrorCode": 204, "zwaveErrorMessage": "set 4711 failed"}, 204),
        ({"errorCode": "node_not_found", "message": "no node 4711"}, None),
    ],
)
async def test_a_refusal_carries_a_number_and_no_words(refusal: dict[str, object], code: int | None) -> None:
    """The server's words quote what it was asked for."""

    async def script(server: Server) -> None:
        await server.begins()
        await server.says(_result(await server.hears(), success=False, **refusal))
        await server.stays()

    async with listening(script) as (client, _):
        with pytest.raises(ServerRefused) as refused:
            await client.ask("endpoint.invoke_cc_api", args=[3, 1, "4711"])
    assert refused.value.zwave_code == code
    assert "4711" not in str(refused.value)


async def test_who_waits_when_the_link_ends_is_told_and_nothing_is_sent_after_it() -> None:
    """The command may have been carried out; one that comes later has not even been sent."""

    async def script(server: Server) -> None:
        await server.begins()
        await server.hears()

    async with listening(script) as (client, _):
        with pytest.raises(LinkBroke):
            await client.ask("node.ping", nodeId=2)
        with pytest.raises(NotSent):
            await client.ask("node.ping", nodeId=2)


async def test_who_waits_when_listening_is_given_up_is_told_too() -> None:
    """Nobody would hand over the answer."""
    async with listening(_and_stays) as (client, task):
        asked = asyncio.create_task(client.ask("node.ping", nodeId=2))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(LinkBroke):
            await asked
        with pytest.raises(NotSent):
            await client.ask("node.ping", nodeId=2)


async def test_an_answer_may_be_given_up() -> None:
    """It is nobody's then, and the next one is not taken for it."""

    async def script(server: Server) -> None:
        await server.begins()
        first, second = await server.hears(), await server.hears()
        await server.says(_result(first, success=True, result=1))
        await server.says(_result(second, success=True, result=2))
        await server.stays()

    async with listening(script) as (client, _):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await client.ask("slow")
        assert await client.ask("next") == 2


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"source": "node", "event": "value updated", "nodeId": 2},
        {"source": "node", "event": "value updated", "nodeId": 2, "args": {"newValue": "4711"}},
        {"source": "node", "event": "ready", "nodeId": 2, "nodeState": {"nodeId": "4711"}},
        {"source": "node", "event": "ready", "nodeId": [2]},
        {"source": "controller", "event": "node added", "node": None},
    ],
)
async def test_an_event_that_is_not_understood_ends_no_link(
    event: dict[str, object], caplog: pytest.LogCaptureFixture
) -> None:
    """It is told once, without a word of it; the next is taken."""

    async def script(server: Server) -> None:
        await server.begins()
        for told in (event, event, {"source": "node", "event": "dead", "nodeId": 2}):
            await server.says({"type": "event", "event": told})
        await server.answers()
        await server.stays()

    async with listening(script) as (client, _):
        await client.ask("after them all")
        assert client.nodes.by_id[2].status.name == "DEAD"
    assert [record.levelno for record in caplog.records if record.name == module.__name__] == [
        logging.WARNING
    ]
    assert "4711" not in caplog.text


async def test_a_message_without_end_ends_the_link(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory is scarce, and no network is that large."""
    monkeypatch.setattr(module, "MAX_MESSAGE", 10_000)

    async def script(server: Server) -> None:
        await server.begins()
        await server.says("x" * 10_001)
        await server.stays()

    async with listening(script) as (client, task):
        async with asyncio.timeout(10):
            await task
        assert not client.connected


async def test_a_server_that_is_gone_without_a_word_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its machine lost power: no answer to a ping."""
    monkeypatch.setattr(module, "PING_S", 0.05)
    monkeypatch.setattr(module, "CLOSE_S", 0.05)

    async def script(server: Server) -> None:
        await server.begins()
        server._link.transport.pause_reading()
        await server.stays()

    async with listening(script) as (client, task):
        async with asyncio.timeout(10):
            await task
        assert not client.connected


async def _and_stays(server: Server) -> None:
    await server.begins()
    await server.hears()
    await server.stays()
