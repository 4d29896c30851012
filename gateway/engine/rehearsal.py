"""Looking ahead without a word on the radio: what will stand in the way of codes of the next days. Pure."""

from bisect import bisect_left
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

type _Place = tuple[datetime, datetime, str]


class _Stay(NamedTuple):
    """A code that takes up room; codes come onto the lock in the order of `place`."""

    code: AccessCode
    place: _Place


class _Room:
    """Who wants room on the lock, how many places there are, and how many of them hold codes of others."""

    def __init__(self, snap: Snapshot, t: TimeView, timing: Timing) -> None:
        """Count the places, and note who comes when."""
        self._snap = snap
        self._timing = timing
        self._stays = list(_stays(snap, t, timing))
        self._places, self._foreign = _places(snap)
        self._there: dict[datetime, list[_Place]] = {}

    def full_for(self, place: _Place) -> Full | None:
        """Say who is in the way of the code that comes in this place; None: there is room."""
        if len(self._stays) + self._foreign <= self._places:
            return None  # for all of them at once
        begin = place[0]
        if begin not in self._there:
            # Many codes come at the same time.
            self._there[begin] = sorted(_there_at(self._stays, begin, self._snap, self._timing))
        rivals = bisect_left(self._there[begin], place)
        return None if rivals + self._foreign < self._places else Full(ours=rivals, foreign=self._foreign)


def rehearse(snap: Snapshot, t: TimeView, timing: Timing, wants: Wants) -> list[Issue]:
    """Return what forbids codes that are not yet due: format, duplicates, and room at that time."""
    if snap.device.capabilities is None:
        return []
    coming = [code for code in snap.codes.values() if _is_coming(code, wants, snap, t, timing)]
    if not coming:
        return []
    room = _Room(snap, t, timing)
    return [issue for code in coming if (issue := _obstacle(code, room, snap, t, timing)) is not None]


def rehearsal_begins(code: AccessCode, at: datetime, timing: Timing) -> datetime | None:
    """Return when a code is first looked into, before its window now or next."""
    window = window_of(code, at)
    if window is None or window.starts_at is None:
        return None
    return window.starts_at - timing.rehearsal


def _is_coming(code: AccessCode, wants: Wants, snap: Snapshot, t: TimeView, timing: Timing) -> bool:
    begins = rehearsal_begins(code, t.at, timing)
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
    if programming_at(code, snap, t.at, timing) is None:
        return None
    full = room.full_for(_place(code, snap, t.at, timing))
    return full_issue(code, full) if full is not None else None


def _there_at(stays: Sequence[_Stay], at: datetime, snap: Snapshot, timing: Timing) -> Iterator[_Place]:
    """Return the places of the codes that have not left for good by then, later ones too."""
    for code, place in stays:
        if code.recurrence is not None:
            # It comes and goes: what counts is its window at that time, not its next one from now.
            if window_of(code, at) is not None:
                yield _place(code, snap, at, timing)
        elif code.ends_at is None or code.ends_at > at:
            yield place


def _place(code: AccessCode, snap: Snapshot, at: datetime, timing: Timing) -> _Place:
    """Return what orders codes by when they come onto the lock, for the window at that time or the next."""
    return programming_at(code, snap, at, timing) or code.created_at, code.created_at, code.access_code_id


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
    # A code in a slot that is no longer granted takes none of the others.
    granted = managed | owned
    return capabilities.max_codes if capabilities is not None and chooses else len(granted), foreign


def _stays(snap: Snapshot, t: TimeView, timing: Timing) -> Iterator[_Stay]:
    for code in snap.codes.values():
        if code.backup != "waiting" and not is_over(code, snap, t):
            yield _Stay(code, _place(code, snap, t.at, timing))
