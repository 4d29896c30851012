"""One unit of work, and the bookkeeping that needs no radio."""

from datetime import datetime, timedelta

import pytest
from msgspec.structs import replace

from drivers.simulated.models import READABLE
from gateway.domain.clock import TimeView
from gateway.domain.credential import Empty
from gateway.domain.placement import Former, Placement
from gateway.engine.plan import ClearSlot, ReadSlot, WriteCode
from gateway.engine.turn import Rules, drop_finished, housekeeping
from gateway.engine.work import Work
from tests.engine.build import (
    CAN_CHOOSE,
    DAY,
    DOOR,
    HOUR,
    NOON,
    SECOND,
    TIMING,
    Fact,
    code,
    credential,
    device,
    held,
    intent,
    known,
    outside,
    slot,
    view,
)
from tests.engine.conftest import Hang
from tests.engine.working import told, working

RULES = Rules(timing=TIMING, removals_after_step=3, next_audit=lambda _cron, now: now + DAY)


def kept(*facts: Fact) -> Work:
    """Return the facts after housekeeping at noon."""
    work = working(*facts)
    housekeeping(work, RULES)
    return work


class TestHousekeeping:
    """Audits, pauses, removals and alarms begin and end by themselves."""

    @pytest.mark.parametrize("due", [None, NOON, NOON - DAY])
    def test_an_audit_begins_when_due_and_the_next_is_set(self, due: datetime | None) -> None:
        """One at a time."""
        lock = kept(device(audit_at=due)).device
        assert (lock.audit_round, lock.audit_at) == (NOON, NOON + DAY)
        assert kept(device(audit_at=due, audit_round=NOON - HOUR)).device.audit_round == NOON - HOUR

    @pytest.mark.parametrize(
        "lock", [device(audit_at=NOON + SECOND), device(None), device(audit_at=None, policy=None)]
    )
    def test_none_begins_before_its_time_or_on_a_lock_that_is_not_ours_to_look_at(self, lock: Fact) -> None:
        """Not due, never seen, not configured."""
        assert kept(lock).device.audit_round is None

    def test_an_audit_ends_when_nothing_is_left_to_look_at(self) -> None:
        """Here: the list was taken after it began."""
        assert kept(device(CAN_CHOOSE, audit_round=NOON, probed_at=NOON)).device.audit_round is None

    def test_a_pause_that_is_over_is_forgotten(self) -> None:
        """To the second."""
        assert kept(device(paused_until=NOON)).device.paused_until is None
        assert kept(device(paused_until=NOON + SECOND)).device.paused_until is not None

    def test_a_removal_is_timed_from_its_beginning(self) -> None:
        """And forgotten when the code is wanted again, or gone."""
        leaving = code(deleted_at=NOON)
        assert kept(leaving, held()).placements["ana"].removal_began == NOON
        earlier = held(removal_began=NOON - HOUR)
        assert kept(leaving, earlier).placements["ana"].removal_began == NOON - HOUR
        assert kept(code(), earlier).placements["ana"].removal_began is None
        gone = Placement(access_code_id="ana", removal_began=NOON)
        assert kept(leaving, gone).placements["ana"].removal_began is None

    def test_a_code_that_left_gives_its_slot_back(self) -> None:
        """And nobody cares any more what others did to it."""
        left = Placement(access_code_id="ana", slot="20", outside=outside())
        assert kept(code(ends_at=NOON), left).placements["ana"] == Placement(access_code_id="ana")

    def test_a_suspected_wipe_of_a_lock_that_holds_nothing_is_over(self) -> None:
        """Nothing is left that could be missing."""
        assert kept(device(wipe_suspected_at=NOON), code()).device.wipe_suspected_at is None
        assert kept(device(wipe_suspected_at=NOON), code(), held()).device.wipe_suspected_at == NOON

    def test_the_alarm_of_a_wipe_ends_when_every_wanted_code_is_back(self) -> None:
        """Not before, and not while a person has to decide."""
        wiped = device(wiped_at=NOON)
        assert kept(wiped, code(), held(), code("bo", "5822")).device.wiped_at == NOON
        assert kept(wiped, code(), held(), code("bo", "5822", deleted_at=NOON)).device.wiped_at is None
        assert kept(device(wiped_at=NOON, held_after_wipe=True), code(), held()).device.wiped_at == NOON


class TestJournal:
    """A write is journalled before it goes out (rule 12)."""

    async def test_it_reserves_the_slot_and_forgets_what_was_read(self, hang: Hang) -> None:
        """What was read before is kept as the value before."""
        bench = await hang(READABLE)
        code_id = await bench.create("471134")
        done = await bench.engine.shop.turn(DOOR, act=True)
        snap = bench.snap()
        assert isinstance(done.step, WriteCode)
        assert snap.intents == (done.intent,)
        assert done.intent is not None
        assert (done.intent.before, done.intent.slot) == (Empty(), "20")
        assert snap.placement(code_id).slot == "20"
        assert snap.slots["20"].reading is None

    async def test_a_look_is_not_journalled(self, hang: Hang) -> None:
        """It changes nothing on the lock; and without `act` nothing is."""
        bench = await hang(READABLE)
        await bench.create("471134")
        assert (await bench.engine.shop.turn(DOOR)).intent is None
        bench.clock.pass_by(HOUR)
        done = await bench.engine.shop.turn(DOOR, act=True)
        assert isinstance(done.step, ReadSlot)
        assert (done.intent, bench.snap().intents) == (None, ())

    async def test_it_says_what_the_slot_is_believed_to_hold(self, hang: Hang) -> None:
        """Some locks want the old PIN to delete; of a ghost it is the one removed before."""
        bench = await hang(READABLE)
        code_id = await bench.create("471134")
        await bench.settle(HOUR)
        await bench.do("access_codes/delete", access_code_id=code_id)
        done = await bench.engine.shop.turn(DOOR, act=True)
        assert isinstance(done.step, ClearSlot)
        assert done.holds == credential("471134")
        former = Former(pin=credential("471134").pin, removed_at=NOON)
        ghost = slot("3", known("471134"), ghost=True, former=former)
        bench = await hang(READABLE)
        bench.store.do(lambda tx: tx.save_slot(DOOR, ghost))
        haunted = await bench.engine.shop.turn(DOOR, act=True)
        assert isinstance(haunted.step, ClearSlot)
        assert haunted.holds == credential("471134")

    async def test_a_lock_that_is_not_there_needs_nothing(self, hang: Hang) -> None:
        """A driver may tell of a lock that nobody configured."""
        bench = await hang(READABLE)
        found = await bench.engine.shop.turn("cellar", act=True)
        assert (found.step, found.intent, found.next_wake) == (None, None, None)


class TestOneUnit:
    """What is decided is stored as a whole or not at all."""

    async def test_a_unit_that_fails_leaves_nothing_behind(self, hang: Hang) -> None:
        """Neither facts nor events."""
        bench = await hang(READABLE)
        await bench.create("471134")
        before = bench.store.dump()

        def break_off(work: Work) -> None:
            work.set_device(battery=0.1)
            work.tell("device.low_battery")
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            await bench.engine.shop.turn(DOOR, absorb=break_off)
        assert bench.store.dump() == before

    async def test_a_turn_without_news_writes_nothing(self, hang: Hang) -> None:
        """A flash card has so many writes."""
        bench = await hang(READABLE)
        await bench.create("471134")
        await bench.settle(HOUR)
        before = bench.store.dump()
        bench.clock.pass_by(SECOND)
        await bench.engine.shop.turn(DOOR)
        assert bench.store.dump() == before

    async def test_a_row_is_kept_while_any_slot_may_hold_the_code(self, hang: Hang) -> None:
        """Confirmed or open; then it is dropped with its retained topic."""
        bench = await hang(READABLE)
        code_id = await bench.create("471134")
        open_write = intent(code_id, "20")
        bench.store.do(lambda tx: tx.open_intent(DOOR, open_write))
        await bench.do("access_codes/delete", access_code_id=code_id)
        assert code_id in bench.snap().codes

        def forget(work: Work) -> None:
            work.close_all(code_id, "not applied")

        await bench.engine.shop.turn(DOOR, absorb=forget)
        assert code_id not in bench.snap().codes
        assert bench.store.do(lambda tx: list(tx.tombstones())) == [f"access_code/{code_id}/state"]

    async def test_a_jump_of_the_clock_sets_the_next_audit_anew(self, hang: Hang) -> None:
        """By its cron expression and the new time."""
        bench = await hang(READABLE)
        bench.clock.jump(-2 * HOUR)
        await bench.engine.shop.turn(DOOR)
        assert bench.snap().device.audit_at == NOON - 2 * HOUR + DAY

    @pytest.mark.parametrize("late", [timedelta(0), 4 * HOUR, 30 * DAY])
    async def test_an_audit_that_came_due_while_the_hub_was_off_begins_at_its_start(
        self, hang: Hang, late: timedelta
    ) -> None:
        """Every start is a boot of its own: of a hub without power each night, none would ever begin."""
        bench = await hang(READABLE)
        bench.clock.pass_by(DAY + late)
        bench.clock.reboot(bench.clock.wall)
        bench.boot()
        await bench.engine.shop.turn(DOOR)
        assert bench.snap().device.audit_round == bench.clock.wall

    async def test_a_start_before_the_next_audit_leaves_it_where_it_is(self, hang: Hang) -> None:
        """By the same expression."""
        bench = await hang(READABLE)
        started = bench.snap().device
        bench.clock.reboot(bench.clock.wall)
        bench.boot()
        await bench.engine.shop.turn(DOOR)
        assert (bench.snap().device.audit_round, bench.snap().device.audit_at) == (
            started.audit_round,
            started.audit_at,
        )

    async def test_a_clock_that_is_put_right_after_the_start_begins_the_audit_then(self, hang: Hang) -> None:
        """It stood still while the hub was off, or began anew: what it says first is before the audit."""
        bench = await hang(READABLE)
        stood_at = bench.clock.wall + HOUR
        bench.clock.reboot(stood_at)
        bench.boot()
        await bench.engine.shop.turn(DOOR)
        assert bench.snap().device.audit_round is None
        bench.clock.jump(2 * DAY)
        await bench.engine.shop.turn(DOOR)
        assert bench.snap().device.audit_round == bench.clock.wall

    async def test_without_a_configuration_there_is_no_next_audit(self, hang: Hang) -> None:
        """There is no expression to go by."""
        bench = await hang(READABLE)
        orphan = replace(bench.snap().device, policy=None)
        bench.store.do(lambda tx: tx.save_device(orphan))
        bench.clock.jump(HOUR)
        await bench.engine.shop.turn(DOOR)
        assert bench.snap().device.audit_at is None


class TestPruning:
    """Codes that ended are kept for a while, then dropped like deleted ones."""

    OLD = NOON - TIMING.code_retention

    @pytest.mark.parametrize(
        ("ends_at", "facts", "t", "kept"),
        [
            (OLD, (), view(), False),
            (OLD + SECOND, (), view(), True),
            (OLD, (held(),), view(), True),
            (OLD, (intent(),), view(), True),
            (OLD, (), view(trusted=False), True),
            (OLD, (), view(step=(NOON - DAY, NOON)), True),
            (None, (), view(), True),
        ],
        ids=["long ago", "not yet", "on the lock", "perhaps on the lock", "untrusted", "jumped", "no end"],
    )
    def test_only_what_is_certainly_past_and_gone(
        self, ends_at: datetime | None, facts: tuple[Fact, ...], t: TimeView, *, kept: bool
    ) -> None:
        """And it is told."""
        work = working(code(ends_at=ends_at), *facts, t=t)
        drop_finished(work)
        assert ("ana" in work.codes) is kept
        assert told(work) == ([] if kept else ["access_code.deleted"])

    @pytest.mark.parametrize(
        ("used_at", "ends_at", "one_time", "kept"),
        [
            (OLD, None, True, False),
            (OLD, NOON + DAY, True, False),
            (OLD + SECOND, None, True, True),
            (OLD, None, False, True),
            (None, None, True, True),
        ],
        ids=["long ago", "long before its end", "not yet", "not for one use", "not used"],
    )
    def test_so_are_codes_that_were_used_up(
        self, used_at: datetime | None, ends_at: datetime | None, *, one_time: bool, kept: bool
    ) -> None:
        """They have ended with their use, whether they have an end or not."""
        work = working(code(first_used_at=used_at, ends_at=ends_at, is_one_time_use=one_time))
        drop_finished(work)
        assert ("ana" in work.codes) is kept
