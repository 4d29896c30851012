"""Only what is configured is made, and what is wrong with it can be told."""

from pathlib import Path

from gateway.daemon.drivers import Drivers
from gateway.system_clock import SystemClock
from tests.daemon.bed import settings

BOTH = """
[locks.front]
driver = "simulated"
[locks.back]
driver = "zwave"
node = 12
"""


def test_a_driver_is_made_for_each_kind_of_lock(tmp_path: Path) -> None:
    """Two kinds of lock, two drivers; the one that has something to say is asked."""
    drivers = Drivers(settings(tmp_path, 1, locks=BOTH), SystemClock())
    assert drivers.by_name.keys() == {"simulated", "zwave"}
    assert drivers.troubles().keys() == {"zwave"}
    assert drivers.troubles()["zwave"].keys() == {"problems", "warnings"}


def test_a_driver_without_locks_is_not_made(tmp_path: Path) -> None:
    """No lock of its kind, no driver."""
    drivers = Drivers(settings(tmp_path, 1), SystemClock())
    assert drivers.by_name.keys() == {"simulated"}
    assert drivers.troubles() == {}
