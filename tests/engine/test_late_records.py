"""A use that is fetched later than it was: told with its own time, proof only of what was there."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from drivers.simulated.models import READABLE
from gateway.domain.credential import Evidence, Reading, Schedule, Unreadable
from gateway.domain.driver import AccessDenied, CodeUsed, NoAnswer
from gateway.domain.events import Event
from gateway.domain.timing import CLOCK_TOLERANCE, OLDEST_RECORD
from gateway.engine.holding import confirm
from gateway.engine.observations import absorb_event
from gateway.engine.readings import absorb_reading
from gateway.engine.work import Work
from tests.engine.bench import Bench
from tests.engine.build import (
    DAY,
    DOOR,
    HOUR,
    MINUTE,
    NOON,
    SECOND,
    Fact,
    code,
    credential,
    device,
    held,
    known,
    slot,
)
from tests.engine.conftest import Hang
from tests.engine.working import told, used, working

LONG_AGO = NOON - 30 * DAY


def denied(at: datetime | None, *facts: Fact) -> Work:
    """Take in at noon that the code of slot 20 was not let in."""
    work = working(*facts)
    absorb_event(work, AccessDenied(device_id=DOOR, reason="outside_schedule", slot="20", at=at))
    return work


def events_of(bench: Bench, *types: str) -> list[Event]:
    """Return the events of these types."""
    stored = bench.store.do(lambda tx: tx.events(limit=1000))
    return [event.event for event in stored if event.event.event_type in types]


class TestWhenItWas:
    """The time of the record counts, as far as it can be true."""

    def test_a_use_is_told_with_the_time_of_its_record(self) -> None:
        """And the first use of the code keeps that time; only `created_at` says when the hub heard of it."""
        then = NOON - 20 * MINUTE
        work = used(then, code(), held())
        assert told(work) == ["lock.unlocked", "access_code.first_used"]
        assert {(event.occurred_at, event.created_at) for event in work._events} == {(then, NOON)}
        assert work.codes["ana"].first_used_at == then

    @pytest.mark.parametrize("at", [None, NOON + SECOND, NOON + DAY, NOON - OLDEST_RECORD - SECOND])
    def test_a_time_that_cannot_be_is_that_of_hearing_of_it(self, at: datetime | None) -> None:
        """None at all, one ahead, or one of a clock that began anew."""
        work = used(at, code(created_at=LONG_AGO), held())
        assert work.codes["ana"].first_used_at == NOON
        assert {event.occurred_at for event in work._events} == {NOON}

    def test_who_used_the_slot_before_the_code_existed_is_not_known(self) -> None:
        """Its guest is not named, and has used nothing."""
        work = used(NOON - 2 * HOUR, code(), held())
        [event] = work._events
        assert (event.event_type, event.access_code_id) == ("lock.unlocked", None)
        assert event.payload["access_code_is_managed"] is False
        assert work.codes["ana"].first_used_at is None

    def test_a_wrong_code_is_told_with_the_time_of_its_record(self) -> None:
        """The hub may have been off for hours."""
        then = NOON - 20 * MINUTE
        [event] = denied(then, code(), held())._events
        assert (event.occurred_at, event.created_at) == (then, NOON)
        assert event.access_code_id == "ana"

    @pytest.mark.parametrize("at", [None, NOON + SECOND, NOON - OLDEST_RECORD - SECOND])
    def test_a_wrong_code_whose_time_cannot_be_is_told_as_heard_of(self, at: datetime | None) -> None:
        """As a use is."""
        [event] = denied(at, code(created_at=LONG_AGO), held())._events
        assert event.occurred_at == NOON

    def test_whose_code_was_refused_before_the_code_existed_is_not_known(self) -> None:
        """The slot may have been another guest's then."""
        [event] = denied(NOON - 2 * HOUR, code(), held())._events
        assert (event.event_type, event.access_code_id) == ("lock.access_denied", None)

    def test_a_lock_whose_clock_is_a_little_behind_names_its_codes_all_the_same(self) -> None:
        """A guest who comes in a minute after the code was made, by a clock that is two minutes slow."""
        created = NOON - MINUTE
        work = used(NOON - CLOCK_TOLERANCE, code(created_at=created), held(pin_since=created))
        assert told(work) == ["lock.unlocked", "access_code.first_used"]
        assert work._events[0].access_code_id == "ana"

    def test_a_code_created_in_a_future_that_never_came_is_named(self) -> None:
        """The hub's own clock was ahead then."""
        work = used(NOON, code(created_at=NOON + DAY), held())
        assert told(work) == ["lock.unlocked", "access_code.first_used"]
        assert work._events[0].access_code_id == "ana"


class TestWhatItProves:
    """Only the PIN that the slot held at that time."""

    def test_a_use_before_the_pin_was_there_proves_nothing_of_it(self) -> None:
        """It is told with the code's id: it was its former PIN."""
        since = NOON - 10 * MINUTE
        before = used(since - CLOCK_TOLERANCE - SECOND, code(), held(evidence=Evidence.SENT, pin_since=since))
        confirmed = before.placement("ana").confirmed
        assert confirmed is not None
        assert confirmed.evidence is Evidence.SENT
        assert told(before) == ["lock.unlocked"]
        assert before._events[0].access_code_id == "ana"
        after = used(since, code(), held(evidence=Evidence.SENT, pin_since=since)).placement("ana").confirmed
        assert after is not None
        assert after.evidence is Evidence.USED

    async def test_a_late_record_of_the_old_pin_uses_up_no_new_one(self, hang: Hang) -> None:
        """A code for one use that has another PIN since stays on the lock."""
        bench = await hang(READABLE)
        code_id = await bench.create("471134", is_one_time_use=True)
        await bench.settle(HOUR)
        opened = bench.clock.wall
        await bench.settle(5 * MINUTE)
        await bench.do("access_codes/update", access_code_id=code_id, code="582245")
        await bench.settle(MINUTE)
        await bench.tell(CodeUsed(device_id=DOOR, slot="20", at=opened))
        await bench.settle(MINUTE)
        assert list(bench.on_lock().values()) == ["582245"]
        assert (await bench.shown(code_id))["first_used_at"] is None

    async def test_looks_and_changes_of_other_things_make_no_pin_younger(self, hang: Hang) -> None:
        """A use from before last night's audit is a use of the PIN that is still there."""
        bench = await hang(READABLE)
        code_id = await bench.create("471134", is_one_time_use=True)
        await bench.settle(HOUR)
        opened = bench.clock.wall
        await bench.settle(2 * DAY)
        await bench.tell(CodeUsed(device_id=DOOR, slot="20", at=opened))
        await bench.settle(MINUTE)
        assert bench.on_lock() == {}
        [first] = events_of(bench, "access_code.first_used")
        assert (first.access_code_id, first.occurred_at) == (code_id, opened)

    async def test_a_write_whose_answer_was_lost_was_there_since_it_went_out(self, hang: Hang) -> None:
        """A guest may have used it before the hub could look."""
        bench = await hang(READABLE)
        lost = NoAnswer("no answer")
        # The looks that follow are lost too, until no clock of a lock could be that far off.
        bench.driver.faults = [("after", lost), *[("before", lost)] * 3]
        await bench.create("471134", is_one_time_use=True)
        await bench.worker.reconcile()
        assert list(bench.on_lock().values()) == ["471134"]
        opened = bench.clock.wall + SECOND
        await bench.settle(CLOCK_TOLERANCE + MINUTE)
        assert bench.snap().intents
        await bench.settle(HOUR)
        assert not bench.snap().intents
        await bench.tell(CodeUsed(device_id=DOOR, slot="20", at=opened))
        await bench.settle(MINUTE)
        assert bench.on_lock() == {}

    def test_a_pin_adopted_from_the_lock_is_there_since_it_was_seen(self) -> None:
        """Nobody knows how long before."""
        changed = code(is_external_modification_allowed=True)
        work = working(device(), changed, held(pin_since=LONG_AGO))
        absorb_reading(work, "20", known("9999"))
        assert work.placement("ana").pin_since == NOON

    @pytest.mark.parametrize("honoured", [True, False])
    def test_a_change_that_cannot_be_read_may_be_another_pin_where_it_stands(self, *, honoured: bool) -> None:
        """Where it is put right, the PIN is the one that was there."""
        changed = code(is_external_modification_allowed=honoured)
        work = working(device(), changed, held(pin_since=LONG_AGO), slot("20", Unreadable(), touched=True))
        absorb_reading(work, "20", Unreadable())
        assert work.placement("ana").pin_since == (NOON if honoured else LONG_AGO)


class TestSinceWhenItIsKnown:
    """`confirmed.at` is the moment at which the evidence became as good as it is."""

    @pytest.mark.parametrize("fetched", [HOUR, 3 * HOUR])
    def test_a_use_is_known_since_it_happened(self, fetched: timedelta) -> None:
        """But not since before what was known until then."""
        work = used(NOON - fetched, code(created_at=LONG_AGO), held())
        confirmed = work.placement("ana").confirmed
        assert confirmed is not None
        assert (confirmed.evidence, confirmed.at) == (Evidence.USED, max(NOON - fetched, NOON - HOUR))

    @pytest.mark.parametrize("reading", [known(), Unreadable()])
    @pytest.mark.parametrize("asked", [{}, {"deleted_at": NOON}])
    @pytest.mark.parametrize("before", [Evidence.SENT, Evidence.READ_BACK, Evidence.USED])
    def test_a_look_counts_when_it_shows_more(
        self, reading: Reading, asked: dict[str, Any], before: Evidence
    ) -> None:
        """One that shows what is known as well already changes nothing."""
        shows = Evidence.READ_BACK if reading == known() else Evidence.OCCUPIED
        work = working(device(), code(**asked), held(evidence=before))
        absorb_reading(work, "20", reading)
        confirmed = work.placement("ana").confirmed
        assert confirmed is not None
        assert confirmed.evidence == max(before, shows)
        assert confirmed.at == (NOON if shows > before else NOON - HOUR)

    def test_what_was_written_anew_is_known_anew(self) -> None:
        """Also where the PIN stayed."""
        other = credential(schedule=Schedule(ends_at=NOON + DAY))
        work = working(device(), code(), held())
        confirm(work, "ana", "20", other, Evidence.READ_BACK)
        confirmed = work.placement("ana").confirmed
        assert confirmed is not None
        assert confirmed.at == NOON
