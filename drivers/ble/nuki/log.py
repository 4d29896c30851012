"""The activity log: which code opened the door, and that a wrong one was tried.

Only "the newest N records" is asked for, as all known clients do: what a start index means going backwards
was never tried. Records keep their numbers, so that the last one told is all there is to remember.
"""

import logging
import struct
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from drivers.ble.family import never
from drivers.ble.feed import hand_on
from drivers.ble.nuki.asking import Asker
from drivers.ble.nuki.clock import MAY_BE_OFF
from drivers.ble.nuki.commands import Command
from drivers.ble.nuki.conversation import completed
from drivers.ble.nuki.frames import BadFrame, Message
from drivers.ble.nuki.records import LogEntry, read_log_entry
from drivers.ble.nuki.standing import Standing
from gateway.domain.driver import AccessDenied, CodeUsed, LockEvent, NoAnswer

_LOG = logging.getLogger(__name__)
_PAGES: Final = (10, 100, 1000)
"""How many records are asked for, and how many when those do not reach back to the last one told."""
_KEPT_EVERY: Final = 20
"""Records between two writes of how far it came: no more are told again by a hub that lost its power."""
_DESCENDING, _NO_COUNT = 1, 0
_HALF: Final = 1 << 31
"""Half of the numbers that records can have."""
_OPENS: Final = frozenset({1, 3, 4, 5})
"""Unlock, unlatch, lock'n'go with and without unlatching; 2 and 6 lock."""
_BY_CODE = 1

type Sink = Callable[[LockEvent], Awaitable[None]]


async def tell_new(
    ask: Asker,
    standing: Standing,
    ahead: timedelta | None,
    now: datetime,
    sink: Sink,
    asked_to_stop: Callable[[], bool] = never,
) -> bool:
    """Hand on the records since the last one told, oldest first; `ahead` as `clock.ahead` returns it.

    The first time nothing is told: what happened before the hub came is not its business. Returns whether
    all were told. Raises any DriverError, and what `sink` raises; what was told till then is remembered.
    """
    last = standing.keys.log_index
    if last is None:
        newest = await _newest(ask, 1)
        await standing.keep(log_index=newest[0].index if newest else 0)
        return True
    is_whole = True
    for number, entry in enumerate(await _since(ask, last, standing.device_id), 1):
        if asked_to_stop():
            is_whole = False
            break
        told = partial(standing.remember, log_index=entry.index)
        if (event := _event(standing.device_id, entry, ahead, now)) is None:
            told()
        else:
            await hand_on(event, sink, told)
        if number % _KEPT_EVERY == 0:
            await standing.keep()
    await standing.keep()
    return is_whole


async def _since(ask: Asker, last: int, device_id: str) -> list[LogEntry]:
    """Return the records after number `last`, oldest first."""
    found: list[LogEntry] = []
    anew = False
    for count in _PAGES:
        found = sorted(await _newest(ask, count), key=lambda entry: _after(last, entry.index))
        anew = bool(found) and _after(last, found[-1].index) < 0  # the lock began its log anew
        if len(found) < count or (not anew and _after(last, found[0].index) <= 1):
            break
    if found and not anew and _after(last, found[0].index) > 1:
        _LOG.warning("%s: more happened than the newest %d records tell", device_id, len(found))
    if anew:
        found.sort(key=lambda entry: entry.index)
        return found
    return [entry for entry in found if _after(last, entry.index) > 0]


def _after(last: int, index: int) -> int:
    """Return how far a number is behind the last one told; after the largest one they begin anew."""
    return (index - last + _HALF) % (2 * _HALF) - _HALF


async def _newest(ask: Asker, count: int) -> list[LogEntry]:
    """Return the newest records, oldest first."""

    def enough(answers: Sequence[Message]) -> bool:
        return completed(answers) or sum(a.command == Command.LOG_ENTRY for a in answers) >= count

    answers = await ask.with_pin(
        Command.REQUEST_LOG,
        struct.pack("<IHBB", 0, count, _DESCENDING, _NO_COUNT),
        wanted=(Command.LOG_ENTRY, Command.STATUS),
        enough=enough,
    )
    try:
        entries = [read_log_entry(a.payload) for a in answers if a.command == Command.LOG_ENTRY]
    except BadFrame as error:
        raise NoAnswer(str(error)) from None
    return sorted(entries, key=lambda entry: entry.index)


def _event(device_id: str, entry: LogEntry, ahead: timedelta | None, now: datetime) -> LockEvent | None:
    """Return what the engine is to know of a record. What fingers and the arrow key do is no code's."""
    action = entry.keypad
    if action is None:
        return None
    slot, at = str(action.code_id), _time(entry, ahead, now)
    match action.completion:  # 1 to 8: the motor did not do it
        case 0xE0:
            return AccessDenied(device_id=device_id, reason="unknown_code", at=at)
        case 0xE1:
            return AccessDenied(device_id=device_id, reason="credential_error", at=at)
        case 9 if action.source == _BY_CODE:
            return AccessDenied(device_id=device_id, reason="outside_schedule", slot=slot, at=at)
        case 0 if action.source == _BY_CODE and action.action in _OPENS:
            return CodeUsed(device_id=device_id, slot=slot, at=at)
    return None


def _time(entry: LogEntry, ahead: timedelta | None, now: datetime) -> datetime | None:
    """Return when it happened; None where the lock's clock cannot be believed."""
    if entry.at is None or ahead is None or entry.at - ahead > now + MAY_BE_OFF:
        return None
    return entry.at - ahead
