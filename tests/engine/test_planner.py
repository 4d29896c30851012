"""The plan for one lock: order of work. What holds whatever the facts is in test_planner_properties.py."""

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from gateway.domain.credential import Schedule
from gateway.domain.lock import Capabilities
from gateway.domain.placement import Placement
from gateway.domain.recurrence import Recurrence
from gateway.engine.plan import ClearSlot, ReadSlot, Step, WriteCode
from gateway.engine.planner import plan
from tests.engine.build import (
    CAN,
    CAN_BLIND,
    CAN_CHOOSE,
    CAN_MASKED,
    CAN_NATIVE,
    DAY,
    HOUR,
    MINUTE,
    NOON,
    POLICY,
    SECOND,
    TIMING,
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

    @pytest.mark.parametrize(
        ("can", "ahead", "expected"),
        [
            (CAN_MASKED, HOUR, "ClearSlot closed"),
            (CAN, HOUR, "ClearSlot closed"),
            (CAN, 10 * MINUTE, "WriteCode closed"),
        ],
        ids=["removed", "removed although it could be disabled", "disabled until the next"],
    )
    def test_a_window_that_comes_back_ends_before_others_begin(
        self, can: Capabilities, ahead: timedelta, expected: str
    ) -> None:
        """Its end is as much an end as the last one (rule 6)."""
        opens = NOON + ahead
        again = Recurrence(cron=f"{opens.minute} {opens.hour} * * *", minutes=30, time_zone="UTC")
        snap = snapshot(
            device(can),
            code("closed", "1001", recurrence=again), held("closed", "3", "1001"),
            code("open", "1002"), slot("20"),
        )  # fmt: skip
        assert [told(step) for step in plan(snap, view(), TIMING).steps][:2] == [expected, "WriteCode open"]

    @pytest.mark.parametrize(
        ("can", "ahead", "expected"),
        [(CAN_MASKED, HOUR, "ClearSlot moved"), (CAN, 10 * MINUTE, "WriteCode moved")],
        ids=["removed", "disabled"],
    )
    def test_a_code_whose_window_was_moved_away_is_shut_before_others_are_set(
        self, can: Capabilities, ahead: timedelta, expected: str
    ) -> None:
        """It still opens the door, and must not now."""
        snap = snapshot(
            device(can),
            code("moved", "1001", starts_at=NOON + ahead), held("moved", "3", "1001"),
            code("open", "1002"), slot("20"),
            code("ended", "1005", ends_at=NOON - MINUTE), held("ended", "4", "1005"),
        )  # fmt: skip
        steps = [told(step) for step in plan(snap, view(), TIMING).steps]
        assert steps[:3] == ["ClearSlot ended", expected, "WriteCode open"]

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


@pytest.mark.parametrize("changed", [{"prefer_native_scheduling": False}, {"ends_at": None}])
def test_without_trust_the_lock_keeps_its_own_window(changed: dict[str, Any]) -> None:
    """Rule 5: without its schedule a code that the lock was to open tomorrow would work at once."""
    starts_at, ends_at = NOON + DAY, NOON + 2 * DAY
    stored = credential(schedule=Schedule(starts_at=starts_at, ends_at=ends_at))
    wish = code(**{"starts_at": starts_at, "ends_at": ends_at, **changed})
    snap = snapshot(device(CAN_NATIVE), wish, held(content=stored))
    assert plan(snap, view(trusted=False), TIMING).steps == ()
    wrong = snapshot(
        device(CAN_NATIVE, is_clock_right=False),
        code(starts_at=starts_at, ends_at=ends_at),
        held(content=stored),
    )
    assert plan(wrong, view(trusted=False), TIMING).steps == ()


def test_without_trust_what_is_open_for_good_loses_its_schedule() -> None:
    """It began before the lower bound and was made to last: the lock must not end it."""
    stored = credential(schedule=Schedule(starts_at=NOON - DAY, ends_at=NOON + DAY))
    snap = snapshot(device(CAN_NATIVE), code(starts_at=NOON - DAY), held(content=stored))
    [step] = plan(snap, view(trusted=False), TIMING).steps
    assert isinstance(step, WriteCode)
    assert step.credential == credential()


def test_a_lost_clear_is_read_before_anything_else_happens_to_the_code() -> None:
    """The code is wanted again while its clear is open."""
    snap = snapshot(code(), held(), clearing(), replace(slot("20"), reading=None))
    [step] = plan(snap, view(), TIMING).steps
    assert step == ReadSlot(slot="20", why="the answer to the last attempt got lost")
