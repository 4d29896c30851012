"""Where in the file a key stands, so that a mistake can be found by its line."""

import re

_HEADER = re.compile(r"\s*\[\[?\s*([^\[\]]+?)\s*\]\]?\s*(?:#.*)?")
_KEY = re.compile(r"""\s*([\w."' -]+?)\s*=""")


def line_numbers(text: str) -> dict[str, int]:
    """Return the line, counted from 1, of each dotted key of a TOML text.

    Cheap instead of exact: the standard library's reader does not tell, so tables and keys at the beginning
    of a line are looked for. What stands inside inline tables and strings over several lines is not
    understood; that costs only the line number.
    """
    found: dict[str, int] = {}
    table: tuple[str, ...] = ()
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _HEADER.fullmatch(line):
            table = _parts(header[1])
            for depth in range(1, len(table) + 1):
                found.setdefault(".".join(table[:depth]), number)
        elif key := _KEY.match(line):
            found.setdefault(".".join((*table, *_parts(key[1]))), number)
    return found


def _parts(dotted: str) -> tuple[str, ...]:
    return tuple(part.strip().strip("\"'") for part in dotted.split("."))
