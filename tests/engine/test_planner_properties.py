"""What holds for the plan of one lock whatever the facts and whatever the clock says.

A failure names its case: `cases(seed)[number]`.
"""

import re
from collections.abc import Iterator
from random import Random

import pytest
from msgspec.structs import replace

from gateway.domain.catalogue import CATALOGUE
from gateway.domain.credential import Empty, Known, Unreadable
from gateway.domain.lock import Readback
from gateway.domain.placement import Refusal, Snapshot
from gateway.domain.timing import REJECTION_STANDS
from gateway.engine.desire import desired, granularity, has_ended, is_over
from gateway.engine.gates import held_by_clock_step
from gateway.engine.plan import ClearSlot, ReadAll, ReadSlot, Step, WriteCode
from gateway.engine.planner import plan
from gateway.engine.waiting import age, is_due
from tests.engine.anything import PINS, Anything, Case, cases
from tests.engine.build import TIMING, view

SEEDS = 6
pytestmark = pytest.mark.parametrize("seed", range(SEEDS))


def name(case: Case) -> tuple[int, int]:
    """Return what a failure is to show."""
    return case.seed, case.number


def writes(seed: int) -> Iterator[tuple[Case, WriteCode]]:
    """Return every write of every plan."""
    return ((case, s) for case in cases(seed) for s in case.found.steps if isinstance(s, WriteCode))


def clears(seed: int) -> Iterator[tuple[Case, ClearSlot]]:
    """Return every removal of every plan."""
    return ((case, s) for case in cases(seed) for s in case.found.steps if isinstance(s, ClearSlot))


def shuffled(snap: Snapshot, rng: Random) -> Snapshot:
    """Return the same facts in another order."""

    def mix[T](facts: dict[str, T]) -> dict[str, T]:
        keys = list(facts)
        rng.shuffle(keys)
        return {key: facts[key] for key in keys}

    return replace(
        snap, codes=mix(dict(snap.codes)), placements=mix(dict(snap.placements)), slots=mix(dict(snap.slots))
    )


class TestPure:
    """Total, repeatable, explained."""

    def test_what_it_says_is_known_ahead_and_without_pin(self, seed: int) -> None:
        """No facts make it fail."""
        for case in cases(seed):
            found = case.found
            assert found.next_wake is None or found.next_wake > case.t.now, name(case)
            assert all(issue.code in CATALOGUE for issue in found.issues), name(case)
            for text in (*(step.why for step in found.steps), *(issue.message for issue in found.issues)):
                assert not {pin.reveal() for pin in PINS} & set(re.findall(r"\d+", text)), name(case)

    def test_the_same_facts_give_the_same_plan(self, seed: int) -> None:
        """It remembers nothing of the call before."""
        for case in cases(seed):
            assert case.found == plan(case.snap, case.t, TIMING), name(case)

    def test_the_order_in_which_facts_are_stored_does_not_matter(self, seed: int) -> None:
        """The same steps in the same order, the same troubles, the same moment to look again."""
        rng = Random(seed)
        for case in cases(seed):
            other = plan(shuffled(case.snap, rng), case.t, TIMING)
            assert other.steps == case.found.steps, name(case)
            assert other.next_wake == case.found.next_wake, name(case)
            assert {(i.code, i.access_code_id) for i in other.issues} == {
                (i.code, i.access_code_id) for i in case.found.issues
            }, name(case)

    def test_a_code_gets_at_most_one_operation_and_only_what_it_wants(self, seed: int) -> None:
        """Never a write and a clear of one code, never a second write; the content is the desired one.

        Or that with the PIN which is there, where the one asked for may not come onto the lock.
        """
        for case in cases(seed):
            snap, t, found = case.snap, case.t, case.found
            steps = [step for step in found.steps if isinstance(step, WriteCode | ClearSlot)]
            ids = [step.access_code_id for step in steps if step.access_code_id is not None]
            assert len(ids) == len(set(ids)), name(case)
            for step in steps:
                if isinstance(step, WriteCode):
                    want = desired(snap.codes[step.access_code_id], snap, t, TIMING)
                    assert want is not None, name(case)
                    is_barred = step.access_code_id in {issue.access_code_id for issue in found.issues}
                    holds_other = step.credential.pin != want.pin and has_already(step, snap)
                    if is_barred and holds_other:
                        want = replace(want, pin=step.credential.pin, name=step.credential.name)
                    assert step.credential == want, name(case)


def has_already(step: WriteCode, snap: Snapshot) -> bool:
    """Say whether the slot of a code is known to hold the PIN that is written into it."""
    placement = snap.placement(step.access_code_id)
    state, confirmed = snap.slots.get(placement.slot or ""), placement.confirmed
    reading = state.reading if state is not None else None
    shown = not isinstance(reading, Known) or reading.credential.pin == step.credential.pin
    return (
        confirmed is not None
        and confirmed.credential.pin == step.credential.pin
        and not placement.rewrite_due
        and not isinstance(reading, Empty)
        and shown
    )


class TestNobodyElses:
    """Rules 1 and 4."""

    def test_it_writes_only_into_slots_of_its_own(self, seed: int) -> None:
        """No slot with an unmanaged id, doomed or not; no new slot that is not granted; nobody else's."""
        for case, step in writes(seed):
            snap = case.snap
            can = snap.device.capabilities
            assert can is not None, name(case)
            if step.slot is None:
                assert can.lock_chooses_slot, name(case)
                continue
            state, owner = snap.slots.get(step.slot), snap.owner(step.slot)
            assert state is None or state.unmanaged_id is None, name(case)
            assert owner is None or owner.access_code_id == step.access_code_id, name(case)
            if not snap.may_hold(step.access_code_id):
                assert can.lock_chooses_slot or step.slot in snap.device.managed_slots, name(case)

    def test_it_clears_only_what_is_its_own_or_was_named_by_a_command(self, seed: int) -> None:
        """And what a command named only after a look that is younger than the command."""
        for case, step in clears(seed):
            state, owner = case.snap.slots.get(step.slot), case.snap.owner(step.slot)
            can = case.snap.device.capabilities
            assert can is not None, name(case)
            if step.access_code_id is not None:
                assert owner is not None, name(case)
                assert owner.access_code_id == step.access_code_id, name(case)
                assert state is None or state.unmanaged_id is None, name(case)
                continue
            assert owner is None, name(case)
            assert state is not None, name(case)
            if state.ghost:
                assert state.unmanaged_id is None, name(case)
                continue
            assert state.doomed_at is not None, name(case)
            if can.readback is not Readback.NONE:
                assert state.reading is not None, name(case)
                assert state.read_at is not None, name(case)
                assert state.read_at >= state.doomed_at, name(case)

    def test_no_two_codes_are_given_one_pin(self, seed: int) -> None:
        """What is written is, or may be, on no other code of the hub, and on none of others that is known.

        A slot that has the PIN already is given none.
        """
        for case, step in writes(seed):
            pin, snap = step.credential.pin, case.snap
            if has_already(step, snap):
                continue
            for other in snap.placements.values():
                if other.access_code_id == step.access_code_id:
                    continue
                assert other.confirmed is None or other.confirmed.credential.pin != pin, name(case)
                open_pins = {i.target.pin for i in snap.open_intents(other.access_code_id) if i.target}
                assert pin not in open_pins, name(case)
            for state in snap.slots.values():
                owner = snap.owner(state.slot)
                theirs = state.unmanaged_id is not None or (
                    owner is not None and owner.access_code_id != step.access_code_id
                )
                if theirs and isinstance(state.reading, Known):
                    assert state.reading.credential.pin != pin, name(case)


class TestNoNeedlessWrites:
    """Rules 3, 10 and 11."""

    def test_what_hides_its_digits_is_not_rewritten_without_a_reason(self, seed: int) -> None:
        """A report, an unanswered attempt, another wish, or the lock saying that it is disabled."""
        for case, step in writes(seed):
            placement = case.snap.placement(step.access_code_id)
            state = case.snap.slots.get(placement.slot or "")
            confirmed = placement.confirmed
            if confirmed is None or state is None or not isinstance(state.reading, Unreadable):
                continue
            named = step.credential.name in (None, confirmed.credential.name)
            assert (
                placement.rewrite_due
                or case.snap.open_intents(step.access_code_id)
                or not named
                or not confirmed.credential.same_access(step.credential, granularity(case.snap))
                or (state.reading.enabled is False and step.credential.enabled)
            ), name(case)

    def test_a_refusal_for_good_stands(self, seed: int) -> None:
        """Until the code or the lock changed, or a day passed."""
        for case in cases(seed):
            for placement in case.snap.placements.values():
                it, code_id = placement.rejection, placement.access_code_id
                if (
                    it is None
                    or it.reason is Refusal.FULL  # room may come about unseen: that is tried again
                    or it.revision != case.snap.codes[code_id].revision
                    or it.inventory_version != case.snap.device.inventory_version
                    or age(it.at, case.t.now) >= REJECTION_STANDS
                ):
                    continue
                pin = case.snap.codes[code_id].pin
                written = [
                    s for s in case.found.steps if isinstance(s, WriteCode) and s.credential.pin == pin
                ]
                assert code_id not in {step.access_code_id for step in written}, name(case)

    def test_a_converged_lock_needs_nothing(self, seed: int) -> None:
        """On every kind of lock, with any evidence."""
        anything = Anything(seed)
        for number in range(500):
            assert plan(anything.converged(), view(), TIMING).steps == (), number


class TestTime:
    """Rules 5 and 6."""

    def test_without_trust_no_window_opens(self, seed: int) -> None:
        """No code with a window is added, none staged is enabled, no schedule is taken off."""
        for case, step in writes(seed):
            code = case.snap.codes[step.access_code_id]
            if case.t.trusted or not code.has_window:
                continue
            confirmed = case.snap.placement(code.access_code_id).confirmed
            can = case.snap.device.capabilities
            assert can is not None, name(case)
            assert confirmed is not None, name(case)
            before, after = confirmed.credential, step.credential
            if can.disabled_status and after.schedule is None and code.starts_at is not None:
                assert before.enabled or not after.enabled, name(case)
            for_good = code.ends_at is None and code.recurrence is None and code.starts_at is not None
            begun = for_good and code.starts_at is not None and code.starts_at <= case.t.floor
            kept = before.schedule
            shut = kept is not None and (kept.weekly or (kept.starts_at or case.t.floor) > case.t.floor)
            if kept is not None and (shut or not begun):
                assert after.schedule is not None or not after.enabled, name(case)

    def test_without_trust_no_window_closes(self, seed: int) -> None:
        """Only what is over whatever the time: deleted, used up, retired, or ended before the lower bound."""
        for case, step in clears(seed):
            if case.t.trusted or step.access_code_id is None:
                continue
            code = case.snap.codes[step.access_code_id]
            ended = code.ends_at is not None and code.ends_at <= case.t.floor
            gone = code.deleted_at is not None or code.is_used_up or case.snap.device.retiring
            assert ended or gone, name(case)

    def test_what_has_ended_goes_first(self, seed: int) -> None:
        """Before any write, and before removals that can wait."""
        for case in cases(seed):
            late = False
            for step in case.found.steps:
                if isinstance(step, WriteCode):
                    late = True
                elif isinstance(step, ClearSlot) and step.access_code_id is not None:
                    ended = has_ended(case.snap.codes[step.access_code_id], case.t)
                    assert not (late and ended), name(case)
                    late = late or not ended

    def test_what_is_over_and_may_be_on_the_lock_is_worked_on(self, seed: int) -> None:
        """Whatever else is wrong with the code: unless the lock is shut, or it waits after a failure."""
        for case in cases(seed):
            if not case.found.steps:
                continue  # perhaps nothing may be done on this lock now
            held = held_by_clock_step(case.snap, case.t, 3)
            for code in case.snap.codes.values():
                code_id = code.access_code_id
                placement = case.snap.placement(code_id)
                if (
                    code_id in held
                    or not is_over(code, case.snap, case.t)
                    or not case.snap.may_hold(code_id)
                    or not is_due(placement.retry_at, case.t.now)
                    or placement.cleared_at is not None
                ):
                    continue
                assert any(_is_about(step, code_id, placement.slot) for step in case.found.steps), name(case)


def _is_about(step: Step, code_id: str, slot: str | None) -> bool:
    """Say whether a step brings the removal of a code nearer."""
    if isinstance(step, ClearSlot):
        return step.access_code_id == code_id
    return isinstance(step, ReadAll) or (isinstance(step, ReadSlot) and step.slot == slot)
