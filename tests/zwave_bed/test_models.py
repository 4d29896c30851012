"""What sets the lock models apart."""

import pytest
from zwave_js_server.const.command_class.access_control import UserCredentialType
from zwave_js_server.exceptions import FailedZWaveCommand, NotFoundError

from tests.zwave_bed.bed import BedFailedError, ZwaveBed
from tests.zwave_bed.client import connected, invoke
from tests.zwave_bed.config import Model
from tests.zwave_bed.fixtures import NODES

pytestmark = pytest.mark.zwave_bed
PIN = UserCredentialType.PIN_CODE


@pytest.mark.parametrize("model", ["masked_v1", "masked_s0", "masked_s2"])
async def test_masked_locks_show_that_a_slot_is_taken_and_hide_its_digits(
    zwave_bed: ZwaveBed, model: Model
) -> None:
    """Ten asterisks stand for any code; an empty slot is still told as empty."""
    node_id = NODES[model].node_id
    async with connected(zwave_bed) as driver:
        node = driver.controller.nodes[node_id]
        access = node.endpoints[0].access_control
        assert await access.set_credential(3, PIN, 3, "4711") == 0
        assert await invoke(node, "get", 3) == {"userIdStatus": 1, "userCode": "*" * 10}
        assert (await invoke(node, "get", 4))["userIdStatus"] == 0
    assert (await zwave_bed.slots(node_id))[3].code == "4711"


async def test_write_only_lock_stores_and_never_shows(zwave_bed: ZwaveBed) -> None:
    """Its reads prove nothing: Available even where a code stands."""
    node_id = NODES["write_only"].node_id
    async with connected(zwave_bed) as driver:
        node = driver.controller.nodes[node_id]
        await invoke(node, "set", 1, 1, "4711")
        assert (await invoke(node, "get", 1))["userIdStatus"] == 0
    assert (await zwave_bed.slots(node_id))[1].code == "4711"


async def test_slot_beyond_the_last_is_refused_without_radio(zwave_bed: ZwaveBed) -> None:
    """A slot the lock does not have is a permanent error, before anything is sent."""
    node_id = NODES["tiny"].node_id
    async with connected(zwave_bed) as driver:
        with pytest.raises(FailedZWaveCommand, match="ZW0322"):
            await invoke(driver.controller.nodes[node_id], "set", 4, 1, "4711")
    assert (await zwave_bed.counters(node_id)).total == 0


async def test_s0_costs_handshakes_on_top_of_every_command(zwave_bed: ZwaveBed) -> None:
    """A nonce before the command and one for the answer: three transmissions for one read."""
    node_id = NODES["masked_s0"].node_id
    async with connected(zwave_bed) as driver:
        await invoke(driver.controller.nodes[node_id], "get", 1)
    counters = await zwave_bed.counters(node_id)
    assert (counters.get, counters.security, counters.total) == (1, 2, 3)


async def test_user_credential_lock_has_no_user_code(zwave_bed: ZwaveBed) -> None:
    """Command class 131 is there and 99 is not, by which such a lock can be refused by name."""
    async with connected(zwave_bed) as driver:
        node = driver.controller.nodes[NODES["user_credential"].node_id]
        assert {131} == {cc.id for cc in node.command_classes} & {99, 131}
        with pytest.raises(NotFoundError):
            await invoke(node, "get", 1)


async def test_dual_lock_offers_both_command_classes(zwave_bed: ZwaveBed) -> None:
    """It lists User Code and User Credential together."""
    async with connected(zwave_bed) as driver:
        node = driver.controller.nodes[NODES["dual"].node_id]
        assert {cc.id for cc in node.command_classes} & {99, 131} == {99, 131}


async def test_actions_on_unknown_nodes_and_slots_are_refused(zwave_bed: ZwaveBed) -> None:
    """A mistake in a test shows as an error instead of doing nothing."""
    with pytest.raises(BedFailedError, match="unknown node 99"):
        await zwave_bed.slots(99)
    with pytest.raises(BedFailedError, match="slot 4 is not on this lock"):
        await zwave_bed.edit(NODES["tiny"].node_id, 4, "4711", "silent")


async def test_withheld_code_reads_as_taken_without_digits(zwave_bed: ZwaveBed) -> None:
    """Enabled with an empty code is neither empty nor known."""
    node_id = NODES["withheld"].node_id
    await zwave_bed.edit(node_id, 1, "4711", "silent")
    async with connected(zwave_bed) as driver:
        node = driver.controller.nodes[node_id]
        assert await invoke(node, "get", 1) == {"userIdStatus": 1, "userCode": ""}
