"""What readings say of a lock as a whole: wipes, codes of others, lists (rules 2, 14)."""

from datetime import datetime, timedelta

import pytest
from msgspec.structs import replace

from gateway.domain.credential import Empty, Evidence, Reading, Unreadable
from gateway.domain.placement import Former, IntentKind, Placement
from gateway.engine.outside import removed_by_somebody, touched_unseen
from gateway.engine.readings import absorb_list, absorb_reading
from gateway.engine.work import Work
from tests.engine.build import (
    CAN_BLIND,
    CAN_CHOOSE,
    DAY,
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
    slot,
    snapshot,
    view,
)
from tests.engine.working import later, outcomes, told, working

RESERVED = Placement(access_code_id="ana", slot="20")
YOUNG = NOON - 29 * SECOND
REMOVED = "access_code.deleted_external_to_gateway"


def read(reading: Reading, *facts: Fact, name: str = "20") -> Work:
    """Take in a reading of slot 20 at noon."""
    work = working(*facts)
    absorb_reading(work, name, reading)
    return work


def evidence(work: Work) -> Evidence | None:
    """Return how well Ana's code is known to be there."""
    confirmed = work.placement("ana").confirmed
    return confirmed.evidence if confirmed is not None else None


class TestSuspectedWipe:
    """Several codes may be gone at once: nothing is told of each before the lock was looked at (rule 14)."""

    BOTH = (code(), held(), code("bo", "9999"), held("bo", "19", "9999"))

    def test_the_first_missing_code_of_several_raises_the_suspicion(self) -> None:
        """One that is alone does not."""
        assert read(Empty(), *self.BOTH).device.wipe_suspected_at == NOON
        assert read(Empty(), code(), held()).device.wipe_suspected_at is None
        already = device(wipe_suspected_at=NOON - MINUTE)
        assert read(Empty(), already, *self.BOTH).device.wipe_suspected_at == NOON - MINUTE

    def test_a_code_missing_twice_waits_for_the_others(self) -> None:
        """It is looked at again; a stranger's PIN there then is a stranger's."""
        suspected = device(wipe_suspected_at=NOON - MINUTE)
        facts = (code(), held(empty_since=NOON - MINUTE), *self.BOTH[2:], slot("19", read_at=NOON - HOUR))
        work = read(Empty(), suspected, *facts)
        assert told(work) == []
        assert work.snapshot().may_hold("ana")
        assert work.slots["20"].check_at == NOON + 30 * SECOND
        absorb_reading(work, "20", known("8888"))
        assert told(work) == ["access_code.unmanaged.created"]
        assert not work.snapshot().may_hold("ana")

    @pytest.mark.parametrize("where", ["19", None])
    def test_one_of_unknown_place_or_not_seen_since_leaves_it_open(self, where: str | None) -> None:
        """Nothing is concluded yet."""
        lost = held(empty_since=NOON - MINUTE)
        work = read(Empty(), device(wipe_suspected_at=NOON - MINUTE), code(), lost, held("bo", where, "9999"))
        assert work.device.wipe_suspected_at is not None
        assert told(work) == []

    def test_one_that_is_seen_ends_it(self) -> None:
        """Then the missing one was removed by somebody."""
        there = slot("19", known("9999"), read_at=NOON - SECOND)
        lost = held(empty_since=NOON - MINUTE)
        work = read(Empty(), device(wipe_suspected_at=NOON - MINUTE), code(), lost, *self.BOTH[2:], there)
        assert work.device.wipe_suspected_at is None
        assert told(work) == [REMOVED]

    def test_all_missing_is_a_wipe(self) -> None:
        """No event per code; the lock alone alarms."""
        lost = [held(empty_since=NOON - MINUTE), held("bo", "19", "9999", empty_since=NOON - SECOND)]
        work = read(
            Empty(), device(wipe_suspected_at=NOON - MINUTE, probe="abcd"), code(), code("bo", "9"), *lost
        )
        assert (work.device.wiped_at, work.device.audit_at, work.device.probe) == (NOON, NOON, None)
        assert told(work) == []
        assert not work.snapshot().may_hold("ana")
        assert not work.snapshot().may_hold("bo")


class TestOthersCodes:
    """The inventory of codes that the hub does not manage."""

    def test_a_new_one_gets_an_id_and_is_told(self) -> None:
        """Once."""
        work = read(known("8888"))
        assert work.slots["20"].unmanaged_id == "new-1"
        assert work.slots["20"].unmanaged_since == NOON
        assert told(work) == ["access_code.unmanaged.created"]
        absorb_reading(work, "20", Unreadable())
        assert len(told(work)) == 1

    def test_it_is_gone_after_two_empty_readings(self) -> None:
        """Half a minute apart."""
        theirs = slot("20", known("8888"), unmanaged_id="u")
        first = read(Empty(), theirs)
        assert (first.slots["20"].empty_since, first.slots["20"].unmanaged_id) == (NOON, "u")
        soon = later(first, view(NOON + 29 * SECOND))
        absorb_reading(soon, "20", Empty())
        assert soon.slots["20"].check_at == NOON + 30 * SECOND
        last = later(soon, view(NOON + 30 * SECOND))
        absorb_reading(last, "20", Empty())
        assert told(last) == ["access_code.unmanaged.removed"]
        assert last.slots["20"].unmanaged_id is None

    def test_one_empty_reading_between_is_forgotten(self) -> None:
        """It was there all the time."""
        work = read(known("8888"), slot("20", Empty(), unmanaged_id="u", empty_since=NOON - HOUR))
        assert work.slots["20"].empty_since is None
        assert told(work) == []

    def test_a_pin_that_we_removed_and_that_comes_back_is_ours(self) -> None:
        """For a day: a clear that took no effect, or a write that came late. It is cleared."""
        removed = slot("20", former=Former(pin=credential().pin, removed_at=NOON - DAY))
        work = read(known(), removed)
        assert work.slots["20"].ghost
        assert told(work) == []
        gone = later(work, view(NOON + MINUTE))
        absorb_reading(gone, "20", Empty())
        assert not gone.slots["20"].ghost

    @pytest.mark.parametrize(
        ("reading", "ago"), [(known("8888"), HOUR), (known(), DAY + SECOND), (Unreadable(), HOUR)]
    )
    def test_anything_else_there_is_somebody_s(self, reading: Reading, ago: timedelta) -> None:
        """Another PIN, one that was removed long ago, or hidden digits."""
        work = read(reading, slot("20", former=Former(pin=credential().pin, removed_at=NOON - ago)))
        assert work.slots["20"].unmanaged_id is not None
        assert not work.slots["20"].ghost
        assert work.slots["20"].former is None


class TestLists:
    """A lock that chooses its slots shows them all at once."""

    LOCK = device(CAN_CHOOSE)
    ANA = code(pin="345678")
    CONTENT = credential("345678", name="Ana")
    TRIED = intent(name=None, target=CONTENT)

    def test_an_unanswered_write_is_found_by_its_pin(self) -> None:
        """Before any second add."""
        work = working(self.LOCK, self.ANA, self.TRIED)
        absorb_list(work, {"7": known("999999"), "8": known("345678", name="Ana")})
        assert work.placement("ana").slot == "8"
        assert evidence(work) is Evidence.READ_BACK
        assert outcomes(work) == ["applied"]
        assert work.slots["7"].unmanaged_id is not None

    def test_a_slot_that_belongs_to_another_code_is_not_taken_for_it(self) -> None:
        """Two unanswered writes of one PIN cannot both be in one slot."""
        other = held("bo", "8", self.CONTENT)
        work = working(self.LOCK, self.ANA, self.TRIED, code("bo", "345678"), other)
        absorb_list(work, {"8": known("345678", name="Ana")})
        assert work.placement("ana").slot is None

    @pytest.mark.parametrize(("opened", "closed"), [(NOON - 30 * SECOND, True), (YOUNG, False)])
    def test_one_that_is_not_listed_did_not_arrive_unless_it_is_young(
        self, opened: datetime, *, closed: bool
    ) -> None:
        """A young one is waited for."""
        work = working(self.LOCK, self.ANA, replace(self.TRIED, opened_at=opened))
        absorb_list(work, {})
        assert outcomes(work) == (["not applied"] if closed else [])
        assert work.placement("ana").retry_at == (None if closed else YOUNG + 30 * SECOND)

    def test_other_operations_are_left_to_their_slots(self) -> None:
        """With a slot, of no code, or of a code that has its place."""
        placed = replace(self.TRIED, intent_id="placed")
        work = working(
            self.LOCK, self.ANA, held(content=self.CONTENT), placed, intent(None, None),
            clearing("ana"), replace(intent("bo", None), kind=IntentKind.CLEAR, target=None),
        )  # fmt: skip
        absorb_list(work, {"20": known("345678", name="Ana")})
        assert {i.access_code_id for i in work.intents} == {None, "bo"}

    def test_a_slot_not_listed_is_empty_and_forgotten_when_nobody_needs_it(self) -> None:
        """Ours needs two lists, others' too; one with a past is kept for it."""
        past = slot("6", former=Former(pin=credential().pin, removed_at=NOON))
        work = working(
            self.LOCK, self.ANA, held(content=self.CONTENT), slot("20", known("345678")),
            slot("4", known("999999"), unmanaged_id="u"), slot("5"), past,
        )  # fmt: skip
        absorb_list(work, {})
        assert set(work.slots) == {"20", "4", "6"}
        assert work.placement("ana").empty_since == NOON
        assert work.slots["4"].empty_since == NOON

    def test_a_code_that_somebody_removed_loses_its_slot(self) -> None:
        """The lock gives another when it is set again."""
        work = working(self.LOCK, self.ANA, held(content=self.CONTENT))
        removed_by_somebody(work, work.placement("ana"))
        assert work.placement("ana").slot is None
        assert told(work) == [REMOVED]


class TestUnreadableLocks:
    """A lock that cannot be read at all reports a change."""

    def test_one_rewrite_is_due(self) -> None:
        """Only of a code that may be there."""
        work = working(device(CAN_BLIND), code(), held())
        touched_unseen(work, work.placement("ana"))
        assert work.placement("ana").rewrite_due
        assert evidence(work) is Evidence.SENT
        idle = working(device(CAN_BLIND), code(), RESERVED)
        touched_unseen(idle, RESERVED)
        assert idle.snapshot() == snapshot(device(CAN_BLIND), code(), RESERVED)
