"""The radio that is not there behaves as one."""

import asyncio

import pytest
from bleak import BleakClient, BleakScanner
from bleak.exc import BleakError

from tests.ble_bed.backend import bleak_on
from tests.ble_bed.peripheral import Advertised, Peripheral, Port
from tests.ble_bed.radio import Air
from tests.ble_bed.virtual import in_virtual_time

ADDRESS = "C0:00:00:00:00:07"
SERVICE = "0000fe24-0000-1000-8000-00805f9b34fb"
IN = "a92ee101-5501-11e4-916c-0800200c9a66"
OUT = "a92ee102-5501-11e4-916c-0800200c9a66"


async def echo(air: Air, mtu: int) -> Peripheral:
    """Put a device on the air that indicates whatever is written to it."""
    lock: Peripheral

    async def answer(data: bytes) -> None:
        lock.soon(lock.send(OUT, data))

    ports = (
        Port(uuid=IN, able=("write", "write-without-response"), on_write=answer),
        Port(uuid=OUT, able=("indicate",)),
    )
    lock = await Peripheral.create(air, ADDRESS, {SERVICE: ports}, mtu=mtu)
    await lock.advertise(
        Advertised(
            name="echo", manufacturer={0x4C: b"\x02\x15"}, services=[SERVICE], service_data={IN: b"12"}
        )
    )
    return lock


@pytest.mark.parametrize("mtu", [23, 247])
@in_virtual_time
async def test_a_device_is_found_connected_written_to_and_answers(mtu: int) -> None:
    """Answers arrive in pieces of MTU-3 bytes."""
    air = Air()
    lock = await echo(air, mtu)
    with bleak_on(air):
        found = await BleakScanner.find_device_by_address(ADDRESS)
        assert found is not None
        lost, heard = asyncio.Event(), asyncio.Queue[bytes]()
        client = BleakClient(found, disconnected_callback=lambda _: lost.set())
        await client.connect()
        assert client.mtu_size == mtu
        await client.start_notify(OUT, lambda _, data: heard.put_nowait(bytes(data)))
        sent = bytes(range(180))
        await client.write_gatt_char(IN, sent, response=True)
        answer = b""
        while len(answer) < len(sent):
            piece = await heard.get()
            assert len(piece) <= mtu - 3
            answer += piece
        assert answer == sent
        await lock.drop()
        await lost.wait()
        assert not client.is_connected
        with pytest.raises(BleakError):
            await client.write_gatt_char(IN, b"1", response=True)


@in_virtual_time
async def test_an_advertisement_carries_what_was_put_into_it() -> None:
    """Name, manufacturer data, services and service data arrive."""
    air = Air()
    await echo(air, 23)
    with bleak_on(air):
        found = await BleakScanner.discover(timeout=1.0, return_adv=True)
        device, heard = found[ADDRESS]
    assert (device.address, heard.local_name) == (ADDRESS, "echo")
    assert heard.manufacturer_data == {0x4C: b"\x02\x15"}
    assert heard.service_uuids == [SERVICE]
    assert heard.service_data == {IN: b"12"}


@in_virtual_time
async def test_a_link_that_breaks_during_a_write_is_an_error_of_bleak() -> None:
    """It is no cancellation of the caller."""
    air = Air()
    lock = await echo(air, 23)
    with bleak_on(air):
        async with BleakClient(ADDRESS) as client:
            lock.lose_after = 0
            with pytest.raises(BleakError):
                await client.write_gatt_char(IN, b"1", response=True)


@in_virtual_time
async def test_answers_can_be_doubled_cut_and_swallowed() -> None:
    """What the weather says happens to answers."""
    air = Air()
    lock = await echo(air, 247)
    heard: list[bytes] = []
    with bleak_on(air):
        async with BleakClient(ADDRESS) as client:
            await client.start_notify(OUT, lambda _, data: heard.append(bytes(data)))
            lock.weather.split, lock.weather.doubled, lock.weather.delay_s = 2, True, 0.5
            await client.write_gatt_char(IN, b"abc", response=True)
            await asyncio.sleep(3)
            lock.weather.swallowed = 1
            await client.write_gatt_char(IN, b"abc", response=True)
            await asyncio.sleep(3)
    assert heard == [b"ab", b"ab", b"c", b"c"]


@in_virtual_time
async def test_without_an_adapter_nothing_works_until_it_is_back() -> None:
    """An unplugged adapter breaks connections; scans and connections fail until it is plugged in again."""
    air = Air()
    await echo(air, 23)
    with bleak_on(air):
        client = BleakClient(ADDRESS)
        await client.connect()
        await air.unplug()
        assert not client.is_connected
        with pytest.raises(BleakError):
            await client.connect()
        with pytest.raises(BleakError):
            await BleakScanner().start()
        air.plug()
        await client.connect()
        await client.disconnect()


@in_virtual_time
async def test_an_adapter_that_is_unplugged_while_it_connects_connects_nothing() -> None:
    """Not even a moment later: the lock would be reached through the air."""
    air = Air()
    await echo(air, 23)
    await air.hub()
    under_way = asyncio.ensure_future(air.connect(ADDRESS, 10))
    await asyncio.sleep(0)
    await air.unplug()
    with pytest.raises(ConnectionError, match="unplugged"):
        await under_way
    assert air.open_now == {}
