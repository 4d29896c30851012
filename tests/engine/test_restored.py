"""A lock after the restore of a backup: what came onto it since the backup was made is not ours."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from drivers.simulated.models import CHOOSER, MASKED, READABLE, Model
from gateway.domain.credential import Reading, SlotRef
from gateway.domain.driver import AuthorityUp, NoAnswer
from gateway.engine.mutations import instant
from tests.engine.bench import Bench
from tests.engine.build import DAY, DOOR, HOUR, MINUTE, NOON
from tests.engine.conftest import Hang

OURS, THEIRS = "471134", "864213"
BOTH = pytest.mark.parametrize("model", [READABLE, CHOOSER], ids=lambda m: m.name)


async def restored(bench: Bench, after: timedelta) -> None:
    """Start the hub with what it knows by now, so long after that was saved, and have a person confirm it."""
    held = replace(bench.snap().device, held_for_restore=True)
    bench.store.do(lambda tx: tx.save_device(held))
    bench.clock.pass_by(after)
    bench.clock.reboot(bench.clock.wall)
    bench.boot()
    await bench.engine.start()
    await bench.engine.handle(AuthorityUp(device_ids=(DOOR,)))
    await bench.tell(bench.seen())
    bench.driver.operations.clear()
    await bench.do("restore/confirm")


def exchanged(bench: Bench) -> None:
    """Let another code take the slot of the one that is there."""
    [slot] = bench.on_lock()
    bench.lock.clear(slot)
    bench.lock.next_id = int(slot)
    bench.by_hand(None if bench.lock.model.capabilities.lock_chooses_slot else slot, THEIRS)
    assert bench.on_lock() == {slot: THEIRS}


@BOTH
async def test_the_end_of_an_old_code_takes_no_newer_one_off(hang: Hang, model: Model) -> None:
    """Its slot was given to another guest after the backup."""
    bench = await hang(model)
    await bench.create(OURS, ends_at=instant(NOON + DAY))
    await bench.settle(MINUTE)
    exchanged(bench)
    await restored(bench, 2 * DAY)
    await bench.settle(HOUR)
    assert list(bench.on_lock().values()) == [THEIRS]
    assert bench.issues() == set()


async def test_one_look_in_vain_takes_no_newer_one_off_either(hang: Hang) -> None:
    """The slot is looked at again before it is cleared."""
    bench = await hang(READABLE)
    await bench.create(OURS, ends_at=instant(NOON + DAY))
    await bench.settle(MINUTE)
    exchanged(bench)
    bench.driver.faults = [("before", NoAnswer("no answer"))]
    await restored(bench, 2 * DAY)
    await bench.settle(HOUR)
    assert list(bench.on_lock().values()) == [THEIRS]


async def test_what_never_shows_is_cleared_in_the_end(hang: Hang, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is ours as far as anybody knows, and over."""
    bench = await hang(READABLE)
    await bench.create(OURS, ends_at=instant(NOON + DAY))
    await bench.settle(MINUTE)
    hear = bench.driver.read

    async def read(slot: SlotRef) -> Reading:
        if slot == "20":
            raise NoAnswer("no answer")
        return await hear(slot)

    monkeypatch.setattr(bench.driver, "read", read)
    await restored(bench, 2 * DAY)
    await bench.settle(2 * HOUR)
    assert bench.on_lock() == {}


@BOTH
async def test_the_start_of_an_old_code_does_not_overwrite_a_newer_one(hang: Hang, model: Model) -> None:
    """The slot is looked at before anything is written; the code goes into another one."""
    bench = await hang(model)
    starts_at = instant(NOON + 20 * MINUTE)
    code_id = await bench.create(OURS, starts_at=starts_at, ends_at=instant(NOON + 10 * DAY))
    await bench.settle(MINUTE)
    exchanged(bench)
    await restored(bench, DAY)
    await bench.settle(HOUR)
    assert set(bench.on_lock().values()) == {OURS, THEIRS}
    assert bench.driver.taken()[0][0] in {"read", "list"}
    assert (await bench.shown(code_id))["status"] == "set"


@pytest.mark.parametrize("model", [READABLE, MASKED, CHOOSER], ids=lambda m: m.name)
async def test_what_is_still_there_is_ended_as_ever(hang: Hang, model: Model) -> None:
    """The lock is as it was when the backup was made."""
    bench = await hang(model)
    await bench.create(OURS, ends_at=instant(NOON + DAY))
    await bench.settle(MINUTE)
    await restored(bench, 2 * DAY)
    await bench.settle(HOUR)
    assert bench.on_lock() == {}


@BOTH
async def test_a_slot_that_is_empty_by_now_is_filled_again(hang: Hang, model: Model) -> None:
    """Somebody removed the code after the backup; it counts as removed by hand."""
    bench = await hang(model)
    code_id = await bench.create(OURS)
    await bench.settle(MINUTE)
    [slot] = bench.on_lock()
    bench.lock.clear(slot)
    await restored(bench, DAY)
    await bench.settle(HOUR)
    assert list(bench.on_lock().values()) == [OURS]
    assert (await bench.shown(code_id))["status"] == "set"
