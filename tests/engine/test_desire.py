"""What a code wants of its lock at one moment."""

from datetime import datetime, timedelta

import pytest
from msgspec.structs import replace

from gateway.domain.code import AccessCode
from gateway.domain.credential import Schedule, WeeklyWindow
from gateway.domain.lock import Capabilities, Reach
from gateway.engine.desire import desired, granularity, lock_name, programming_at
from tests.engine.build import (
    CAN,
    CAN_CHOOSE,
    CAN_MASKED,
    CAN_NATIVE,
    DAY,
    HOUR,
    MINUTE,
    NOON,
    TIMING,
    code,
    credential,
    device,
    held,
    outside,
    snapshot,
    view,
)

STAY = code(starts_at=NOON, ends_at=NOON + 2 * DAY)
WINDOW = Schedule(starts_at=NOON, ends_at=NOON + 2 * DAY)
TOUCHED = replace(CAN_NATIVE, reach=Reach.ON_TOUCH)


class TestProgramming:
    """When a code goes onto its lock."""

    @pytest.mark.parametrize(
        ("asked", "can", "at"),
        [
            (code(), CAN, None),
            (code(ends_at=NOON), CAN_NATIVE, None),
            (STAY, CAN, NOON - 30 * MINUTE),
            (STAY, CAN_NATIVE, NOON - 72 * HOUR),
            (STAY, None, NOON - 30 * MINUTE),
            (STAY, TOUCHED, None),
            (STAY, replace(TOUCHED, disabled_status=False), None),
            (STAY, replace(CAN_MASKED, reach=Reach.ON_TOUCH), NOON - 30 * MINUTE),
            (replace(STAY, prefer_native_scheduling=False), CAN_NATIVE, NOON - 30 * MINUTE),
            (replace(STAY, ends_at=None), CAN_NATIVE, NOON - 30 * MINUTE),
        ],
    )
    def test_lead_preload_or_at_once(
        self, asked: AccessCode, can: Capabilities | None, at: datetime | None
    ) -> None:
        """Just in time; earlier where the lock keeps windows; at creation where only a touch brings it."""
        assert programming_at(asked, snapshot(asked, device(can)), NOON - 30 * DAY, TIMING) == at

    def test_nothing_is_wanted_of_a_lock_that_nobody_saw(self) -> None:
        """What it can do is not known."""
        assert desired(code(), snapshot(code(), device(None)), view(), TIMING) is None

    @pytest.mark.parametrize(
        ("before", "wanted"),
        [(31 * MINUTE, False), (30 * MINUTE, True), (timedelta(0), True), (-2 * DAY, False)],
    )
    def test_a_window_is_staged_from_its_lead_to_its_end(self, before: timedelta, *, wanted: bool) -> None:
        """The first moment counts, the end does not."""
        found = desired(STAY, snapshot(STAY), view(NOON - before), TIMING)
        assert (found is not None) is wanted


class TestStaging:
    """A just-in-time code must neither come late nor work early."""

    def test_it_waits_disabled_where_the_lock_can_do_that(self) -> None:
        """And is enabled at its start."""
        early = desired(STAY, snapshot(STAY), view(NOON - MINUTE), TIMING)
        assert early == credential(enabled=False)
        assert desired(STAY, snapshot(STAY), view(NOON), TIMING) == credential(enabled=True)

    def test_it_is_enabled_from_the_lead_on_elsewhere(self) -> None:
        """Better early than late."""
        snap = snapshot(STAY, device(CAN_MASKED))
        assert desired(STAY, snap, view(NOON - MINUTE), TIMING) == credential(enabled=True)

    def test_the_lock_keeps_the_window_where_it_can(self) -> None:
        """Then the code is enabled from the beginning."""
        snap = snapshot(STAY, device(CAN_NATIVE))
        assert desired(STAY, snap, view(NOON - DAY), TIMING) == credential(schedule=WINDOW)

    @pytest.mark.parametrize("enabled", [True, False])
    def test_while_the_clock_is_not_trusted_it_stays_as_it_is(self, *, enabled: bool) -> None:
        """Neither enabled nor disabled by a time that nobody believes."""
        snap = snapshot(STAY, held(content=credential(enabled=enabled)))
        found = desired(STAY, snap, view(NOON + HOUR, trusted=False, floor=NOON - DAY), TIMING)
        assert found == credential(enabled=enabled)

    @pytest.mark.parametrize("enabled", [True, False])
    def test_while_the_clock_is_not_trusted_it_stays_so_without_its_start_too(self, *, enabled: bool) -> None:
        """A code that may have ended is not put on either."""
        until = code(ends_at=NOON + DAY)
        snap = snapshot(until, held(content=credential(enabled=enabled)))
        found = desired(until, snap, view(NOON + HOUR, trusted=False, floor=NOON - DAY), TIMING)
        assert found == credential(enabled=enabled)
        for without in (code(), until):
            found = desired(without, snap, view(trusted=without is until), TIMING)
            assert found == credential(enabled=True)

    @pytest.mark.parametrize(
        ("kept", "stays"),
        [
            (Schedule(starts_at=NOON + DAY, ends_at=NOON + 2 * DAY), True),
            (Schedule(weekly=(WeeklyWindow(weekdays=(0, 1), from_minute=0, until_minute=600),)), True),
            (Schedule(starts_at=NOON - DAY, ends_at=NOON + 2 * DAY), False),
        ],
        ids=["opens tomorrow", "opens on some days", "has opened"],
    )
    def test_while_the_clock_is_not_trusted_a_schedule_goes_only_where_that_opens_nothing(
        self, kept: Schedule, *, stays: bool
    ) -> None:
        """The code was moved to a time that is past for certain, and has no end any more."""
        moved = code(starts_at=NOON - HOUR)
        snap = snapshot(moved, device(CAN_NATIVE), held(content=credential(schedule=kept)))
        found = desired(moved, snap, view(trusted=False), TIMING)
        assert found == credential(schedule=kept if stays else None)

    def test_somebody_disabled_it_and_may(self) -> None:
        """An honoured change is not undone."""
        snap = snapshot(code(), held(outside=outside(fields=("enabled",), honoured=True)))
        assert desired(code(), snap, view(), TIMING) == credential(enabled=False)
        undone = snapshot(code(), held(outside=outside(fields=("enabled",))))
        assert desired(code(), undone, view(), TIMING) == credential(enabled=True)


class TestNames:
    """The name as the lock stores it."""

    def test_only_locks_that_store_names_get_one(self) -> None:
        """And none before the lock was seen."""
        assert lock_name(code(), snapshot(code())) is None
        assert lock_name(code(), snapshot(code(), device(None))) is None
        assert lock_name(code(), snapshot(code(), device(CAN_CHOOSE))) == "Ana"

    def test_two_codes_of_one_name_are_told_apart(self) -> None:
        """By a number; the code's own entry does not count as taken."""
        other = held("bo", "3", credential("8", name="Ana"))
        own = held("ana", "4", credential("9", name="Ana"))
        assert lock_name(code(), snapshot(code(), device(CAN_CHOOSE), other, own)) == "Ana 2"
        assert lock_name(code(), snapshot(code(), device(CAN_CHOOSE), own)) == "Ana"

    def test_a_name_on_the_lock_stays_when_the_one_it_gave_way_to_goes(self) -> None:
        """Otherwise deleting one of ten guests would rewrite the other nine."""
        own = held("ana", "4", credential("9", name="Ana 2"))
        assert lock_name(code(), snapshot(code(), device(CAN_CHOOSE), own)) == "Ana 2"


def test_steps_of_time_are_the_locks() -> None:
    """A minute where the lock is not known."""
    assert granularity(snapshot(device(None))) == MINUTE
    assert granularity(snapshot(device(CAN_CHOOSE))) == timedelta(seconds=1)
