"""What a virtual Nuki lock remembers: users, codes, log."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

ANY_TIME = (datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC))


@dataclass(frozen=True, kw_only=True)
class Limits:
    """When a code opens: raw, as it was sent."""

    first: bytes = bytes(7)
    last: bytes = bytes(7)
    weekdays: int = 0
    daily: bytes = bytes(4)

    @classmethod
    def of(cls, raw: bytes) -> "Limits":
        return cls(first=raw[:7], last=raw[7:14], weekdays=raw[14], daily=raw[15:19])

    def raw(self) -> bytes:
        return self.first + self.last + bytes([self.weekdays]) + self.daily

    def allow(self, now: datetime) -> bool:
        """Say whether a code opens at a moment, given in the zone that this lock takes limits in."""
        if not stamp_time(self.first, ANY_TIME[0]) <= now <= stamp_time(self.last, ANY_TIME[1]):
            return False
        if self.weekdays and not self.weekdays >> (6 - now.weekday()) & 1:
            return False
        minute = now.hour * 60 + now.minute
        begin, end = self.daily[0] * 60 + self.daily[1], self.daily[2] * 60 + self.daily[3]
        return begin == end or begin <= minute < end


@dataclass(frozen=True, kw_only=True)
class Code:
    """One code of the keypad."""

    pin: int
    name: bytes
    created: datetime
    enabled: bool = True
    limits: Limits | None = None
    used: int = 0


@dataclass(frozen=True, kw_only=True)
class User:
    """Somebody who was paired."""

    key: bytes
    is_bridge: bool
    name: bytes


@dataclass(frozen=True, kw_only=True)
class Record:
    """One record of the log."""

    index: int
    at: datetime
    kind: int
    data: bytes
    name: bytes = b""


@dataclass(kw_only=True)
class Memory:
    """All of it; survives a change of batteries, the clock apart."""

    codes: dict[int, Code] = field(default_factory=dict)
    users: dict[int, User] = field(default_factory=dict)
    log: list[Record] = field(default_factory=list)
    next_code: int = 1001
    next_user: int = 2
    next_record: int = 1

    def add(self, code: Code) -> int:
        number, self.next_code = self.next_code, self.next_code + 1
        self.codes[number] = code
        return number

    def change(self, number: int, **changes: Any) -> None:  # noqa: ANN401 - of any field
        self.codes[number] = replace(self.codes[number], **changes)

    def note(self, at: datetime, kind: int, data: bytes, name: bytes = b"") -> None:
        self.log.append(Record(index=self.next_record, at=at, kind=kind, data=data, name=name))
        self.next_record += 1


def stamp(at: datetime) -> bytes:
    """Return a time as the lock writes it."""
    return at.year.to_bytes(2, "little") + bytes([at.month, at.day, at.hour, at.minute, at.second])


def stamp_time(raw: bytes, otherwise: datetime) -> datetime:
    """Return the time that is written there."""
    try:
        return datetime(int.from_bytes(raw[:2], "little"), *raw[2:7], tzinfo=UTC)  # type: ignore[misc]
    except ValueError:
        return otherwise
