"""What a slot can hold, and when two contents let the same people in."""

from datetime import UTC, datetime, timedelta

import pytest

from gateway.domain.credential import Credential, Evidence, Schedule, WeeklyWindow
from gateway.domain.pin import Pin

NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
STAY = Schedule(starts_at=NOON, ends_at=NOON + timedelta(hours=4))
GUEST = Credential(pin=Pin("4711"), schedule=STAY, name="Ana")


class TestSchedules:
    """Locks keep times in steps; smaller differences mean nothing."""

    @pytest.mark.parametrize(
        ("later", "granularity", "same"),
        [
            (timedelta(0), timedelta(0), True),
            (timedelta(seconds=59), MINUTE, True),
            (timedelta(seconds=60), MINUTE, False),
            (timedelta(seconds=-59), MINUTE, True),
            (timedelta(milliseconds=1), timedelta(0), False),
        ],
    )
    def test_times_count_as_equal_below_one_step(
        self, later: timedelta, granularity: timedelta, *, same: bool
    ) -> None:
        """On either side, at start and at end."""
        for other in (
            Schedule(starts_at=NOON + later, ends_at=STAY.ends_at),
            Schedule(starts_at=NOON, ends_at=NOON + timedelta(hours=4) + later),
        ):
            assert STAY.equals_within(other, granularity) is same
            assert other.equals_within(STAY, granularity) is same

    def test_open_is_not_the_same_as_any_time(self) -> None:
        """A schedule without end differs from one with an end."""
        assert not STAY.equals_within(Schedule(starts_at=NOON), MINUTE)
        assert Schedule().equals_within(Schedule(), MINUTE)

    def test_weekly_windows_count(self) -> None:
        """Two schedules with other weekdays are two."""
        window = WeeklyWindow(weekdays=(0,), from_minute=0, until_minute=60)
        assert not Schedule(weekly=(window,)).equals_within(Schedule(), MINUTE)


class TestDifferences:
    """What differs between two contents, by field."""

    @pytest.mark.parametrize(
        ("other", "fields"),
        [
            (GUEST, ()),
            (Credential(pin=Pin("4711"), schedule=STAY, name="Bo"), ()),
            (Credential(pin=Pin("4712"), schedule=STAY), ("code",)),
            (Credential(pin=Pin("4711"), schedule=STAY, enabled=False), ("enabled",)),
            (Credential(pin=Pin("4711")), ("schedule",)),
            (Credential(pin=Pin("1"), enabled=False), ("code", "enabled", "schedule")),
        ],
    )
    def test_fields_that_differ_are_named(self, other: Credential, fields: tuple[str, ...]) -> None:
        """Names do not count: they open no door."""
        assert GUEST.differences(other) == fields
        assert other.differences(GUEST) == fields
        assert GUEST.same_access(other) == (not fields)

    def test_no_schedule_is_an_open_one(self) -> None:
        """A lock may say it either way."""
        assert Credential(pin=Pin("1")).same_access(Credential(pin=Pin("1"), schedule=Schedule()))


def test_evidence_rises_from_sent_to_used() -> None:
    """Each level includes the ones before."""
    levels = [Evidence.SENT, Evidence.ACCEPTED, Evidence.OCCUPIED, Evidence.READ_BACK, Evidence.USED]
    assert sorted(levels, key=int) == levels
    assert list(Evidence) == levels
