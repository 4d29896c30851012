"""The journal's own way in: one datagram per line, with fields that `journalctl` can be asked for.

The format is that of systemd's page on the native journal protocol: `NAME=value` and a line break, or, where
the value itself has line breaks, the name, a line break, the length as 64 bits little-endian, and the value.
"""

import logging
import socket
import struct
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import override

from gateway.domain.trouble import FIELDS

SOCKET = Path("/run/systemd/journal/socket")
PRIORITIES = {logging.DEBUG: 7, logging.INFO: 6, logging.WARNING: 4, logging.ERROR: 3, logging.CRITICAL: 2}
"""The journal's own scale, sd-daemon(3)."""
LONGEST_MESSAGE = 8_192
"""Bytes of the words of one line. Longer ones are cut: datagrams have a limit. No line of ours comes near."""


class Journal(logging.Handler):
    """Sends records to the journal, and to `otherwise` what it does not take at this moment.

    Nothing waits for a journal that is slow: the event loop would stand still meanwhile.
    """

    def __init__(self, path: Path, otherwise: logging.Handler) -> None:
        """Prepare; the journal may come and go."""
        super().__init__()
        self._path = str(path)
        self._otherwise = otherwise
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        self._socket.settimeout(0)

    @override
    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._socket.sendto(datagram(fields(record, self.format(record))), self._path)
        except OSError:
            self._otherwise.handle(record)

    @override
    def close(self) -> None:
        self._socket.close()
        super().close()


def fields(record: logging.LogRecord, words: str) -> dict[str, str]:
    """Return what the journal keeps of a record."""
    found = {
        "MESSAGE": words.encode()[:LONGEST_MESSAGE].decode(errors="ignore"),
        "PRIORITY": str(PRIORITIES.get(record.levelno, 5)),
        "SYSLOG_IDENTIFIER": "pinsmith",
        "CODE_FILE": record.pathname,
        "CODE_LINE": str(record.lineno),
        "CODE_FUNC": record.funcName or "",
        "PINSMITH_LOGGER": record.name,
    }
    return found | {f"PINSMITH_{name.upper()}": value for name, value in carried(record)}


def carried(record: logging.LogRecord) -> Iterator[tuple[str, str]]:
    """Yield what a record carries besides its words."""
    for name in FIELDS:
        if (value := getattr(record, name, None)) is not None:
            yield name, str(value)


def datagram(found: Mapping[str, str]) -> bytes:
    """Return fields as they go over the socket."""
    return b"".join(_field(name.encode(), value.encode()) for name, value in found.items())


def _field(name: bytes, value: bytes) -> bytes:
    if b"\n" not in value:
        return name + b"=" + value + b"\n"
    return name + b"\n" + struct.pack("<Q", len(value)) + value + b"\n"
