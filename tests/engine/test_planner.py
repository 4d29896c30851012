"""The plan for one lock: order of work, and properties that hold whatever the facts."""

import re
from datetime import timedelta

import pytest
from msgspec.structs import replace

from gateway.domain.catalogue import CATALOGUE
from gateway.domain.credential import Known
from gateway.domain.placement import Placement
from gateway.engine.desire import desired
from gateway.engine.plan import ClearSlot, ReadSlot, Step, WriteCode
from gateway.engine.planner import plan
from tests.engine.anything import PINS, Anything
from tests.engine.build import (
    CAN,
    CAN_BLIND,
    CAN_CHOOSE,
    DAY,
    HOUR,
    MINUTE,
    NOON,
    POLICY,
    SECOND,
    TIMING,
    clearing,
    code,
    device,
    held,
    intent,
    known,
    slot,
    snapshot,
    view,
)

SEEDS, ROUNDS = 4, 500


def told(step: Step) -> str:
    """Name a step in short."""
    kind = type(step).__name__
    return f"{kind} {step.access_code_id}" if isinstance(step, WriteCode | ClearSlot) else kind


class TestOrder:
    """Removals past their end, other removals, started windows, staged codes, looks, audits."""

    def test_the_most_urgent_comes_first(self) -> None:
        """Among equals the one that has waited longest."""
        snap = snapshot(
            device(audit_round=NOON - SECOND, probe_open="abcd", probe_opened_at=NOON - SECOND),
            code("staged", "1001", starts_at=NOON + 10 * MINUTE), slot("20"),
            code("young", "1002", created_at=NOON - MINUTE),
            code("old", "1003", created_at=NOON - DAY),
            code("deleted", "1004", deleted_at=NOON), held("deleted", "3", "1004"),
            code("ended", "1005", ends_at=NOON - MINUTE), held("ended", "4", "1005"),
            code("ended long ago", "1006", ends_at=NOON - DAY), held("ended long ago", "5", "1006"),
            slot("6", known("8"), check_at=NOON, unmanaged_id="u"),
        )  # fmt: skip
        assert [told(step) for step in plan(snap, view(), TIMING).steps] == [
            "ClearSlot ended",
            "ClearSlot ended long ago",
            "ClearSlot deleted",
            "WriteCode old",
            "WriteCode young",
            "WriteCode staged",
            "ReadSlot",
            "ReadSlot",
        ]

    def test_a_step_is_planned_once_however_many_want_it(self) -> None:
        """A list for two codes is one list."""
        snap = snapshot(
            device(CAN_CHOOSE),
            code("ana", "345678"),
            intent(name=None),
            code("bo", "456789"),
            intent("bo", None),
        )
        assert [told(step) for step in plan(snap, view(), TIMING).steps] == ["ReadAll"]

    def test_a_code_in_trouble_does_not_stop_the_others(self) -> None:
        """Its error is told; the other is written."""
        snap = snapshot(code("ana", "1"), code("bo", "9999"), slot("20"))
        found = plan(snap, view(), TIMING)
        assert [told(step) for step in found.steps] == ["WriteCode bo"]
        assert "code_constraints_violated" in {issue.code for issue in found.issues}


class TestRuleOne:
    """The hub never touches what is not its own."""

    def test_a_reserved_slot_that_is_no_longer_granted_is_given_up(self) -> None:
        """The configuration changed before the code was written; on a blind lock nothing else would tell."""
        for can in (CAN, CAN_BLIND):
            lock = device(can, policy=replace(POLICY, managed_slots=("3",)))
            snap = snapshot(lock, code(), Placement(access_code_id="ana", slot="9"), slot("9"), slot("3"))
            [step] = plan(snap, view(), TIMING).steps
            assert isinstance(step, WriteCode)
            assert step.slot == "3"

    def test_a_code_on_the_lock_stays_where_it_is(self) -> None:
        """Also in a slot that is no longer granted: it is ours until it leaves."""
        lock = device(policy=replace(POLICY, managed_slots=("3",)))
        [step] = plan(snapshot(lock, code(pin="9999"), held("ana", "9")), view(), TIMING).steps
        assert isinstance(step, WriteCode)
        assert step.slot == "9"


@pytest.mark.parametrize("seed", range(SEEDS))
class TestProperties:
    """Whatever the facts, and whatever the clock says. A failure names its seed and its round."""

    def test_a_plan_is_total_and_the_same_for_the_same_facts(self, seed: int) -> None:
        """No facts make it fail; what it says is known, ahead, and without PIN."""
        anything = Anything(seed)
        for turn in range(ROUNDS):
            snap, t = anything.snapshot(), anything.view()
            found = plan(snap, t, TIMING)
            assert found == plan(snap, t, TIMING), turn
            assert found.next_wake is None or found.next_wake > t.now, turn
            assert all(issue.code in CATALOGUE for issue in found.issues), turn
            for text in (*(step.why for step in found.steps), *(issue.message for issue in found.issues)):
                assert not {pin.reveal() for pin in PINS} & set(re.findall(r"\d+", text)), turn

    def test_it_writes_and_clears_only_what_is_its_own(self, seed: int) -> None:
        """Rule 1: no slot with an unmanaged id, no new slot that is not granted, nobody else's slot."""
        anything = Anything(seed)
        for turn in range(ROUNDS):
            snap, t = anything.snapshot(), anything.view()
            for step in plan(snap, t, TIMING).steps:
                if not isinstance(step, WriteCode | ClearSlot) or step.slot is None:
                    continue
                state, owner = snap.slots.get(step.slot), snap.owner(step.slot)
                assert state is None or state.unmanaged_id is None, turn
                assert owner is None or owner.access_code_id == step.access_code_id, turn
                if isinstance(step, WriteCode) and not snap.may_hold(step.access_code_id):
                    assert snap.device.capabilities is not None
                    chooses = snap.device.capabilities.lock_chooses_slot
                    assert chooses or step.slot in snap.device.managed_slots, turn
                if step.access_code_id is None:
                    assert state is not None, turn
                    assert state.ghost, turn

    def test_a_code_gets_at_most_one_operation_and_only_what_it_wants(self, seed: int) -> None:
        """Never a write and a clear of one code, never a second write; the content is the desired one."""
        anything = Anything(seed)
        for turn in range(ROUNDS):
            snap, t = anything.snapshot(), anything.view()
            steps = [step for step in plan(snap, t, TIMING).steps if isinstance(step, WriteCode | ClearSlot)]
            ids = [step.access_code_id for step in steps if step.access_code_id is not None]
            assert len(ids) == len(set(ids)), turn
            for step in steps:
                if isinstance(step, WriteCode):
                    wish = snap.codes[step.access_code_id]
                    assert step.credential == desired(wish, snap, t, TIMING), turn

    def test_no_two_codes_are_given_one_pin(self, seed: int) -> None:
        """Rule 4: what is written is on no other code of the hub, and on no code of others that is known."""
        anything = Anything(seed)
        for turn in range(ROUNDS):
            snap, t = anything.snapshot(), anything.view()
            for step in plan(snap, t, TIMING).steps:
                if not isinstance(step, WriteCode):
                    continue
                for other in snap.placements.values():
                    if other.access_code_id != step.access_code_id and other.confirmed is not None:
                        assert other.confirmed.credential.pin != step.credential.pin, turn
                for state in snap.slots.values():
                    if state.unmanaged_id is not None and isinstance(state.reading, Known):
                        assert state.reading.credential.pin != step.credential.pin, turn

    def test_a_converged_lock_needs_nothing(self, seed: int) -> None:
        """Rule 10, on every kind of lock, with any evidence."""
        anything = Anything(seed)
        for turn in range(ROUNDS):
            assert plan(anything.converged(), view(), TIMING).steps == (), turn


@pytest.mark.parametrize("ahead", [HOUR, DAY])
def test_without_trust_no_window_opens_and_none_closes(ahead: timedelta) -> None:
    """Rule 5: only what ended before the lower bound goes."""
    snap = snapshot(
        code("opens", "1001", starts_at=NOON + MINUTE),
        code("closes", "1002", ends_at=NOON + MINUTE), held("closes", "3", "1002"),
        code("closed", "1003", ends_at=NOON - MINUTE), held("closed", "4", "1003"),
        slot("20"),
    )  # fmt: skip
    t = view(NOON + ahead, trusted=False, floor=NOON)
    assert [told(step) for step in plan(snap, t, TIMING).steps] == ["ClearSlot closed"]


def test_a_lost_clear_is_read_before_anything_else_happens_to_the_code() -> None:
    """The code is wanted again while its clear is open."""
    snap = snapshot(code(), held(), clearing(), replace(slot("20"), reading=None))
    [step] = plan(snap, view(), TIMING).steps
    assert step == ReadSlot(slot="20", why="the answer to the last attempt got lost")
