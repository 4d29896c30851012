"""Logging: one line per event to stderr, fit for the journal, without a word of other people's exceptions."""

import logging
import os
import sys
import traceback
from collections.abc import Mapping
from types import TracebackType
from typing import override

_FOREIGN = (
    "aiohttp",
    "asyncio",
    "bleak",
    "bleak_retry_connector",
    "dbus_fast",
    "paho",
    "yalexs_ble",
    "zwave_js_server",
)
"""Libraries that write whole messages, PINs included, at DEBUG."""
_TALKATIVE = ("amqtt", "transitions")
"""The embedded broker and its state machine: whole messages at INFO already, and lines about nothing."""
_PRIORITIES = {logging.DEBUG: 7, logging.INFO: 6, logging.WARNING: 4, logging.ERROR: 3, logging.CRITICAL: 2}
"""The journal's own scale, sd-daemon(3)."""

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
        line = " ".join(super().format(record).splitlines())
        return f"<{_PRIORITIES.get(record.levelno, 5)}>{line}" if self._journal else line

    @override
    def formatException(self, ei: _ExcInfo) -> str:
        return place(ei[1]) if ei[1] is not None else ""


def set_up(env: Mapping[str, str]) -> None:
    """Send all logging to stderr; of the environment only JOURNAL_STREAM counts, see systemd.exec(5)."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Lines(journal=_is_journal(env.get("JOURNAL_STREAM"))))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    for name in _FOREIGN:
        logging.getLogger(name).setLevel(logging.INFO)
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)


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
