"""The time to act on (rule 5)."""

from datetime import UTC, datetime, timedelta

import pytest

from gateway.domain.clock import ClockMark, TimeView

NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("ahead", "trusted", "at"),
    [
        (HOUR, True, NOON + HOUR),
        (HOUR, False, NOON),
        (-HOUR, True, NOON),
        (-HOUR, False, NOON),
    ],
)
def test_never_before_the_lower_bound_and_not_after_it_unless_trusted(
    ahead: timedelta, at: datetime, *, trusted: bool
) -> None:
    """A wall clock `ahead` of the lower bound counts only while it is trusted."""
    mark = ClockMark("boot", timedelta(0))
    assert TimeView(now=NOON + ahead, trusted=trusted, floor=NOON, mark=mark).at == at


def test_the_wall_clock_counts_for_nothing_while_the_time_is_carried() -> None:
    """The lower bound is the time then, whatever the wall clock was set to."""
    for ahead in (HOUR, -HOUR):
        mark = ClockMark("boot", timedelta(0))
        view = TimeView(now=NOON + ahead, trusted=True, carried=True, floor=NOON, mark=mark)
        assert view.at == NOON
