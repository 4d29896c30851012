"""One configured lock as the driver sees it at the moment."""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from drivers.zwave.alarms import CodeAdded, CodeDeleted, DuplicateRefused, Signal
from drivers.zwave.node import Node
from drivers.zwave.schedules import Room
from drivers.zwave.settings import ZwaveLockSettings
from drivers.zwave.watch import Watch
from gateway.domain.clock import Clock
from gateway.domain.credential import Empty, Known, Schedule, SlotRef
from gateway.domain.driver import (
    AllCleared,
    LockEvent,
    LockUnreachable,
    SlotReported,
    SlotTouched,
    WriteRefused,
)
from gateway.domain.lock import Capabilities
from gateway.domain.placement import Refusal
from gateway.domain.trouble import Trouble, about

_LOG = logging.getLogger(__name__)

HOLD_S = 0.3
"""How long a signal is held back that a later one of the same frame may explain. The server sends what one
frame says as several events within milliseconds; a loaded Raspberry Pi takes longer."""


SERIAL_TRIES = 3
"""So often a lock is asked for its serial number in vain: each may cost it three wake-ups."""


class ZwaveLock:
    """What is known of a lock, and who waits for a word from it."""

    def __init__(
        self, device_id: str, settings: ZwaveLockSettings, clock: Clock, tell: Callable[[LockEvent], None]
    ) -> None:
        """Start without a node; `tell` takes what the engine shall know."""
        self.device_id = device_id
        self.settings = settings
        self.turn = asyncio.Lock()
        self.node: Node | None = None
        self.capabilities: Capabilities | None = None
        """None while the lock is not to be worked with; `problem` says why."""
        self.problem: str | None = "the Z-Wave server has not been reached yet"
        self.dead = False
        self.serial_due = True
        """Whether it is to be asked for its serial number; survives the connection, as asking may wake it."""
        self.serial_tries = 0
        """Questions after it that stayed without answer; `SERIAL_TRIES` where there is no more to learn."""
        self.place: tuple[int, int] | None = None
        """Network and node that those are about."""
        self.included_anew = False
        self.reports: Counter[int] = Counter()
        """How often each slot was reported, asked for or not."""
        self.tells_of_writes = True
        """Whether the lock told of our last write unasked; those that never do are not waited for."""
        self.room: Room | None = None
        """Room for schedules; None where the lock keeps none, or is not allowed to."""
        self.seen_schedules: dict[str, Schedule | None] = {}
        """What a look at a slot has shown since its last write; None where a failure left that unknown."""
        self._tell = tell
        self._unfit = Trouble(_LOG, "not_managed", clock.boot, lock=device_id, tried=False)
        self._watches: list[Watch] = []
        self._held: list[SlotReported] = []
        self._release: asyncio.TimerHandle | None = None
        self._unsure: tuple[SlotRef, float] | None = None

    def ask_serial_anew(self) -> None:
        """Forget what was asked: another lock may be on the node by now."""
        self.serial_due, self.serial_tries = True, 0

    def unfit(self, problem: str) -> None:
        """Stop working with the lock, and say why."""
        if problem != self.problem:
            self._unfit.begins(f"{self.device_id} is not managed: {problem}")
        self.problem, self.capabilities = problem, None

    def fit(self, capabilities: Capabilities) -> None:
        """Work with the lock."""
        self._unfit.ends(f"{self.device_id} is managed")
        self.problem, self.capabilities = None, capabilities

    def reached(self) -> Node:
        """Return its node. Raises LockUnreachable where there is none at the moment."""
        if self.node is None:
            raise LockUnreachable(self.problem or "the lock is not in the network")
        return self.node

    def able(self) -> Capabilities:
        """Return what it can do. Raises LockUnreachable while that is not known."""
        if self.capabilities is None:
            raise LockUnreachable(self.problem or "the lock has not been examined")
        return self.capabilities

    @contextmanager
    def watched_by[W: Watch](self, watch: W, linger_s: float = 0.0) -> Iterator[W]:
        """Let `watch` have the first look at every signal, and `linger_s` seconds longer than the block."""
        self._watches.append(watch)
        try:
            yield watch
        finally:
            if linger_s > 0:
                asyncio.get_running_loop().call_later(linger_s, self._watches.remove, watch)
            else:
                self._watches.remove(watch)

    def may_refuse(self, slot: SlotRef, until: float) -> None:
        """Take a duplicate told until then, by the loop's clock, for a refusal of what was written here."""
        self._unsure = (slot, until)

    def writes(self, slot: SlotRef) -> None:
        """Take a duplicate told from now on for no refusal of what was written here before."""
        if self._unsure is not None and self._unsure[0] == slot:
            self._unsure = None

    def seen(self, signal: Signal) -> None:
        """Take a signal: for a watch that waits for it, else for the engine."""
        if (
            isinstance(signal, DuplicateRefused)
            and self._unsure is not None
            and signal.slot == self._unsure[0]
        ):
            self._duplicate()  # Told so late that another slot is written meanwhile.
            return
        if any(watch.takes(signal) for watch in self._watches):
            return
        match signal:
            case DuplicateRefused():
                self._duplicate()
            case CodeAdded(slot=slot) | CodeDeleted(slot=slot):
                self._pass_on(SlotTouched(device_id=self.device_id, slot=slot))
            case SlotReported(reading=Empty()):
                self._hold(signal)
            case SlotReported(slot=slot, reading=Known()) if self.room is not None:
                # Digits are only half of what such a slot holds: the schedule has to be asked for.
                self._pass_on(SlotTouched(device_id=self.device_id, slot=slot))
            case AllCleared():
                # The server empties its memory of all slots and tells so before the event: no lock said that.
                self._held.clear()
                self._pass_on(signal)
            case _:
                self._pass_on(signal)

    def _duplicate(self) -> None:
        unsure, self._unsure = self._unsure, None
        if unsure is not None and asyncio.get_running_loop().time() <= unsure[1]:
            self._pass_on(WriteRefused(device_id=self.device_id, slot=unsure[0], reason=Refusal.DUPLICATE))
            return
        words = "refused a duplicate that was not ours"
        _LOG.info("%s %s", self.device_id, words, extra=about(lock=self.device_id))

    def _hold(self, report: SlotReported) -> None:
        if self.settings.readback == "none":
            return  # Such a lock says "available" of every slot.
        self._held.append(report)
        if self._release is not None:
            self._release.cancel()
        self._release = asyncio.get_running_loop().call_later(HOLD_S, self._release_held)

    def _release_held(self) -> None:
        held, self._held = self._held, []
        for report in held:
            self._tell(report)

    def _pass_on(self, event: LockEvent) -> None:
        if isinstance(event, SlotReported):
            self._release_held()
        self._tell(event)
