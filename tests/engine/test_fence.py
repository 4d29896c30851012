"""The end that a lock gets in case the hub is gone when a window closes."""

from msgspec.structs import replace

from gateway.domain.credential import Evidence, Schedule
from gateway.domain.lock import NativeWindows
from gateway.domain.recurrence import Recurrence
from gateway.engine.desire import desired, is_proven, is_scheduled, programming_at, status
from gateway.engine.mutations import pending_mutations
from gateway.engine.wire import Change
from tests.engine.build import (
    CAN_CHOOSE,
    DAY,
    HOUR,
    MINUTE,
    NOON,
    SECOND,
    TIMING,
    code,
    credential,
    device,
    held,
    snapshot,
    view,
)

FENCED = replace(CAN_CHOOSE, native_windows=NativeWindows.NONE, fence=15 * HOUR, name_length=0)
LOCK = device(FENCED)
STAY = code(pin="4711", starts_at=NOON, ends_at=NOON + 2 * DAY)
LATE = Schedule(ends_at=NOON + 2 * DAY + 15 * HOUR)


def test_the_hub_keeps_the_window_and_the_lock_a_later_end() -> None:
    """Staged disabled as on any lock without schedules, enabled at the start, with the end from the first."""
    snap = snapshot(STAY, LOCK)
    assert programming_at(STAY, snap, NOON - DAY, TIMING) == NOON - 30 * MINUTE
    early = desired(STAY, snap, view(NOON - MINUTE), TIMING)
    assert early == credential(enabled=False, schedule=LATE)
    assert desired(STAY, snap, view(NOON), TIMING) == credential(schedule=LATE)


def test_it_is_gone_at_its_end_and_not_at_the_fence() -> None:
    """The fence is nobody's permission."""
    snap = snapshot(STAY, LOCK, held(content=credential(schedule=LATE)))
    assert desired(STAY, snap, view(NOON + 2 * DAY), TIMING) is None
    assert status(STAY, snap, view(NOON + 2 * DAY), TIMING) == "removing"
    assert not is_scheduled(STAY, snap, view(NOON - MINUTE), TIMING)


def test_a_code_without_an_end_has_no_fence() -> None:
    """There is nothing to be late for."""
    assert desired(code(), snapshot(code(), LOCK), view(), TIMING) == credential()


def test_every_window_of_a_code_that_comes_back_has_its_own() -> None:
    """A cleaner's code does not stay for years because the hub died on a Monday."""
    mornings = Recurrence(cron="0 8 * * 1", minutes=180, time_zone="UTC")
    cleaner = code(recurrence=mornings)
    snap = snapshot(cleaner, LOCK)
    monday = NOON.replace(day=6, hour=9)
    assert desired(cleaner, snap, view(monday), TIMING) == credential(
        schedule=Schedule(ends_at=monday.replace(hour=11) + 15 * HOUR)
    )


def test_while_the_clock_is_not_trusted_the_lock_keeps_what_it_has() -> None:
    """With or without a fence: no write because of a time that nobody believes."""
    for content in (credential(schedule=LATE), credential()):
        snap = snapshot(STAY, LOCK, held(content=content))
        found = desired(STAY, snap, view(NOON + HOUR, trusted=False, floor=NOON - DAY), TIMING)
        assert found == content


def test_a_read_back_fence_proves_the_code() -> None:
    """As exactly as the lock keeps times."""
    odd = replace(STAY, ends_at=NOON + 2 * DAY + SECOND / 2)
    want = desired(odd, snapshot(odd, LOCK), view(NOON + HOUR), TIMING)
    assert want is not None
    assert want.schedule == Schedule(ends_at=NOON + 2 * DAY + 15 * HOUR + SECOND)
    snap = snapshot(odd, LOCK, held(content=want, evidence=Evidence.READ_BACK))
    assert is_proven(odd, snap, view(NOON + HOUR), TIMING)


def test_people_are_shown_the_end_that_they_asked_for() -> None:
    """Not the one on the lock."""
    longer = replace(STAY, ends_at=NOON + 3 * DAY)
    snap = snapshot(longer, LOCK, held(content=credential(schedule=LATE)))
    (change,) = pending_mutations(longer, snap, view(NOON + HOUR), TIMING)
    assert isinstance(change.from_, Change)
    assert isinstance(change.to, Change)
    assert (change.from_.ends_at, change.to.ends_at) == (
        "2026-07-03T12:00:00.000Z",
        "2026-07-04T12:00:00.000Z",
    )
