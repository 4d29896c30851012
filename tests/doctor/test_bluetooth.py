"""What is wrong with Bluetooth: a real D-Bus daemon, a stand-in for BlueZ, and virtual locks on the air."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from drivers.ble.survey import listen_for_locks, look_for_bluetooth
from gateway.doctor import examine
from gateway.doctor.bluetooth import check_reach
from gateway.doctor.finding import Finding, Severity
from gateway.domain.lock import Device, Identity, LockPolicy
from gateway.domain.store import Tx
from tests.ble_bed.backend import bleak_on
from tests.ble_bed.doors import ADDRESSES, hung_up
from tests.ble_bed.radio import Air
from tests.ble_bed.virtual import in_virtual_time
from tests.doctor.bed import Report, remember, report, settings
from tests.doctor.bus import DENIED, bluez, bus
from tests.mqtt.broker import free_port

NUKI = '[locks.cellar]\ndriver = "nuki"\n'


async def look(folder: Path, extra: str = "") -> Report:
    """Let the doctor look at one Bluetooth lock."""
    return await report(settings(folder, free_port(), rest=extra + NUKI), "cellar")


async def test_no_bus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A container without the socket of D-Bus."""
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={tmp_path}/nothing")
    found = await look(tmp_path)
    found.says("bluetooth_no_dbus", "in a container its socket is missing", "/run/dbus/system_bus_socket")


async def test_no_bluez(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """D-Bus runs, and nobody is BlueZ on it."""
    async with bus(tmp_path, monkeypatch):
        found = await look(tmp_path)
    found.says("bluetooth_no_bluez", "not installed, or its service is stopped", "apt install bluez")


async def test_no_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rules of D-Bus keep this user from BlueZ."""
    async with bus(tmp_path, monkeypatch, DENIED), bluez({"hci0": True}):
        found = await look(tmp_path)
    found.says("bluetooth_denied", "BlueZ of Debian lets every user", "group bluetooth")


async def test_no_adapter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It was pulled out."""
    async with bus(tmp_path, monkeypatch), bluez({}):
        found = await look(tmp_path)
    found.says("bluetooth_no_adapter", "None is plugged in", "Plug one in")


async def test_an_adapter_that_is_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Switched off by hand or by rfkill."""
    async with bus(tmp_path, monkeypatch), bluez({"hci0": False}):
        found = await look(tmp_path)
    told = found.says("bluetooth_off", "rfkill", "bluetoothctl power on")
    assert "hci0" in told.what


async def test_an_adapter_that_is_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The configuration names one that is not there."""
    async with bus(tmp_path, monkeypatch), bluez({"hci0": True}):
        found = await look(tmp_path, '[drivers.ble]\nadapter = "hci1"\n')
    told = found.says("bluetooth_other_adapter", "numbers change", "leave it out")
    assert "there are: hci0" in told.what


async def test_adapters_are_told_as_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Which there are, and which are on."""
    async with bus(tmp_path, monkeypatch), bluez({"hci0": True, "hci1": False}):
        facts = await look_for_bluetooth()
    assert facts.failure is None
    assert facts.adapters == {"hci0": True, "hci1": False}


@in_virtual_time
async def test_locks_of_every_family_are_heard_and_none_is_connected_to() -> None:
    """What `init` will ask: which locks are around, and which wait to be paired."""
    air = Air()
    with bleak_on(air):
        for door in (await hung_up(air, lambda: datetime.now(UTC))).values():
            await door.show()
        heard = await listen_for_locks(10)
    assert heard is not None
    families = {"cellar": "nuki", "attic": "yale", "shed": "ttlock"}
    assert {lock.address: lock.family for lock in heard} == {
        ADDRESSES[name]: family for name, family in families.items()
    }
    assert air.connects == {}


@in_virtual_time
async def test_listening_without_an_adapter_says_so() -> None:
    """None, which is not the same as no lock."""
    air = Air()
    air.plugged = False
    with bleak_on(air):
        assert await listen_for_locks(1) is None


HOME = f"""[locks.cellar]
driver = "nuki"
[locks.attic]
driver = "yale"
address = "{ADDRESSES["attic"]}"
[locks.shed]
driver = "ttlock"
[locks.gate]
driver = "ttlock"
reach = "always"
[locks.new]
driver = "nuki"
"""
SERIALS = {"cellar": "1A2B3C4D", "shed": ADDRESSES["shed"], "gate": "C1:00:00:00:00:06"}


async def test_locks_are_listened_for_where_no_daemon_does_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that is silent is told with why; of those that wait for a touch silence says nothing."""
    air = Air()
    doors = await hung_up(air, lambda: datetime.now(UTC))
    for door in doors.values():
        await door.peripheral.hide()
    await remember(tmp_path, *(seen(name, serial) for name, serial in SERIALS.items()))
    monkeypatch.setattr(examine, "LISTEN_S", 1.0)
    how = settings(tmp_path, free_port(), rest=HOME)
    async with bus(tmp_path, monkeypatch), bluez({"hci0": True}):
        with bleak_on(air):
            silent = await report(how)
            for door in doors.values():
                await door.show()
            heard = await report(how)
    kinds = {"lock_silent", "lock_waits_for_touch"}
    told = {one.where: one for one in silent.findings if one.id in kinds}
    assert {where: one.id for where, one in told.items()} == {
        "cellar": "lock_silent",
        "attic": "lock_silent",
        "gate": "lock_silent",
        "shed": "lock_waits_for_touch",
    }
    assert "another program keeps it connected" in told["cellar"].cause
    assert "Look at its batteries" in told["cellar"].remedy
    assert told["shed"].severity is Severity.NOTE
    assert "until somebody touches it" in told["shed"].cause
    assert "touch its keypad while the daemon runs" in told["shed"].remedy
    assert {one.where for one in heard.findings if one.id in kinds} == {"gate"}


def seen(name: str, serial: str) -> Callable[[Tx], None]:
    """Have a lock in memory that was paired and seen."""
    device = Device(
        device_id=name,
        policy=LockPolicy(name=name, driver="nuki"),
        identity=Identity(network="bluetooth", manufacturer="somebody", product=None, serial=serial),
        is_paired=True,
    )
    return lambda tx: tx.save_device(device)


def reached(*, sleeps: bool = False, **figures: float) -> dict[str, Finding]:
    """What is said of a lock with these figures of `bridge/health`."""
    given = {"rssi": -60, "heard_ago_s": 5.0, "connections_tried": 10, "connections_succeeded": 10}
    return {one.id: one for one in check_reach("cellar", given | figures, 600.0, sleeps=sleeps)}


def test_a_lock_that_is_reached_badly() -> None:
    """The figures are those that the daemon tells; distance cannot be simulated."""
    assert reached() == {}
    weak = reached(rssi=-91)["signal_weak"]
    assert "-91 dBm" in weak.what
    assert "steel" in weak.cause
    assert "nearer" in weak.remedy
    silent = reached(heard_ago_s=1800.0)["lock_not_heard"]
    assert "30 minutes" in silent.what
    assert "another program keeps it connected" in silent.cause
    assert reached(heard_ago_s=1800.0, sleeps=True) == {}
    failing = reached(connections_succeeded=2)["connections_fail"]
    assert "8 of 10" in failing.what
    assert "leave the lock's app closed" in failing.remedy
