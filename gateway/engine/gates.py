"""What stops all work on a lock. Pure."""

from enum import StrEnum

from gateway.domain.clock import TimeView
from gateway.domain.placement import Snapshot
from gateway.engine.desire import has_ended
from gateway.engine.waiting import Wake, is_due


class Gate(StrEnum):
    """Why nothing may be done on a lock now."""

    OPEN = "open"
    NOT_CONFIGURED = "not_configured"
    NOT_MANAGED = "not_managed"
    NOT_PAIRED = "not_paired"
    NOT_SEEN = "not_seen"
    REPLACED = "replaced"
    AUTHORITY_LOST = "authority_lost"
    HELD_FOR_RESTORE = "held_for_restore"
    PAUSED = "paused"
    ASLEEP = "asleep"
    BACKING_OFF = "backing_off"


def lock_gate(snap: Snapshot, t: TimeView, wake: Wake) -> Gate:
    """Return the first reason why nothing may be done; notes when a reason ends by time alone."""
    device, standing = snap.device, _without_time(snap)
    if standing is not Gate.OPEN:
        return standing
    if device.paused_until is not None and device.paused_until > t.now:
        wake.note(device.paused_until)
        return Gate.PAUSED
    if device.asleep_since is not None:
        return Gate.ASLEEP
    if not is_due(device.retry_at, t.now):
        wake.note(device.retry_at)
        return Gate.BACKING_OFF
    return Gate.OPEN


def _without_time(snap: Snapshot) -> Gate:
    """Return the first reason that no time ends."""
    device = snap.device
    if device.policy is None:
        return Gate.NOT_CONFIGURED
    if not device.is_managed and not any(snap.may_hold(code_id) for code_id in snap.codes):
        return Gate.NOT_MANAGED
    if device.is_paired is False:
        return Gate.NOT_PAIRED
    if device.capabilities is None or device.unseen_since is not None:
        return Gate.NOT_SEEN
    if device.replaced:
        return Gate.REPLACED
    if device.authority_lost_at is not None:
        return Gate.AUTHORITY_LOST
    if device.held_for_restore:
        return Gate.HELD_FOR_RESTORE
    return Gate.OPEN


def held_by_clock_step(snap: Snapshot, t: TimeView, most: int) -> frozenset[str]:
    """Return the codes whose removal is held, because a jump of the clock alone would remove many at once.

    Held are codes that may be on the lock and whose end lies between the time before the jump and the time
    after it, when they are more than `most`, or what is left of them. An end that came meanwhile by the lower
    bound of time is certain. `pinsmith clock trust` ends the hold, and so does a clock that is right again.
    """
    step = t.step
    if step is None:
        return frozenset()
    ended = [
        code.access_code_id
        for code in snap.codes.values()
        if code.deleted_at is None
        and has_ended(code, t)
        and code.ends_at is not None
        and max(step.before, t.floor) < code.ends_at <= step.after
        and snap.may_hold(code.access_code_id)
    ]
    is_many = len(ended) > most or snap.device.device_id in step.held_on
    return frozenset(ended) if is_many else frozenset()
