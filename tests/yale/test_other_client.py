"""Somebody else's client, unmodified, gets along with the virtual lock: a check of the lock, not of us."""

import pytest
from yalexs_ble import DoorActivity, KeycodeError, LockActivity, LockOperationSource, LockStatus
from yalexs_ble.const import OperationError
from yalexs_ble.session import YaleXSBLEError

from tests.ble_bed.virtual import in_virtual_time
from tests.ble_bed.yale.brain import Opcode
from tests.ble_bed.yale.lock import MODEL, SERIAL
from tests.ble_bed.yale.memory import ALWAYS, MASTER
from tests.yale.door import door, other_client


@pytest.mark.parametrize("mtu", [23, 247])
@in_virtual_time
async def test_it_sets_reads_and_clears_a_code(mtu: int) -> None:
    """A code is cleared first, then set in three frames."""
    async with door(mtu=mtu) as at:
        async with other_client(at) as client:
            assert await client.get_keycode(5) is None
            await client.set_keycode(5, "123456")
            assert at.lock.brain.heard[-4:] == [Opcode.CLEAR, Opcode.SET, Opcode.ACCESS, Opcode.COMMIT]
            assert at.lock.memory.codes[5].schedule == ALWAYS
            assert await client.get_keycode(5) == "123456"
            await client.clear_keycode(5)
            assert await client.get_keycode(5) is None
        assert at.air.open_now == {}


@in_virtual_time
async def test_it_is_told_who_the_lock_is_and_how_its_battery_is() -> None:
    """Model and serial can be read by anybody, the battery by those who have the key."""
    async with door() as at, other_client(at) as client:
        info = await client.lock_info()
        assert (info.model, info.serial) == (MODEL, SERIAL)
        at.lock.memory.battery_mv = 5600
        assert (await client.battery()).percentage == 65
        assert await client.lock_status() is LockStatus.LOCKED


@in_virtual_time
async def test_a_duplicate_and_a_full_memory_are_refused() -> None:
    """Both leave the slot empty."""
    async with door() as at, other_client(at) as client:
        at.lock.memory.edit(1, "123456")
        at.lock.memory.capacity = 1
        with pytest.raises(KeycodeError) as duplicate:
            await client.set_keycode(2, "123456")
        with pytest.raises(KeycodeError) as full:
            await client.set_keycode(2, "654321")
        assert duplicate.value.error is OperationError.KEYCODE_EXISTING_KEY
        assert full.value.error is OperationError.KEYCODE_NOSPACE
        assert at.lock.memory.content() == {1: "123456"}


@in_virtual_time
async def test_reading_the_log_takes_it_away() -> None:
    """Records come oldest first; those of a kind nobody described are passed over."""
    async with door() as at, other_client(at) as client:
        memory = at.lock.memory
        memory.edit(4, "123456")
        memory.master = "99999999"
        assert not memory.enter("000000")
        for happens in (memory.turn, memory.note_something_new):
            happens()
        assert memory.enter("123456")
        assert memory.enter("99999999")
        memory.enter_old_style(7)
        seen = [record async for record in client.drain_lock_activity()]
        slots = [record.slot for record in seen if isinstance(record, LockActivity)]
        assert slots == [None, 4, MASTER, 7]
        assert sum(isinstance(record, DoorActivity) for record in seen) == 1
        assert {record.source for record in seen[2:] if isinstance(record, LockActivity)} == {
            LockOperationSource.PIN
        }
        assert [record async for record in client.drain_lock_activity()] == []


@pytest.mark.parametrize("hangs_up", [True, False])
@pytest.mark.parametrize("wrong", [(bytes(16), 3), (bytes.fromhex("00112233445566778899aabbccddeeff"), 4)])
@in_virtual_time
async def test_a_wrong_key_opens_nothing(*, hangs_up: bool, wrong: tuple[bytes, int]) -> None:
    """Nor does the right key in the wrong slot."""
    async with door() as at:
        at.lock.brain.hangs_up_on_strangers = hangs_up
        with pytest.raises(YaleXSBLEError):
            async with other_client(at, *wrong):
                pass
        assert at.lock.brain.heard == []
