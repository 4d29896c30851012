"""The codes of a lock: what is sent to change them (command 0x03), and the list of them (0x07)."""

from datetime import datetime
from enum import IntEnum

from msgspec import Struct

from drivers.ble.ttlock.hidden import Hidden
from drivers.ble.ttlock.times import DATE_LENGTH, OPEN_END, OPEN_START, Window, date_bytes, read_date

FIRST_PAGE = 0
_NUMBER = 2
"""Bytes of a length or a page number."""
NO_MORE = frozenset({0, 0xFFFF})
"""Instead of the number of the next page. Locks were seen to say 0, a client looks for the other."""


class Kind(IntEnum):
    """How long a code is good."""

    PERMANENT = 1
    ONE_TIME = 2
    PERIOD = 3
    CYCLIC = 4


class Operation(IntEnum):
    """What to do to a code."""

    ADD = 2
    DELETE = 3
    MODIFY = 5


class Entry(Hidden, frozen=True, kw_only=True):
    """A code as the lock lists it. Times are local."""

    kind: int
    current: str
    """The digits that open."""
    original: str
    """The digits that it was created with; a change leaves them."""
    start: datetime = OPEN_START
    end: datetime = OPEN_END


class Page(Struct, frozen=True):
    """One answer to a request for the list."""

    entries: tuple[Entry, ...]
    following: int
    """What to ask for next, unless it is in `NO_MORE`."""


def kind_of(window: Window | None) -> Kind:
    """Return the kind of code that keeps this window."""
    return Kind.PERMANENT if window is None else Kind.PERIOD


def add(digits: str, window: Window | None) -> bytes:
    """Return the request to store a code."""
    kind = kind_of(window)
    dates = date_bytes(OPEN_START) if window is None else _dates(window)
    return bytes((Operation.ADD, kind)) + _text(digits) + dates


def modify(entry: Entry, known_by: str, digits: str, window: Window | None) -> bytes:
    """Return the request to change digits and, where there is a window, dates. The kind stays as it is."""
    dates = b"" if window is None else _dates(window)
    return bytes((Operation.MODIFY, entry.kind)) + _text(known_by) + _text(digits) + dates


def delete(entry: Entry, known_by: str) -> bytes:
    """Return the request to delete a code."""
    return bytes((Operation.DELETE, entry.kind)) + _text(known_by)


def read_page(payload: bytes) -> Page:
    """Return what a lock listed. Raises ValueError where it makes no sense."""
    if len(payload) < _NUMBER:
        raise ValueError("a list begins with its length")
    if int.from_bytes(payload[:2]) == 0:
        return Page((), 0)
    following, records = int.from_bytes(payload[2:4]), payload[4:]
    entries = []
    while records:
        length = records[0]
        if len(records) <= length:
            raise ValueError("a record is cut off")
        entries.append(_read_entry(records[1 : length + 1]))
        records = records[length + 1 :]
    return Page(tuple(entries), following)


def _read_entry(record: bytes) -> Entry:
    if not record:
        raise ValueError("a record is empty")
    current, rest = _read_text(record[1:])
    original, rest = _read_text(rest)
    kind = record[0]
    start, end = OPEN_START, OPEN_END
    if len(rest) >= DATE_LENGTH:
        start = _date(rest[:DATE_LENGTH], OPEN_START)
    if kind in {Kind.ONE_TIME, Kind.PERIOD} and len(rest) >= 2 * DATE_LENGTH:
        end = _date(rest[DATE_LENGTH : 2 * DATE_LENGTH], OPEN_END)
    return Entry(kind=kind, current=current, original=original, start=start, end=end)


def _date(data: bytes, instead: datetime) -> datetime:
    """Return a date; one that is none limits nothing: no code may hide all the others."""
    try:
        return read_date(data)
    except ValueError:
        return instead


def _dates(window: Window) -> bytes:
    return date_bytes(window.start) + date_bytes(window.end)


def _text(digits: str) -> bytes:
    return bytes((len(digits),)) + digits.encode("ascii")


def _read_text(data: bytes) -> tuple[str, bytes]:
    """Return digits and what follows them. Errors do not show the bytes."""
    if not data or len(data) <= data[0]:
        raise ValueError("digits are cut off")
    text, rest = data[1 : data[0] + 1], data[data[0] + 1 :]
    if not (text.isdigit() or not text):
        raise ValueError("what should be digits is none")
    return text.decode("ascii"), rest
