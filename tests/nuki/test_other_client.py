"""The virtual lock and somebody else's client: what we misread, it would not misread in the same way."""

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, timedelta

import nacl.bindings
import pytest
from bleak.backends.device import BLEDevice
from msgspec.structs import replace

from gateway.domain.credential import Credential, Known, Schedule, WeeklyWindow
from gateway.domain.pin import Pin
from tests.nuki.house import ADDRESS, NOON, House, house
from tests.nuki.other_client import NukiConst, NukiDevice, NukiErrorException

_WEEK = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@asynccontextmanager
async def somebody() -> AsyncIterator[NukiDevice]:
    """Use pyNukiBT on the lock, not yet paired; disconnect at the end."""
    secret = random.Random(3).randbytes(32)
    client = NukiDevice(
        ADDRESS,
        None,
        None,
        nacl.bindings.crypto_scalarmult_base(secret),
        secret,
        4711,
        "Somebody",
        client_type=NukiConst.NukiClientType.APP,
        ble_device=BLEDevice(ADDRESS, "Nuki", {}),
    )
    client.command_response_timeout = 2
    client.send_retry = client.response_retry = 1
    try:
        yield client
    finally:
        await client.disconnect()


@asynccontextmanager
async def paired_with_both() -> AsyncIterator[tuple[House, NukiDevice]]:
    """Pair the hub and somebody else with one lock."""
    async with house() as home:
        await home.pair()
        home.brain.pairing = True
        async with somebody() as client:
            await client.connect()
            await client.pair()
            yield home, client


async def ask(client: NukiDevice, command: str, payload: dict[str, object], answer: str) -> object:
    """Send a command that wants challenge and PIN; return the answer."""
    numbers = client._const.NukiCommand
    challenge = await client._send_encrypted_command(
        numbers.REQUEST_DATA, {"command": numbers.CHALLENGE}, expected_response=numbers.CHALLENGE
    )
    return await client._send_encrypted_command(
        getattr(numbers, command),
        {**payload, "nonce": challenge.nonce, "security_pin": 2468},
        expected_response=getattr(numbers, answer),
    )


async def test_it_pairs_and_its_pin_is_verified() -> None:
    """The right one, and not a wrong one."""
    async with paired_with_both() as (home, client):
        assert await client.verify_security_pin(2468) is True
        assert await client.verify_security_pin(1111) is False
        assert home.brain.wrong_pins == 1


async def test_it_pairs_with_the_fifth_generation() -> None:
    """By the other service, with the PIN in a sealed message."""
    async with house(pin=135790, fifth_generation=True) as home:
        home.brain.pairing = True
        async with somebody() as client:
            await client.connect()
            await client.pair(security_pin=135790)
            assert await client.verify_security_pin(135790) is True


async def test_it_reads_states_and_configuration() -> None:
    """Every field lies where it looks for it."""
    async with paired_with_both() as (home, client):
        await client.update_state()
        assert client.battery_percentage == 80
        assert client.last_state["current_time"].replace(tzinfo=UTC) == NOON
        assert client.config["nuki_id"] == home.brain.nuki_id
        assert client.config["has_keypad"] == 1
        assert list(client.config["firmware_version"]) == [3, 8, 2]
        assert client.config["device_type"] == NukiConst.NukiDeviceType.SMARTLOCK_3_4


async def test_a_code_that_it_adds_is_read_by_us() -> None:
    """With dates, weekdays and hours."""
    async with paired_with_both() as (home, client):
        days = dict.fromkeys(("tuesday", "wednesday", "friday", "saturday", "sunday"), 0)
        await ask(
            client,
            "ADD_KEYPAD_CODE",
            {
                "code": 345678,
                "name": "Cleaner",
                "time_limited": 1,
                "allowed_from_date": NOON,
                "allowed_until_date": NOON + timedelta(days=30),
                "allowed_weekdays": {"monday": 1, "thursday": 1, **days},
                "allowed_from_time": {"hour": 8, "minute": 0},
                "allowed_until_time": {"hour": 11, "minute": 30},
            },
            "KEYPAD_CODE_ID",
        )
        await client.disconnect()
        async with home.session() as session:
            listed = await session.read_all()
    mornings = WeeklyWindow(weekdays=(0, 3), from_minute=480, until_minute=690)
    schedule = Schedule(starts_at=NOON, ends_at=NOON + timedelta(days=30), weekly=(mornings,))
    (reading,) = listed.values()
    assert reading == Known(Credential(pin=Pin("345678"), name="Cleaner", schedule=schedule))


async def test_what_we_write_it_would_have_written() -> None:
    """Its own structure for codes reads our bytes."""
    async with paired_with_both() as (home, client):
        await client.disconnect()
        until = NOON + timedelta(days=3)
        guest = Credential(pin=Pin("345678"), name="Guest", schedule=Schedule(ends_at=until))
        async with home.session() as session:
            await session.write(None, guest, replaces=None)
        (sent,) = [payload for command, payload in home.brain.payloads if command == 0x0041]
        found = client._const.AddKeypadCode.parse(sent)
        assert (found.code, found.name, found.time_limited) == (345678, "Guest", 1)
        assert found.allowed_until_date.replace(tzinfo=UTC) == until


@pytest.mark.parametrize(
    ("window", "days", "hours"),
    [
        (
            WeeklyWindow(weekdays=(0, 3), from_minute=480, until_minute=690),
            {"monday", "thursday"},
            ((8, 0), (11, 30)),
        ),
        (
            WeeklyWindow(weekdays=(1, 2, 4, 5, 6), from_minute=0, until_minute=1440),
            {"tuesday", "wednesday", "friday", "saturday", "sunday"},
            ((0, 0), (23, 59)),
        ),
    ],
)
async def test_weekdays_and_hours_that_we_write_it_would_have_written(
    window: WeeklyWindow, days: set[str], hours: tuple[tuple[int, int], tuple[int, int]]
) -> None:
    """Of a new code and of one that is changed; and we read them as we meant them."""
    until = NOON + timedelta(days=30)
    cleaner = Credential(
        pin=Pin("345678"), name="Cleaner", schedule=Schedule(ends_at=until, weekly=(window,))
    )
    async with paired_with_both() as (home, client):
        await client.disconnect()
        async with home.session() as session:
            added = await session.write(None, cleaner, replaces=None)
            assert await session.read_all() == {added.slot: Known(cleaner)}
            plain = Credential(pin=Pin("876543"), name="Guest")
            slot = (await session.write(None, plain, replaces=None)).slot
            changed = replace(cleaner, pin=plain.pin)
            await session.write(slot, changed, replaces=plain)
            assert (await session.read_all())[slot] == Known(changed)
        payloads = dict(home.brain.payloads)  # the last one of each command
        (sent, *_) = [payload for command, payload in home.brain.payloads if command == 0x0041]
        # A change begins with the number of the code, and says behind its name whether it is enabled.
        updated = payloads[0x0046][2:26] + payloads[0x0046][27:]
        for raw in (sent, updated):
            found = client._const.AddKeypadCode.parse(raw)
            assert found.time_limited == 1
            assert {day for day in _WEEK if found.allowed_weekdays[day]} == days
            times = (found.allowed_from_time, found.allowed_until_time)
            assert tuple((time.hour, time.minute) for time in times) == hours


async def test_it_reads_the_log() -> None:
    """Which code opened, and that a wrong one was typed."""
    async with paired_with_both() as (home, client):
        await client.disconnect()
        async with home.session() as session:
            slot = (await session.write(None, Credential(pin=Pin("345678")), replaces=None)).slot
        home.brain.type_code(345678)
        home.brain.type_code(111119)
        entries = await client.request_log_entries(2468, count=2)
        assert [entry.data.completion_status for entry in entries] == ["INVALID_CODE", "SUCCESS"]
        assert entries[1].data.code_id == int(slot)


async def test_it_sets_the_clock() -> None:
    """To UTC."""
    async with paired_with_both() as (home, client):
        await client.update_nuki_time(2468, NOON + timedelta(minutes=5))
        assert home.brain.clock() == NOON + timedelta(minutes=5)


async def test_the_lock_refuses_it_what_it_refuses_us() -> None:
    """A PIN that is there already, and one with a zero."""
    async with paired_with_both() as (_, client):
        code = {
            "name": "x",
            "time_limited": 0,
            "allowed_from_date": NOON,
            "allowed_until_date": NOON,
            "allowed_weekdays": dict.fromkeys(_WEEK, 0),
            "allowed_from_time": {"hour": 0, "minute": 0},
            "allowed_until_time": {"hour": 0, "minute": 0},
        }
        await ask(client, "ADD_KEYPAD_CODE", {"code": 345678, **code}, "KEYPAD_CODE_ID")
        for pin, error in ((345678, "K_ERROR_CODE_ALREADY_EXISTS"), (305678, "K_ERROR_BAD_PARAMETER")):
            with pytest.raises(NukiErrorException) as refused:
                await ask(client, "ADD_KEYPAD_CODE", {"code": pin, **code}, "KEYPAD_CODE_ID")
            assert refused.value.error_code == error
