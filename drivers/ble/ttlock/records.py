"""The lock's own log (command 0x25): who came in, and who tried."""

from datetime import datetime
from enum import IntEnum

from drivers.ble.ttlock.hidden import Hidden
from drivers.ble.ttlock.times import MOMENT_LENGTH, read_date

ONLY_NEW = 0xFFFF
"""Asks for what nobody has read yet."""
_NUMBER = 2
"""Bytes of a length or a record number."""
_TAIL_AT = 1 + MOMENT_LENGTH + 1


class What(IntEnum):
    """What a record tells. Cards, fingerprints and apps are left out: they are no codes of ours."""

    OPENED = 4
    CHANGED_AT_KEYPAD = 5
    DELETED_AT_KEYPAD = 6
    WRONG_CODE = 7
    ALL_DELETED = 8
    PUSHED_OUT = 9
    ERASED_OTHERS = 10
    EXPIRED = 11
    NO_ROOM = 12
    BLOCKED = 13
    POWER_BACK = 14
    FORCED = 29
    DOUBLE_LOCKED = 38
    ADDED = 93


_WITH_TWO_CODES = frozenset(
    {
        What.OPENED,
        What.CHANGED_AT_KEYPAD,
        What.DELETED_AT_KEYPAD,
        What.PUSHED_OUT,
        What.ERASED_OTHERS,
        What.EXPIRED,
        What.NO_ROOM,
        What.BLOCKED,
        What.DOUBLE_LOCKED,
    }
)
"""Records with the original digits and those typed. Those of a wrong code are dropped."""


class Record(Hidden, frozen=True, kw_only=True):
    """One record. Digits serve to find the slot and go no further."""

    what: int
    at: datetime | None
    """Local time; None where it makes no date."""
    battery: int
    """Per cent."""
    original: str = ""
    typed: str = ""


class LogPage(Hidden, frozen=True):
    """One answer to a request for the log; `raw` are the records as they came, to know them again."""

    records: tuple[Record, ...]
    raw: tuple[bytes, ...]
    following: int
    """Number of the record after the last one here; 0 when there is nothing to read."""


def read_log_page(payload: bytes) -> LogPage:
    """Return what a lock told. Raises ValueError where the answer is no log.

    A single record that cannot be understood is kept without digits: the log must not stop at it.
    """
    if len(payload) < _NUMBER:
        raise ValueError("a log begins with its length")
    if int.from_bytes(payload[:2]) == 0 or len(payload) < 2 * _NUMBER:
        return LogPage((), (), 0)
    rest, raw = payload[4:], []
    while rest and len(rest) > rest[0]:
        raw.append(rest[1 : rest[0] + 1])
        rest = rest[rest[0] + 1 :]
    raw = [record for record in raw if record]
    following = int.from_bytes(payload[_NUMBER : 2 * _NUMBER])
    return LogPage(tuple(_read(record) for record in raw), tuple(raw), following)


def _read(raw: bytes) -> Record:
    what = raw[0]
    battery = raw[_TAIL_AT - 1] if len(raw) >= _TAIL_AT else 0
    try:
        at = read_date(raw[1 : 1 + MOMENT_LENGTH])
    except ValueError:
        at = None
    original = typed = ""
    if what in _WITH_TWO_CODES:
        original, tail = _digits(raw[_TAIL_AT:])
        typed, _ = _digits(tail)
    elif what == What.ADDED:
        original, _ = _digits(raw[_TAIL_AT:])
    return Record(what=what, at=at, battery=battery, original=original, typed=typed)


def _digits(data: bytes) -> tuple[str, bytes]:
    if not data:
        return "", b""
    text, rest = data[1 : data[0] + 1], data[data[0] + 1 :]
    return (text.decode("ascii") if text.isdigit() else ""), rest
