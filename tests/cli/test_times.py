"""Times as they are typed and shown."""

from zoneinfo import ZoneInfo

import pytest

from gateway.cli.exits import UsageError
from gateway.cli.times import read_time, show_time

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("2026-12-24 15:00", "2026-12-24T14:00:00.000Z"),
        ("2026-07-01T15:00:30", "2026-07-01T13:00:30.000Z"),
        ("2026-12-24T15:00:00+05:30", "2026-12-24T09:30:00.000Z"),
        ("2026-12-24T15:00:00.250Z", "2026-12-24T15:00:00.250Z"),
        ("2026-10-25T02:30+01:00", "2026-10-25T01:30:00.000Z"),
    ],
)
def test_a_time_without_offset_is_local(typed: str, meant: str) -> None:
    """The zone is the gateway's, not the one of the terminal."""
    assert read_time(typed, BERLIN) == meant


@pytest.mark.parametrize(
    "typed", ["", "tomorrow", "15:00", "2026-12-24", "2026-13-01 10:00", "20261224T150000"]
)
def test_a_time_needs_day_and_hour(typed: str) -> None:
    """Midnight at the beginning of a day is a poor guess for when a guest leaves."""
    with pytest.raises(UsageError, match="a time is written"):
        read_time(typed, BERLIN)


def test_an_hour_that_comes_twice_is_not_guessed() -> None:
    """The message shows how to say which one."""
    with pytest.raises(UsageError, match=r"comes twice in Europe/Berlin.*2026-10-25T02:30\+02:00$"):
        read_time("2026-10-25 02:30", BERLIN)


def test_an_hour_that_is_skipped_does_not_exist() -> None:
    """Nobody can arrive at that time."""
    with pytest.raises(UsageError, match="does not exist in Europe/Berlin"):
        read_time("2026-03-29 02:30", BERLIN)


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("2026-12-24T14:00:00.000Z", "2026-12-24 15:00 CET"),
        ("2026-07-01T13:00:30.000Z", "2026-07-01 15:00:30 CEST"),
        (None, ""),
        ("soon", "soon"),
    ],
)
def test_times_are_shown_in_the_zone_of_the_house(sent: object, shown: str) -> None:
    """Seconds only where there are any."""
    assert show_time(sent, BERLIN) == shown
