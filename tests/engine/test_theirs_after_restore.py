"""What stays somebody else's after a restore, although it may show the PIN of a code of the hub."""

import pytest
from msgspec.structs import replace

from drivers.simulated.models import CHOOSER, MASKED, READABLE, WRITE_ONLY, Model
from gateway.domain.driver import SlotTouched
from gateway.engine.mutations import instant
from tests.engine.build import DAY, DOOR, HOUR, MINUTE, NOON, POLICY
from tests.engine.conftest import Hang
from tests.engine.restoring import ANNA, ENDS, OTHER, STARTS, WAITS, Save, put, unmanaged


class TestTheirs:
    """What stays somebody else's."""

    async def test_the_same_pin_without_a_restore(self, hang: Hang) -> None:
        """Whoever types it at the keypad has a code of their own."""
        bench = await hang(READABLE)
        code_id = await bench.create(ANNA, **WAITS)
        await bench.settle(MINUTE)
        bench.by_hand("20", ANNA)
        await bench.do("devices/sync", device_id=DOOR)
        await bench.settle(STARTS + HOUR - NOON)
        assert unmanaged(bench) == ["20"]
        assert "duplicate_code_on_device" in bench.issues()
        assert (await bench.shown(code_id))["status"] == "setting"

    @pytest.mark.parametrize("model", [READABLE, CHOOSER], ids=lambda m: m.name)
    async def test_the_same_pin_after_the_looks(self, hang: Hang, saved: Save, model: Model) -> None:
        """The slot was seen empty since the restore."""
        bench = await hang(model)
        await bench.create(ANNA, **WAITS)
        house = saved(bench)
        await house.restore()
        await house.confirm()
        assert bench.snap().device.restored_from is None
        slot = put(bench, "20", ANNA)
        await bench.do("devices/sync", device_id=DOOR)
        await bench.settle(HOUR)
        assert unmanaged(bench) == [slot]

    async def test_the_same_pin_known_before_the_backup(self, hang: Hang, saved: Save) -> None:
        """The hub of before knew it as somebody else's, and never wrote its own beside it."""
        bench = await hang(READABLE)
        await bench.create(ANNA, **WAITS)
        await bench.settle(MINUTE)
        bench.by_hand("20", ANNA)
        await bench.do("devices/sync", device_id=DOOR)
        await bench.settle(HOUR)
        house = saved(bench)
        await house.restore()
        await house.confirm()
        assert unmanaged(bench) == ["20"]

    async def test_another_one_than_a_command_wanted_deleted(self, hang: Hang, saved: Save) -> None:
        """It was changed during the hold, unseen: the command named the one that the backup knows."""
        bench = await hang(READABLE)
        await bench.create(ANNA)
        await bench.settle(MINUTE)
        bench.by_hand("3", OTHER)
        await bench.do("devices/sync", device_id=DOOR)
        await bench.settle(HOUR)
        house = saved(bench)
        await house.restore()
        [theirs] = [slot.unmanaged_id for slot in bench.snap().slots.values() if slot.unmanaged_id]
        await bench.do("access_codes/unmanaged/delete", access_code_id=theirs)
        put(bench, "3", "975310")
        await house.confirm()
        assert bench.on_lock() == {"3": "975310", "20": ANNA}
        assert bench.driver.taken("clear") == []

    async def test_the_very_one_that_a_command_wanted_deleted_goes(self, hang: Hang, saved: Save) -> None:
        """The hold puts the command off, and no more."""
        bench = await hang(READABLE)
        await bench.create(ANNA)
        await bench.settle(MINUTE)
        bench.by_hand("3", OTHER)
        await bench.do("devices/sync", device_id=DOOR)
        await bench.settle(HOUR)
        house = saved(bench)
        await house.restore()
        [theirs] = [slot.unmanaged_id for slot in bench.snap().slots.values() if slot.unmanaged_id]
        await bench.do("access_codes/unmanaged/delete", access_code_id=theirs)
        await house.confirm()
        assert bench.on_lock() == {"20": ANNA}

    async def test_another_s_slot_that_shows_our_pin_by_now(self, hang: Hang, saved: Save) -> None:
        """They deleted theirs, and the hub used the slot: this one is ours."""
        bench = await hang(READABLE)
        await bench.create(ANNA, **WAITS)
        await bench.settle(MINUTE)
        bench.by_hand("20", OTHER)
        await bench.do("devices/sync", device_id=DOOR)
        await bench.settle(HOUR)
        house = saved(bench)
        bench.lock.clear("20")
        put(bench, "20", ANNA)
        await house.restore()
        await house.confirm(MINUTE)
        assert "access_code.unmanaged.removed" in bench.events()
        assert (unmanaged(bench), bench.on_lock()) == ([], {})

    async def test_the_pin_of_one_that_had_ended_before_the_backup(self, hang: Hang, saved: Save) -> None:
        """It was given to a newer code since, which the backup does not know: nobody is shut out."""
        bench = await hang(READABLE)
        await bench.create(ANNA, ends_at=instant(NOON + DAY))
        await bench.settle(DAY + HOUR)
        assert bench.on_lock() == {}
        house = saved(bench)
        await bench.create(ANNA)
        await bench.settle(HOUR)
        await house.restore()
        await house.confirm(2 * DAY)
        assert list(bench.on_lock().values()) == [ANNA]
        assert unmanaged(bench) == list(bench.on_lock())

    async def test_of_two_with_one_pin_the_one_that_goes_on(self, hang: Hang, saved: Save) -> None:
        """A PIN is free again once its code is over and off."""
        bench = await hang(READABLE)
        await bench.create(ANNA, ends_at=instant(NOON + DAY))
        await bench.settle(DAY + HOUR)
        code_id = await bench.create(ANNA, **WAITS)
        house = saved(bench)
        await bench.settle(STARTS + HOUR - bench.clock.wall)
        await house.restore()
        await house.confirm()
        assert (await bench.shown(code_id))["status"] == "set"
        assert (unmanaged(bench), len(bench.on_lock())) == ([], 1)

    async def test_a_slot_that_is_not_granted(self, hang: Hang, saved: Save) -> None:
        """The hub never wrote there."""
        bench = await hang(READABLE, policy=replace(POLICY, managed_slots=("19", "20")))
        await bench.create(ANNA, **WAITS)
        house = saved(bench)
        put(bench, "3", ANNA)
        await house.restore()
        await house.confirm()
        assert unmanaged(bench) == ["3"]


class TestLocksThatShowNoDigits:
    """There nothing can be proven."""

    async def test_a_masked_slot_stays_somebody_else_s_and_is_named(self, hang: Hang, saved: Save) -> None:
        """Which slots may hold the code stands beside the refusal, and they stay in the list of others'."""
        bench = await hang(MASKED)
        code_id = await bench.create(ANNA, **WAITS)
        house = saved(bench)
        await bench.settle(STARTS + HOUR - NOON)
        await house.restore()
        await house.confirm()
        assert "access_code.unmanaged.created" in bench.events()
        [error] = [
            error
            for error in (await bench.shown(code_id))["errors"]
            if error["error_code"] == "duplicate_code_on_device"
        ]
        assert "slot 20" in error["message"]
        await bench.settle(ENDS + HOUR - bench.clock.wall)
        assert (unmanaged(bench), bench.on_lock()) == (["20"], {"20": ANNA})

    @pytest.mark.parametrize("at_the_keypad", [True, False])
    async def test_whoever_deletes_it_has_it_written_anew(
        self, hang: Hang, saved: Save, *, at_the_keypad: bool
    ) -> None:
        """That is what docs/operation.md says to do."""
        bench = await hang(MASKED)
        code_id = await bench.create(ANNA, **WAITS)
        house = saved(bench)
        await bench.settle(STARTS + HOUR - NOON)
        await house.restore()
        await house.confirm()
        [theirs] = [slot.unmanaged_id for slot in bench.snap().slots.values() if slot.unmanaged_id]
        if at_the_keypad:
            bench.lock.clear("20")
            await bench.tell(SlotTouched(device_id=DOOR, slot="20"))
        else:
            await bench.do("access_codes/unmanaged/delete", access_code_id=theirs)
        await bench.settle(HOUR)
        assert ((await bench.shown(code_id))["status"], list(bench.on_lock().values())) == ("set", [ANNA])
        await bench.settle(ENDS + HOUR - bench.clock.wall)
        assert bench.on_lock() == {}

    async def test_a_write_only_lock_is_not_looked_at(self, hang: Hang, saved: Save) -> None:
        """Its slot is written again, and cleared at the end."""
        bench = await hang(WRITE_ONLY)
        await bench.create(ANNA, **WAITS)
        house = saved(bench)
        await bench.settle(STARTS + HOUR - NOON)
        await house.restore()
        await house.confirm()
        assert bench.driver.taken("read") == []
        assert bench.snap().device.restored_from is None
        await bench.settle(ENDS + HOUR - bench.clock.wall)
        assert bench.on_lock() == {}
