"""The adapter: missing, gone, back; passive and active scans."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from unittest.mock import AsyncMock, patch

import pytest
from bleak.exc import (
    BleakBluetoothNotAvailableError,
    BleakBluetoothNotAvailableReason,
    BleakDBusError,
    BleakError,
)

from drivers.ble.adapter import Adapter
from drivers.ble.settings import BleSettings
from drivers.ble.trouble import in_words
from gateway.domain.driver import AuthorityDown, AuthorityLost, AuthorityUp, LockAlive, LockUnreachable
from gateway.domain.pulse import Beat
from tests.ble.running import running
from tests.ble.tiny import remembered
from tests.ble_bed.backend import bleak_on
from tests.ble_bed.radio import Air
from tests.ble_bed.virtual import VirtualClock, in_virtual_time
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
        assert run.sink.take()[:2] == [AuthorityUp(device_ids=("front",)), remembered("front")]


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
        assert events[:2] == [AuthorityUp(device_ids=("front",)), remembered("front")]
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


@in_virtual_time
async def test_one_lock_that_is_heard_does_not_stop_the_search_for_another() -> None:
    """Which advertisements pass depends on the lock."""
    async with running(("front", "back"), heard=False) as run:
        await run.doors["front"].advertise()
        await asyncio.sleep(300)
        assert run.air.modes == ["passive", "active"]


@in_virtual_time
async def test_a_lock_that_fell_silent_later_is_not_asked_for_more() -> None:
    """It was heard: passive scanning does for it, and the others' batteries are spared."""
    async with running(("front", "back")) as run:
        await run.doors["back"].peripheral.hide()
        await asyncio.sleep(3600)
        run.air.forget_scans()
        await asyncio.sleep(600)
        assert set(run.air.modes) == {"passive"}


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


@asynccontextmanager
async def scanning(
    air: Air, settings: BleSettings, kernel: Path, beat: Beat | None = None
) -> AsyncIterator[Adapter]:
    """Run an adapter alone; its kernel is a directory with one entry for each adapter."""
    clock = VirtualClock(asyncio.get_running_loop())
    with bleak_on(air):
        adapter = Adapter(
            settings,
            clock,
            Random(1),
            up=lambda: None,
            down=lambda: None,
            unheard=lambda: False,
            beat=beat,
            kernel=kernel,
        )
        task = asyncio.create_task(adapter.run())
        try:
            await asyncio.sleep(1)
            yield adapter
        finally:
            task.cancel()
            await asyncio.wait({task})


@in_virtual_time
async def test_an_adapter_that_is_let_go_while_it_sleeps_is_no_hanging(tmp_path: Path) -> None:
    """Whoever comes after it may have to wait for hours until the new configuration is stored."""
    beat = Beat(asyncio.get_running_loop().time)
    async with scanning(Air(), BleSettings(), tmp_path, beat):
        pass
    await asyncio.sleep(100_000)
    assert beat.stuck() is None


@in_virtual_time
async def test_the_configured_adapter_is_missed_although_another_one_is_there(tmp_path: Path) -> None:
    """The one inside a Pi hears nothing of what the USB one should."""
    (tmp_path / "hci0").touch()
    (tmp_path / "hci1").touch()
    (tmp_path / "hci1:64").touch()
    async with scanning(Air(), BleSettings(adapter="hci1"), tmp_path) as adapter:
        assert await adapter.absence() is None
        (tmp_path / "hci1").unlink()
        await asyncio.sleep(11)
        assert adapter.trouble == "there is no Bluetooth adapter hci1"
        (tmp_path / "hci1").touch()
        await asyncio.sleep(5)
        assert adapter.up


@in_virtual_time
async def test_an_adapter_replugged_within_seconds_scans_again_within_seconds(tmp_path: Path) -> None:
    """Bleak sees it there at each look, and the scan on it is gone."""
    (tmp_path / "hci0").touch()
    air = Air()
    async with scanning(air, BleSettings(), tmp_path) as adapter:
        air.forget_scans()
        (tmp_path / "new").touch()  # so that it does not get the number of the old one
        (tmp_path / "new").replace(tmp_path / "hci0")
        await asyncio.sleep(11)
        assert air.scanning == 1
        assert adapter.up


@in_virtual_time
async def test_an_error_that_nobody_foresaw_does_not_end_the_scanning(tmp_path: Path) -> None:
    """It is told once, and tried again."""
    air = Air()
    listen = AsyncMock(side_effect=RuntimeError("secret"))
    with listening("drivers.ble") as records, patch.object(air, "listen", listen):
        async with scanning(air, BleSettings(), tmp_path / "none") as adapter:
            assert adapter.trouble == "scanning for Bluetooth devices does not start"
            await asyncio.sleep(600)
            listen.side_effect = Air.listen.__get__(air)
            await asyncio.sleep(60)
            assert adapter.up
    assert troubles(records, "bluetooth_unforeseen") == [
        ("ERROR", "bluetooth_unforeseen", "begins", None),
        ("INFO", "bluetooth_unforeseen", "ends", None),
    ]
    assert [r for r in records if r.levelno == logging.ERROR and not hasattr(r, "trouble")] == []
