"""The memory of a simulated lock, in one JSON file that the hub and `pinsmith keypad` both change.

Each change is made under an advisory lock and replaces the file as a whole, so readers need no lock. What
people did by hand is noted in a journal inside the file: that is how the hub tells it from its own writes.
Nothing is synced to disk: after a power cut a toy may have forgotten its newest change.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import msgspec
from msgspec import Struct

from drivers.simulated.lock import SimulatedLock
from drivers.simulated.models import MODELS, Model
from drivers.simulated.settings import ModelName
from gateway.domain.credential import Credential, SlotRef
from gateway.domain.errors import InvalidInput
from gateway.domain.pin import Pin

NOTE = "This is a toy lock: it keeps PINs in clear. Never type one here that opens a real door."
JOURNAL_LENGTH = 100
"""More than anybody types between two looks of the hub."""

type Deed = Literal["set", "deleted", "deleted_all", "admin_pin", "used", "denied"]
"""What somebody did at the door."""


class NoLockFile(Exception):
    """The file of this lock is missing, damaged or out of reach. The message holds nothing of its content."""


class Entry(Struct, frozen=True, kw_only=True):
    """Something that was done by hand. `number` rises by one each time.

    `slot` is None where it concerns no slot, or all.
    """

    number: int
    deed: Deed
    slot: SlotRef | None
    at: datetime


class Memory:
    """What one file holds: the lock, and the newest deeds of people, oldest first."""

    def __init__(self, lock: SimulatedLock, journal: tuple[Entry, ...] = ()) -> None:
        """Keep both."""
        self.lock = lock
        self.journal = journal

    @property
    def last_number(self) -> int:
        """Return the number of the newest deed, 0 before the first."""
        return self.journal[-1].number if self.journal else 0

    def note(self, deed: Deed, slot: SlotRef | None, at: datetime) -> None:
        """Add a deed."""
        entry = Entry(number=self.last_number + 1, deed=deed, slot=slot, at=at)
        self.journal = (*self.journal, entry)[-JOURNAL_LENGTH:]


class _File(Struct, kw_only=True):
    note: str
    model: ModelName
    capacity: int
    next_id: int
    admin_pin: Pin | None
    slots: dict[SlotRef, Credential]
    journal: tuple[Entry, ...]


def path_of(directory: Path, device_id: str) -> Path:
    """Return where the file of a lock is. Raises NoLockFile for an id that is not a plain file name."""
    if not device_id or device_id.startswith(".") or Path(device_id).name != device_id:
        raise NoLockFile("the id of a simulated lock must be a plain file name")
    return directory / f"{device_id}.json"


def load(directory: Path, device_id: str) -> Memory:
    """Read the file of a lock. Raises NoLockFile."""
    try:
        content = _DECODER.decode(path_of(directory, device_id).read_bytes())
    except (OSError, ValueError):
        raise NoLockFile("the file of this simulated lock is missing or damaged") from None
    lock = SimulatedLock(
        MODELS[content.model].with_slots(content.capacity),
        slots=content.slots,
        admin_pin=content.admin_pin,
        next_id=content.next_id,
    )
    return Memory(lock, content.journal)


@contextmanager
def changing(directory: Path, device_id: str) -> Iterator[Memory]:
    """Hold the lock's file, hand out its memory, and replace the file unless the block raised.

    The block must be short and must not wait: the other side blocks meanwhile. Raises NoLockFile.
    """
    with _held(directory, device_id):
        memory = load(directory, device_id)
        yield memory
        _save(directory, device_id, memory)


def install(directory: Path, device_id: str, model: Model) -> Memory:
    """Hang up the lock if it is not there yet, empty; give one that is there this model.

    Codes that the model could not have taken stay, as on a lock whose firmware changed. Raises NoLockFile
    when the directory cannot be written or the file is damaged.
    """
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _held(directory, device_id):
            there = path_of(directory, device_id).exists()
            memory = load(directory, device_id) if there else Memory(SimulatedLock(model))
            if not there or memory.lock.model != model:
                memory.lock.model = model
                _save(directory, device_id, memory)
            return memory
    except OSError:
        raise NoLockFile("the directory of the simulated locks cannot be written") from None


@contextmanager
def _held(directory: Path, device_id: str) -> Iterator[None]:
    # A file of its own: the lock would not survive the replacing of the file that it is on.
    turnstile = path_of(directory, device_id).with_suffix(".turn")
    try:
        descriptor = os.open(turnstile, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError:
        raise NoLockFile("the directory of the simulated locks cannot be written") from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _save(directory: Path, device_id: str, memory: Memory) -> None:
    lock = memory.lock
    content = _File(
        note=NOTE,
        model=lock.model.name,
        capacity=lock.model.capabilities.max_codes,
        next_id=lock.next_id,
        admin_pin=lock.admin_pin,
        slots=lock.slots,
        journal=memory.journal,
    )
    path = path_of(directory, device_id)
    new = path.with_suffix(".new")
    try:
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(msgspec.json.format(msgspec.json.encode(content, enc_hook=_digits), indent=2))
        new.replace(path)
    except OSError:
        raise NoLockFile("the file of this simulated lock cannot be written") from None


def _digits(value: object) -> str:
    if isinstance(value, Pin):
        return value.reveal()
    raise NotImplementedError


def _pin(_type: type, value: Any) -> Pin:  # noqa: ANN401 - whatever stands in the file
    if not isinstance(value, str):
        raise TypeError("digits stand between quotes")
    try:
        return Pin(value)
    except InvalidInput:
        raise ValueError("not a PIN") from None


_DECODER = msgspec.json.Decoder(_File, dec_hook=_pin)
