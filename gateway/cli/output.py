"""How answers look: tables for people, JSON for programs. Neither shows a PIN that was not asked for."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from gateway.cli.terminal import Terminal

PIPE_WIDTH = 240
"""Columns of a table that goes to a file or a program: nothing should be wrapped there."""
_LAST_COLUMN = 24
"""Columns that the last one of a table keeps: words in less are tiring to read."""
_ANY_WIDTH = 100_000
"""Wider than any table."""


def show_json(terminal: Terminal, data: object) -> None:
    """Print data for programs."""
    # What the locale does not know is escaped as JSON has it, before the stream does it in another way.
    in_utf = (terminal.stdout.encoding or "utf-8").lower().startswith("utf")
    terminal.say(json.dumps(data, ensure_ascii=not in_utf, indent=2))


def show_table(terminal: Terminal, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table; columns that are empty in every row are left out.

    Only the last column may be wrapped, between words: half a PIN would be told to a guest. Where even that
    does not fit the terminal, each row is a block of lines instead.
    """
    # Costs a fifth of a second on a small hub, and --json needs none of it.
    from rich import box  # noqa: PLC0415
    from rich.cells import cell_len  # noqa: PLC0415
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    cells = [[plain(value) for value in row] for row in rows]
    kept = [index for index in range(len(columns)) if any(row[index] for row in cells)]
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for index in kept:
        longest = max(cell_len(text) for text in (columns[index], *(row[index] for row in cells)))
        wraps = index == kept[-1]
        least = min(longest, _LAST_COLUMN) if wraps else longest
        table.add_column(columns[index], min_width=least, no_wrap=not wraps)
    for row in cells:
        # As Text, because a name may look like rich's markup.
        table.add_row(*(Text(row[index]) for index in kept))
    width = None if terminal.stdout.isatty() else PIPE_WIDTH
    console = Console(file=terminal.stdout, width=width, highlight=False)
    if console.measure(table, options=console.options.update(width=_ANY_WIDTH)).minimum <= console.width:
        console.print(table)
        return
    for number, row in enumerate(cells):
        if number:
            terminal.say("")
        show_fields(terminal, dict(zip(columns, row, strict=True)))


def show_fields(terminal: Terminal, fields: Mapping[str, object]) -> None:
    """Print one thing, a line for each field that has a value."""
    shown = {name: plain(value) for name, value in fields.items()}
    width = max((len(name) for name, text in shown.items() if text), default=0)
    for name, text in shown.items():
        if text:
            terminal.say(f"{name:<{width}}  {text}")


def plain(value: object) -> str:
    """Return a value as text on one line; control characters, which could steer a terminal, are replaced."""
    match value:
        case None:
            text = ""
        case bool():
            text = "yes" if value else "no"
        case str():
            text = value
        case list() if all(isinstance(entry, str | int | float) for entry in value):
            text = ", ".join(str(entry) for entry in value)
        case list() if all(isinstance(entry, dict) and len(entry) == 1 for entry in value):
            text = ", ".join(str(only) for entry in value for only in entry.values())
        case list() | dict():
            text = json.dumps(value, ensure_ascii=False) if value else ""
        case _:
            text = str(value)
    return "".join(character if character.isprintable() else "\ufffd" for character in text)


def without_pin(code: Mapping[str, Any]) -> dict[str, Any]:
    """Return an access code without its PIN, the PINs of pending changes included."""
    kept = {key: value for key, value in code.items() if key != "code"}
    if "pending_mutations" in kept:
        kept["pending_mutations"] = [
            {key: _side(value) if key in {"from", "to"} else value for key, value in mutation.items()}
            for mutation in kept["pending_mutations"]
        ]
    return kept


def _side(value: object) -> object:
    return {key: old for key, old in value.items() if key != "code"} if isinstance(value, dict) else value


def troubles(thing: Mapping[str, Any]) -> list[str]:
    """Return the codes of the errors and warnings of a code or lock, errors first."""
    return [
        str(entry.get("error_code") or entry.get("warning_code") or entry.get("code"))
        for entry in (*thing.get("errors", ()), *thing.get("warnings", ()))
    ]


def explain_troubles(terminal: Terminal, thing: Mapping[str, Any]) -> None:
    """Print each error and warning with its message."""
    for kind in ("errors", "warnings"):
        for entry in thing.get(kind, ()):
            code = entry.get("error_code") or entry.get("warning_code") or entry.get("code")
            terminal.say(f"{kind.removesuffix('s')}: {plain(code)}: {plain(entry.get('message'))}")
            if entry.get("remedy"):
                terminal.say(f"  {plain(entry['remedy'])}")
