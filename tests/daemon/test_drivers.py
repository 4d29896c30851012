"""Only what is configured is made, and what is wrong with it can be told."""

from pathlib import Path

import msgspec

from gateway.config import load
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


class TestAnotherConfiguration:
    """Which drivers are made anew when the configuration changes."""

    def test_a_driver_stays_where_nothing_changed_for_it(self, tmp_path: Path) -> None:
        """Names, timings and locks of others are no business of its own."""
        drivers = made(tmp_path, BOTH + BLUETOOTH)
        other = settings(tmp_path, 2, locks='[timing]\nlead = "1h"\n' + BOTH + 'name = "Back"\n' + BLUETOOTH)
        assert drivers.changed(other).by_name == drivers.by_name

    def test_one_whose_locks_changed_is_made_anew(self, tmp_path: Path) -> None:
        """The others are the same as before; what is told is of the new ones once they are used."""
        drivers = made(tmp_path, BOTH + BLUETOOTH)
        before = drivers.by_name
        fleet = drivers.changed(settings(tmp_path, 1, locks=BOTH.replace("12", "13") + BLUETOOTH))
        assert {name for name, driver in fleet.by_name.items() if driver is not before[name]} == {"zwave"}
        assert drivers.by_name == before
        drivers.use(fleet)
        assert drivers.by_name == fleet.by_name

    def test_one_without_locks_goes(self, tmp_path: Path) -> None:
        """And is not told of any more."""
        drivers = made(tmp_path, BOTH)
        drivers.use(drivers.changed(settings(tmp_path, 1)))
        assert drivers.by_name.keys() == {"simulated"}
        assert drivers.troubles() == {}

    def test_the_time_zone_concerns_those_whose_locks_keep_windows(self, tmp_path: Path) -> None:
        """They tell locks local times."""
        drivers = made(tmp_path, BOTH + BLUETOOTH)
        before = drivers.by_name
        file = settings(tmp_path, 1, locks=BOTH + BLUETOOTH).file
        file.write_text(file.read_text().replace("Europe/Berlin", "Europe/Lisbon"))
        after = drivers.changed(load(file, {})).by_name
        assert {name for name in after if after[name] is before[name]} == {"simulated"}
