"""Only what is configured is made, and what is wrong with it can be told."""

from pathlib import Path

import msgspec

from gateway.daemon.drivers import Drivers
from gateway.engine.clock_guard import ClockGuard, ClockSettings
from gateway.engine.keyring import StoredKeys
from gateway.engine.told import DriverHealth
from gateway.system_clock import SystemClock
from tests.daemon.bed import settings
from tests.engine.bench import MemoryStore

BOTH = """
[locks.front]
driver = "simulated"
[locks.back]
driver = "zwave"
node = 12
"""
BLUETOOTH = """
[locks.cellar]
driver = "nuki"
[locks.attic]
driver = "yale"
bluetooth_name = "M1XY012"
[locks.shed]
driver = "ttlock"
"""


def made(folder: Path, locks: str | None = None) -> Drivers:
    """Return the drivers for these locks; None: those of the bed."""
    clock, store = SystemClock(), MemoryStore()
    found = settings(folder, 1) if locks is None else settings(folder, 1, locks=locks)
    drivers = Drivers(found, clock, keyring=StoredKeys(store), view=ClockGuard(clock, ClockSettings()).view)
    store.close()
    return drivers


def test_a_driver_is_made_for_each_kind_of_lock(tmp_path: Path) -> None:
    """Two kinds of lock, two drivers; the one that has something to say is asked."""
    drivers = made(tmp_path, BOTH)
    assert drivers.by_name.keys() == {"simulated", "zwave"}
    assert drivers.troubles().keys() == {"zwave"}
    assert drivers.troubles()["zwave"].keys() == {"problems", "warnings"}


def test_a_driver_without_locks_is_not_made(tmp_path: Path) -> None:
    """No lock of its kind, no driver."""
    drivers = made(tmp_path)
    assert drivers.by_name.keys() == {"simulated"}
    assert drivers.troubles() == {}


def test_families_of_bluetooth_locks_share_one_driver(tmp_path: Path) -> None:
    """There is one adapter, with one scan and one queue."""
    drivers = made(tmp_path, BLUETOOTH)
    assert drivers.by_name.keys() == {"nuki", "yale", "ttlock"}
    assert len({id(driver) for driver in drivers.by_name.values()}) == 1
    assert drivers.troubles()["ble"]["problems"].keys() == {"cellar", "attic", "shed"}


def test_how_well_locks_are_reached_is_told(tmp_path: Path) -> None:
    """By lock, as its driver counts; Z-Wave has no such figures."""
    drivers = made(tmp_path, BLUETOOTH + BOTH)
    unheard = {"rssi": None, "heard_ago_s": None, "connections_tried": 0, "connections_succeeded": 0}
    assert drivers.troubles()["ble"]["locks"] == dict.fromkeys(("cellar", "attic", "shed"), unheard)
    reached = drivers.radio("cellar")
    assert reached is not None
    assert (reached.rssi, reached.connections_tried) == (None, 0)
    assert drivers.radio("back") is None
    assert "locks" not in drivers.troubles()["zwave"]
    for told in drivers.troubles().values():
        msgspec.convert(told, DriverHealth)


def test_a_family_without_locks_is_not_named(tmp_path: Path) -> None:
    """Nobody looks for a Yale where only a Nuki is."""
    assert made(tmp_path, '[locks.cellar]\ndriver = "nuki"\n').by_name.keys() == {"nuki"}
