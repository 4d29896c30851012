"""How domain values become bytes: in clear where no PIN can be, sealed everywhere else.

A value that holds a `Pin` cannot be encoded in clear: the encoder does not know the type and raises
`TypeError`.
"""

import functools
from datetime import UTC, datetime, timedelta

import msgspec

from gateway.domain.pin import Pin
from storage.errors import DatabaseDamaged, SealBroken, damaged_row
from storage.vault import Vault, place

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
REMEMBERED = 4096
"""Opened values that are kept per table: more than a house of fifty locks has in use."""


def to_ms(at: datetime) -> int:
    """Return milliseconds since 1970, UTC; finer parts are cut. A time without zone raises TypeError."""
    return (at - _EPOCH) // _MILLISECOND


def to_ms_or_none(at: datetime | None) -> int | None:
    """Return milliseconds since 1970, or None for None."""
    return None if at is None else to_ms(at)


def from_ms(ms: int) -> datetime:
    """Return the aware UTC time of a stored number of milliseconds."""
    return _EPOCH + ms * _MILLISECOND


def from_ms_or_none(ms: int | None) -> datetime | None:
    """Return the aware UTC time of a stored number, or None for None."""
    return None if ms is None else from_ms(ms)


class Plain[T]:
    """Values of one type as JSON text in clear. Encoding anything that holds a PIN raises TypeError."""

    def __init__(self, table: str, kind: type[T]) -> None:
        """Prepare the decoder, which is what makes reading fast."""
        self._table = table
        self._encoder = msgspec.json.Encoder()
        self._decoder = msgspec.json.Decoder(kind)

    def write(self, value: T) -> str:
        """Return the value as text."""
        return self._encoder.encode(value).decode()

    def read(self, text: str | bytes, lock: str | None = None) -> T:
        """Return the value; DatabaseDamaged, which names the lock, where no release has written this text."""
        try:
            return self._decoder.decode(text)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            raise damaged_row(DatabaseDamaged, self._table, lock) from None


class Sealed[T]:
    """Values of one type, encrypted and bound to their table and row, whose first part is the id of a lock.

    What was opened last is remembered by its sealed form: most rows do not change between two units. The
    values must be immutable.
    """

    def __init__(self, table: str, kind: type[T]) -> None:
        """Prepare the decoder, which is what makes reading fast."""
        self._table = table
        self._encoder = msgspec.json.Encoder(enc_hook=_digits)
        self._decoder = msgspec.json.Decoder(kind, dec_hook=_pin)
        self.open = functools.lru_cache(REMEMBERED)(self._open)
        """`open(vault, sealed, *row)` returns the value; SealBroken where it was not sealed for this row."""

    def seal(self, vault: Vault, value: T, *row: str) -> bytes:
        """Return the value sealed for the row that `row` names."""
        return vault.seal(self._encoder.encode(value), place(self._table, *row))

    def _open(self, vault: Vault, sealed: bytes, *row: str) -> T:
        plain = open_row(vault, sealed, self._table, *row)
        try:
            return self._decoder.decode(plain)
        except msgspec.MsgspecError:
            # The original error names values that it does not expect.
            raise damaged_row(DatabaseDamaged, self._table, row[0]) from None


def open_row(vault: Vault, sealed: bytes, table: str, *row: str) -> bytes:
    """Return what was sealed for a row of a lock; SealBroken, which names both, where it was for another."""
    try:
        return vault.open(sealed, place(table, *row))
    except SealBroken:
        raise damaged_row(SealBroken, table, row[0]) from None


def _digits(value: object) -> str:
    if isinstance(value, Pin):
        return value.reveal()
    message = f"{type(value).__name__} is not stored"
    raise TypeError(message)


def _pin(kind: type, value: object) -> Pin:
    if kind is Pin and isinstance(value, str):
        return Pin(value)
    message = f"{kind.__name__} is not stored"
    raise TypeError(message)
