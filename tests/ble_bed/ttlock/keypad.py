"""Codes and the log, as they lie in the lock's memory."""

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(kw_only=True)
class Code:
    """One code. Times are local."""

    kind: int
    current: str
    original: str
    start: datetime
    end: datetime

    def record(self) -> bytes:
        """Return it as the list shows it."""
        text = bytes((self.kind,)) + _text(self.current) + _text(self.original) + date5(self.start)
        if self.kind in {2, 3}:
            text += date5(self.end)
        elif self.kind == 4:
            text += b"\x00\x01"
        return bytes((len(text),)) + text


@dataclass(kw_only=True)
class Journal:
    """The log, and what of it nobody has read."""

    records: list[bytes] = field(default_factory=list)
    read_to: int = 0

    @property
    def is_new(self) -> bool:
        """Say whether there is something that nobody has read."""
        return self.read_to < len(self.records)

    def note(self, what: int, at: datetime, battery: int, *digits: str, raw: bytes = b"") -> None:
        """Add a record."""
        self.records.append(
            bytes((what,)) + date6(at) + bytes((battery,)) + b"".join(map(_text, digits)) + raw
        )

    def read(self, number: int, count: int, *, backwards: bool) -> tuple[int, list[bytes]]:
        """Return records from a number, and the number to go on with; 0xFFFF: the oldest unread."""
        if backwards:
            first = len(self.records) if number == 0xFFFF else number
            self.read_to = len(self.records)
            found = self.records[max(first - count, 0) : first][::-1]
            return max(first - count, 0), found
        first = self.read_to if number == 0xFFFF else number
        found = self.records[first : first + count]
        self.read_to = max(self.read_to, first + len(found))
        return first + len(found), found


def in_window(code: Code, at: datetime) -> bool:
    """Say whether a code opens at that time."""
    return code.kind == 1 or code.start <= at <= code.end


def date5(at: datetime) -> bytes:
    """Return a date to the minute."""
    return bytes((at.year - 2000, at.month, at.day, at.hour, at.minute))


def date6(at: datetime) -> bytes:
    """Return a time to the second."""
    return date5(at) + bytes((at.second,))


def undate(data: bytes) -> datetime:
    """Return what five or six bytes mean."""
    year, month, day, hour, minute, second = (*data, 0)[:6]
    return datetime(2000 + year, month, day, hour, minute, second)  # noqa: DTZ001 - local time of the lock


def _text(digits: str) -> bytes:
    return bytes((len(digits),)) + digits.encode()
