"""What the answers about a lock's clock mean, for the kinds of clocks that the bed has not."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from drivers.zwave.clock_face import local_off_by, utc_off_by

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 7, 1, 22, 30, 20, tzinfo=UTC)
"""Half past midnight in Berlin, on a Thursday."""


@pytest.mark.parametrize(
    ("shown", "minutes"),
    [
        ({"hour": 0, "minute": 30, "second": 20, "year": 2026, "month": 7, "day": 2}, 0),
        ({"hour": 0, "minute": 35, "second": 20, "year": 2026, "month": 7, "day": 2}, 5),
        ({"hour": 23, "minute": 30, "second": 20, "year": 2026, "month": 7, "day": 1}, -60),
        ({"hour": 0, "minute": 30, "second": 20, "year": 2025, "month": 7, "day": 2}, -365 * 1440),
        ({"hour": 0, "minute": 30, "second": 20, "weekday": 4}, 0),
        ({"hour": 23, "minute": 50, "second": 20, "weekday": 3}, -40),
        ({"hour": 0, "minute": 30, "second": 20, "weekday": 5}, 1440),
        ({"hour": 0, "minute": 30, "second": 20, "weekday": 7}, 3 * 1440),
        ({"hour": 0, "minute": 30, "second": 20, "weekday": 1}, -3 * 1440),
        ({"hour": 23, "minute": 30, "second": 20, "weekday": 0}, -60),
        ({"hour": 1, "minute": 30, "second": 20}, 60),
    ],
)
def test_local_time_is_compared_as_far_as_the_clock_knows_it(shown: dict[str, int], minutes: int) -> None:
    """A clock of hours and weekdays cannot be wrong by a month."""
    assert local_off_by(shown, NOW, BERLIN) == timedelta(minutes=minutes)


def test_a_clock_without_seconds_may_be_behind_by_them() -> None:
    """That is less than anybody minds."""
    assert local_off_by({"hour": 0, "minute": 30}, NOW, BERLIN) == timedelta(seconds=-20)


def test_time_parameters_are_utc_by_the_time_they_arrive() -> None:
    """The server has turned them round."""
    shown = {"year": 2026, "month": 7, "day": 1, "hour": 22, "minute": 30, "second": 0}
    assert utc_off_by(shown, NOW) == timedelta(seconds=-20)


@pytest.mark.parametrize(
    "shown", [{}, {"hour": 7}, {"hour": 25, "minute": 0}, {"hour": 7, "minute": 0, "year": 2026, "month": 13}]
)
def test_what_makes_no_sense_was_not_read(shown: dict[str, int]) -> None:
    """Nothing is guessed."""
    assert local_off_by(shown, NOW, BERLIN) is None
    assert utc_off_by(shown, NOW) is None
