"""Waiting times, also under a clock that jumps."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.timing import LONGEST_PAUSE
from gateway.engine.waiting import Wake, age, back_off, is_due
from tests.engine.build import DAY, HOUR, MINUTE, NOON, SECOND

LONGEST = 25 * HOUR


class TestDue:
    """When a waiting time is over."""

    @pytest.mark.parametrize(
        ("at", "due"),
        [
            (None, True),
            (NOON - DAY, True),
            (NOON, True),
            (NOON + SECOND, False),
            (NOON + LONGEST, False),
            (NOON + LONGEST + SECOND, True),
        ],
    )
    def test_nothing_is_waited_for_longer_than_the_engine_ever_waits(
        self, at: datetime | None, *, due: bool
    ) -> None:
        """Such a time was set before the clock jumped back."""
        assert is_due(at, NOON) is due

    def test_the_longest_pause_that_can_be_configured_is_waited_for(self) -> None:
        """Also by a clock that was put back by an hour meanwhile."""
        assert not is_due(NOON + LONGEST_PAUSE, NOON - HOUR)

    def test_what_seems_to_lie_ahead_was_long_ago(self) -> None:
        """An age is never negative."""
        assert age(NOON - MINUTE, NOON) == MINUTE
        assert age(NOON, NOON) == timedelta(0)
        assert age(NOON + 2 * SECOND, NOON) == LONGEST

    def test_units_stored_the_other_way_round_happen_at_the_same_time(self) -> None:
        """Two that run side by side look at the clock before either is stored."""
        assert age(NOON + timedelta(milliseconds=1), NOON) == timedelta(0)


class TestWake:
    """The earliest moment ahead."""

    @given(st.lists(st.none() | st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1))))  # noqa: DTZ001 - made aware below
    def test_the_earliest_moment_ahead_is_kept(self, moments: list[datetime | None]) -> None:
        """In any order; what is past or now does not count."""
        wake = Wake(NOON)
        aware = [moment.replace(tzinfo=NOON.tzinfo) if moment is not None else None for moment in moments]
        for moment in aware:
            wake.note(moment)
        assert wake.at == min((m for m in aware if m is not None and m > NOON), default=None)


class TestBackOff:
    """Rule 13: 60 s doubling to 30 min, with jitter."""

    @pytest.mark.parametrize(
        ("failures", "minutes"),
        [(0, 1), (1, 1), (2, 2), (3, 4), (4, 8), (5, 16), (6, 30), (7, 30), (10**9, 30)],
    )
    def test_the_pause_doubles_up_to_the_most(self, failures: int, minutes: int) -> None:
        """However often it failed."""
        assert back_off(failures, MINUTE, 30 * MINUTE, 0.0) == minutes * MINUTE

    @given(st.integers(0, 50), st.floats(0, 1))
    def test_jitter_takes_up_to_a_fifth(self, failures: int, jitter: float) -> None:
        """Never more, and it never makes a pause longer."""
        full = back_off(failures, MINUTE, 30 * MINUTE, 0.0)
        assert full * 0.8 - SECOND <= back_off(failures, MINUTE, 30 * MINUTE, jitter) <= full
