"""What goes wrong on the air and how the driver shows it."""

import asyncio

import pytest
from zwave_js_server.const import NodeStatus
from zwave_js_server.const.command_class.access_control import UserCredentialType
from zwave_js_server.exceptions import FailedZWaveCommand

from tests.zwave_bed.bed import BedFailedError, ZwaveBed
from tests.zwave_bed.client import Heard, connected, invoke
from tests.zwave_bed.config import Faults
from tests.zwave_bed.fixtures import NODES

pytestmark = pytest.mark.zwave_bed
PIN = UserCredentialType.PIN_CODE
S2 = NODES["v2_s2"].node_id
V1 = NODES["v1"].node_id
SEND_ATTEMPTS = 3


@pytest.mark.slow
@pytest.mark.parametrize("node_id", [S2, V1])
async def test_dead_lock_fails_after_three_attempts_and_lives_on_its_first_frame(
    zwave_bed: ZwaveBed, node_id: int
) -> None:
    """Without acknowledgement the driver gives up and marks the node dead until it hears from it."""
    await zwave_bed.fault(node_id, Faults(dead=True))
    async with connected(zwave_bed) as driver:
        node = driver.controller.nodes[node_id]
        dead, alive = Heard(node, "dead"), Heard(node, "alive")
        with pytest.raises(FailedZWaveCommand, match="ZW0204"):
            await invoke(node, "set", 1, 1, "4711")
        await dead.next()
        assert node.status == NodeStatus.DEAD
        assert (await zwave_bed.counters(node_id)).total == SEND_ATTEMPTS
        await zwave_bed.alive(node_id)
        await alive.next()
        await invoke(node, "set", 1, 1, "4711")
    assert set(await zwave_bed.slots(node_id)) == {1}


async def test_swallowed_set_is_confirmed_and_not_stored(zwave_bed: ZwaveBed) -> None:
    """Even a supervised success is only the lock's word."""
    await zwave_bed.fault(S2, Faults(swallow_sets=1))
    async with connected(zwave_bed) as driver:
        node = driver.controller.nodes[S2]
        assert await invoke(node, "set", 1, 1, "4711") == {"status": 255}
        assert await zwave_bed.slots(S2) == {}
        await invoke(node, "set", 1, 1, "4711")
    assert set(await zwave_bed.slots(S2)) == {1}


@pytest.mark.slow
async def test_lost_supervision_report_hides_a_success(zwave_bed: ZwaveBed) -> None:
    """The code is in the lock, and the call answers as an unsupervised one."""
    await zwave_bed.fault(S2, Faults(lose_answers=1))
    async with connected(zwave_bed) as driver:
        assert await invoke(driver.controller.nodes[S2], "set", 1, 1, "4711") is None
    assert set(await zwave_bed.slots(S2)) == {1}


@pytest.mark.slow
async def test_lost_acknowledgement_fails_a_stored_set(zwave_bed: ZwaveBed) -> None:
    """On an unsupervised lock the driver reports an error and a dead node, and yet the code is stored."""
    await zwave_bed.fault(V1, Faults(lose_answers=1))
    async with connected(zwave_bed) as driver:
        node = driver.controller.nodes[V1]
        with pytest.raises(FailedZWaveCommand, match="ZW0204"):
            await invoke(node, "set", 1, 1, "4711")
        assert set(await zwave_bed.slots(V1)) == {1}
        assert (await invoke(node, "get", 1))["userIdStatus"] == 1
        assert node.status == NodeStatus.ALIVE


async def test_refused_set_changes_nothing(zwave_bed: ZwaveBed) -> None:
    """A supervised lock says so; on another the slot just stays as it was."""
    async with connected(zwave_bed) as driver:
        for node_id, answer in ((S2, {"status": 2}), (V1, None)):
            await zwave_bed.fault(node_id, Faults(refuse_sets=1))
            assert await invoke(driver.controller.nodes[node_id], "set", 1, 1, "4711") == answer
            assert await zwave_bed.slots(node_id) == {}


async def test_faults_without_a_count_last_until_cleared(zwave_bed: ZwaveBed) -> None:
    """None stands for every command, until the faults are replaced."""
    await zwave_bed.fault(S2, Faults(refuse_sets=None))
    async with connected(zwave_bed) as driver:
        node = driver.controller.nodes[S2]
        for _ in range(3):
            assert await invoke(node, "set", 1, 1, "4711") == {"status": 2}
        await zwave_bed.fault(S2, Faults())
        assert await invoke(node, "set", 1, 1, "4711") == {"status": 255}


@pytest.mark.slow
async def test_silent_get_answers_nothing(zwave_bed: ZwaveBed) -> None:
    """No answer is None from the direct call, and a missing credential from the access control one."""
    await zwave_bed.edit(S2, 1, "4711", "silent")
    async with connected(zwave_bed) as driver:
        node = driver.controller.nodes[S2]
        await zwave_bed.fault(S2, Faults(silent_gets=1))
        assert await invoke(node, "get", 1) is None
        await zwave_bed.fault(S2, Faults(silent_gets=1))
        assert await node.endpoints[0].access_control.get_credential(PIN, 1) is None


async def test_false_available_answer_looks_like_an_empty_slot(zwave_bed: ZwaveBed) -> None:
    """One lying reading, the next is true: why one reading is not enough to call a code removed."""
    await zwave_bed.edit(V1, 1, "4711", "silent")
    await zwave_bed.fault(V1, Faults(false_available_gets=1))
    async with connected(zwave_bed) as driver:
        node = driver.controller.nodes[V1]
        assert (await invoke(node, "get", 1))["userIdStatus"] == 0
        assert await invoke(node, "get", 1) == {"userIdStatus": 1, "userCode": "4711"}


async def test_slow_answer_is_waited_for(zwave_bed: ZwaveBed) -> None:
    """An answer inside the driver's second still counts."""
    await zwave_bed.fault(S2, Faults(answer_delay_ms=400))
    async with connected(zwave_bed) as driver:
        loop = asyncio.get_running_loop()
        began = loop.time()
        assert (await invoke(driver.controller.nodes[S2], "get", 1))["userIdStatus"] == 0
        assert loop.time() - began >= 0.4


async def test_unknown_fault_is_refused(zwave_bed: ZwaveBed) -> None:
    """A mistake in a test shows as an error."""
    with pytest.raises(BedFailedError, match="unknown fault gremlins"):
        await zwave_bed._post("faults", node_id=S2, faults={"gremlins": 1})
