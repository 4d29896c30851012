"""What was said in the log of things that went wrong for a while."""

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

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


class _Kept(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


@contextmanager
def listening(name: str) -> Iterator[list[logging.LogRecord]]:
    """Keep everything that is said below a name, DEBUG included, where no fixture can."""
    log, kept = logging.getLogger(name), _Kept()
    level = log.level
    log.addHandler(kept)
    log.setLevel(logging.DEBUG)
    try:
        yield kept.records
    finally:
        log.setLevel(level)
        log.removeHandler(kept)
