"""What stops all work on a lock, and the hold after a jump of the clock (rule 5)."""

from datetime import datetime

import pytest
from msgspec.structs import replace

from gateway.domain.clock import ClockStep, TimeView
from gateway.domain.lock import Device
from gateway.engine.gates import Gate, held_by_clock_step, lock_gate
from gateway.engine.planner import plan
from gateway.engine.waiting import Wake
from tests.engine.build import (
    DAY,
    DOOR,
    HOUR,
    IDENTITY,
    MINUTE,
    NOON,
    TIMING,
    code,
    device,
    held,
    snapshot,
    view,
)

STRANGER = replace(IDENTITY, serial="18")
TABLE = [
    (device(), Gate.OPEN, None),
    (device(policy=None), Gate.NOT_CONFIGURED, None),
    (device(None), Gate.NOT_SEEN, None),
    (device(unseen_since=NOON), Gate.NOT_SEEN, None),
    (device(seen_identity=STRANGER), Gate.REPLACED, None),
    (device(authority_lost_at=NOON), Gate.AUTHORITY_LOST, None),
    (device(held_for_restore=True), Gate.HELD_FOR_RESTORE, None),
    (device(paused_until=NOON + HOUR), Gate.PAUSED, NOON + HOUR),
    (device(paused_until=NOON), Gate.OPEN, None),
    (device(retry_at=NOON + MINUTE), Gate.BACKING_OFF, NOON + MINUTE),
    (device(retry_at=NOON), Gate.OPEN, None),
    # the first reason is the one told
    (device(policy=None, held_for_restore=True), Gate.NOT_CONFIGURED, None),
    (device(paused_until=NOON + HOUR, retry_at=NOON + MINUTE), Gate.PAUSED, NOON + HOUR),
]


class TestGate:
    """One reason at a time."""

    @pytest.mark.parametrize(("lock", "gate", "ends"), TABLE)
    def test_the_first_reason_and_when_it_ends(self, lock: Device, gate: Gate, ends: datetime | None) -> None:
        """Only reasons that end by time alone say when."""
        wake = Wake(NOON)
        assert lock_gate(snapshot(lock), view(), wake) is gate
        assert wake.at == ends

    @pytest.mark.parametrize("lock", [row[0] for row in TABLE if row[1] is not Gate.OPEN])
    def test_behind_a_closed_gate_nothing_is_done(self, lock: Device) -> None:
        """No write, no clear, no look; not even of a code that has ended."""
        snap = snapshot(lock, code("ana", ends_at=NOON - HOUR), held(), code("bo", "9999"))
        assert plan(snap, view(), TIMING).steps == ()


class TestClockStep:
    """Codes that a jump of the clock alone would remove, more than three at once, are held."""

    STEP = (NOON - DAY, NOON)

    def test_many_that_ended_within_the_jump_are_held(self) -> None:
        """Four of four, each on the lock."""
        snap = snapshot(
            *(code(f"c{n}", f"100{n}", ends_at=NOON - HOUR) for n in range(4)),
            *(held(f"c{n}", str(n + 1), f"100{n}") for n in range(4)),
        )
        t = self.jumped()
        assert held_by_clock_step(snap, t, 3) == {"c0", "c1", "c2", "c3"}
        found = plan(snap, t, TIMING)
        assert found.steps == ()
        assert "clock_step_held" in {issue.code for issue in found.issues}

    def test_few_are_no_catastrophe(self) -> None:
        """Three may go at once, and without a jump any number."""
        four = snapshot(
            *(code(f"c{n}", f"100{n}", ends_at=NOON - HOUR) for n in range(4)),
            *(held(f"c{n}", str(n + 1), f"100{n}") for n in range(4)),
        )
        assert held_by_clock_step(four, view(), 3) == frozenset()
        assert held_by_clock_step(four, self.jumped(), 4) == frozenset()
        assert len(plan(four, view(), TIMING).steps) == 4

    def test_others_are_not_counted_and_not_held(self) -> None:
        """Deleted ones, ones ended before the jump, ones that are not on the lock, ones that go on."""
        snap = snapshot(
            *(code(f"c{n}", f"100{n}", ends_at=NOON - HOUR) for n in range(3)),
            *(held(f"c{n}", str(n + 1), f"100{n}") for n in range(3)),
            code("deleted", "2000", ends_at=NOON - HOUR, deleted_at=NOON),
            held("deleted", "7", "2000"),
            code("before", "2001", ends_at=NOON - DAY),
            held("before", "8", "2001"),
            code("elsewhere", "2002", ends_at=NOON - HOUR),
            code("going on", "2003", ends_at=NOON + HOUR),
            held("going on", "9", "2003"),
        )
        assert held_by_clock_step(snap, self.jumped(), 3) == frozenset()
        assert held_by_clock_step(snap, self.jumped(), 2) == {"c0", "c1", "c2"}

    def test_what_is_left_of_many_stays_held(self) -> None:
        """On the lock where they were held; few codes of another one go."""
        snap = snapshot(code(ends_at=NOON - HOUR), held())
        assert held_by_clock_step(snap, self.jumped(DOOR), 3) == {"ana"}
        assert held_by_clock_step(snap, self.jumped("back door"), 3) == frozenset()

    def test_an_end_that_came_meanwhile_is_not_held(self) -> None:
        """What ended before the lower bound of time ended for certain, jump or not."""
        snap = snapshot(
            *(code(f"c{n}", f"100{n}", ends_at=NOON - HOUR) for n in range(4)),
            *(held(f"c{n}", str(n + 1), f"100{n}") for n in range(4)),
        )
        t = replace(self.jumped(DOOR), floor=NOON - HOUR)
        assert held_by_clock_step(snap, t, 3) == frozenset()

    def jumped(self, *held_on: str) -> TimeView:
        """Return a look at the time right after the jump; on those locks removals were held already."""
        step = ClockStep(*self.STEP, held_on)
        return replace(view(floor=NOON - DAY), step=step)
