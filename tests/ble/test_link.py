"""An open connection: what it does, and how its end is told."""

import asyncio

import pytest
from bleak import BleakScanner
from bleak.backends.device import BLEDevice

from drivers.ble.link import WRITE_TIMEOUT_S, connect
from gateway.domain.driver import LockUnreachable
from tests.ble.test_radio_bed import ADDRESS, IN, OUT, echo
from tests.ble_bed.backend import bleak_on
from tests.ble_bed.radio import Air
from tests.ble_bed.virtual import in_virtual_time


async def found() -> BLEDevice:
    """Return the device as a scan finds it."""
    device = await BleakScanner.find_device_by_address(ADDRESS)
    assert device is not None
    return device


@pytest.mark.parametrize("mtu", [23, 185])
@in_virtual_time
async def test_what_is_written_arrives_and_answers_are_heard(mtu: int) -> None:
    """The MTU is that of the connection."""
    air = Air()
    await echo(air, mtu)
    heard = asyncio.Queue[bytes]()
    with bleak_on(air):
        async with connect(await found()) as link:
            assert link.mtu == mtu
            assert link.has(IN.upper())
            assert not link.has("0000ffff-0000-1000-8000-00805f9b34fb")
            await link.subscribe(OUT, heard.put_nowait)
            await link.write(IN, b"abc")
            assert await heard.get() == b"abc"
            await link.write(IN, b"def", response=False)
            assert await heard.get() == b"def"
            with pytest.raises(AssertionError, match="once"):
                await link.subscribe(OUT, heard.put_nowait)
    assert not air.open_now


@in_virtual_time
async def test_a_link_that_stands_at_the_second_attempt_is_whole() -> None:
    """The end of the first attempt is not taken for its end, and its own end is told."""
    air = Air()
    lock = await echo(air, 23)
    lock.lose_at_once = 1
    heard = asyncio.Queue[bytes]()
    with bleak_on(air):
        async with connect(await found()) as link:
            assert (lock.drops, lock.connections) == (1, 2)
            await link.subscribe(OUT, heard.put_nowait)
            await link.write(IN, b"a")
            assert await heard.get() == b"a"
            assert not link.lost().is_set()
            await lock.drop()
            await link.lost().wait()


@in_virtual_time
async def test_a_link_that_breaks_during_a_write_is_an_unreachable_lock() -> None:
    """From then on everything fails at once, and `lost` is set."""
    air = Air()
    lock = await echo(air, 23)
    with bleak_on(air):
        async with connect(await found()) as link:
            lock.lose_after = 0
            with pytest.raises(LockUnreachable):
                await link.write(IN, b"1")
            await link.lost().wait()
            with pytest.raises(LockUnreachable):
                await link.write(IN, b"1", response=False)
            with pytest.raises(LockUnreachable):
                await link.subscribe(OUT, print)


@in_virtual_time
async def test_a_write_that_is_never_acknowledged_ends() -> None:
    """A lock that does not acknowledge is given up after a while."""
    air = Air()
    lock = await echo(air, 23)
    loop = asyncio.get_running_loop()
    with bleak_on(air):
        async with connect(await found()) as link:
            lock.deaf = True
            began = loop.time()
            with pytest.raises(LockUnreachable):
                await link.write(IN, b"1")
            assert loop.time() - began == pytest.approx(WRITE_TIMEOUT_S, abs=1)


@in_virtual_time
async def test_a_lock_that_is_gone_is_given_up() -> None:
    """Connecting ends after its time, in words of ours."""
    air = Air()
    lock = await echo(air, 23)
    with bleak_on(air):
        device = await found()
        await lock.hide()
        with pytest.raises(LockUnreachable, match="no connection"):
            async with connect(device, timeout_s=30):
                pass


@in_virtual_time
async def test_who_is_cancelled_while_writing_is_cancelled() -> None:
    """A cancellation from outside is not taken for a broken link, and the connection ends."""
    air = Air()
    lock = await echo(air, 23)
    with bleak_on(air):

        async def work(device: BLEDevice) -> None:
            async with connect(device) as link:
                lock.deaf = True
                await link.write(IN, b"1")

        task = asyncio.create_task(work(await found()))
        await asyncio.sleep(2)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert not air.open_now
