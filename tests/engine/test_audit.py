"""Looking at a lock within its budget (rule 10)."""

from datetime import datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from gateway.domain.credential import Schedule
from gateway.domain.lock import Capabilities
from gateway.domain.placement import Former, Snapshot
from gateway.domain.timing import Timing
from gateway.engine.audit import (
    audit_steps,
    budget_ready,
    doomed_steps,
    look_steps,
    next_look,
    spend,
    spent_until,
)
from gateway.engine.plan import ClearSlot, Probe, ReadAll, ReadSlot, Step, WriteCode, radio_commands
from gateway.engine.waiting import Wake
from tests.engine.build import (
    CAN,
    CAN_BLIND,
    CAN_CHOOSE,
    CAN_NATIVE,
    CAN_TINY,
    DAY,
    HOUR,
    MINUTE,
    NOON,
    SECOND,
    TIMING,
    credential,
    device,
    held,
    known,
    slot,
    snapshot,
    view,
)

STARTED = NOON - SECOND
GHOST = Former(pin=credential().pin, removed_at=NOON - HOUR)


def looks(snap: Snapshot) -> tuple[list[Step], datetime | None]:
    """Return the looks at single slots at noon, and when to look again."""
    wake = Wake(NOON)
    return look_steps(snap, view(), wake), wake.at


class TestSingleLooks:
    """Slots that are due."""

    def test_a_due_slot_is_read(self) -> None:
        """In the lock's order; one that is not due yet says when."""
        snap = snapshot(
            slot("10", check_at=NOON),
            slot("9", check_at=NOON - HOUR),
            slot("8", check_at=NOON + MINUTE),
            slot("7"),
        )
        found, wake = looks(snap)
        assert found == [ReadSlot(slot=n, why=f"slot {n} is due for a look") for n in ("9", "10")]
        assert wake == NOON + MINUTE

    def test_a_lock_that_chooses_is_listed_once(self) -> None:
        """One list tells all; the plan keeps one step of a kind."""
        snap = snapshot(device(CAN_CHOOSE), slot("4", known(), check_at=NOON))
        assert looks(snap)[0] == [ReadAll(why="slot 4 is due for a look")]

    def test_a_lock_that_cannot_be_read_is_not_looked_at(self) -> None:
        """A look proves nothing there; nor at one that nobody saw."""
        for can in (CAN_BLIND, None):
            assert looks(snapshot(device(can), slot("20", check_at=NOON))) == ([], None)

    def test_a_removed_pin_that_came_back_is_cleared(self) -> None:
        """An operation of ours took effect late; after a failure it waits."""
        ghost = slot("20", known(), ghost=True, former=GHOST)
        step = ClearSlot(access_code_id=None, slot="20", why="a PIN removed before came back")
        assert looks(snapshot(ghost)) == ([step], None)
        assert looks(snapshot(replace(ghost, retry_at=NOON + MINUTE))) == ([], NOON + MINUTE)

    def test_a_ghost_in_a_slot_that_is_ours_again_is_left_alone(self) -> None:
        """The code that has the slot decides what is in it."""
        ghost = slot("20", known(), ghost=True, former=GHOST)
        assert looks(snapshot(ghost, held())) == ([], None)


def test_nobody_s_code_is_deleted_from_a_lock_of_which_nothing_is_known() -> None:
    """What a command asked for waits until the driver has seen the lock."""
    theirs = slot("6", known("8"), unmanaged_id="u", doomed_at=NOON)
    wake = Wake(NOON)
    assert doomed_steps(snapshot(device(capabilities=None), theirs), view(), wake) == []
    assert wake.at is None
    assert len(doomed_steps(snapshot(device(), theirs), view(), wake)) == 1


class TestWipeLooks:
    """While a wipe is suspected, the managed slots are looked at one after the other."""

    SUSPECTED = device(wipe_suspected_at=NOON - SECOND)

    def test_the_next_managed_slot_not_seen_since(self) -> None:
        """One at a time; seen ones are passed over, and ones that hold nothing."""
        snap = snapshot(
            self.SUSPECTED,
            held("ana", "20"), slot("20", read_at=NOON),
            held("bo", "19"), slot("19"),
            held("cy", "18"), slot("18"),
            replace(held("di", "17"), confirmed=None), slot("17"),
            held("ed", None),
        )  # fmt: skip
        assert looks(snap)[0] == [ReadSlot(slot="19", why="all codes seem to be gone")]

    def test_a_lock_that_chooses_is_listed(self) -> None:
        """That shows all at once."""
        lock = device(CAN_CHOOSE, wipe_suspected_at=NOON)
        assert looks(snapshot(lock, held(), slot("20")))[0] == [ReadAll(why="all codes seem to be gone")]

    def test_when_all_were_seen_nothing_is_left_to_look_at(self) -> None:
        """Then the suspicion is judged."""
        assert looks(snapshot(self.SUSPECTED, held(), slot("20", read_at=NOON))) == ([], None)


def audit(snap: Snapshot, timing: Timing = TIMING) -> tuple[list[Step], datetime | None]:
    """Return the step of the audit at noon, and when to look again."""
    wake = Wake(NOON)
    return audit_steps(snap, view(), timing, wake), wake.at


class TestAudit:
    """The first inventory reads everything once; later audits are cheap."""

    def test_between_audits_nothing_is_read(self) -> None:
        """The next one is what the hub wakes up for."""
        assert audit(snapshot()) == ([], NOON + DAY)

    def test_the_first_inventory_reads_every_slot_ours_first(self) -> None:
        """In the lock's order; before that, the checksum that they must still have afterwards."""
        lock = device(audit_round=STARTED, probe_opened_at=STARTED, probe_open="abcd")
        opening = snapshot(device(audit_round=STARTED, probe_opened_at=NOON - DAY), held("ana", "7"))
        assert audit(opening)[0] == [Probe(why="audit: the checksum before the slots are read")]
        snap = snapshot(lock, held("ana", "7"))
        assert audit(snap)[0] == [ReadSlot(slot="7", why="audit", audit=True)]
        done = snapshot(lock, held("ana", "7"), slot("7", read_at=NOON))
        assert audit(done)[0] == [ReadSlot(slot="1", why="audit", audit=True)]

    @pytest.mark.parametrize(
        ("probed_at", "step"),
        [(None, Probe(why="audit: has anything changed at all?")), (NOON, None)],
    )
    def test_one_probe_is_a_whole_audit_while_nothing_changed(
        self, probed_at: datetime | None, step: Step | None
    ) -> None:
        """Where the lock answers a checksum and every slot was read before."""
        lock = device(audit_round=STARTED, probe="abcd", probed_at=probed_at)
        snap = snapshot(lock, *(slot(n, read_at=NOON - DAY) for n in CAN.slots))
        assert audit(snap)[0] == ([step] if step is not None else [])

    def test_when_the_checksum_changed_every_slot_is_read_and_then_it_is_remembered(self) -> None:
        """Ours first, then the others, then the new checksum."""
        lock = device(CAN_TINY, audit_round=STARTED, probe_opened_at=STARTED, probe_open="abcd")
        old = snapshot(lock, slot("1", read_at=NOON - DAY), slot("2", read_at=NOON - DAY), held("ana", "2"))
        assert audit(old)[0] == [ReadSlot(slot="2", why="audit", audit=True)]
        fresh = snapshot(lock, slot("1", read_at=NOON), slot("2", read_at=NOON), held("ana", "2"))
        assert audit(fresh)[0] == [Probe(why="audit: is the checksum still the one from before?")]
        written = snapshot(replace(lock, probe_open=None), slot("1", read_at=NOON), slot("2", read_at=NOON))
        assert audit(written) == ([], None), "after a write of ours there is nothing to compare with"
        probed = snapshot(
            replace(lock, probed_at=NOON, probe="abcd"), slot("1", read_at=NOON), slot("2", read_at=NOON)
        )
        assert audit(probed) == ([], None)

    def test_a_slot_read_before_the_first_checksum_is_read_again(self) -> None:
        """Otherwise the checksum would stand for nothing, and the next audit would read everything again."""
        lock = device(CAN_TINY, audit_round=NOON - MINUTE, probe_opened_at=NOON - SECOND, probe_open="abcd")
        early = snapshot(lock, slot("1", read_at=NOON), slot("2", read_at=NOON - 2 * SECOND))
        assert audit(early)[0] == [ReadSlot(slot="2", why="audit", audit=True)]

    def test_a_slot_of_ours_just_written_counts_as_known(self) -> None:
        """The checksum covers it; it needs no reading before the probe."""
        lock = device(CAN_TINY, audit_round=STARTED, probe="abcd")
        own = replace(slot("2", own_write_at=NOON - HOUR, read_at=None), reading=None)
        assert audit(snapshot(lock, slot("1"), own, held("ana", "2")))[0] == [
            Probe(why="audit: has anything changed at all?")
        ]

    def test_without_a_probe_an_audit_reads_a_slice_of_others_slots(self) -> None:
        """The ten longest unseen; the next audit goes on behind them. Ours are read every time."""
        lock = device(CAN_NATIVE, audit_round=STARTED)
        slots = {n: slot(n, read_at=NOON - int(n) * HOUR) for n in CAN_NATIVE.slots}
        read: list[str] = []
        while True:
            snap = snapshot(lock, held("ana", "1"), *slots.values())
            step = next_look(snap, CAN_NATIVE, STARTED, NOON)
            if step is None:
                break
            assert isinstance(step, ReadSlot)
            read.append(step.slot)
            slots[step.slot] = slot(step.slot, read_at=NOON)
        assert read == ["1", *(str(n) for n in range(20, 10, -1))]

    @pytest.mark.parametrize(("probed_at", "done"), [(None, False), (NOON - DAY, False), (NOON, True)])
    def test_a_lock_that_chooses_is_listed_once(self, probed_at: datetime | None, *, done: bool) -> None:
        """One list is a whole audit."""
        snap = snapshot(device(CAN_CHOOSE, audit_round=STARTED, probed_at=probed_at))
        assert audit(snap)[0] == ([] if done else [ReadAll(why="audit", audit=True)])

    @pytest.mark.parametrize("can", [CAN_BLIND, None])
    def test_a_lock_that_cannot_be_read_has_no_audits(self, can: Capabilities | None) -> None:
        """Readings prove nothing there."""
        assert audit(snapshot(device(can, audit_round=STARTED))) == ([], None)


class TestBudget:
    """An hour's worth of reads may be taken in one go, and not one more."""

    @pytest.mark.parametrize("per_hour", [1, 6, 60])
    def test_in_any_hour_no_more_reads_than_allowed_after_the_first_burst(self, per_hour: int) -> None:
        """Reading whenever allowed: a full burst, then one at a time."""
        timing = Timing(reads_per_hour=per_hour)
        spent, now, taken = None, NOON, list[datetime]()
        while now <= NOON + 3 * HOUR:
            ready = budget_ready(spent, now, timing)
            if ready is None:
                taken.append(now)
                spent = spent_until(spent, now, timing)
            else:
                assert ready > now
                now = ready
        assert taken[per_hour - 1] == NOON
        assert len(taken) <= per_hour * 4 + 1
        later = [at for at in taken if at > NOON]
        assert all(b - a >= spend(timing) for a, b in pairwise(later))

    @given(st.none() | st.integers(-100, 100), st.integers(1, 120))
    def test_no_state_of_the_budget_blocks_for_longer_than_an_hour(
        self, spent_hours: int | None, per_hour: int
    ) -> None:
        """Also one that the clock carried far ahead when it jumped back."""
        timing = Timing(reads_per_hour=per_hour)
        spent = None if spent_hours is None else NOON + spent_hours * HOUR
        ready = budget_ready(spent, NOON, timing)
        assert ready is None or NOON < ready <= NOON + 2 * HOUR
        assert NOON < spent_until(spent, NOON, timing) <= NOON + 2 * HOUR + spend(timing)

    def test_a_spent_budget_says_when_it_is_ready(self) -> None:
        """And the audit waits for that."""
        spent = NOON + HOUR
        snap = snapshot(device(audit_round=STARTED, read_budget=spent))
        assert audit(snap) == ([], NOON + MINUTE)
        assert audit(snapshot(device(audit_round=STARTED, read_budget=NOON)))[0]


UNTIL_NOON = credential(schedule=Schedule(ends_at=NOON))
DATED = WriteCode(access_code_id="ana", slot="1", credential=UNTIL_NOON, why="")


@pytest.mark.parametrize(
    ("step", "supervised", "readable", "cost"),
    [
        (ReadSlot(slot="1", why=""), False, True, 1),
        (Probe(why=""), False, True, 1),
        (ClearSlot(access_code_id=None, slot="1", why=""), True, True, 1),
        (ClearSlot(access_code_id=None, slot="1", why=""), False, True, 2),
        (ClearSlot(access_code_id=None, slot="1", why=""), False, False, 1),
        (DATED, True, True, 2),
        (DATED, False, True, 4),
    ],
)
def test_a_step_costs_one_command_and_an_unsupervised_write_a_look_more(
    step: Step, cost: int, *, supervised: bool, readable: bool
) -> None:
    """Where a look tells anything."""
    assert radio_commands(step, supervised=supervised, readable=readable) == cost
