"""What a code wants of its lock at one moment, and the status that follows. Pure."""

from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from gateway.domain.clock import TimeView
from gateway.domain.code import AccessCode
from gateway.domain.credential import Credential, Evidence, Schedule, WeeklyWindow
from gateway.domain.lock import Capabilities, NativeWindows, Reach
from gateway.domain.names import fit
from gateway.domain.placement import Placement, Snapshot
from gateway.domain.recurrence import current_window, weekly
from gateway.domain.recurrence import is_open as is_open_by
from gateway.domain.schedules import on_grid
from gateway.domain.timing import AUTHORITY_LOST, Timing


class Window(NamedTuple):
    """When a code opens the door; None means open on that side."""

    starts_at: datetime | None
    ends_at: datetime | None


type Status = Literal["unset", "setting", "set", "removing", "unknown"]


def is_native(code: AccessCode, snap: Snapshot) -> bool:
    """Say whether the lock itself keeps this code's window.

    Not one whose clock is wrong or was never read, nor a window that it refused.
    """
    device = snap.device
    return (
        device.capabilities is not None
        and can_keep(code, device.capabilities)
        and device.keeps_time
        and snap.placement(code.access_code_id).hub_keeps != code.revision
    )


def can_keep(code: AccessCode, capabilities: Capabilities) -> bool:
    """Say whether such a lock can keep this code's window itself, and is to."""
    if capabilities.native_windows is NativeWindows.NONE or not code.prefer_native_scheduling:
        return False
    if code.recurrence is None:
        return code.ends_at is not None
    return (
        capabilities.native_windows is not NativeWindows.DATES
        and code.recurrence.time_zone == capabilities.schedule_zone
        and weekly(code.recurrence) is not None
    )


def _native_schedule(code: AccessCode, snap: Snapshot) -> Schedule | None:
    """Return the schedule that the lock is to keep, on its grid."""
    capabilities = snap.device.capabilities
    if capabilities is None or not is_native(code, snap):
        return None
    windows = weekly(code.recurrence) if code.recurrence is not None else None
    if windows and capabilities.native_windows is NativeWindows.DATES_OR_WEEKDAYS:
        return Schedule(weekly=windows)
    whole = Schedule(starts_at=code.starts_at, ends_at=code.ends_at, weekly=windows or ())
    return on_grid(whole, capabilities.schedule_granularity, capabilities.schedule_zone)


def _is_begun_by_hub(code: AccessCode, schedule: Schedule | None) -> bool:
    """Say whether the lock keeps this code's weekdays, which would open the door, and not its first day."""
    is_undated = schedule is not None and bool(schedule.weekly) and schedule.starts_at is None
    return is_undated and code.starts_at is not None


def is_left_to_lock(code: AccessCode, snap: Snapshot, at: datetime) -> bool:
    """Say whether the lock keeps all that is left of this code's window: its first day too, or that came."""
    begins = _has_begun(code, at) or not _is_begun_by_hub(code, _native_schedule(code, snap))
    return begins and is_native(code, snap)


def _has_begun(code: AccessCode, at: datetime) -> bool:
    return code.starts_at is None or code.starts_at <= at


def window_of(code: AccessCode, at: datetime) -> Window | None:
    """Return the window that is open at a moment, or the next one; None: there is none any more."""
    if code.recurrence is None:
        return Window(code.starts_at, code.ends_at)
    found = current_window(code.recurrence, max(at, code.starts_at) if code.starts_at is not None else at)
    if found is None and is_open_by(code.recurrence, at):
        return Window(code.starts_at, code.ends_at)  # its windows leave no break
    if found is None or (code.ends_at is not None and found[0] >= code.ends_at):
        return None
    starts_at, ends_at = found
    return Window(
        max(starts_at, code.starts_at) if code.starts_at is not None else starts_at,
        min(ends_at, code.ends_at) if code.ends_at is not None else ends_at,
    )


def is_open(code: AccessCode, at: datetime) -> bool:
    """Say whether the code is to open the door at a moment, its end left aside."""
    if code.recurrence is None:
        return _has_begun(code, at)
    window = window_of(code, at)
    return window is not None and (window.starts_at is None or window.starts_at <= at)


def programming_at(code: AccessCode, snap: Snapshot, at: datetime, timing: Timing) -> datetime | None:
    """Return when the code goes onto the lock for its window now or next; None: at once, or never again."""
    capabilities = snap.device.capabilities
    native = is_native(code, snap)
    can_wait = (native and not _is_begun_by_hub(code, _native_schedule(code, snap))) or (
        capabilities is not None and capabilities.disabled_status
    )
    # One that would open before its window is brought by a touch near it, and not put there days ahead.
    if capabilities is not None and capabilities.reach is Reach.ON_TOUCH and can_wait:
        return None
    if native and _keeps_its_times(code, snap):
        return None
    starts_at = code.starts_at
    if code.recurrence is not None and native:
        return starts_at - timing.lead if starts_at is not None and can_wait else starts_at
    if code.recurrence is not None:
        window = window_of(code, at)
        starts_at = window.starts_at if window is not None else None
    if starts_at is None:
        return None
    return starts_at - (timing.native_preload if native else timing.lead)


def _keeps_its_times(code: AccessCode, snap: Snapshot) -> bool:
    """Say whether the lock keeps the code to just its two times already, though it is early for that."""
    confirmed, wanted = snap.placement(code.access_code_id).confirmed, _native_schedule(code, snap)
    held = confirmed.credential.schedule if confirmed is not None else None
    return (
        code.recurrence is None
        and held is not None
        and wanted is not None
        and held.equals_within(wanted, granularity(snap))
    )


def may_open(code: AccessCode, snap: Snapshot) -> bool:
    """Say whether the code may open the door: enabled on the lock, as far as known, or sent there enabled."""
    return any(credential.enabled for credential in _perhaps_held(code, snap))


def _perhaps_held(code: AccessCode, snap: Snapshot) -> list[Credential]:
    """Return what the lock holds of the code as far as known, and what was sent there without an answer."""
    confirmed = snap.placement(code.access_code_id).confirmed
    sent = [intent.target for intent in snap.open_intents(code.access_code_id)]
    held = [*sent, confirmed.credential if confirmed is not None else None]
    return [credential for credential in held if credential is not None]


def _with_other_window(code: AccessCode, snap: Snapshot) -> list[Credential]:
    """Return what the lock may still hold of a code whose window it keeps, and was to keep otherwise."""
    wanted = _native_schedule(code, snap)
    if wanted is None:
        return []
    step = granularity(snap)
    held = _perhaps_held(code, snap)
    return [it for it in held if not (it.schedule or Schedule()).equals_within(wanted, step)]


def opens_by_old_window(code: AccessCode, snap: Snapshot, at: datetime) -> bool:
    """Say whether a lock that keeps windows may open to the code before the one that it is to keep now."""
    wanted, others = _native_schedule(code, snap), _with_other_window(code, snap)
    if wanted is None or not others or is_open(code, at):
        return False
    window = window_of(code, at)
    opens_at = window.starts_at if wanted.weekly and window is not None else wanted.starts_at
    return any(
        it.enabled and _opens_before(it.schedule or Schedule(), wanted, opens_at or at, at) for it in others
    )


def _opens_before(held: Schedule, wanted: Schedule, opens_at: datetime, at: datetime) -> bool:
    """Say whether a lock with the one schedule may open before `opens_at`, when the other one does."""
    if held.ends_at is not None and held.ends_at <= at:
        return False
    begins = max(held.starts_at, at) if held.starts_at is not None else at
    has_day = wanted.starts_at is None or wanted.starts_at <= begins
    return begins < opens_at and not (has_day and _is_within(held.weekly, wanted.weekly))


def _is_within(windows: tuple[WeeklyWindow, ...], wider: tuple[WeeklyWindow, ...]) -> bool:
    """Say whether a lock with some windows on weekdays opens at no time when one with the others does not."""
    return bool(windows) and all(
        any(
            day in it.weekdays and it.from_minute <= one.from_minute and one.until_minute <= it.until_minute
            for it in wider
        )
        for one in windows
        for day in one.weekdays
    )


def is_to_shut(code: AccessCode, want: Credential | None, snap: Snapshot, t: TimeView) -> bool:
    """Say whether the code may open the door although its window is over until the next one, or was moved.

    `want` is what it wants now.
    """
    shut = want is None or not want.enabled
    return shut and not is_open(code, t.at) and may_open(code, snap)


def opens_too_early(code: AccessCode, want: Credential | None, snap: Snapshot, t: TimeView) -> bool:
    """Say whether the code may open the door before its window: not shut yet, or by an old window."""
    return is_to_shut(code, want, snap, t) or opens_by_old_window(code, snap, t.at)


def has_ended(code: AccessCode, t: TimeView) -> bool:
    """Say whether the code is past its end. Certain even by an untrusted clock, see `TimeView.at`."""
    return code.ends_at is not None and code.ends_at <= t.at


def is_over(code: AccessCode, snap: Snapshot, t: TimeView) -> bool:
    """Say whether the code is to be gone for good: deleted, past its end, used up, or its lock retired."""
    return snap.device.retiring or code.is_over(t.at)


def is_past(code: AccessCode, snap: Snapshot, t: TimeView) -> bool:
    """Say whether a code is over and off its lock: its PIN is free again."""
    return is_over(code, snap, t) and not snap.may_hold(code.access_code_id)


def is_wanted(code: AccessCode, snap: Snapshot, t: TimeView, timing: Timing) -> bool:
    """Say whether the code should be on its lock now.

    While the clock is not trusted no window opens and none closes (rule 5): a code with a window stays on or
    off the lock as it is, apart from windows that ended before the lower bound of time.
    """
    if is_over(code, snap, t):
        return False
    if code.has_window and not t.trusted:
        return snap.may_hold(code.access_code_id)
    if code.recurrence is not None and window_of(code, t.at) is None:
        return False
    start = programming_at(code, snap, t.at, timing)
    return start is None or start <= t.at


def desired(code: AccessCode, snap: Snapshot, t: TimeView, timing: Timing) -> Credential | None:
    """Return what the code's slot should hold now; None: nothing."""
    capabilities = snap.device.capabilities
    if capabilities is None or not is_wanted(code, snap, t, timing):
        return None
    placement = snap.placement(code.access_code_id)
    held = placement.confirmed.credential if placement.confirmed is not None else None
    schedule = _native_schedule(code, snap) or _kept_schedule(code, held, t) or _fence(code, held, snap, t)
    enabled = True
    is_kept_by_hub = schedule is None or capabilities.fence is not None
    if capabilities.disabled_status and code.has_window and not t.trusted and held is not None:
        enabled = held.enabled  # Also where the start is gone by now: nobody knows whether the end has come.
    elif capabilities.disabled_status and _opens_later(code):
        if is_kept_by_hub:
            enabled = t.trusted and is_open(code, t.at)
        elif _is_begun_by_hub(code, schedule):
            enabled = t.trusted and _has_begun(code, t.at)
    if is_disabled_by_hand(placement):
        enabled = False
    return Credential(pin=code.pin, enabled=enabled, schedule=schedule, name=lock_name(code, snap))


def _kept_schedule(code: AccessCode, held: Credential | None, t: TimeView) -> Schedule | None:
    """Return the schedule that stays on the lock because nobody trusts the clock.

    Without it the code would work at once, before its window or after it (rule 5). An end that nobody wants
    any more goes nevertheless, where code and schedule have begun for certain: that opens nothing.
    """
    kept = held.schedule if held is not None else None
    if t.trusted or kept is None or not code.has_window:
        return None
    is_ongoing = code.ends_at is None and code.recurrence is None and is_open(code, t.at)
    has_opened = not kept.weekly and (kept.starts_at is None or kept.starts_at <= t.at)
    return None if is_ongoing and has_opened else kept


def _fence(code: AccessCode, held: Credential | None, snap: Snapshot, t: TimeView) -> Schedule | None:
    """Return the end that stands on the lock behind the one that the hub makes itself.

    It lets nobody in or out; it is for the case that the hub is gone when the window closes.
    """
    capabilities = snap.device.capabilities
    if capabilities is None or capabilities.fence is None or (held is not None and not t.trusted):
        return None
    window = window_of(code, t.at)
    if window is None or window.ends_at is None:
        return None
    late = Schedule(ends_at=window.ends_at + capabilities.fence)
    return on_grid(late, capabilities.schedule_granularity, capabilities.schedule_zone)


def _opens_later(code: AccessCode) -> bool:
    return code.starts_at is not None or code.recurrence is not None


def is_disabled_by_hand(placement: Placement) -> bool:
    """Say whether somebody disabled the code at the lock and the code allows that."""
    outside = placement.outside
    return outside is not None and outside.honoured and "enabled" in outside.fields


def lock_name(code: AccessCode, snap: Snapshot) -> str | None:
    """Return the name as this lock stores it; the one it already has stays while it still fits the code."""
    capabilities = snap.device.capabilities
    if capabilities is None or capabilities.name_length == 0:
        return None
    taken = {
        p.confirmed.credential.name
        for p in snap.placements.values()
        if p.access_code_id != code.access_code_id and p.confirmed is not None and p.confirmed.credential.name
    }
    confirmed = snap.placement(code.access_code_id).confirmed
    stored = confirmed.credential.name if confirmed is not None else None
    return fit(code.name, capabilities.name_length, taken, stored=stored)


def is_proven(code: AccessCode, snap: Snapshot, t: TimeView, timing: Timing) -> bool:
    """Say whether it is known that the lock holds what the code wants: PIN, schedule and enabled.

    A code that certainly began and is disabled because nobody trusts the clock opens no door: not proven.
    """
    want = desired(code, snap, t, timing)
    return want is not None and is_wish_proven(code, want, snap, t)


def is_wish_proven(code: AccessCode, want: Credential, snap: Snapshot, t: TimeView) -> bool:
    """Say whether it is known that the lock holds `want`, which is what the code wants now."""
    placement = snap.placement(code.access_code_id)
    confirmed = placement.confirmed
    return (
        confirmed is not None
        and confirmed.evidence >= Evidence.ACCEPTED
        and not placement.rewrite_due
        and (placement.outside is None or placement.outside.honoured)
        and confirmed.credential.same_access(want, granularity(snap))
        and not _is_kept_shut(code, placement, want, t)
    )


def _is_kept_shut(code: AccessCode, placement: Placement, want: Credential, t: TimeView) -> bool:
    """Say whether a code stays disabled past its start although nobody wished that."""
    return is_open(code, t.at) and not want.enabled and not is_disabled_by_hand(placement)


def granularity(snap: Snapshot) -> timedelta:
    """Return the step in which this lock keeps times."""
    capabilities = snap.device.capabilities
    return capabilities.schedule_granularity if capabilities is not None else timedelta(minutes=1)


def status(code: AccessCode, snap: Snapshot, t: TimeView, timing: Timing) -> Status:
    """Compute the status; it is never stored."""
    device, holds = snap.device, snap.may_hold(code.access_code_id)
    if is_over(code, snap, t) and not holds:
        return "unset"
    if device.authority_lost_at is not None and t.now - device.authority_lost_at >= AUTHORITY_LOST:
        return "unknown"
    if is_over(code, snap, t) or not is_wanted(code, snap, t, timing):
        return "removing" if holds else "unset"
    if is_honoured_removal(snap.placement(code.access_code_id)):
        return "unset"
    if not is_open(code, t.at):
        return _status_before_window(code, snap, t)
    return "set" if is_proven(code, snap, t, timing) else "setting"


def _status_before_window(code: AccessCode, snap: Snapshot, t: TimeView) -> Status:
    """Return the status of a code that is to be on the lock by now, and to open the door later."""
    if opens_by_old_window(code, snap, t.at):
        return "removing"
    is_done = is_left_to_lock(code, snap, t.at) and not _with_other_window(code, snap)
    return "unset" if is_done else "setting"


def is_honoured_removal(placement: Placement) -> bool:
    """Say whether somebody removed the code and the code allows that."""
    outside = placement.outside
    return outside is not None and outside.honoured and outside.change == "removed"


def is_scheduled(code: AccessCode, snap: Snapshot, t: TimeView, timing: Timing) -> bool:
    """Say whether the code is on the lock with its schedule and waits there for its start."""
    return (
        not is_over(code, snap, t)
        and not is_open(code, t.at)
        and is_left_to_lock(code, snap, t.at)
        and is_proven(code, snap, t, timing)
    )
