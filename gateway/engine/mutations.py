"""What is asked for and not yet confirmed by the lock: the reference's pending mutations. Pure."""

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from msgspec import UNSET

from gateway.domain.clock import TimeView
from gateway.domain.code import AccessCode
from gateway.domain.credential import Credential, Schedule
from gateway.domain.placement import Snapshot
from gateway.domain.timing import Timing
from gateway.engine.desire import (
    desired,
    granularity,
    is_disabled_by_hand,
    is_honoured_removal,
    is_native,
    is_over,
    is_to_shut,
    is_wish_proven,
    programming_at,
    window_of,
)
from gateway.engine.wire import Change, Mutation, WeeklyWindow


def instant(at: datetime | None) -> str | None:
    """Return a time as UTC ISO 8601 with milliseconds and Z."""
    return None if at is None else moment(at)


@lru_cache(8192)
def moment(at: datetime) -> str:
    """Return a time that is there as UTC ISO 8601 with milliseconds and Z."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def dates(code: AccessCode) -> dict[str, Any]:
    """Return when a code is to work, for what its timeline tells of the command that asked for it."""
    it = code.recurrence
    windows = (
        {"recurrence": {"cron": it.cron, "minutes": it.minutes, "time_zone": it.time_zone}} if it else {}
    )
    return {"starts_at": instant(code.starts_at), "ends_at": instant(code.ends_at), **windows}


def pending_mutations(code: AccessCode, snap: Snapshot, t: TimeView, timing: Timing) -> list[Mutation]:
    """Return the difference between what is asked for and what the lock is known to hold, PINs included."""
    holds, asked_at = snap.may_hold(code.access_code_id), moment(code.updated_at)
    if is_over(code, snap, t):
        removal = Mutation(
            mutation_code="deleting", message="being removed from the lock", created_at=asked_at
        )
        return [removal] if holds else []
    placement = snap.placement(code.access_code_id)
    if is_honoured_removal(placement):
        return []
    confirmed = placement.confirmed
    want = desired(code, snap, t, timing)
    creating = Mutation(mutation_code="creating", message="being set on the lock", created_at=asked_at)
    if confirmed is None:
        if want is not None:
            return [creating]
        return _deferred(programming_at(code, snap, t.at, timing), "waits until nearer its start", asked_at)
    if want is None:
        removal = Mutation(
            mutation_code="deleting", message="being taken off until its next window", created_at=asked_at
        )
        return [removal]
    updates = list(_updates(confirmed.credential, want, snap, asked_at))
    if is_to_shut(code, want, snap, t):
        shutting = Mutation(
            mutation_code="deleting", message="being disabled until its next window", created_at=asked_at
        )
        return [*updates, shutting]
    # Sent, and nothing came back that says whether the lock holds it; or to be written again.
    if not updates and not is_wish_proven(code, want, snap, t):
        return [creating]
    if not want.enabled and not is_disabled_by_hand(placement):
        waits = _deferred(
            _enabled_at(code, snap, t.at), "waits on the lock, disabled, for its start", asked_at
        )
        return [*updates, *waits]
    return updates


def _deferred(until: datetime | None, message: str, asked_at: str) -> list[Mutation]:
    if until is None:
        return []
    deferring = Mutation(
        mutation_code="deferring_creation",
        message=message,
        created_at=asked_at,
        scheduled_at=moment(until),
    )
    return [deferring]


def _enabled_at(code: AccessCode, snap: Snapshot, at: datetime) -> datetime | None:
    """Return when the hub enables a code that waits on the lock; None: no window is left."""
    if is_native(code, snap):
        return code.starts_at  # of windows that the lock keeps the hub makes the first day alone
    window = window_of(code, at)
    return window.starts_at if window is not None else None


def _updates(has: Credential, want: Credential, snap: Snapshot, asked_at: str) -> Iterator[Mutation]:
    changed = has.differences(want, granularity(snap))
    if "code" in changed:
        yield Mutation(
            mutation_code="updating_code",
            message="a new PIN is being set",
            created_at=asked_at,
            from_=Change(code=has.pin.reveal()),
            to=Change(code=want.pin.reveal()),
        )
    if want.name is not None and want.name != has.name:
        yield Mutation(
            mutation_code="updating_name",
            message="a new name is being set",
            created_at=asked_at,
            from_=Change(name=has.name),
            to=Change(name=want.name),
        )
    if "schedule" in changed:
        old, new = has.schedule or Schedule(), want.schedule or Schedule()
        weekly = bool(old.weekly or new.weekly)
        yield Mutation(
            mutation_code="updating_time_frame",
            message="a new time frame is being set",
            created_at=asked_at,
            from_=_side(old, snap, weekly=weekly),
            to=_side(new, snap, weekly=weekly),
        )


def _side(schedule: Schedule, snap: Snapshot, *, weekly: bool) -> Change:
    return Change(
        starts_at=instant(schedule.starts_at),
        ends_at=instant(_end(schedule, snap)),
        weekly=weekdays(schedule) if weekly else UNSET,
    )


def weekdays(schedule: Schedule) -> list[WeeklyWindow]:
    """Return the windows on weekdays that a lock keeps."""
    return [
        WeeklyWindow(weekdays=list(it.weekdays), from_minute=it.from_minute, until_minute=it.until_minute)
        for it in schedule.weekly
    ]


def _end(schedule: Schedule, snap: Snapshot) -> datetime | None:
    """Return the end that the code has, where the lock holds one that is later on purpose."""
    capabilities = snap.device.capabilities
    if schedule.ends_at is None or capabilities is None or capabilities.fence is None:
        return schedule.ends_at
    return schedule.ends_at - capabilities.fence


def without_details(mutation: Mutation) -> Mutation:
    """Return a mutation that names no PIN, no guest and no date."""
    return Mutation(
        mutation_code=mutation.mutation_code, message=mutation.message, created_at=mutation.created_at
    )


def without_pin(mutation: Mutation) -> Mutation:
    """Return a mutation that names no PIN."""
    return without_details(mutation) if mutation.mutation_code == "updating_code" else mutation
