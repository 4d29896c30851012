"""A use that is told while a write is open: it counts where the slot can have held no other PIN."""

from typing import Any

import pytest

from drivers.simulated.models import MASKED, NATIVE, READABLE, WRITE_ONLY, Model
from gateway.domain.credential import Credential, Empty, Reading, SlotRef
from gateway.domain.driver import CodeUsed, NoAnswer, Written
from gateway.engine.mutations import instant
from tests.engine.bench import Bench
from tests.engine.build import (
    CAN_BLIND,
    DAY,
    DOOR,
    HOUR,
    MINUTE,
    NOON,
    SECOND,
    Fact,
    clearing,
    code,
    credential,
    device,
    held,
    intent,
    known,
    outside,
)
from tests.engine.conftest import Hang
from tests.engine.working import told, used

USED = CodeUsed(device_id=DOOR, slot="20")
COUNTS = ["lock.unlocked", "access_code.first_used"]
LOST = NoAnswer("no answer")


async def is_used_up(bench: Bench, code_id: str) -> None:
    """Let the guest come in while a write is open, and look whether the code goes."""
    assert bench.snap().intents
    bench.events()
    await bench.tell(USED)
    await bench.settle(HOUR)
    assert (await bench.shown(code_id))["display_status"] == "Used"
    assert bench.on_lock() == {}
    assert bench.events().count("access_code.first_used") == 1


class TestForOneUse:
    """The code goes, whatever was on its way when its guest came."""

    @pytest.mark.parametrize("model", [READABLE, MASKED, WRITE_ONLY], ids=lambda m: m.name)
    async def test_used_before_the_lock_has_answered_its_first_write(self, hang: Hang, model: Model) -> None:
        """Nothing went wrong at all: a masked lock may take ten seconds to answer."""
        bench = await hang(model)
        write = bench.driver.write

        async def slow(
            slot: SlotRef | None, credential: Credential, *, replaces: Credential | None
        ) -> Written:
            done = await write(slot, credential, replaces=replaces)
            await bench.engine.handle(CodeUsed(device_id=DOOR, slot=done.slot))
            return done

        bench.driver.write = slow  # type: ignore[method-assign]
        code_id = await bench.create("471134", is_one_time_use=True)
        await bench.settle(HOUR)
        assert (await bench.shown(code_id))["display_status"] == "Used"
        assert bench.on_lock() == {}

    async def test_used_after_the_answer_to_its_first_write_was_lost(self, hang: Hang) -> None:
        """And before the hub could look."""
        bench = await hang(READABLE)
        bench.driver.faults = [("after", LOST), ("before", LOST)]
        code_id = await bench.create("471134", is_one_time_use=True)
        await bench.worker.reconcile()
        assert list(bench.on_lock().values()) == ["471134"]
        bench.clock.pass_by(5 * SECOND)
        await is_used_up(bench, code_id)

    async def test_used_after_the_answer_to_its_new_dates_was_lost(self, hang: Hang) -> None:
        """The PIN was there before and after."""
        bench = await hang(NATIVE)
        code_id = await bench.create("471134", is_one_time_use=True, ends_at=instant(NOON + DAY))
        await bench.settle(HOUR)
        await bench.do("access_codes/update", access_code_id=code_id, ends_at=instant(NOON + 2 * DAY))
        bench.driver.faults = [("after", LOST), ("before", LOST)]
        await bench.worker.reconcile()
        await is_used_up(bench, code_id)

    async def test_used_after_the_answer_to_its_enabling_was_lost(self, hang: Hang) -> None:
        """A guest who comes in time opens with what was only written before."""
        bench = await hang(READABLE)
        window: dict[str, Any] = {
            "starts_at": instant(NOON + 10 * MINUTE),
            "ends_at": instant(NOON + DAY),
        }
        code_id = await bench.create("471134", is_one_time_use=True, **window)
        await bench.settle(9 * MINUTE)
        assert [it.enabled for it in bench.lock.slots.values()] == [False]
        bench.driver.faults = [("after", LOST), ("before", LOST)]
        await bench.settle(MINUTE)
        assert [it.enabled for it in bench.lock.slots.values()] == [True]
        await is_used_up(bench, code_id)

    async def test_a_use_of_the_old_pin_uses_up_no_new_one_that_waits(self, hang: Hang) -> None:
        """The lock was away when the PIN was changed: the next guest must get in with the new one."""
        bench = await hang(READABLE)
        code_id = await bench.create("471134", is_one_time_use=True)
        await bench.settle(HOUR)
        await bench.do("access_codes/update", access_code_id=code_id, code="582245")
        await bench.engine.handle(USED)
        await bench.settle(HOUR)
        assert list(bench.on_lock().values()) == ["582245"]
        assert (await bench.shown(code_id))["first_used_at"] is None


class TestWhatCounts:
    """Every PIN that the slot may have held then must be that of the code."""

    @pytest.mark.parametrize(
        "facts",
        [
            [held(confirmed=None), intent()],
            [held(confirmed=None), intent(), intent(intent_id="again", before=None)],
            [held(confirmed=None), intent(), clearing()],
            [held(confirmed=None, outside=outside("removed")), intent()],
            [device(CAN_BLIND), held(confirmed=None), intent(before=None)],
            [held(), clearing()],
            [held(), intent(target=credential(enabled=False), before=known())],
            [held(outside=outside(fields=("enabled",))), intent(before=known(enabled=False))],
        ],
        ids=[
            *("first", "repeated", "taken back", "put back"),
            *("write only", "removal", "other state", "enabled again"),
        ],
    )
    def test_only_the_code_can_have_been_used(self, facts: list[Fact]) -> None:
        """Its PIN was sent into an empty slot, or stands in it before and after."""
        assert told(used(None, code(), *facts)) == COUNTS

    @pytest.mark.parametrize(
        "facts",
        [
            [held(), intent(target=credential("5822"), before=known())],
            [held(confirmed=None), intent(), intent(intent_id="new", target=credential("5822"))],
            [held(confirmed=None), intent(target=credential("5822"))],
            [held(outside=outside()), intent(before=known("9999"))],
        ],
        ids=["new PIN", "two PINs", "old PIN", "put right"],
    )
    def test_another_pin_may_have_been_used(self, facts: list[Fact]) -> None:
        """It is told, and uses nothing up."""
        assert told(used(None, code(), *facts)) == ["lock.unlocked"]

    @pytest.mark.parametrize("before", [None, known("9999"), Empty()])
    def test_what_the_slot_held_before_the_first_write_counts(self, before: Reading | None) -> None:
        """Only an empty one proves that nothing else was there."""
        counts = isinstance(before, Empty)
        facts: list[Fact] = [code(), held(confirmed=None), intent(before=before)]
        assert (told(used(None, *facts)) == COUNTS) is counts

    def test_a_record_from_before_the_write_went_out_is_of_nothing_in_it(self) -> None:
        """The slot held somebody else's PIN then."""
        sent = intent(opened_at=NOON - 10 * MINUTE)
        before = used(NOON - 30 * MINUTE, code(), held(confirmed=None), sent)
        assert told(before) == ["lock.unlocked"]
