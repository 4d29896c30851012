"""The drivers and the workers that run, and how they come and go when the configuration changes."""

import asyncio
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

from gateway.domain.driver import Driver, EventSink
from gateway.domain.pulse import Pulse
from gateway.engine.worker import Shop, Worker

LEAVE_S = 60.0
"""Time for an operation on a lock to end by itself; cut off it is as after a crash: the lock is asked."""


class Crew:
    """Everybody who works on locks. Drivers tell `sink` what they see; `told` hears of locks with news."""

    def __init__(self, shop: Shop, told: Callable[[str], None], sink: EventSink, pulse: Pulse) -> None:
        self._shop = shop
        self._told = told
        self._sink = sink
        self._pulse = pulse
        self._workers: dict[str, Worker] = {}
        self._working: dict[str, asyncio.Task[None]] = {}
        self._driving: dict[int, tuple[Driver, asyncio.Task[None]]] = {}

    def __contains__(self, device_id: str) -> bool:
        """Say whether somebody works on a lock."""
        return device_id in self._workers

    def __iter__(self) -> Iterator[Worker]:
        """Go through the workers."""
        return iter(tuple(self._workers.values()))

    def worker(self, device_id: str) -> Worker | None:
        """Return who works on a lock."""
        return self._workers.get(device_id)

    def hire(self, drivers: Mapping[str, Driver]) -> None:
        """Have a worker for each lock of `drivers`, by device id; those there are stay."""
        for device_id, driver in drivers.items():
            if device_id not in self._workers:
                beat = self._pulse.beat(_name(device_id))
                self._workers[device_id] = Worker(device_id, self._shop, driver, self._told, beat)

    def start(self, group: asyncio.TaskGroup, drivers: Iterable[Driver]) -> None:
        """Run `drivers` and all workers in `group`, those that do not run yet.

        One driver may serve locks under several names: it runs once.
        """
        for driver in drivers:
            if id(driver) not in self._driving:
                name = f"driver {type(driver).__name__}"
                task = group.create_task(driver.run(self._sink), name=name)
                self._driving[id(driver)] = driver, task
        for device_id, worker in self._workers.items():
            if device_id not in self._working:
                self._working[device_id] = group.create_task(worker.run(), name=_name(device_id))

    async def dismiss(self, wanted: Mapping[str, Driver]) -> None:
        """End the workers of locks that `wanted` does not have with that driver, then the drivers left over.

        Each may end the operation in hand, for LEAVE_S at most.
        """
        leaving = [name for name, worker in self._workers.items() if wanted.get(name) is not worker.driver]
        for device_id in leaving:
            self._workers.pop(device_id).leave()
        tasks = [self._working.pop(device_id) for device_id in leaving if device_id in self._working]
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=LEAVE_S)
            await _cancel(late)
        for device_id in leaving:
            self._pulse.drop(_name(device_id))
        kept = {id(driver) for driver in wanted.values()}
        await _cancel([self._driving.pop(key)[1] for key in self._driving.keys() - kept])


async def _cancel(tasks: Collection[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks)


def _name(device_id: str) -> str:
    return f"lock {device_id}"
