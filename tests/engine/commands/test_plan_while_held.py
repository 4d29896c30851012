"""What a person sees before confirming a restore."""

from datetime import timedelta

from msgspec.structs import replace

from drivers.simulated.models import READABLE
from gateway.domain.placement import Snapshot
from gateway.domain.store import Tx
from tests.engine.build import DOOR, HOUR
from tests.engine.conftest import Hang


async def test_the_plan_is_seen_before_it_is_confirmed(hang: Hang) -> None:
    """A restored lock is not touched, and the plan tells what will be done once it may be."""
    bench = await hang(READABLE)
    code_id = await bench.create("471134", ends_at=(bench.clock.now() + HOUR).isoformat())
    await bench.settle(timedelta(minutes=10))

    def hold(tx: Tx) -> None:
        snap = tx.snapshot(DOOR)
        assert isinstance(snap, Snapshot)
        tx.save_device(replace(snap.device, held_for_restore=True))

    bench.store.do(hold)
    bench.driver.operations.clear()
    await bench.settle(2 * HOUR)
    assert bench.driver.operations == []
    [plan] = (await bench.do("plan/get", device_id=DOOR))["plans"]
    assert plan["gate"] == "held_for_restore"
    assert ("clear", code_id) in [(step["action"], step["access_code_id"]) for step in plan["steps"]]
    assert "held_after_restore" in {issue["code"] for issue in plan["issues"]}

    await bench.do("restore/confirm")
    await bench.settle(HOUR)
    assert bench.on_lock() == {}
