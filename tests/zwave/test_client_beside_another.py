"""The client beside zwave-js-server-python on one real server: both have the same nodes and hear the same."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest
from zwave_js_server.const import CommandClass as OtherClass
from zwave_js_server.model.driver import Driver
from zwave_js_server.model.node import Node as OtherNode

from drivers.zwave.client import Client, opened
from drivers.zwave.node import Event, Node
from drivers.zwave.numbers import CommandClass
from tests.mqtt.broker import eventually
from tests.zwave.running import NODES
from tests.zwave_bed.bed import ZwaveBed
from tests.zwave_bed.client import Heard, connected
from tests.zwave_bed.config import Faults

pytestmark = pytest.mark.zwave_bed

KINDS = ("value updated", "value added", "notification", "dead", "alive", "interview started", "ready")
KEPT = (
    (CommandClass.USER_CODE, "userIdStatus"),
    (CommandClass.USER_CODE, "keypadMode"),
    (CommandClass.NOTIFICATION, "alarmType"),
    (CommandClass.MANUFACTURER_SPECIFIC, "deviceId"),
    (CommandClass.BATTERY, "level"),
)
"""What the driver asks for."""


@asynccontextmanager
async def both(bed: ZwaveBed) -> AsyncIterator[tuple[Client, Driver]]:
    """Connect to the bed with both."""
    async with connected(bed) as other, opened(bed.ws) as client:
        ready = asyncio.Event()
        task = asyncio.create_task(client.listen(ready.set))
        async with asyncio.timeout(20):
            await ready.wait()
        yield client, other
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def facts(node: Node) -> dict[str, object]:
    """Return what the driver asks a node for."""
    return {
        "id": node.node_id,
        "status": int(node.status),
        "ready": node.ready,
        "controller": node.is_controller_node,
        "name": node.name,
        "label": node.label,
        "product": (node.manufacturer_id, node.product_type, node.product_id),
        "dsk": node.dsk,
        "security": node.security,
        "offers": dict(node.command_classes),
    }


def facts_of_other(node: OtherNode) -> dict[str, object]:
    """Return the same, as the library has it."""
    return {
        "id": node.node_id,
        "status": int(node.status),
        "ready": bool(node.ready),
        "controller": node.is_controller_node,
        "name": node.name,
        "label": node.device_config.description or node.label,
        "product": (node.manufacturer_id, node.product_type, node.product_id),
        "dsk": node.dsk,
        "security": None if node.highest_security_class is None else int(node.highest_security_class),
        "offers": {info.id: info.version for info in node.command_classes},
    }


def values_of_other(node: OtherNode) -> Iterator[tuple[CommandClass, str, str | int | None, object, object]]:
    """Yield the values of the library that are to be kept."""
    for value in node.values.values():
        if (value.command_class, value.property_) in KEPT and not value.endpoint:
            class_ = CommandClass(value.command_class)
            yield class_, str(value.property_), value.property_key, value.value, value.metadata.states


def assert_same(client: Client, other: Driver) -> None:
    """Compare all nodes and values."""
    assert set(client.nodes.by_id) == set(other.controller.nodes)
    for number, node in client.nodes.by_id.items():
        theirs = other.controller.nodes[number]
        assert facts(node) == facts_of_other(theirs)
        values = list(values_of_other(theirs))
        for class_, name, key, value, states in values:
            kept = node.value(class_, name, key)
            assert kept is not None, (number, class_, name, key)
            assert (kept.value, kept.states) == (value, states), (number, class_, name, key)
        assert len(values) == len(node._values)


async def test_both_know_the_same_of_every_model(bed: ZwaveBed) -> None:
    """Who they are, what they can do, and the values that count."""
    async with both(bed) as (client, other):
        assert len(client.nodes.by_id) == len(NODES) + 1
        assert client.version.home_id == other.controller.home_id
        assert_same(client, other)


async def test_both_hear_the_same_in_the_same_order(bed: ZwaveBed) -> None:
    """Codes at the keypad, uses, alarms, batteries, a death, a return and an interview."""
    node_id = NODES["v2_plain"].node_id
    async with both(bed) as (client, other):
        ours: list[Event] = []
        node, theirs = client.nodes.by_id[node_id], other.controller.nodes[node_id]
        for kind in KINDS:
            node.on(kind, ours.append)
        heard, end = Heard(theirs, *KINDS), Heard(theirs, "ready")
        await bed.edit(node_id, 2, "4711", "report")
        await bed.unlock(node_id, 2)
        await bed.wrong_code(node_id)
        await bed.battery(node_id, 42)
        await bed.send_alarm(node_id, 112, 2)
        await bed.clear(node_id, 2, "report")
        await bed.fault(node_id, Faults(dead=True))
        await theirs.async_ping()
        await bed.fault(node_id, Faults())
        await bed.alive(node_id)
        await theirs.async_refresh_info()
        await end.next()
        told = []
        while not heard.is_silent():
            told.append(await heard.next())
        await eventually(lambda: len(ours) >= len(told))
        assert [event["event"] for event in ours] == [event["event"] for event in told]
        assert {event["event"] for event in ours} >= set(KINDS) - {"value added"}
        # The library keeps values that the server forgot with the interview; in a new connection it has not.
        async with connected(bed) as new:
            assert_same(client, new)


async def test_both_get_the_same_answer(bed: ZwaveBed) -> None:
    """From the lock itself, over the air."""
    node_id = NODES["v2_s2"].node_id
    await bed.edit(node_id, 3, "582291", "silent")
    async with both(bed) as (client, other):
        where = {"nodeId": node_id, "endpoint": 0, "commandClass": int(CommandClass.USER_CODE)}
        answer = await client.ask("endpoint.invoke_cc_api", **where, methodName="get", args=[3])
        endpoint = other.controller.nodes[node_id].endpoints[0]
        theirs = await endpoint.async_invoke_cc_api(OtherClass.USER_CODE, "get", 3, wait_for_result=True)
        assert answer["response"] == theirs
        assert theirs["userCode"] == "582291"
