"""Notices what people did to one simulated lock since the last look at its file."""

from collections.abc import Awaitable, Callable
from pathlib import Path

from drivers.simulated.files import Memory, NoLockFile, install, load, path_of
from drivers.simulated.models import MODELS, Model
from drivers.simulated.reports import told
from drivers.simulated.settings import SimulatedLockSettings
from gateway.domain.driver import LockDead, LockEvent, LockSeen
from gateway.domain.lock import Identity

type Tell = Callable[[LockEvent], Awaitable[None]]
"""Returns when the event is stored."""
_NEVER: tuple[int, ...] = ()
"""Like no file, and unlike no file (None): makes the next look read it."""


class Watch:
    """One lock under observation. A file that is missing or damaged is a lock that does not answer."""

    def __init__(self, directory: Path, device_id: str, settings: SimulatedLockSettings) -> None:
        """Remember whom to watch; the first `look` hangs up the lock where there is none."""
        self._directory = directory
        self._device_id = device_id
        self._reports = settings.reports
        model = MODELS[settings.model]
        self._model = model if settings.slots is None else model.with_slots(settings.slots)
        self._stamp: tuple[int, ...] | None = _NEVER
        self._answers = False
        self._told: int | None = None

    async def begin(self, tell: Tell) -> None:
        """Hang up the lock where there is none, and tell that it is there or that it does not answer.

        What people did before the first beginning was told to nobody, as with a lock out of range.
        """
        self._answers = False
        self._stamp = _NEVER
        try:
            memory = install(self._directory, self._device_id, self._model)
        except NoLockFile:
            await tell(LockDead(device_id=self._device_id))
            return
        if self._told is None:
            self._told = memory.last_number
        await self._tell(memory, tell)

    async def look(self, tell: Tell) -> None:
        """Tell what is new, if the file is another than at the last look."""
        stamp = self._look_of_file()
        if stamp == self._stamp:
            return
        self._stamp = stamp
        try:
            memory = load(self._directory, self._device_id)
        except NoLockFile:
            if self._answers:
                self._answers = False
                await tell(LockDead(device_id=self._device_id))
            return
        await self._tell(memory, tell)

    async def _tell(self, memory: Memory, tell: Tell) -> None:
        if not self._answers:
            self._answers = True
            await tell(self._seen(memory))
        # A smaller number means another file in the same place: its past is not ours to tell.
        if self._told is None or self._told > memory.last_number:
            self._told = memory.last_number
        for entry in memory.journal:
            if entry.number <= self._told:
                continue
            event = told(self._device_id, memory.lock, entry, self._reports)
            if event is not None:
                await tell(event)
            self._told = entry.number

    def _seen(self, memory: Memory) -> LockSeen:
        model: Model = memory.lock.model
        return LockSeen(
            device_id=self._device_id,
            identity=Identity(
                network="simulated", manufacturer="pinsmith", product=model.name, serial=self._device_id
            ),
            capabilities=model.capabilities,
        )

    def _look_of_file(self) -> tuple[int, ...] | None:
        try:
            status = path_of(self._directory, self._device_id).stat()
        except (OSError, NoLockFile):
            return None
        return (status.st_ino, status.st_mtime_ns, status.st_size)
