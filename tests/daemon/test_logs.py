"""One line per event, fit for the journal, and never somebody else's words."""

import io
import logging
import os
import sys
from collections.abc import Iterator

import pytest

from gateway import logs


@pytest.fixture(autouse=True)
def _own_logging() -> Iterator[None]:
    """Put everything back as it was."""
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    names = (
        "paho",
        "amqtt",
        "transitions",
        "websockets",
        "asyncio",
        "bleak",
        "bleak_retry_connector",
        "dbus_fast",
        "yalexs_ble",
        "gateway",
        "drivers",
        "storage",
    )
    levels = {name: logging.getLogger(name).level for name in names}
    yield
    for handler in set(root.handlers).difference(before):
        handler.close()
    root.handlers[:] = before
    root.setLevel(level)
    for name, one in levels.items():
        logging.getLogger(name).setLevel(one)


def record(level: int, message: str) -> logging.LogRecord:
    """Return a record of the gateway."""
    return logging.LogRecord("gateway.x", level, __file__, 1, message, None, None)


def failed() -> logging.LogRecord:
    """Return a record with an exception whose text must not be seen."""
    with pytest.raises(ValueError, match="821471921") as caught:
        float("821471921 is no number")
    where = (caught.type, caught.value, caught.tb)
    return logging.LogRecord("gateway.x", logging.ERROR, __file__, 1, "Oh", None, where)


def test_a_terminal_gets_time_level_and_name() -> None:
    """What a person wants to see in the foreground."""
    line = logs.Lines(journal=False).format(record(logging.WARNING, "Two\nlines"))
    assert line.endswith("WARNING gateway.x: Two lines")
    assert line[:4].isdigit()


def test_the_journal_gets_the_priority_instead_of_the_time() -> None:
    """It has times of its own."""
    formatter = logs.Lines(journal=True)
    assert formatter.format(record(logging.INFO, "Fine")) == "<6>INFO gateway.x: Fine"
    assert formatter.format(record(logging.ERROR, "Not fine")) == "<3>ERROR gateway.x: Not fine"


@pytest.mark.parametrize("journal", [False, True])
def test_an_exception_is_named_and_not_quoted(*, journal: bool) -> None:
    """Its text may be a PIN; type and place are enough to find the cause."""
    line = logs.Lines(journal=journal).format(failed())
    assert "ValueError in failed" in line
    assert "821471921" not in line
    assert "\n" not in line


def test_the_journal_is_recognised_by_what_stderr_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """The variable alone is inherited by everything that the service starts."""
    with open(os.devnull, "w") as stderr:  # noqa: PTH123 - a stream to stand for stderr
        monkeypatch.setattr(sys, "stderr", stderr)
        status = os.fstat(stderr.fileno())
        assert logs._is_journal(f"{status.st_dev}:{status.st_ino}")
        assert not logs._is_journal(f"{status.st_dev}:{status.st_ino + 1}")
        assert not logs._is_journal(None)


def test_a_stderr_that_is_no_file_is_no_journal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing to compare with."""
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    assert not logs._is_journal("1:2")


@pytest.mark.parametrize(
    ("name", "least"),
    [
        ("paho", logging.INFO),
        ("websockets.client", logging.INFO),
        ("bleak.backends.bluezdbus.client", logging.INFO),
        ("yalexs_ble.session", logging.INFO),
        ("anything.else", logging.INFO),
        ("amqtt.broker", logging.WARNING),
        ("transitions.core", logging.WARNING),
    ],
)
def test_others_are_not_asked_for_details(name: str, least: int) -> None:
    """Third-party loggers write whole messages at DEBUG, the embedded broker at INFO."""
    logs.set_up({})
    assert logging.getLogger(name).getEffectiveLevel() == least
