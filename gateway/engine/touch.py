"""Locks that listen only after a touch: what waits for one, in words. Pure."""

from collections.abc import Collection, Iterator, Mapping

from gateway.domain.clock import TimeView
from gateway.domain.issues import Issue
from gateway.domain.placement import IntentKind, Placement, Snapshot
from gateway.engine.desire import opens_by_old_window
from gateway.engine.plan import Probe, ReadAll, ReadSlot, Step

WAITING = "waiting_for_touch"
_WHO = "this lock listens only after somebody touches it"
_STILL = "Until then the PIN may still open the door"


def touch_issues(
    snap: Snapshot, t: TimeView, waiting: Mapping[str, str], steps: Collection[Step]
) -> Iterator[Issue]:
    """Return the warnings of a lock that sleeps: of the lock itself, and of each code that waits.

    `waiting` says for each code what a touch brings: "set", "disabled" or "removed". An audit alone waits
    without a word.
    """
    if all(isinstance(step, Probe | ReadAll | ReadSlot) and step.audit for step in steps):
        return
    brings = list(waiting.values())
    done = {what: brings.count(what) for what in ("removed", "disabled", "set")}
    parts = [f"{_codes(number)} {what}" for what, number in done.items() if number]
    then = " and ".join(parts) if parts else "the hub looks at its slots"
    yield Issue(code=WAITING, message=f"{_WHO}; then {then}")
    for code_id, what in waiting.items():
        placement = snap.placement(code_id)
        if what == "set" and opens_by_old_window(snap.codes[code_id], snap, t.at):
            then = f"its change is written. {_STILL}"
        elif what == "set":
            then = "it is set" if placement.confirmed is None else "its change is written"
        elif what == "disabled":
            then = f"it is disabled. {_STILL}"
        elif is_ended_by_lock(snap, placement, t):
            then = "it is removed. By its own clock the lock does not open to it any more"
        else:
            then = f"it is removed. {_STILL}"
        yield Issue(code=WAITING, access_code_id=code_id, message=f"{_WHO}; when somebody does, {then}")


def is_ended_by_lock(snap: Snapshot, placement: Placement, t: TimeView) -> bool:
    """Say whether the lock itself keeps the end of a code, and that end is past.

    A removal that is under way changes nothing about it: what it may leave behind has ended.
    """
    confirmed = placement.confirmed
    if confirmed is None or not snap.device.keeps_time:
        return False
    schedule = confirmed.credential.schedule
    ended = schedule is not None and schedule.ends_at is not None and schedule.ends_at <= t.at
    return ended and all(
        intent.kind is IntentKind.CLEAR for intent in snap.open_intents(placement.access_code_id)
    )


def _codes(number: int) -> str:
    return "1 code is" if number == 1 else f"{number} codes are"
