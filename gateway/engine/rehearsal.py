"""Looking ahead without a word on the radio: what will stand in the way of codes of the next days. Pure."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from gateway.domain.clock import TimeView
from gateway.domain.code import AccessCode
from gateway.domain.credential import Empty
from gateway.domain.issues import Issue
from gateway.domain.pins import broken_rule
from gateway.domain.placement import Snapshot
from gateway.domain.timing import Timing
from gateway.engine.desire import is_over, programming_at, window_of
from gateway.engine.pins import rules_of
from gateway.engine.plan import Wants
from gateway.engine.setting import conflict_with_others, conflict_with_ours, full_issue
from gateway.engine.slots import Full


class _Stay(NamedTuple):
    """How long a code takes up room; codes come onto the lock in the order of `place`."""

    code: AccessCode
    place: tuple[datetime, datetime, str]
    ends_at: datetime | None


class _Room(NamedTuple):
    """Who wants room on the lock, how many places there are, and how many of them hold codes of others."""

    stays: Sequence[_Stay]
    places: int
    foreign: int


def rehearse(snap: Snapshot, t: TimeView, timing: Timing, wants: Wants) -> list[Issue]:
    """Return what forbids codes that are not yet due: format, duplicates, and room at that time."""
    if snap.device.capabilities is None:
        return []
    coming = [code for code in snap.codes.values() if _is_coming(code, wants, snap, t, timing)]
    if not coming:
        return []
    room = _Room(list(_stays(snap, t, timing)), *_places(snap))
    return [issue for code in coming if (issue := _obstacle(code, room, snap, t, timing)) is not None]


def rehearsal_begins(code: AccessCode, timing: Timing) -> datetime | None:
    """Return when a code is first looked into."""
    return code.starts_at - timing.rehearsal if code.starts_at is not None else None


def _is_coming(code: AccessCode, wants: Wants, snap: Snapshot, t: TimeView, timing: Timing) -> bool:
    begins = rehearsal_begins(code, timing)
    return (
        begins is not None
        and begins <= t.at
        and not snap.may_hold(code.access_code_id)
        and not is_over(code, snap, t)
        and wants.get(code.access_code_id) is None
    )


def _obstacle(code: AccessCode, room: _Room, snap: Snapshot, t: TimeView, timing: Timing) -> Issue | None:
    broken = broken_rule(code.pin, rules_of(snap))
    if broken is not None:
        return Issue(code="code_constraints_violated", access_code_id=code.access_code_id, message=broken)
    duplicate = conflict_with_others(code, code.pin, snap)
    if duplicate is not None and conflict_with_ours(code, code.pin, snap) is None:
        return duplicate  # a code of ours with this PIN goes before this one comes
    return _no_room(code, room, snap, t, timing)


def _no_room(code: AccessCode, room: _Room, snap: Snapshot, t: TimeView, timing: Timing) -> Issue | None:
    """Count who is on the lock when this code is to be set; earlier ones go first."""
    begin = programming_at(code, snap, t.at, timing)
    if begin is None:
        return None
    place = (begin, code.created_at, code.access_code_id)
    rivals = sum(
        1
        for stay in room.stays
        if stay.code is not code and stay.place < place and (stay.ends_at is None or stay.ends_at > begin)
    )
    if rivals + room.foreign < room.places:
        return None
    return full_issue(code, Full(ours=rivals, foreign=room.foreign))


def _places(snap: Snapshot) -> tuple[int, int]:
    """Return how many codes the hub may have on the lock, and how many of these places others have taken."""
    capabilities, managed = snap.device.capabilities, set(snap.device.managed_slots)
    chooses = capabilities is not None and capabilities.lock_chooses_slot
    owned = {p.slot for p in snap.placements.values() if p.slot is not None}
    foreign = sum(
        1
        for slot, state in snap.slots.items()
        if slot not in owned
        and (chooses or slot in managed)
        and state.reading is not None
        and not isinstance(state.reading, Empty)
    )
    return capabilities.max_codes if capabilities is not None and chooses else len(managed), foreign


def _stays(snap: Snapshot, t: TimeView, timing: Timing) -> Iterator[_Stay]:
    for code in snap.codes.values():
        if code.backup == "waiting" or is_over(code, snap, t):
            continue
        window = window_of(code, t.at)
        ends = code.ends_at if window is None or code.recurrence is not None else window.ends_at
        starts = programming_at(code, snap, t.at, timing)
        yield _Stay(code, (starts or code.created_at, code.created_at, code.access_code_id), ends)
