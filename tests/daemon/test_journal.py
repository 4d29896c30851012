"""The journal gets lines with fields over its own socket, and stderr gets them where there is none."""

import json
import logging
import os
import socket
import struct
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

import pytest

from gateway import logs
from gateway.config import LogSettings
from gateway.domain.trouble import FIELDS, about
from gateway.journal import LONGEST_MESSAGE, SOCKET
from tests.daemon.test_logs import _own_logging  # noqa: F401 - puts logging back as it was

CODE_ID = "0c5e2b0e-7b3c-4a52-9d0e-2f6b1c9a7d11"


class FakeJournal:
    """Takes datagrams and reads them as strictly as the protocol allows."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        self._socket.settimeout(5)

    def entry(self) -> dict[str, str]:
        """Return the fields of the next line."""
        return _parsed(self._socket.recv(65_536))

    def close(self) -> None:
        """Go away, as the journal does when it is restarted."""
        self._socket.close()
        self.path.unlink(missing_ok=True)


def _parsed(data: bytes) -> dict[str, str]:
    found: dict[str, str] = {}
    while data:
        head, _, rest = data.partition(b"\n")
        name, equals, value = head.partition(b"=")
        if not equals:
            [length] = struct.unpack_from("<Q", rest)
            value, end = rest[8 : 8 + length], rest[8 + length : 9 + length]
            assert end == b"\n"
            rest = rest[9 + length :]
        key = name.decode("ascii")
        assert key.replace("_", "").isalnum()
        assert key.isupper()
        assert not key[0].isdigit()
        assert key not in found
        found[key], data = value.decode(), rest
    return found


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[FakeJournal]:
    """A journal that listens."""
    listening = FakeJournal(tmp_path / "socket")
    yield listening
    listening.close()


@pytest.fixture
def stderr(tmp_path: Path) -> Iterator[TextIO]:
    """A file in place of stderr, for `begin`."""
    with (tmp_path / "stderr").open("w+") as file:
        yield file


def begin(
    stderr: TextIO, env: dict[str, str], wanted: LogSettings | None = None, journal: Path = SOCKET
) -> None:
    """Set up logging as a process does whose stderr is this file; pytest changes `sys.stderr` by itself."""
    before, sys.stderr = sys.stderr, stderr
    try:
        logs.set_up(env, wanted, journal=journal)
    finally:
        sys.stderr = before


def under_systemd(stderr: TextIO) -> dict[str, str]:
    """Return the environment of a service whose stderr is connected to the journal."""
    status = os.fstat(stderr.fileno())
    return {"JOURNAL_STREAM": f"{status.st_dev}:{status.st_ino}"}


def said(stderr: TextIO) -> str:
    """Return what stands on stderr."""
    stderr.flush()
    stderr.seek(0)
    return stderr.read()


def test_a_line_has_its_fields_in_the_journal_and_only_words_as_message(
    journal: FakeJournal, stderr: TextIO
) -> None:
    """Fields that no line of this kind has are not there."""
    begin(stderr, under_systemd(stderr), journal=journal.path)
    extra = about(lock="front", code=CODE_ID, event="access_code.created", seq=7, attempt=None)
    logging.getLogger("gateway.events").error("%s\nis late", CODE_ID, extra=extra)
    entry = journal.entry()
    assert Path(entry.pop("CODE_FILE")) == Path(__file__)
    assert int(entry.pop("CODE_LINE")) > 0
    assert entry.pop("CODE_FUNC").startswith("test_a_line")
    assert entry == {
        "MESSAGE": f"{CODE_ID} is late",
        "PRIORITY": "3",
        "SYSLOG_IDENTIFIER": "pinsmith",
        "PINSMITH_LOGGER": "gateway.events",
        "PINSMITH_LOCK": "front",
        "PINSMITH_CODE": CODE_ID,
        "PINSMITH_EVENT": "access_code.created",
        "PINSMITH_SEQ": "7",
    }
    assert said(stderr) == ""


def test_every_field_and_every_odd_value_arrives_as_it_was(journal: FakeJournal, stderr: TextIO) -> None:
    """Line breaks, equal signs and other alphabets do not break the protocol, nor can they add a field."""
    begin(stderr, under_systemd(stderr), journal=journal.path)
    odd = "a=b\nPRIORITY=0\nöß\n"
    logging.getLogger("gateway.x").info("x", extra=dict.fromkeys(FIELDS, odd))
    entry = journal.entry()
    assert {entry[f"PINSMITH_{name.upper()}"] for name in FIELDS} == {odd}
    assert entry["PRIORITY"] == "6"


def test_a_line_that_is_too_long_is_cut_and_not_lost(journal: FakeJournal, stderr: TextIO) -> None:
    """Between two letters, not inside one."""
    begin(stderr, under_systemd(stderr), journal=journal.path)
    logging.getLogger("gateway.x").info("x%s", "ö" * 100_000)
    message = journal.entry()["MESSAGE"]
    assert LONGEST_MESSAGE - 2 <= len(message.encode()) <= LONGEST_MESSAGE
    assert message == "x" + "ö" * (len(message) - 1)


def test_an_exception_is_named_in_the_journal_and_not_quoted(journal: FakeJournal, stderr: TextIO) -> None:
    """Its text may be a PIN."""
    begin(stderr, under_systemd(stderr), journal=journal.path)
    try:
        float("821471921 is no number")
    except ValueError:
        logging.getLogger("gateway.x").exception("Oh")
    assert journal.entry()["MESSAGE"].startswith("Oh ValueError in test_an_exception")


def test_a_journal_that_is_away_costs_no_line(journal: FakeJournal, stderr: TextIO) -> None:
    """They go to stderr, with priority and fields, until it is back."""
    begin(stderr, under_systemd(stderr), journal=journal.path)
    log = logging.getLogger("gateway.x")
    journal.close()
    log.warning("while it is away", extra=about(lock="front"))
    assert said(stderr) == "<4>WARNING gateway.x: while it is away lock=front\n"
    back = FakeJournal(journal.path)
    log.warning("when it is back")
    assert back.entry()["MESSAGE"] == "when it is back"
    back.close()


def test_a_journal_that_does_not_keep_up_holds_nobody_up(journal: FakeJournal, stderr: TextIO) -> None:
    """Nobody reads here: what does not fit goes to stderr at once."""
    begin(stderr, under_systemd(stderr), journal=journal.path)
    for number in range(2000):
        logging.getLogger("gateway.x").info("line %d", number)
    assert "line 1999" in said(stderr)


@pytest.mark.parametrize("wanted", ["auto", "text"])
def test_without_systemd_it_is_text_on_stderr(journal: FakeJournal, stderr: TextIO, wanted: str) -> None:
    """Even where a journal listens: this may be somebody's terminal."""
    how = LogSettings(format="auto" if wanted == "auto" else "text")
    begin(stderr, {}, how, journal=journal.path)
    logging.getLogger("gateway.x").info("fine", extra=about(lock="front", seq=3))
    assert said(stderr).rstrip().endswith("INFO gateway.x: fine lock=front seq=3")


def test_text_is_text_under_systemd_too(journal: FakeJournal, stderr: TextIO) -> None:
    """With the priority that the journal takes off again."""
    begin(stderr, under_systemd(stderr), LogSettings(format="text"), journal=journal.path)
    logging.getLogger("gateway.x").info("fine")
    assert said(stderr) == "<6>INFO gateway.x: fine\n"


def test_json_is_one_object_per_line(stderr: TextIO) -> None:
    """Whatever the words are."""
    begin(stderr, {}, LogSettings(format="json"))
    logging.getLogger("gateway.x").warning('two\n"lines"', extra=about(lock="front", attempt=2))
    [line] = said(stderr).splitlines()
    told = json.loads(line)
    assert told.pop("time").endswith("Z")
    assert told == {
        "level": "warning",
        "logger": "gateway.x",
        "message": 'two "lines"',
        "lock": "front",
        "attempt": "2",
    }


@pytest.mark.parametrize(
    ("level", "ours", "theirs"),
    [("debug", logging.DEBUG, logging.INFO), ("warning", logging.WARNING, logging.WARNING)],
)
def test_the_level_is_ours_and_never_makes_others_say_more(
    stderr: TextIO, level: str, ours: int, theirs: int
) -> None:
    """Libraries write whole messages, PINs included, at DEBUG."""
    begin(stderr, {}, LogSettings(level="debug" if level == "debug" else "warning"))
    for name in ("gateway.engine.worker", "drivers.zwave.lock", "storage.store"):
        assert logging.getLogger(name).getEffectiveLevel() == ours
    for name in ("websockets.client", "paho", "bleak", "anything.else"):
        assert logging.getLogger(name).getEffectiveLevel() == theirs
    assert said(stderr) == ""
