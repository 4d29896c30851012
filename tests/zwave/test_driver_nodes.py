"""Which node is which lock, who it is, and which are refused."""

import pytest

from drivers.zwave.settings import ZwaveLockSettings
from gateway.domain.driver import AllCleared, LockSeen, LockUnreachable
from gateway.domain.lock import NativeWindows, Readback
from tests.zwave.running import NODES, ready, running, settings_for
from tests.zwave_bed.bed import ZwaveBed
from tests.zwave_bed.client import connected
from tests.zwave_bed.config import BedConfig, Model, NodeConfig

pytestmark = pytest.mark.zwave_bed


async def test_a_lock_is_introduced_with_who_it_is_and_what_it_can(bed: ZwaveBed) -> None:
    """Everything the planner asks for, without scanning the slots."""
    node = NODES["v2_s2"].node_id
    await bed.battery(node, 83)
    async with running(bed, settings_for("v2_s2")) as run:
        seen = await run.told.one(LockSeen)
    assert (seen.identity.network, seen.identity.manufacturer) == ("7e570001", "0xffff")
    assert (seen.identity.product, seen.identity.serial) == ("0x0001:0x0001", "serial of v2_s2")
    assert seen.battery == 0.83
    capabilities = seen.capabilities
    assert capabilities.slots == ("1", "2", "3", "4")
    assert capabilities.max_codes == 4
    assert capabilities.pin_rules.lengths == (4, 5, 6, 7, 8, 9, 10)
    assert (capabilities.supervised, capabilities.disabled_status, capabilities.probe) == (True, True, True)
    assert (capabilities.readback, capabilities.reports_use) == (Readback.DIGITS, True)
    assert capabilities.native_windows is NativeWindows.NONE
    assert capabilities.spacing.total_seconds() == 2
    assert (await bed.counters(node)).user_code == 0


@pytest.mark.parametrize("model", ["v1", "masked_v1", "write_only"])
async def test_a_version_1_lock_promises_less(bed: ZwaveBed, model: Model) -> None:
    """No confirmation, no disabled codes, no checksum; its slots are known all the same."""
    async with running(bed, settings_for(model)) as run:
        capabilities = (await run.told.one(LockSeen)).capabilities
    assert (capabilities.supervised, capabilities.disabled_status, capabilities.probe) == (
        False,
        False,
        False,
    )
    assert capabilities.max_codes == 4
    assert capabilities.readback is (Readback.NONE if model == "write_only" else Readback.DIGITS)


async def test_a_lock_is_found_by_its_name_in_the_server(bed: ZwaveBed) -> None:
    """Node ids change with a new inclusion, names are given again."""
    async with running(bed, {"cellar": ZwaveLockSettings(node_name="v1 door")}) as run:
        assert (await run.told.one(LockSeen)).device_id == "cellar"
        await bed.battery(NODES["v1"].node_id, 66)
        assert run.driver.problems == {}


async def test_a_lock_that_gets_its_name_later_is_found_then(bed: ZwaveBed) -> None:
    """Nodes are included first and named afterwards; nobody should have to start anything anew for that."""
    node = NODES["tiny"].node_id
    locks = {"cellar": ZwaveLockSettings(node_name="cellar door"), **settings_for("v1")}
    async with running(bed, locks) as run, connected(bed) as operator:
        assert (await run.told.one(LockSeen)).device_id == "v1"
        assert "0 nodes of the network fit" in run.driver.problems["cellar"]
        try:
            await operator.controller.nodes[node].async_set_name("cellar door", update_cc=False)
            assert (await run.told.one(LockSeen)).device_id == "cellar"
            assert run.driver.problems == {}
            # It was in the network before: nobody took its codes.
            assert AllCleared(device_id="cellar") not in run.told.events
        finally:
            await operator.controller.nodes[node].async_set_name("tiny door", update_cc=False)


async def test_a_serial_number_is_asked_for_once(bed: ZwaveBed) -> None:
    """The server remembers it."""
    for _ in range(2):
        async with running(bed, settings_for("tiny")) as run:
            assert (await run.told.one(LockSeen)).identity.serial == "serial of tiny"
    assert (await bed.counters(NODES["tiny"].node_id)).other <= 1


async def test_another_lock_on_the_same_node_is_introduced_with_its_own_identity(bed: ZwaveBed) -> None:
    """Even one of the same model: the serial number tells them apart."""
    node = NODES["v2_s2"].node_id
    async with running(bed, settings_for("v2_s2")) as run:
        first = (await run.told.one(LockSeen)).identity
        await bed.replace(node, (0xFFFF, 1, 1), serial="serial of a stranger")
        second = (await run.told.one(LockSeen)).identity
        await bed.replace(node, (0x0090, 3, 0x0440), serial="serial of a stranger")
        third = (await run.told.one(LockSeen)).identity
    assert second.serial == "serial of a stranger"
    assert first.contradicts(second)
    assert second.contradicts(third)


async def test_slots_that_yale_reserves_are_not_offered() -> None:
    """251 is the master code, whose change would lock its owner out."""
    node = NodeConfig(node_id=2, model="v1", ids=(0x0129, 0x0004, 0x0800), slots=254)
    async with (
        ZwaveBed.start(BedConfig(nodes=[node])) as bed,
        running(bed, {"door": ZwaveLockSettings(node=2)}) as run,
    ):
        seen = await run.told.one(LockSeen)
    assert (seen.capabilities.slots[-1], seen.capabilities.max_codes) == ("250", 250)
    assert seen.identity.serial is None


@pytest.mark.parametrize("model", ["user_credential", "dual"])
async def test_locks_with_user_credential_are_refused_by_name(bed: ZwaveBed, model: Model) -> None:
    """Driving them by User Code would be forbidden, or impossible."""
    await refused(bed, {"door": settings_for(model)[model]}, "User Credential (command class 131)")


async def test_a_node_that_does_not_exist_is_a_problem(bed: ZwaveBed) -> None:
    """Whoever operates the hub is told what does not fit."""
    await refused(bed, {"door": ZwaveLockSettings(node=200)}, "0 nodes of the network fit")


async def test_the_controller_is_no_lock(bed: ZwaveBed) -> None:
    """Node 1 is the stick."""
    await refused(bed, {"door": ZwaveLockSettings(node=1)}, "0 nodes of the network fit")


async def test_two_locks_do_not_share_a_node(bed: ZwaveBed) -> None:
    """They would take turns writing the same slots."""
    locks = {
        "ours": ZwaveLockSettings(node=NODES["v1"].node_id),
        "door": ZwaveLockSettings(node_name="v1 door"),
    }
    await refused(bed, locks, "its node is that of ours")


async def refused(bed: ZwaveBed, locks: dict[str, ZwaveLockSettings], problem: str) -> None:
    """Assert that `door` is not managed, and why; a lock beside it is."""
    async with running(bed, {**locks, "beside": ZwaveLockSettings(node=NODES["tiny"].node_id)}) as run:
        await run.told.until(
            lambda told: any(isinstance(event, LockSeen) and event.device_id == "beside" for event in told)
        )
        assert problem in run.driver.problems["door"]
        with pytest.raises(LockUnreachable):
            async with run.driver.session("door"):
                pass


async def test_a_lock_nobody_configured_is_not_worked_with(bed: ZwaveBed) -> None:
    """The engine and the driver disagree: nothing is sent."""
    async with ready(bed, "tiny") as run:
        with pytest.raises(LockUnreachable):
            async with run.driver.session("somewhere else"):
                pass
