"""Turns TOML tables into Structs, field by field, and goes on after a mistake."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec
from msgspec import inspect

from gateway.config.errors import Mistake, Unexpected
from gateway.config.expected import expected
from gateway.config.lines import line_numbers
from gateway.config.values import Convert, duration

_NOTHING: Mapping[str, Convert] = {}


class Reader:
    """Reads one file's tables; `mistakes` collects everything that was found wrong.

    `unseen` collects the secrets that only the service has.
    """

    def __init__(self, file: Path, text: str) -> None:
        """Remember where the keys of the file stand."""
        self._file = file
        self._lines = line_numbers(text)
        self.mistakes: list[Mistake] = []
        self.unseen: list[Mistake] = []

    def wrong(self, key: str, message: str) -> None:
        """Note a mistake; a key that is missing gets the line of its table."""
        self.mistakes.append(self._note(key, message))

    def not_seen(self, key: str, message: str) -> None:
        """Note a secret that only the service has."""
        self.unseen.append(self._note(key, message))

    def _note(self, key: str, message: str) -> Mistake:
        line = self._lines.get(key) or self._lines.get(key.rpartition(".")[0])
        return Mistake(file=self._file, key=key, message=message, line=line)

    def table(self, parent: Mapping[str, Any], name: str, at: str = "") -> dict[str, Any] | None:
        """Return a table, an empty one where it is missing, None where something else has its name."""
        value = parent.get(name, {})
        if isinstance(value, dict):
            return dict(value)
        self.wrong(_join(at, name), f"expected a table: [{_join(at, name)}]")
        return None

    def known(self, table: Mapping[str, Any], names: Iterable[str], at: str = "") -> None:
        """Note every key that is not one of `names`."""
        names = sorted(names)
        for key in table.keys() - set(names):
            self.wrong(_join(at, key), f"unknown; expected one of {', '.join(names)}")

    def section[T: msgspec.Struct](
        self, kind: type[T], parent: Mapping[str, Any], at: str, special: Mapping[str, Convert] = _NOTHING
    ) -> T | None:
        """Return the Struct that the table at the path `at` describes, or None when anything is wrong."""
        above, _, name = at.rpartition(".")
        table = self.table(parent, name, above)
        if table is None:
            return None
        self.known(table, (field.name for field in msgspec.structs.fields(kind)), at)
        return self.struct(kind, table, at, special)

    def struct[T: msgspec.Struct](
        self, kind: type[T], table: Mapping[str, Any], at: str, special: Mapping[str, Convert] = _NOTHING
    ) -> T | None:
        """Return the Struct that a table describes, or None when anything in it is wrong.

        `special` says how to read single fields. Unknown keys are left to `known`.
        """
        found: dict[str, Any] = {}
        complete = True
        for field in msgspec.structs.fields(kind):
            try:
                if field.name in table:
                    found[field.name] = _value(table[field.name], field.type, special.get(field.name))
                elif field.required:
                    found[field.name] = _value(None, field.type, special.get(field.name))
            except Unexpected as error:
                missing = "" if field.name in table else "missing; "
                self.wrong(_join(at, field.name), f"{missing}{error}")
                complete = False
        if not complete:
            return None
        try:
            return kind(**found)
        except (ValueError, TypeError) as error:
            self.wrong(at, _said_by(kind, error))
            return None


def _value(value: object, wanted: object, special: Convert | None) -> object:
    if special is not None:
        return special(value)
    info = inspect.type_info(wanted)
    kinds = info.types if isinstance(info, inspect.UnionType) else (info,)
    # TOML has no durations, and what msgspec takes for one (ISO 8601, bare seconds) nobody writes by hand.
    if any(isinstance(kind, inspect.TimeDeltaType) for kind in kinds):
        return duration(value)
    try:
        return msgspec.convert(value, wanted)
    except msgspec.ValidationError:
        # Its own text may quote the value.
        raise Unexpected(f"expected {expected(info)}") from None


def _said_by(kind: type[msgspec.Struct], error: Exception) -> str:
    """Return what a driver's settings say about their fields.

    They quote no values. What a library says that they call on the way may well, so that is not repeated.
    """
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    own = place is not None and place.tb_frame.f_globals.get("__name__") == kind.__module__
    return str(error) if own else "expected values that fit together; docs/configuration.md explains them"


def _join(table: str, key: str) -> str:
    return f"{table}.{key}" if table else key
