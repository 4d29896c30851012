"""Logging: one line per happening, to the journal or to stderr, without a word of other people's exceptions.

What each level means is said in docs/operation.md, what a line carries for programs in
`gateway.domain.trouble`.
"""

import json
import logging
import os
import sys
import traceback
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import override

from gateway.config import LogSettings
from gateway.journal import PRIORITIES, SOCKET, Journal, carried

_FOREIGN = (
    "asyncio",
    "bleak",
    "bleak_retry_connector",
    "dbus_fast",
    "paho",
    "websockets",
    "yalexs_ble",
)
"""Libraries that write whole messages, PINs included, at DEBUG."""
_TALKATIVE = ("amqtt", "transitions")
"""The embedded broker and its state machine: whole messages at INFO already, and lines about nothing."""
_OURS = ("gateway", "drivers", "storage")

_PLAIN = "%(levelname)s %(name)s: %(message)s"

type _ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


class Lines(logging.Formatter):
    """One line per record. Of an exception only its type and where it came from: its text may hold a PIN."""

    def __init__(self, *, journal: bool) -> None:
        """With `journal`, leave out the time and put the priority in front, which systemd takes off again."""
        super().__init__(_PLAIN if journal else f"%(asctime)s {_PLAIN}")
        self._journal = journal

    @override
    def format(self, record: logging.LogRecord) -> str:
        line = " ".join(" ".join([super().format(record), *_tail(record)]).splitlines())
        return f"<{PRIORITIES.get(record.levelno, 5)}>{line}" if self._journal else line

    @override
    def formatException(self, ei: _ExcInfo) -> str:
        return place(ei[1]) if ei[1] is not None else ""


class Words(logging.Formatter):
    """The words alone: the journal keeps the rest in fields. Of an exception as `Lines`."""

    @override
    def format(self, record: logging.LogRecord) -> str:
        return " ".join(super().format(record).splitlines())

    @override
    def formatException(self, ei: _ExcInfo) -> str:
        return place(ei[1]) if ei[1] is not None else ""


class Objects(Words):
    """One JSON object per line, for programs that read stderr."""

    @override
    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        told = {
            "time": at.replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": super().format(record),
        }
        return json.dumps(told | dict(carried(record)), ensure_ascii=False)


def set_up(env: Mapping[str, str], wanted: LogSettings | None = None, *, journal: Path = SOCKET) -> None:
    """Send all logging where it belongs; of the environment only JOURNAL_STREAM counts, see systemd.exec(5).

    `journal` is the socket that the journal listens on.
    """
    wanted = wanted or LogSettings()
    level = logging.getLevelNamesMapping()[wanted.level.upper()]
    logging.basicConfig(level=max(level, logging.INFO), handlers=[_handler(env, wanted, journal)], force=True)
    for name in _OURS:
        logging.getLogger(name).setLevel(level)
    # Whatever is wanted of us: others write whole messages at DEBUG.
    for name in _FOREIGN:
        logging.getLogger(name).setLevel(max(level, logging.INFO))
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))


def _handler(env: Mapping[str, str], wanted: LogSettings, journal: Path) -> logging.Handler:
    in_journal = _is_journal(env.get("JOURNAL_STREAM"))
    handler: logging.Handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Objects() if wanted.format == "json" else Lines(journal=in_journal))
    if in_journal and wanted.format == "auto":
        handler = Journal(journal, otherwise=handler)
        handler.setFormatter(Words())
    return handler


def _tail(record: logging.LogRecord) -> Iterator[str]:
    """Yield what a record carries as `key=value`; its words say lock and code too, for people."""
    return (f"{name}={value}" for name, value in carried(record))


def place(error: BaseException) -> str:
    """Name an exception and where it came from, without its text."""
    frames = traceback.extract_tb(error.__traceback__)
    at = f" in {frames[-1].name}, {frames[-1].filename}:{frames[-1].lineno}" if frames else ""
    return type(error).__name__ + at


def _is_journal(stream: str | None) -> bool:
    if not stream:
        return False
    try:
        status = os.fstat(sys.stderr.fileno())
    except OSError:
        return False
    return stream == f"{status.st_dev}:{status.st_ino}"
