"""ttlock-ble, a client by somebody else, on the virtual lock: a common misreading would show here.

It does not log in before it changes codes, lists no codes, changes none and initialises no lock.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
from bleak import BleakScanner
from ttlock_ble import TTLockClient, TTLockError, VirtualKey
from ttlock_ble.constants import KeyboardPwdType
from ttlock_ble.models import LockVersion

from drivers.ble.errands import DESCRIBE_EVERY_S
from gateway.domain.credential import Credential, Known, Schedule
from gateway.domain.driver import CodeUsed
from gateway.domain.pin import Pin
from tests.ble_bed.ttlock.lock import VirtualLock
from tests.ble_bed.virtual import in_virtual_time
from tests.ttlock.home import ADDRESS, ADMIN, KEY, UNLOCK, Home, home, wanted
from tests.ttlock.test_ttlock_log import read_log


def lenient(lock: VirtualLock) -> None:
    """Take changes without the administrator's login."""
    lock.strict = False


@asynccontextmanager
async def their_client(at: Home) -> AsyncIterator[TTLockClient]:
    """Connect with the other client."""
    key = VirtualKey(
        keyId=1,
        lockId=1,
        lockMac=ADDRESS,
        lockAlias="",
        lockName="BED_LOCK",
        lockVersion=LockVersion(protocolType=5, protocolVersion=3, scene=1, groupId=1, orgId=1),
        aesKeyStr=KEY.hex(),
        unlockKey=str(UNLOCK),
        lockFlagPos=0,
        timezoneRawOffSet=0,
        adminPs=str(ADMIN),
    )
    await at.on_air.touch()
    device = await BleakScanner.find_device_by_address(ADDRESS)
    assert device is not None
    async with TTLockClient(key, device=device, keep_alive_after_command=0) as client:
        yield client


@in_virtual_time
async def test_codes_of_theirs_are_what_our_driver_reads() -> None:
    """With and without dates."""
    async with home(change=lenient) as at:
        async with their_client(at) as client:
            await client.add_passcode("471147")
            await client.add_passcode(
                "815815",
                pwd_type=KeyboardPwdType.PERIOD,
                start_date="2607011500",
                end_date="2607041130",
            )
            with pytest.raises(TTLockError, match="14"):
                await client.add_passcode("471147")
        stay = Schedule(
            starts_at=datetime(2026, 7, 1, 13, 0, tzinfo=UTC), ends_at=datetime(2026, 7, 4, 9, 30, tzinfo=UTC)
        )
        readings = (await at.listed()).values()
        assert list(readings) == [
            Known(wanted("471147")),
            Known(Credential(pin=Pin("815815"), schedule=stay)),
        ]


@in_virtual_time
async def test_codes_of_ours_are_what_they_delete() -> None:
    """A missing one is an error to them."""
    async with home(change=lenient) as at:
        async with at.session() as session:
            slot = (await session.write(None, wanted("471147"), replaces=None)).slot
        async with their_client(at) as client:
            await client.delete_passcode("471147")
            with pytest.raises(TTLockError, match="15"):
                await client.delete_passcode("471147")
        assert slot not in await at.listed()
        async with at.session() as session:
            await session.write(None, wanted("471147"), replaces=None)
            await session.write(None, wanted("815815"), replaces=None)
        async with their_client(at) as client:
            await client.clear_passcodes()
        assert at.pins() == []


@in_virtual_time
async def test_they_read_the_same_log() -> None:
    """The records, one by one, with the digits that we drop."""
    async with home(change=lenient) as at:
        async with at.session() as session:
            slot = (await session.write(None, wanted("471147"), replaces=None)).slot
        await read_log(at)
        at.lock.page = 1
        at.lock.type_in("471147")
        # They go on from the record before the one they have: a lock that counts up shows them one of each.
        async with their_client(at) as client:
            (entry,) = await client.get_operation_log(max_entries=1)
        assert (entry.record_type, entry.password, entry.new_password) == (4, "471147", "471147")
        assert entry.lock_battery == at.lock.battery
        await read_log(at)
        assert [event.slot for event in at.told.of(CodeUsed)] == [slot]


@in_virtual_time
async def test_they_set_the_clock_and_open_the_door() -> None:
    """Ours is set to local time afterwards: theirs takes whatever it is given."""
    async with home(change=lenient) as at:
        async with their_client(at) as client:
            await client.calibrate_time(at.lock.now() + timedelta(minutes=9))
            assert timedelta(minutes=8) < at.lock.clock_off < timedelta(minutes=10)
            assert await client.query_state() == (0, at.lock.battery)
            await client.unlock()
        assert at.lock.journal.records[-1][0] == 1
        await at.clock.sleep(DESCRIBE_EVERY_S)
        await at.listed()
        assert at.lock.clock_sets == 2
        assert abs(at.lock.face() - at.lock.now()) < timedelta(seconds=2)


@in_virtual_time
async def test_a_strict_lock_turns_them_away() -> None:
    """As newer versions of that client say that real locks do."""
    async with home() as at, their_client(at) as client:
        with pytest.raises(TTLockError, match="12"):
            await client.add_passcode("471147")
        assert at.pins() == []
