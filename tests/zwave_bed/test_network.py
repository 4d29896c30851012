"""What outlives what: restarts of server and driver, a lost cache, another lock on a known node id."""

import asyncio
import json
import shutil

import aiohttp
import pytest
from zwave_js_server.const import CommandClass
from zwave_js_server.model.node import Node

from tests.zwave_bed.bed import HERE, START_TIMEOUT_S, BedFailedError, ZwaveBed
from tests.zwave_bed.client import ANSWER_TIMEOUT_S, Heard, connected
from tests.zwave_bed.config import BedConfig, Model, NodeConfig
from tests.zwave_bed.fixtures import NODES

pytestmark = [pytest.mark.zwave_bed, pytest.mark.slow]
SERIAL_NUMBER = 1
TWO_LOCKS = (NodeConfig(2, "tiny", codes={1: "4711"}), NodeConfig(3, "v1", slots=2, codes={2: "5822"}))


async def test_first_interview_erases_locks_unless_told_to_read_them() -> None:
    """By default the driver deletes every code of a lock it does not know, which a lost cache repeats."""
    async with ZwaveBed.start(BedConfig(TWO_LOCKS, query_all_user_codes=False)) as bed:
        for lock in TWO_LOCKS:
            assert await bed.slots(lock.node_id) == {}
            await bed.edit(lock.node_id, 1, "1357", "silent")
        await bed.restart_driver(keep_cache=True)
        assert [set(await bed.slots(lock.node_id)) for lock in TWO_LOCKS] == [{1}, {1}]
        await bed.restart_driver(keep_cache=False)
        assert [set(await bed.slots(lock.node_id)) for lock in TWO_LOCKS] == [set(), set()]


async def test_with_all_codes_queried_a_lost_cache_costs_reads_and_no_code() -> None:
    """The same story with queryAllUserCodes: every slot is read, none is touched."""
    async with ZwaveBed.start(BedConfig(TWO_LOCKS)) as bed:
        for lock in TWO_LOCKS:
            await bed.reset_counters(lock.node_id)
        await bed.restart_driver(keep_cache=False)
        assert [set(await bed.slots(lock.node_id)) for lock in TWO_LOCKS] == [{1}, {2}]
        counters = [await bed.counters(lock.node_id) for lock in TWO_LOCKS]
    assert [(count.get, count.set, count.clear) for count in counters] == [(3, 0, 0), (2, 0, 0)]


async def test_driver_restart_with_its_cache_costs_one_ping(zwave_bed: ZwaveBed) -> None:
    """The driver trusts its cache: nothing but a sign of life is asked from a known lock."""
    lock = NODES["v2_s2"]
    await zwave_bed.edit(lock.node_id, 1, "1357", "silent")
    await zwave_bed.restart_driver(keep_cache=True)
    assert set(await zwave_bed.slots(lock.node_id)) == {1}
    counters = await zwave_bed.counters(lock.node_id)
    assert (counters.ping, counters.total) == (1, 1)
    async with connected(zwave_bed) as driver:
        assert driver.controller.nodes[lock.node_id].ready


async def test_server_restart_ends_connections_and_answers_on_the_same_port(zwave_bed: ZwaveBed) -> None:
    """A client sees its connection end, and may come back to the same address."""
    async with aiohttp.ClientSession() as session, session.ws_connect(zwave_bed.ws) as socket:
        assert (await socket.receive_json())["type"] == "version"
        end = asyncio.create_task(socket.receive())
        await zwave_bed.restart_server()
        assert (await asyncio.wait_for(end, ANSWER_TIMEOUT_S)).type is aiohttp.WSMsgType.CLOSE
    async with connected(zwave_bed) as driver:
        assert NODES["tiny"].node_id in driver.controller.nodes


async def test_names_and_places_of_nodes_are_told(zwave_bed: ZwaveBed) -> None:
    """The operator's name and location are part of the node."""
    async with connected(zwave_bed) as driver:
        node = driver.controller.nodes[NODES["v1"].node_id]
        assert (node.name, node.location) == ("v1", "Bed")


@pytest.mark.parametrize("model", ["tiny", "v1"])
async def test_another_lock_on_a_known_node_id_shows_its_own_identity(
    zwave_bed: ZwaveBed, model: Model
) -> None:
    """After a new interview ids and serial are those of the other lock, until the bed is reset."""
    node_id = NODES[model].node_id
    async with connected(zwave_bed) as driver:
        node = driver.controller.nodes[node_id]
        before = _identity(node)
        ready = Heard(node, "ready")
        await zwave_bed.replace(node_id, (0x1234, 1, 3), serial="B-2")
        await ready.next()
        assert _identity(node) == (0x1234, 1, 3)
        assert await _serial(node) == "B-2"
        await zwave_bed.reset()
        await ready.next()
        assert _identity(node) == before


async def test_the_process_ends_with_its_stdin() -> None:
    """A killed test run closes the pipe, and so leaves no bed behind."""
    process = await asyncio.create_subprocess_exec(
        shutil.which("node") or "node",
        "main.js",
        cwd=HERE,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(json.dumps(BedConfig((NodeConfig(2, "tiny"),)).as_json()).encode() + b"\n")
    ready = json.loads(await asyncio.wait_for(process.stdout.readline(), START_TIMEOUT_S))
    assert ready["ready"] is True
    process.stdin.close()
    assert await asyncio.wait_for(process.wait(), START_TIMEOUT_S) == 0


async def test_unknown_model_is_refused_at_the_start() -> None:
    """A bed that cannot be what was asked for does not start, and says why."""
    config = BedConfig((NodeConfig(2, "drawbridge"),))  # type: ignore[arg-type]
    with pytest.raises(BedFailedError, match="unknown lock model drawbridge"):
        async with ZwaveBed.start(config):
            raise AssertionError


def _identity(node: Node) -> tuple[int | None, int | None, int | None]:
    return node.manufacturer_id, node.product_type, node.product_id


async def _serial(node: Node) -> object:
    api = CommandClass.MANUFACTURER_SPECIFIC
    call = node.endpoints[0].async_invoke_cc_api(
        api, "deviceSpecificGet", SERIAL_NUMBER, wait_for_result=True
    )
    return await asyncio.wait_for(call, ANSWER_TIMEOUT_S)
