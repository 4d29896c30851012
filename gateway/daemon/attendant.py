"""Looks after the daemon for the service manager: ready, one line of status, signs of life."""

import asyncio
import logging
from collections.abc import Callable
from typing import NoReturn

from msgspec import Struct

from gateway.daemon.notify import Notifier
from gateway.domain.pulse import Beat, Pulse
from gateway.domain.store import LastingFailure, StorageFailed, Store, Tx
from gateway.domain.trouble import Trouble

_log = logging.getLogger(__name__)
LOOK_S = 5.0
"""Seconds between two looks at the database: so long a line of status may be old."""
UNWATCHED_S = 30.0
"""Seconds between two looks for what is stuck where no service manager waits for signs of life."""
_SHARE = 0.4
"""Part of the time that systemd allows between two signs of life: two come before it loses patience."""


class Figures(Struct, frozen=True):
    """What one lock adds to the line of status."""

    codes: int
    """Codes that are on it, as far as is known."""
    troubles: int
    """Codes of it that have an error; 1 if only the lock itself has one."""


class Attendant:
    """Gives signs of life for as long as every task does, and counts codes and troubles."""

    def __init__(
        self,
        notifier: Notifier,
        pulse: Pulse,
        store: Store,
        *,
        broker: Callable[[], str],
        clock: Callable[[], float],
    ) -> None:
        """Tell `notifier`; `broker` says in a word how the link to the broker is.

        `clock` returns seconds that never go back.
        """
        self._notifier = notifier
        self._pulse = pulse
        self._store = store
        self._broker = broker
        self._clock = clock
        self._beat: Beat = pulse.beat("database")
        self._figures: dict[str, Figures] = {}
        self._due: set[str] | None = None
        self._shown = ""
        self._stuck: dict[str, Trouble] = {}
        self.note = ""
        """What else the line of status should say."""

    def told(self, device_id: str) -> None:
        """Count again what concerns a lock."""
        if self._due is not None:
            self._due.add(device_id)

    async def run(self) -> NoReturn:
        """Look, and give signs of life, until cancelled."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._look_often(), name="database")
                await self._give_signs()
        finally:
            self._notifier.stopping()

    async def look(self) -> None:
        """Count what changed and show it. Raises StorageFailed."""
        due, self._due = self._due, set()
        try:
            found = await self._store.run(lambda tx: _counted(tx, due))
        except BaseException:
            self._due = None
            raise
        if due is None:
            self._figures.clear()
        for device_id, figures in found.items():
            if figures is None:
                self._figures.pop(device_id, None)
            else:
                self._figures[device_id] = figures
        self.show()

    def show(self) -> None:
        """Tell the line of status if it is another than before."""
        line = self._line()
        if line != self._shown:
            self._shown = line
            self._notifier.status(line)

    async def _look_often(self) -> NoReturn:
        """Look; a unit that comes back, even failed, proves that the thread of the database lives."""
        while True:
            self._beat.on_memory()
            try:
                await self.look()
            except StorageFailed:
                self.show()  # Others tell of it: they have something to lose.
            self._beat.asleep(LOOK_S)
            # By the loop's clock like the beats, which stands still while the machine sleeps.
            await asyncio.sleep(LOOK_S)

    async def _give_signs(self) -> NoReturn:
        period = UNWATCHED_S if self._notifier.watchdog_s is None else self._notifier.watchdog_s * _SHARE
        while True:
            self._tell_stuck(self._pulse.stuck())
            if not self._stuck:
                self._notifier.alive()
            self.show()
            await asyncio.sleep(period)

    def _tell_stuck(self, stuck: dict[str, str]) -> None:
        """Say what hangs, by name of the task and in words, once when it begins and once when it ends."""
        for name in stuck.keys() - self._stuck.keys():
            self._stuck[name] = Trouble(_log, "stuck", self._clock, level=logging.CRITICAL, tried=False)
            self._stuck[name].begins(f"Stuck: {name} ({stuck[name]}); no more signs of life are given")
        for name in self._stuck.keys() - stuck.keys():
            self._stuck.pop(name).ends(f"No longer stuck: {name}")

    def _line(self) -> str:
        figures = self._figures.values()
        codes, troubles = sum(one.codes for one in figures), sum(one.troubles for one in figures)
        line = f"{_some(codes, 'code')} on {_some(len(figures), 'lock')}"
        if troubles:
            line += f", {troubles} in trouble"
        parts = [line, f"broker: {self._broker()}", self.note]
        if self._stuck:
            parts.insert(0, f"stuck: {', '.join(sorted(self._stuck))}")
        return "; ".join(filter(None, parts))


def _counted(tx: Tx, due: set[str] | None) -> dict[str, Figures | None]:
    """Return the figures of locks, of all where `due` is None; None for one that is gone."""
    device_ids = tx.device_ids() if due is None else sorted(due)
    return {device_id: _figures(tx, device_id) for device_id in device_ids}


def _figures(tx: Tx, device_id: str) -> Figures | None:
    try:
        with tx.part():
            return _counted_on(tx, device_id)
    except LastingFailure:
        return Figures(codes=0, troubles=1)


def _counted_on(tx: Tx, device_id: str) -> Figures | None:
    snap = tx.snapshot(device_id)
    if snap is None:
        return None
    errors = [issue for issue in tx.issues(device_id) if issue.kind.level == "error"]
    of_codes = {issue.access_code_id for issue in errors if issue.access_code_id is not None}
    return Figures(
        codes=sum(1 for placement in snap.placements.values() if placement.confirmed is not None),
        troubles=len(of_codes) or bool(errors),
    )


def _some(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
