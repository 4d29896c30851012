"""Datagrams for the service manager."""

import logging
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.daemon.notify import Notifier


@pytest.fixture(params=["path", "abstract"])
def manager(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, socket.socket]]:
    """An address as systemd gives it, and what listens there."""
    name = str(tmp_path / "notify") if request.param == "path" else f"@pinsmith-{time.monotonic_ns()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as listening:
        listening.bind(name.replace("@", "\0"))
        yield name, listening


def test_each_happening_is_one_datagram(manager: tuple[str, socket.socket]) -> None:
    """As sd_notify(3) writes them; a status is one line whatever is in it."""
    address, listening = manager
    notifier = Notifier({"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "60000000"}, lambda: 0.0)
    notifier.ready()
    notifier.status("3 codes\non 2 locks")
    notifier.alive()
    notifier.stopping()
    heard = [listening.recv(200).decode() for _ in range(4)]
    assert heard == ["READY=1", "STATUS=3 codes on 2 locks", "WATCHDOG=1", "STOPPING=1"]


def test_reloading_says_since_when(manager: tuple[str, socket.socket]) -> None:
    """By CLOCK_MONOTONIC in microseconds, in the same datagram."""
    address, listening = manager
    before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    Notifier({"NOTIFY_SOCKET": address}, lambda: 0.0).reloading()
    first, second = listening.recv(200).decode().splitlines()
    assert first == "RELOADING=1"
    name, _, at = second.partition("=")
    assert name == "MONOTONIC_USEC"
    assert before <= int(at) <= time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000


def test_without_a_manager_nothing_happens(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """On a terminal there is none. One that has gone away is a line in the log, never a failure."""
    Notifier({}, lambda: 0.0).ready()
    Notifier({"NOTIFY_SOCKET": "vsock:2:1234"}, lambda: 0.0).ready()
    assert not caplog.records
    Notifier({"NOTIFY_SOCKET": str(tmp_path / "gone")}, lambda: 0.0).ready()
    assert [record.levelname for record in caplog.records] == ["WARNING"]


def test_one_that_is_gone_for_a_while_is_told_once_and_once_that_it_is_back(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A sign of life is due every few seconds: a line for each would bury the rest of the log."""
    caplog.set_level(logging.INFO)
    notifier = Notifier({"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "60000000"}, lambda: 0.0)
    for _ in range(5):
        notifier.alive()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        notifier.alive()
        notifier.alive()
    told = [(record.levelname, record.getMessage(), vars(record)["state"]) for record in caplog.records]
    assert told == [
        ("WARNING", "The service manager was not told: No such file or directory", "begins"),
        ("INFO", "The service manager is told again, after less than 1 s and 5 failed attempts", "ends"),
    ]


def test_signs_of_life_are_given_only_where_asked_for(manager: tuple[str, socket.socket]) -> None:
    """Without WatchdogSec= nobody counts them."""
    address, listening = manager
    Notifier({"NOTIFY_SOCKET": address}, lambda: 0.0).alive()
    with pytest.raises(BlockingIOError):
        listening.recv(200)


@pytest.mark.parametrize(
    ("env", "seconds"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "60000000"}, 60.0),
        ({"WATCHDOG_USEC": "1500000", "WATCHDOG_PID": str(os.getpid())}, 1.5),
        ({"WATCHDOG_USEC": "60000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
    ],
)
def test_the_watchdog_is_for_the_process_it_names(env: dict[str, str], seconds: float | None) -> None:
    """A child that inherits the environment is not the one that is watched."""
    assert Notifier(env, lambda: 0.0).watchdog_s == seconds
