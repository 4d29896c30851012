"""A batch of work on one simulated lock, done on its file."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from drivers.simulated.files import NoLockFile, changing, load
from drivers.simulated.lock import SimulatedLock
from gateway.domain.credential import Credential, Evidence, Reading, SlotRef
from gateway.domain.driver import LockUnreachable, Refused, Written
from gateway.domain.lock import Readback
from gateway.domain.placement import Refusal


class FileSession:
    """Carries out what the hub asks. Every method raises LockUnreachable when the file is gone or damaged."""

    def __init__(self, directory: Path, device_id: str) -> None:
        """Nothing is opened until the first operation."""
        self._directory = directory
        self._device_id = device_id

    async def read(self, slot: SlotRef) -> Reading:
        """Read one slot. Raises Refused (format) for a slot that the lock does not have."""
        with _reached():
            return load(self._directory, self._device_id).lock.read(slot)

    async def read_all(self) -> Mapping[SlotRef, Reading]:
        """Read all taken slots, on any model."""
        with _reached():
            return load(self._directory, self._device_id).lock.read_all()

    async def probe(self) -> str:
        """Return the lock's checksum. Raises Refused (other) on models that have none."""
        with _reached():
            lock = load(self._directory, self._device_id).lock
        if not lock.model.capabilities.probe:
            raise Refused(Refusal.OTHER, "this lock answers no checksum")
        return lock.checksum()

    async def write(
        self,
        slot: SlotRef | None,
        credential: Credential,
        *,
        replaces: Credential | None,  # noqa: ARG002 - overwriting needs no old PIN here
    ) -> Written:
        """Store a credential. Raises Refused as `SimulatedLock.write` does."""
        with _reached(), changing(self._directory, self._device_id) as memory:
            stored = memory.lock.write(slot, credential)
            return _outcome(memory.lock, stored)

    async def clear(
        self,
        slot: SlotRef,
        *,
        holds: Credential | None,  # noqa: ARG002 - deleting needs no PIN here
    ) -> Written:
        """Empty a slot. Raises Refused (format) for a slot that the lock does not have."""
        with _reached(), changing(self._directory, self._device_id) as memory:
            memory.lock.clear(slot)
            return _outcome(memory.lock, slot)


@contextmanager
def _reached() -> Iterator[None]:
    try:
        yield
    except NoLockFile as error:
        raise LockUnreachable(str(error)) from None


def _outcome(lock: SimulatedLock, slot: SlotRef) -> Written:
    """Tell what a hub learns from this kind of lock: its acknowledgement, or else a look afterwards."""
    can = lock.model.capabilities
    if can.supervised:
        return Written(slot=slot, evidence=Evidence.ACCEPTED)
    reading = None if can.readback is Readback.NONE else lock.read(slot)
    return Written(slot=slot, evidence=Evidence.SENT, reading=reading)
