"""Telling one deleted code from a lock that lost all of them (rule 14). Works on a `Work`."""

from datetime import datetime

from gateway.domain.lock import Device, Link, OnWipe
from gateway.domain.timing import LOOKS_THAT_MAY_FAIL
from gateway.engine.holding import gone
from gateway.engine.work import Work


def suspect_wipe(work: Work) -> None:
    """Note that one of several codes was found missing: the others are looked at before a verdict.

    A suspicion that was refuted counts for nothing: what is missing now is another matter.
    """
    held = [p for p in work.placements.values() if p.confirmed is not None]
    suspected = work.device.wipe_suspected_at
    if len(held) > 1 and (suspected is None or _is_refuted(work, suspected)):
        work.set_device(wipe_suspected_at=work.now)


def is_silent(device: Device) -> bool:
    """Say whether nobody can look at the lock just now."""
    return (
        device.link is Link.UNREACHABLE
        or device.authority_lost_at is not None
        or device.unseen_since is not None
        or device.asleep_since is not None
        or device.failures >= LOOKS_THAT_MAY_FAIL
    )


def renew_suspicion(work: Work) -> None:
    """Begin the time to prove a suspicion anew: the lock was silent, and answers again.

    What was seen before it fell silent stays seen: one that sleeps most of the time would be suspected for
    ever.
    """
    suspected = work.device.wipe_suspected_at
    if suspected is not None and is_silent(work.device):
        work.set_device(wipe_suspected_at=None if _is_refuted(work, suspected) else work.now)


def _is_refuted(work: Work, suspected: datetime) -> bool:
    """Say whether one of the codes was seen on the lock since."""
    for placement in work.placements.values():
        if placement.confirmed is None or placement.empty_since is not None:
            continue
        state = work.slot(placement.slot) if placement.slot is not None else None
        if state is None or state.reading is None or state.read_at is None:
            continue  # not looked at, or while a write of ours may still arrive
        if state.read_at >= suspected:
            return True
    return False


def is_wipe(work: Work) -> bool:
    """Judge a suspected wipe: every code was seen missing since.

    Ends the suspicion where one is still there.
    """
    suspected = work.device.wipe_suspected_at
    if suspected is None:
        return False
    held = [p for p in work.placements.values() if p.confirmed is not None]
    if _is_refuted(work, suspected):
        work.set_device(wipe_suspected_at=None)
        return False
    if all(placement.empty_since is not None for placement in held):
        declare_wipe(work)
    return True


def declare_wipe(work: Work) -> None:
    """Note that the lock lost all codes at once: one alarm, then its policy decides (rule 14)."""
    policy = work.device.policy
    hold = policy is not None and policy.on_wipe is OnWipe.HOLD
    lost = [p for p in work.placements.values() if p.confirmed is not None]
    for placement in lost:
        gone(work, placement, by_us=False)
        work.set_placement(placement.access_code_id, slot=None)
    work.set_device(
        wipe_suspected_at=None, wiped_at=work.now, held_after_wipe=hold, audit_at=work.now, probe=None
    )
