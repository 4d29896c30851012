"""What was said in the log of things that went wrong for a while."""

import logging
from collections.abc import Iterable

type Said = tuple[str, str, str, str | None]
"""Level, trouble, whether it begins or ends, and the lock it is about."""


def troubles(records: Iterable[logging.LogRecord], *names: str) -> list[Said]:
    """Return what was said above DEBUG of troubles of these names, in order."""
    return [
        (
            record.levelname,
            getattr(record, "trouble", ""),
            getattr(record, "state", ""),
            getattr(record, "lock", None),
        )
        for record in records
        if record.levelno > logging.DEBUG and getattr(record, "trouble", None) in names
    ]


def the_end(records: Iterable[logging.LogRecord], name: str) -> tuple[int | None, int, str]:
    """Return, of the line that ends a trouble: failed attempts, seconds, words."""
    [end] = [
        record
        for record in records
        if getattr(record, "trouble", None) == name and record.state == "ends"  # type: ignore[attr-defined]
    ]
    return getattr(end, "attempt", None), getattr(end, "lasted_s", -1), end.getMessage()
