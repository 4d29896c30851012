"""A person at the keypad of a simulated lock, or with the vendor's app: what `pinsmith keypad` does.

Every function raises NotFound when there is no such lock (the daemon hangs it up at its first start). Changes
raise Refused when the lock says no.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from drivers.simulated.files import Memory, NoLockFile, changing, load
from gateway.domain.credential import Credential, SlotRef
from gateway.domain.errors import NotFound
from gateway.domain.pin import Pin


def show(directory: Path, device_id: str) -> Mapping[SlotRef, Credential]:
    """Return what is really in the taken slots; printing it does not show the digits, `pin.reveal()` does."""
    try:
        return load(directory, device_id).lock.slots
    except NoLockFile as error:
        raise _not_found(device_id, error) from None


def set_code(directory: Path, device_id: str, slot: SlotRef | None, pin: Pin, *, at: datetime) -> SlotRef:
    """Store a PIN at time `at` (aware); return the slot. `slot` None takes the lowest free one."""
    with _at_the_lock(directory, device_id) as memory:
        stored = memory.lock.set_code(slot, pin)
        memory.note("set", stored, at)
        return stored


def delete(directory: Path, device_id: str, slot: SlotRef, *, at: datetime) -> None:
    """Delete one code."""
    with _at_the_lock(directory, device_id) as memory:
        memory.lock.delete(slot)
        memory.note("deleted", slot, at)


def delete_all(directory: Path, device_id: str, *, at: datetime) -> None:
    """Delete all codes; the administrator's PIN stays."""
    with _at_the_lock(directory, device_id) as memory:
        memory.lock.delete_all()
        memory.note("deleted_all", None, at)


def set_admin_pin(directory: Path, device_id: str, pin: Pin, *, at: datetime) -> None:
    """Change the administrator's PIN."""
    with _at_the_lock(directory, device_id) as memory:
        memory.lock.set_admin_pin(pin)
        memory.note("admin_pin", None, at)


def open_door(directory: Path, device_id: str, pin: Pin, *, at: datetime) -> SlotRef | None:
    """Type a PIN; return the slot that opened the door, None when it stays shut."""
    with _at_the_lock(directory, device_id) as memory:
        opened = memory.lock.open_door(pin, at)
        if opened is not None:
            memory.note("used", opened, at)
        else:
            memory.note("denied", memory.lock.slot_with(pin), at)
        return opened


@contextmanager
def _at_the_lock(directory: Path, device_id: str) -> Iterator[Memory]:
    try:
        with changing(directory, device_id) as memory:
            yield memory
    except NoLockFile as error:
        raise _not_found(device_id, error) from None


def _not_found(device_id: str, error: NoLockFile) -> NotFound:
    return NotFound(f"{error}; the daemon makes it when it starts", device_id=device_id)
