"""What is asked about every lock, whatever it is reached by."""

import re
import unicodedata
from collections.abc import Collection
from typing import Any

from gateway.cli.init.questions import Questions
from gateway.cli.output import plain
from gateway.config.errors import Unexpected
from gateway.config.values import slots

_ID = re.compile(r"[a-z0-9_-]{1,32}")
_LONGEST = 32
ALL = "all"
SLOTS_WHY = (
    "Slots: the hub uses only those that you give it. The upper half is proposed, because people at a keypad "
    "fill the low ones; what is in the others is seen and left alone."
)


def slug(text: str) -> str:
    """Return a text in the alphabet of ids; empty where nothing of it fits."""
    ascii_only = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9_]+", "-", ascii_only).strip("-_")[:_LONGEST].strip("-_")


def free_id(wanted: str, taken: Collection[str]) -> str:
    """Return an id that no other lock has."""
    wanted = slug(wanted) or "lock"
    names = [wanted, *(f"{wanted[: _LONGEST - 4]}-{number}" for number in range(2, 1000))]
    return next(name for name in names if name not in taken)


def read_id(typed: str) -> str:
    """Read the id of a gateway. Raises Unexpected."""
    if _ID.fullmatch(typed):
        return typed
    raise Unexpected("expected 1 to 32 of a-z, 0-9, _ and -")


def ask_name_and_id(questions: Questions, name: str, taken: Collection[str]) -> tuple[str, str]:
    """Ask what people call the lock, and under which id it is in commands and topics."""

    def unused(typed: str) -> str:
        if read_id(typed) in taken:
            raise Unexpected("expected an id that no other lock has")
        return typed

    called = questions.ask("  What people call it", plain(name), plain)
    return called, questions.ask("  Its id in commands and topics", free_id(called, taken), unused)


def ask_slots(questions: Questions, count: int | None) -> list[Any] | None:
    """Ask which slots the hub may use, of `count` (None: not known); None for all."""

    def read(typed: str) -> list[Any] | None:
        if typed.lower() == ALL:
            return None
        entries = [int(one) if one.isdecimal() else one for one in re.split(r"[\s,]+", typed) if one]
        granted = slots(entries)
        if any(not one.isdecimal() or (count is not None and int(one) > count) for one in granted):
            raise Unexpected(f"expected slots from 1 to {count or 'as many as the lock has'}, or {ALL}")
        return entries

    default = ALL if count is None or count < 2 else f"{count // 2 + 1}-{count}"  # noqa: PLR2004 - halves
    having = "" if count is None else f" of its {count}"
    return questions.ask(f"  Slots{having} that the hub may use (such as 11-20, or {ALL})", default, read)
