"""The adapter: missing, gone, back; passive and active scans."""

import asyncio
import logging

import pytest
from bleak.exc import (
    BleakBluetoothNotAvailableError,
    BleakBluetoothNotAvailableReason,
    BleakDBusError,
    BleakError,
)

from drivers.ble.settings import BleSettings
from drivers.ble.trouble import in_words
from gateway.domain.driver import AuthorityDown, AuthorityLost, AuthorityUp, LockAlive, LockUnreachable
from tests.ble.running import running
from tests.ble.tiny import seen
from tests.ble_bed.virtual import in_virtual_time
from tests.heard import listening, the_end, troubles


@in_virtual_time
async def test_a_missing_adapter_is_told_and_waited_for() -> None:
    """The driver goes on, and begins as soon as there is one."""
    async with running(plugged=False) as run:
        assert run.sink.take() == [AuthorityLost(device_ids=("front",))]
        assert list(run.driver.warnings) == ["there is no Bluetooth: there is no Bluetooth adapter"]
        await asyncio.sleep(600)
        assert run.sink.take() == []
        run.air.plug()
        await asyncio.sleep(70)
        assert list(run.driver.warnings) == []
        assert run.sink.take()[:2] == [AuthorityUp(device_ids=("front",)), seen("front")]


@in_virtual_time
async def test_an_adapter_that_is_pulled_out_and_put_back_is_survived() -> None:
    """Lost and up are told once each; a session under way ends with an error."""
    async with running() as run:
        run.sink.take()
        async with run.driver.session("front") as session:
            await run.air.unplug()
            with pytest.raises(LockUnreachable):
                await session.read("1")
        await asyncio.sleep(60)
        assert run.sink.taken(AuthorityLost) == [AuthorityLost(device_ids=("front",))]
        with pytest.raises(AuthorityDown):
            async with run.driver.session("front"):
                pass
        run.air.plug()
        await asyncio.sleep(70)
        events = run.sink.take()
        assert events[:2] == [AuthorityUp(device_ids=("front",)), seen("front")]
        assert LockAlive(device_id="front") in events
        async with run.driver.session("front") as session:
            await session.read("1")


@in_virtual_time
async def test_an_adapter_that_is_away_for_long_is_two_lines_in_the_log() -> None:
    """However often it is looked for; the lock that fell silent with it has none."""
    with listening("drivers.ble") as records:
        async with running() as run:
            await run.air.unplug()
            await asyncio.sleep(3600)
            run.air.plug()
            await asyncio.sleep(70)
    assert troubles(records, "bluetooth_away", "not_managed") == [
        ("WARNING", "bluetooth_away", "begins", None),
        ("INFO", "bluetooth_away", "ends", None),
    ]
    attempts, seconds, _ = the_end(records, "bluetooth_away")
    assert attempts is not None
    assert attempts > 10
    assert seconds >= 3500
    assert [r.getMessage() for r in records if r.levelno > logging.DEBUG and not hasattr(r, "trouble")] == [
        "the Bluetooth adapter scans"
    ]


@in_virtual_time
async def test_an_adapter_that_is_gone_is_no_fault_of_the_lock() -> None:
    """A connection that fails for that reason says so, before the next look at the adapter."""
    async with running() as run:
        run.air.plugged = False
        with pytest.raises(AuthorityDown):
            async with run.driver.session("front"):
                pass
        await asyncio.sleep(1)
        assert run.sink.taken(AuthorityLost)


@in_virtual_time
async def test_a_scan_that_fell_silent_is_begun_anew() -> None:
    """BlueZ may have been restarted without anybody telling."""
    async with running() as run:
        run.air.forget_scans()
        await asyncio.sleep(90)
        assert run.air.scanning == 1
        assert not run.sink.taken(AuthorityLost)
        async with run.driver.session("front") as session:
            await session.read("1")


@in_virtual_time
async def test_locks_are_asked_for_more_only_where_passive_scanning_does_not_work() -> None:
    """Passive by default, active where BlueZ does not offer it."""
    async with running() as run:
        assert run.air.modes == ["passive"]
    async with running(passive=False) as run:
        assert run.air.modes == ["active"]
        async with run.driver.session("front") as session:
            await session.read("1")
    async with running(settings=BleSettings(scanning="active")) as run:
        assert run.air.modes == ["active"]
    async with running(settings=BleSettings(scanning="passive"), passive=False) as run:
        assert run.air.modes == []
        assert run.driver.warnings


@in_virtual_time
async def test_locks_not_heard_by_passive_scanning_are_looked_for_actively() -> None:
    """Some advertise in ways that BlueZ's passive scanning does not let through."""
    async with running(heard=False) as run:
        await asyncio.sleep(300)
        assert "active" in run.air.modes


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (
            BleakBluetoothNotAvailableError("x", BleakBluetoothNotAvailableReason.POWERED_OFF),
            "the Bluetooth adapter is switched off",
        ),
        (BleakDBusError("org.freedesktop.DBus.Error.ServiceUnknown", []), "BlueZ does not run"),
        (BleakDBusError("org.bluez.Error.Whatever", ["secret"]), "BlueZ refuses to scan"),
        (FileNotFoundError("/run/dbus/system_bus_socket"), "D-Bus does not answer"),
        (BleakError("adapter 'hci7' not found"), "no Bluetooth adapter hci7"),
        (TimeoutError(), "BlueZ does not answer"),
        (BleakError("secret"), "does not start"),
    ],
)
def test_what_is_wrong_is_told_in_plain_words(error: Exception, words: str) -> None:
    """Nothing of a foreign text goes into them."""
    told = in_words(error, "hci7")
    assert words in told
    assert "secret" not in told
