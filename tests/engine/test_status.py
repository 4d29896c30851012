"""A code's status is computed from what is wanted, what may be on the lock, and what is proven."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from gateway.domain.clock import TimeView
from gateway.domain.credential import Credential, Evidence, Schedule, WeeklyWindow
from gateway.domain.lock import NativeWindows
from gateway.domain.placement import Snapshot
from gateway.domain.recurrence import Recurrence
from gateway.engine.desire import is_proven, is_scheduled, status
from tests.engine.build import (
    CAN,
    CAN_BLIND,
    CAN_CHOOSE,
    CAN_NATIVE,
    DAY,
    HOUR,
    MINUTE,
    NOON,
    SECOND,
    TIMING,
    clearing,
    code,
    credential,
    device,
    held,
    intent,
    outside,
    snapshot,
    view,
)

ONGOING = code()
INSIDE = code(starts_at=NOON - HOUR, ends_at=NOON + HOUR)
ENDED = code(starts_at=NOON - DAY, ends_at=NOON - SECOND)
LATER = code(starts_at=NOON + DAY, ends_at=NOON + 2 * DAY)
SOON = code(starts_at=NOON + 10 * MINUTE, ends_at=NOON + DAY)
DELETED = code(deleted_at=NOON - SECOND)
NO_CAN = replace(CAN, disabled_status=False)


def native(start: timedelta, end: timedelta) -> Credential:
    """Return the content of a slot whose window the lock keeps."""
    return credential(schedule=Schedule(starts_at=NOON + start, ends_at=NOON + end))


def on_weekdays(*days: int, until: int = 9 * 60) -> Credential:
    """Return the content of a slot that the lock opens to on these days from eight on."""
    window = WeeklyWindow(weekdays=days, from_minute=8 * 60, until_minute=until)
    return credential(schedule=Schedule(weekly=(window,)))


CAN_WEEKLY = replace(CAN_NATIVE, native_windows=NativeWindows.DATES_OR_WEEKDAYS, schedule_zone="UTC")
SATURDAYS = code(recurrence=Recurrence(cron="0 8 * * SAT", minutes=60, time_zone="UTC"))


TABLE: list[tuple[str, Snapshot, TimeView, str]] = [
    # inside its window
    ("nothing done yet", snapshot(ONGOING), view(), "setting"),
    ("proven", snapshot(ONGOING, held()), view(), "set"),
    ("accepted is proof enough", snapshot(ONGOING, held(evidence=Evidence.ACCEPTED)), view(), "set"),
    ("sent proves nothing", snapshot(ONGOING, held(evidence=Evidence.SENT)), view(), "setting"),
    ("answer missing", snapshot(ONGOING, intent()), view(), "setting"),
    ("another PIN is on the lock", snapshot(ONGOING, held(content="9999")), view(), "setting"),
    ("on the lock, disabled", snapshot(ONGOING, held(content=credential(enabled=False))), view(), "setting"),
    ("one rewrite is due", snapshot(ONGOING, held(rewrite_due=True)), view(), "setting"),
    ("somebody changed it", snapshot(ONGOING, held(outside=outside())), view(), "setting"),
    ("a change that is honoured", snapshot(ONGOING, held(outside=outside(honoured=True))), view(), "set"),
    (
        "a removal that is honoured",
        snapshot(ONGOING, replace(held(), confirmed=None, outside=outside("removed", honoured=True))),
        view(),
        "unset",
    ),
    ("inside its window", snapshot(INSIDE, held()), view(), "set"),
    # after it
    ("ended and gone", snapshot(ENDED), view(), "unset"),
    ("ended, may be there", snapshot(ENDED, held()), view(), "removing"),
    ("ended, clear unanswered", snapshot(ENDED, clearing()), view(), "removing"),
    ("ended this very moment", snapshot(code(ends_at=NOON), held()), view(), "removing"),
    ("deleted and gone", snapshot(DELETED), view(), "unset"),
    ("deleted, may be there", snapshot(DELETED, held(evidence=Evidence.SENT)), view(), "removing"),
    ("its lock is being retired", snapshot(ONGOING, device(retiring=True), held()), view(), "removing"),
    # before it
    ("long before its start", snapshot(LATER), view(), "unset"),
    ("moved away from now, still there", snapshot(LATER, held()), view(), "removing"),
    ("in its lead, nothing done", snapshot(SOON), view(), "setting"),
    ("staged", snapshot(SOON, held(content=credential(enabled=False))), view(), "setting"),
    ("started, enabled", snapshot(SOON, held()), view(NOON + 10 * MINUTE), "set"),
    (
        "started, still disabled",
        snapshot(SOON, held(content=credential(enabled=False))),
        view(NOON + 10 * MINUTE),
        "setting",
    ),
    ("before its lead, any lock", snapshot(SOON, device(NO_CAN)), view(NOON - HOUR), "unset"),
    # locks that keep windows
    ("preloaded", snapshot(LATER, device(CAN_NATIVE), held(content=native(DAY, 2 * DAY))), view(), "unset"),
    ("to be preloaded", snapshot(LATER, device(CAN_NATIVE)), view(), "unset"),
    (
        "preloaded, and moved while the old window is open",
        snapshot(LATER, device(CAN_NATIVE), held(content=native(-HOUR, 30 * DAY))),
        view(),
        "removing",
    ),
    (
        "moved, and the old window begins before the new one",
        snapshot(LATER, device(CAN_NATIVE), held(content=native(HOUR, 3 * HOUR))),
        view(),
        "removing",
    ),
    (
        "moved, and the lock keeps no window at all",
        snapshot(LATER, device(CAN_NATIVE), held()),
        view(),
        "removing",
    ),
    (
        "moved, and the answer to the old window got lost",
        snapshot(LATER, device(CAN_NATIVE), intent(target=native(-HOUR, 30 * DAY))),
        view(),
        "removing",
    ),
    (
        "moved, and the old window is over",
        snapshot(LATER, device(CAN_NATIVE), held(content=native(-2 * HOUR, timedelta(0)))),
        view(),
        "setting",
    ),
    (
        "moved, and the old window begins later",
        snapshot(LATER, device(CAN_NATIVE), held(content=native(5 * DAY, 6 * DAY))),
        view(),
        "setting",
    ),
    (
        "moved, and the lock keeps it disabled",
        snapshot(LATER, device(CAN_NATIVE), held(content=replace(native(-HOUR, 30 * DAY), enabled=False))),
        view(),
        "setting",
    ),
    (
        "moved to now",
        snapshot(INSIDE, device(CAN_NATIVE), held(content=native(DAY, 2 * DAY))),
        view(),
        "setting",
    ),
    (
        "other weekdays",
        snapshot(
            SATURDAYS, device(CAN_WEEKLY, is_clock_right=True), held(content=on_weekdays(0, 1, 2, 3, 4, 5, 6))
        ),
        view(),
        "removing",
    ),
    (
        "more weekdays",
        snapshot(
            SATURDAYS, device(CAN_WEEKLY, is_clock_right=True), held(content=on_weekdays(5, until=9 * 60 - 1))
        ),
        view(),
        "setting",
    ),
    (
        "weekdays as they should be",
        snapshot(SATURDAYS, device(CAN_WEEKLY, is_clock_right=True), held(content=on_weekdays(5))),
        view(),
        "unset",
    ),
    (
        "window kept by the lock has begun",
        snapshot(INSIDE, device(CAN_NATIVE), held(content=native(-HOUR, HOUR))),
        view(),
        "set",
    ),
    (
        "the lock keeps another window",
        snapshot(INSIDE, device(CAN_NATIVE), held(content=native(-HOUR, 2 * HOUR))),
        view(),
        "setting",
    ),
    ("the lock keeps none", snapshot(INSIDE, device(CAN_NATIVE), held()), view(), "setting"),
    # a clock that is not trusted: nothing opens, nothing closes
    ("untrusted, window would open", snapshot(INSIDE), view(trusted=False), "unset"),
    ("untrusted, on the lock", snapshot(INSIDE, held()), view(trusted=False), "set"),
    ("untrusted, ended before the lower bound", snapshot(ENDED, held()), view(trusted=False), "removing"),
    (
        "untrusted, ended by the wall clock alone",
        snapshot(ENDED, held()),
        view(trusted=False, floor=NOON - HOUR),
        "set",
    ),
    (
        "untrusted, began for certain, still disabled",
        snapshot(INSIDE, held(content=credential(enabled=False))),
        view(trusted=False),
        "setting",
    ),
    (
        "untrusted, began for certain, disabled by hand",
        snapshot(
            INSIDE,
            held(content=credential(enabled=False), outside=outside(fields=("enabled",), honoured=True)),
        ),
        view(trusted=False),
        "set",
    ),
    ("untrusted, no window", snapshot(ONGOING), view(trusted=False), "setting"),
    # the way to the lock
    (
        "server away for two minutes",
        snapshot(ONGOING, device(authority_lost_at=NOON - 2 * MINUTE), held()),
        view(),
        "unknown",
    ),
    (
        "server away just now",
        snapshot(ONGOING, device(authority_lost_at=NOON - MINUTE), held()),
        view(),
        "set",
    ),
    (
        "server away, ended",
        snapshot(ENDED, device(authority_lost_at=NOON - HOUR), held()),
        view(),
        "unknown",
    ),
    (
        "server away, ended and gone",
        snapshot(ENDED, device(authority_lost_at=NOON - HOUR)),
        view(),
        "unset",
    ),
    ("lock never seen", snapshot(ONGOING, device(None)), view(), "setting"),
    (
        "write-only lock",
        snapshot(ONGOING, device(CAN_BLIND), held(evidence=Evidence.SENT)),
        view(),
        "setting",
    ),
    (
        "write-only lock, used",
        snapshot(ONGOING, device(CAN_BLIND), held(evidence=Evidence.USED)),
        view(),
        "set",
    ),
]


@pytest.mark.parametrize(("snap", "t", "expected"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_status_follows_from_the_facts(snap: Snapshot, t: TimeView, expected: str) -> None:
    """Every branch of the rule, one line each."""
    assert status(snap.codes["ana"], snap, t, TIMING) == expected


class TestScheduledOnDevice:
    """A code that waits on the lock with its schedule."""

    WAITING = held(content=native(DAY, 2 * DAY))

    def test_preloaded_and_proven(self) -> None:
        """Before its start it is `unset` and scheduled."""
        assert is_scheduled(LATER, snapshot(LATER, device(CAN_NATIVE), self.WAITING), view(), TIMING)

    @pytest.mark.parametrize(
        "snap",
        [
            snapshot(LATER, device(CAN_NATIVE)),
            snapshot(LATER, device(CAN_NATIVE), replace(WAITING, rewrite_due=True)),
            snapshot(LATER, device(CAN), WAITING),
            snapshot(replace(LATER, prefer_native_scheduling=False), device(CAN_NATIVE), WAITING),
        ],
    )
    def test_not_without_proof_or_schedule(self, snap: Snapshot) -> None:
        """Nothing written, in doubt, a lock without schedules, or not wished."""
        assert not is_scheduled(snap.codes["ana"], snap, view(), TIMING)

    def test_no_longer_once_it_has_started(self) -> None:
        """Then it is `set`."""
        snap = snapshot(LATER, device(CAN_NATIVE), self.WAITING)
        assert not is_scheduled(LATER, snap, view(NOON + DAY), TIMING)
        assert not is_scheduled(ONGOING, snapshot(ONGOING, held()), view(), TIMING)

    def test_steps_of_the_lock_do_not_disprove(self) -> None:
        """A lock that keeps minutes has the window although it cut the seconds."""
        odd = code(starts_at=NOON + DAY + 59 * SECOND, ends_at=NOON + 2 * DAY - SECOND)
        assert is_proven(odd, snapshot(odd, device(CAN_NATIVE), self.WAITING), view(), TIMING)
        assert not is_proven(odd, snapshot(odd, device(CAN_CHOOSE), self.WAITING), view(), TIMING)
