"""Parameters of every command, and turning JSON into them. Errors never echo a value: it may be a PIN."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from gateway.domain.errors import InvalidInput

type Id = Annotated[str, Meta(min_length=1, max_length=64)]
type Name = Annotated[str, Meta(min_length=1, max_length=200)]
type Digits = Annotated[str, Meta(min_length=1, max_length=32)]
type Instant = Annotated[datetime, Meta(tz=True)]
_NAME = re.compile(r"[a-z_]{1,40}")
_SAFE = re.compile(
    r"(Expected `[^`]*`(?: of length)?(?: [<>]= \d+)?(?: with a timezone component)?(?:, got `[a-z]+`)?"
    r"|Object missing required field `[a-z_]+`)"
)
_AT = re.compile(r" - at `\$\.([a-z_]{1,40})")
_YEARS = range(1970, 2200)
"""Arithmetic on times outside could leave what a `datetime` can hold."""


class Params(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of all parameters."""


def convert[P: Params](body: Mapping[str, Any], kind: type[P]) -> P:
    """Return the parameters of a command.

    Raises:
        InvalidInput: names the field and what is expected, never the value.
    """
    fields = kind.__struct_fields__
    unknown = [key for key in body if key not in fields]
    if unknown:
        shown = sorted(key for key in unknown if _NAME.fullmatch(key))
        known = ", ".join(sorted(fields)) or "none"
        named = ", ".join(shown) or "one whose name is not printed here"
        raise InvalidInput(
            f"unknown parameter: {named}; known are: {known}", field=shown[0] if shown else None
        )
    try:
        found = msgspec.convert(body, kind, strict=True)
    except msgspec.ValidationError as error:
        raise _explained(str(error)) from None
    for field in fields:
        given = getattr(found, field)
        for value in given if isinstance(given, list) else [given]:
            if not isinstance(value, datetime) or value.year in _YEARS:
                continue
            years = f"between the years {_YEARS.start} and {_YEARS.stop - 1}"
            raise InvalidInput(f"{field} must lie {years}", field=field)
    return found


def _explained(text: str) -> InvalidInput:
    """Say what was expected and where, from the parts of the message that cannot hold a value."""
    at, what = _AT.search(text), _SAFE.match(text)
    field = at.group(1) if at is not None else None
    said = what.group(1) if what is not None else "the value is not one of those allowed"
    return InvalidInput(f"{field}: {said}" if field is not None else said, field=field)


def to_ms(at: datetime) -> datetime:
    """Return a time as UTC, cut to milliseconds."""
    utc = at.astimezone(UTC)
    return utc.replace(microsecond=utc.microsecond // 1000 * 1000)
