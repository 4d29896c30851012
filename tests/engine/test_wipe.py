"""A lock that lost all codes at once (rule 14), and one that is another (rule 15)."""

import pytest
from msgspec.structs import replace

from drivers.simulated.models import CHOOSER, MASKED, READABLE, WRITE_ONLY, Model
from gateway.domain.credential import Empty
from gateway.domain.driver import (
    AccessDenied,
    AllCleared,
    CodeUsed,
    LockAlive,
    LockAsleep,
    LockUnreachable,
    SlotReported,
    SlotTouched,
)
from gateway.domain.lock import OnWipe, Reach
from gateway.domain.timing import WIPE_SHOWS
from tests.engine.bench import Bench
from tests.engine.build import DAY, DOOR, HOUR, MINUTE, POLICY, SECOND
from tests.engine.conftest import Hang

PINS = ["471134", "582245", "693356"]
KINDS = pytest.mark.parametrize("model", [READABLE, MASKED, WRITE_ONLY, CHOOSER], ids=lambda m: m.name)
HOLD = replace(POLICY, on_wipe=OnWipe.HOLD)


async def filled(bench: Bench) -> list[str]:
    """Put three codes onto the lock; return their ids."""
    ids = [await bench.create(pin) for pin in PINS]
    await bench.settle(HOUR)
    assert sorted(bench.on_lock().values()) == PINS
    bench.events()
    bench.driver.operations.clear()
    return ids


class TestWiped:
    """One alarm, not one per code; then the policy decides."""

    @KINDS
    async def test_the_lock_s_own_report_is_checked_and_the_codes_are_set_again(
        self, hang: Hang, model: Model
    ) -> None:
        """A write-only lock is believed: it cannot be asked."""
        bench = await hang(model)
        await filled(bench)
        bench.lock.delete_all()
        await bench.engine.handle(AllCleared(device_id=DOOR))
        await bench.tell(AllCleared(device_id=DOOR))
        await bench.settle(HOUR)
        told = bench.events()
        assert told.count("device.wiped") == 1
        assert "access_code.deleted_external_to_gateway" not in told
        assert sorted(bench.on_lock().values()) == PINS
        assert bench.issues() <= {"unable_to_confirm_code", "delay_in_setting_on_device", "device_wiped"}
        assert bench.snap().device.wiped_at is None

    async def test_codes_seen_missing_one_after_the_other_are_a_wipe_too(self, hang: Hang) -> None:
        """The first one missing makes the hub look at the others before it tells anything."""
        bench = await hang(READABLE)
        await filled(bench)
        bench.lock.delete_all()
        await bench.tell(SlotTouched(device_id=DOOR, slot="20"))
        await bench.settle(HOUR)
        told = bench.events()
        assert told.count("device.wiped") == 1
        assert "access_code.deleted_external_to_gateway" not in told
        assert sorted(bench.on_lock().values()) == PINS

    async def test_one_code_missing_beside_others_is_no_wipe(self, hang: Hang) -> None:
        """Somebody removed it."""
        bench = await hang(READABLE)
        await filled(bench)
        bench.lock.delete("20")
        await bench.tell(SlotTouched(device_id=DOOR, slot="20"))
        await bench.settle(HOUR)
        told = bench.events()
        assert "device.wiped" not in told
        assert told.count("access_code.deleted_external_to_gateway") == 1
        assert bench.snap().device.wipe_suspected_at is None

    async def test_a_suspicion_that_was_refuted_does_not_hide_a_wipe_soon_after(self, hang: Hang) -> None:
        """Its time runs out while that one is looked into; each code would be told as removed by itself."""
        bench = await hang(READABLE)
        await filled(bench)
        held = bench.lock.slots["20"]
        bench.lock.delete("20")
        await bench.tell(SlotTouched(device_id=DOOR, slot="20"))
        bench.lock.slots["20"] = held
        await bench.settle(WIPE_SHOWS - 15 * SECOND)
        assert bench.snap().device.wipe_suspected_at is not None
        bench.lock.delete_all()
        await bench.tell(SlotTouched(device_id=DOOR, slot="20"))
        await bench.settle(HOUR)
        told = bench.events()
        assert told.count("device.wiped") == 1
        assert "access_code.deleted_external_to_gateway" not in told
        assert sorted(bench.on_lock().values()) == PINS

    async def test_a_report_that_is_not_true_changes_nothing(self, hang: Hang) -> None:
        """All codes are seen, and nothing is written."""
        bench = await hang(READABLE)
        await filled(bench)
        await bench.tell(AllCleared(device_id=DOOR))
        await bench.settle(HOUR)
        assert "device.wiped" not in bench.events()
        assert bench.driver.taken("write", "clear") == []
        assert bench.issues() == set()

    async def test_a_lock_that_falls_silent_in_between_is_judged_once_it_answers(self, hang: Hang) -> None:
        """While nobody can look, the time to prove a suspicion does not run out."""
        bench = await hang(READABLE)
        await filled(bench)
        bench.lock.delete_all()
        bench.driver.faults = [None, *[("before", LockUnreachable("out of reach"))] * 20]
        await bench.tell(SlotTouched(device_id=DOOR, slot="20"))
        await bench.settle(18 * MINUTE)
        bench.driver.faults.clear()
        await bench.tell(LockAlive(device_id=DOOR))
        await bench.settle(HOUR)
        told = bench.events()
        assert told.count("device.wiped") == 1
        assert "access_code.deleted_external_to_gateway" not in told
        assert sorted(bench.on_lock().values()) == PINS

    async def test_a_lock_that_falls_asleep_in_between_is_judged_at_the_next_touch(self, hang: Hang) -> None:
        """Nobody can look at it meanwhile, which is no failure; the time to prove a suspicion begins anew."""
        can = replace(READABLE.capabilities, reach=Reach.ON_TOUCH)
        bench = await hang(replace(READABLE, capabilities=can))
        await filled(bench)
        bench.lock.delete_all()
        asleep = LockAsleep("the lock listens only after a touch")
        bench.driver.faults = [None, *[("before", asleep)] * 20]
        await bench.tell(SlotTouched(device_id=DOOR, slot="20"))
        assert bench.snap().device.wipe_suspected_at is not None
        bench.driver.faults.clear()
        bench.driver.closed = asleep
        await bench.settle(HOUR)
        bench.driver.closed = None
        await bench.tell(LockAlive(device_id=DOOR))
        await bench.settle(HOUR)
        told = bench.events()
        assert told.count("device.wiped") == 1
        assert "access_code.deleted_external_to_gateway" not in told
        assert sorted(bench.on_lock().values()) == PINS

    async def test_one_code_missing_on_a_lock_that_sleeps_is_known_at_the_second_touch(
        self, hang: Hang
    ) -> None:
        """The other codes were seen at the first one, so it is no wipe, however long the lock slept."""
        can = replace(READABLE.capabilities, reach=Reach.ON_TOUCH)
        bench = await hang(replace(READABLE, capabilities=can))
        await filled(bench)
        bench.lock.delete("20")
        await bench.tell(SlotTouched(device_id=DOOR, slot="20"))
        for _ in range(2):
            bench.driver.closed = LockAsleep("the lock listens only after a touch")
            await bench.settle(HOUR)
            bench.driver.closed = None
            await bench.tell(LockAlive(device_id=DOOR))
        assert "device.wiped" not in bench.events()
        assert sorted(bench.on_lock().values()) == PINS

    async def test_a_lock_without_codes_of_ours_has_nothing_to_lose(self, hang: Hang) -> None:
        """It is only looked at."""
        bench = await hang(READABLE)
        await bench.tell(AllCleared(device_id=DOOR))
        await bench.settle(HOUR)
        assert "device.wiped" not in bench.events()

    @KINDS
    async def test_a_person_may_decide_about_filling_it(self, hang: Hang, model: Model) -> None:
        """`on_wipe = hold`: nothing is set until `devices/refill`, for as long as it takes."""
        bench = await hang(model, policy=HOLD)
        await filled(bench)
        bench.lock.delete_all()
        await bench.tell(AllCleared(device_id=DOOR))
        await bench.settle(2 * DAY)
        assert bench.on_lock() == {}
        assert "device_wiped" in bench.issues()
        await bench.do("devices/refill", device_id=DOOR)
        await bench.settle(HOUR)
        assert sorted(bench.on_lock().values()) == PINS
        assert "device_wiped" not in bench.issues()

    async def test_the_alarm_ends_although_some_codes_cannot_come_back(self, hang: Hang) -> None:
        """One was removed by wish; one has an error of its own, because somebody took its PIN meanwhile."""
        bench = await hang(READABLE, policy=HOLD)
        unwanted = await bench.create("998877", is_external_modification_allowed=True)
        await bench.settle(HOUR)
        [slot] = bench.on_lock()
        bench.lock.delete(slot)
        await bench.tell(SlotTouched(device_id=DOOR, slot=slot))
        await bench.settle(HOUR)
        assert (await bench.shown(unwanted))["status"] == "unset"
        await filled(bench)
        bench.lock.delete_all()
        bench.by_hand("1", PINS[0])
        await bench.tell(AllCleared(device_id=DOOR))
        await bench.settle(HOUR)
        assert "device_wiped" in bench.issues()
        await bench.do("devices/refill", device_id=DOOR)
        await bench.settle(HOUR)
        assert sorted(bench.on_lock().values()) == PINS
        assert bench.on_lock()["1"] == PINS[0]
        assert "duplicate_code_on_device" in bench.issues()
        assert "device_wiped" not in bench.issues()

    async def test_it_is_told_also_when_no_code_can_come_back(self, hang: Hang) -> None:
        """Here the PINs were set before somebody found out how long they must be."""
        bench = await hang(READABLE)
        await filled(bench)
        await bench.do("access_codes/report_device_constraints", device_id=DOOR, supported_code_lengths=[4])
        bench.lock.delete_all()
        await bench.tell(AllCleared(device_id=DOOR))
        await bench.settle(HOUR)
        assert bench.events().count("device.wiped") == 1
        assert (bench.on_lock(), "device_wiped" in bench.issues()) == ({}, False)


class TestAnotherLock:
    """A mismatch stops all writes until the operator says `locks replace`."""

    async def test_nothing_is_done_on_it(self, hang: Hang) -> None:
        """Not even a look; it is told once."""
        bench = await hang(READABLE)
        [first, *_] = await filled(bench)
        await bench.tell(bench.seen(serial="another"))
        await bench.do("access_codes/delete", access_code_id=first)
        await bench.settle(DAY)
        assert bench.driver.taken() == []
        assert bench.events().count("device.replaced") == 1
        assert "device_replaced" in bench.issues()

    async def test_accepted_it_is_read_first_and_then_filled(self, hang: Hang) -> None:
        """Nothing is known of its slots; codes of others there stay."""
        bench = await hang(READABLE)
        await filled(bench)
        bench.lock.delete_all()
        bench.by_hand("20", "998877")
        await bench.tell(bench.seen(serial="another"))
        await bench.do("devices/replace", device_id=DOOR)
        await bench.settle(2 * HOUR)
        assert bench.on_lock().pop("20") == "998877"
        assert {slot for slot, pin in bench.on_lock().items() if pin in PINS} == {"19", "18", "17"}
        assert bench.issues() == set()

    async def test_what_was_disabled_by_somebody_who_may_stays_so(self, hang: Hang) -> None:
        """Another lock behind the door is no reason to let a person in who was shut out."""
        bench = await hang(READABLE)
        await bench.create(PINS[0], is_external_modification_allowed=True)
        await bench.create(PINS[1], is_external_modification_allowed=True)
        await bench.settle(HOUR)
        bench.by_hand("20", PINS[0], enabled=False)
        bench.lock.clear("19")
        for slot in ("20", "19"):
            await bench.tell(SlotTouched(device_id=DOOR, slot=slot))
        await bench.settle(HOUR)
        bench.lock.delete_all()
        await bench.tell(bench.seen(serial="another"))
        await bench.do("devices/replace", device_id=DOOR)
        await bench.settle(HOUR)
        assert [taken for taken in bench.lock.slots.values() if taken.enabled] == []

    async def test_the_lengths_that_the_old_one_took_are_forgotten(self, hang: Hang) -> None:
        """They were reported for that one; the new one tells its own."""
        bench = await hang(READABLE)
        await filled(bench)
        await bench.do("access_codes/report_device_constraints", device_id=DOOR, supported_code_lengths=[4])
        bench.lock.delete_all()
        await bench.tell(bench.seen(serial="another"))
        await bench.do("devices/replace", device_id=DOOR)
        await bench.create("135790")
        await bench.settle(HOUR)
        assert "135790" in bench.on_lock().values()

    async def test_what_it_reports_is_not_of_our_codes(self, hang: Hang) -> None:
        """Somebody opens the other lock, from the same slot: no guest of ours came, and none loses a use."""
        bench = await hang(READABLE)
        await bench.create(PINS[0], is_one_time_use=True)
        await bench.settle(HOUR)
        bench.events()
        await bench.tell(bench.seen(serial="another"))
        for event in (
            CodeUsed(device_id=DOOR, slot="20"),
            SlotReported(device_id=DOOR, slot="20", reading=Empty()),
            AccessDenied(device_id=DOOR, reason="outside_schedule", slot="20"),
            AllCleared(device_id=DOOR),
        ):
            await bench.tell(event)
        stored = bench.store.do(lambda tx: [one.event for one in tx.undelivered(20)])
        at_the_door = [event for event in stored if event.event_type.startswith("lock.")]
        assert [event.event_type for event in at_the_door] == ["lock.unlocked", "lock.access_denied"]
        assert [event.access_code_id for event in at_the_door] == [None, None]
        assert "access_code.first_used" not in bench.events()
        await bench.tell(bench.seen())
        await bench.settle(MINUTE)
        assert bench.on_lock() == {"20": PINS[0]}

    async def test_that_it_was_cleared_says_nothing_of_ours(self, hang: Hang) -> None:
        """A lock that shows nothing has reports only: the PIN would count as gone and still open."""
        bench = await hang(WRITE_ONLY)
        await bench.create(PINS[0])
        await bench.settle(HOUR)
        await bench.tell(bench.seen(serial="another"))
        await bench.tell(AllCleared(device_id=DOOR))
        await bench.settle(HOUR)
        [known] = bench.snap().placements.values()
        assert known.confirmed is not None

    async def test_the_same_lock_come_back_needs_nobody(self, hang: Hang) -> None:
        """The alarm ends by itself."""
        bench = await hang(READABLE)
        await filled(bench)
        await bench.tell(bench.seen(serial="another"))
        await bench.tell(bench.seen())
        assert bench.issues() == set()


class TestHolds:
    """A person at the door, and a restored backup."""

    async def test_a_pause_ends_by_itself(self, hang: Hang) -> None:
        """Nothing is written or removed meanwhile; it can be ended sooner."""
        bench = await hang(READABLE)
        await bench.do("devices/pause", device_id=DOOR, minutes=30)
        await bench.create(PINS[0])
        await bench.settle(29 * MINUTE)
        assert (bench.on_lock(), bench.issues()) == ({}, {"device_paused", "delay_in_setting_on_device"})
        await bench.settle(MINUTE)
        assert list(bench.on_lock().values()) == [PINS[0]]
        assert bench.issues() == set()
        await bench.do("devices/pause", device_id=DOOR)
        await bench.create(PINS[1])
        await bench.do("devices/resume", device_id=DOOR)
        await bench.settle()
        assert sorted(bench.on_lock().values()) == PINS[:2]

    async def test_after_a_restore_nothing_is_written_until_it_is_confirmed(self, hang: Hang) -> None:
        """The plan can be looked at before."""
        bench = await hang(READABLE)
        await bench.create(PINS[0])
        restored = replace(bench.snap().device, held_for_restore=True)
        bench.store.do(lambda tx: tx.save_device(restored))
        await bench.settle(HOUR)
        assert bench.on_lock() == {}
        assert "held_after_restore" in bench.issues()
        assert (await bench.do("plan/get"))["plans"][0]["gate"] == "held_for_restore"
        assert await bench.do("restore/confirm") == {"device_ids": [DOOR]}
        await bench.settle()
        assert list(bench.on_lock().values()) == [PINS[0]]
        assert await bench.do("restore/confirm") == {"device_ids": []}
