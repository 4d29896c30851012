"""What people, the lock and time do, as words for tables of tests: each is carried out on a bench."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from gateway.domain.driver import LockEvent
from tests.engine.bench import Bench, Fault
from tests.engine.build import DOOR

type Deed = Callable[[Bench], Awaitable[object]]
PIN = "471134"
OURS = "20"
"""The slot of the one code of a house: the highest."""


def create(pin: str = PIN, /, **wishes: Any) -> Deed:  # noqa: ANN401 - JSON
    """Ask for a code."""
    return lambda bench: bench.create(pin, **wishes)


def update(**changes: Any) -> Deed:  # noqa: ANN401 - JSON
    """Ask for something else of the code that was created first."""
    return lambda bench: bench.do("access_codes/update", access_code_id=_first(bench), **changes)


def delete() -> Deed:
    """Have the code that was created first deleted."""
    return lambda bench: bench.do("access_codes/delete", access_code_id=_first(bench))


def wait(span: timedelta) -> Deed:
    """Let the hub work for a while."""
    return lambda bench: bench.settle(span)


def told(*events: LockEvent) -> Deed:
    """Let the lock, or what reaches it, tell something."""

    async def tell(bench: Bench) -> None:
        for event in events:
            await bench.tell(event)

    return tell


def found() -> Deed:
    """Let the driver find the lock."""
    return lambda bench: bench.tell(bench.seen())


def by_hand(slot: str, pin: str | None, event: LockEvent | None = None) -> Deed:
    """Type another PIN into a slot at the keypad, or none; the lock says so with `event`."""

    async def act(bench: Bench) -> None:
        if pin is None:
            bench.lock.clear(slot)
        else:
            bench.by_hand(slot, pin)
        if event is not None:
            await bench.tell(event)

    return act


def failing(fault: Fault, times: int = 500) -> Deed:
    """Let the next operations fail."""

    async def act(bench: Bench) -> None:
        bench.driver.faults = [fault] * times

    return act


def off(span: timedelta) -> Deed:
    """Switch the hub off for a while, and on again."""

    async def act(bench: Bench) -> None:
        bench.clock.pass_by(span)
        bench.boot()
        await bench.start()

    return act


def _first(bench: Bench) -> str:
    codes = bench.store.do(lambda tx: tx.codes())
    return min((code for code in codes if code.device_id == DOOR), key=lambda c: c.created_at).access_code_id
