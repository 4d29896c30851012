"""What the client does with servers of all kinds: a hand-made one says what no real one does."""

import asyncio
import json
import logging
from typing import Any

import pytest

from drivers.zwave import client as module
from drivers.zwave.client import opened
from drivers.zwave.messages import Failure, LinkBroke, NotSent, ServerRefused
from tests.zwave.hand_server import GREETING, STATE, Server, and_stays, failure, listening, result_of, serving


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
        await server.says(result_of(await server.hears(), success=False, errorCode="schema_incompatible"))
        await server.stays()

    async with serving(script) as url:
        assert await failure(url) is Failure.NOT_READY


async def test_half_an_emoji_takes_no_lock_away() -> None:
    """JavaScript writes it as it is; somebody cut the name of a lamp."""
    half = r'{"nodeId": 3, "name": "lamp \ud83d"}'

    async def script(server: Server) -> None:
        await server.says(GREETING)
        await server.answers({})
        command = await server.hears()
        text = json.dumps(result_of(command, success=True, result=STATE))
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
        await server.says(result_of(second, success=True, result={"of": second["command"]}))
        await server.says(result_of(first, success=True, result={"of": first["command"]}))
        await server.says(result_of(first, success=True, result={"of": "nobody any more"}))
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
        await server.says(result_of(await server.hears(), success=False, **refusal))
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
    async with listening(and_stays) as (client, task):
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
        await server.says(result_of(first, success=True, result=1))
        await server.says(result_of(second, success=True, result=2))
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
