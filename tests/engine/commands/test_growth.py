"""What a look at the whole house costs grows with the house and no faster: counted, not timed."""

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest

from drivers.simulated.models import READABLE
from gateway.engine.mutations import instant
from tests.engine.build import DAY, NOON
from tests.engine.commands.house import House, house

VERBS = pytest.mark.parametrize("verb", ["access_codes/list", "plan/get", "devices/list"])
SLACK = 1.1
"""Some calls come in steps: caches that fill, trees that get a level more."""


type When = Callable[[int], dict[str, Any]]


def guest(number: int) -> dict[str, Any]:
    """Return the time of a guest: every day one comes."""
    return {"starts_at": instant(NOON + (number + 1) * DAY)}


def staff(_number: int) -> dict[str, Any]:
    """Return windows that come back, the same for everybody."""
    return {"recurrence": {"cron": "0 9 * * 4", "minutes": 180}}


async def filled(it: House, codes: int, when: When = guest) -> None:
    """Give every lock so many codes, most of them for later."""
    for number in range(codes):
        for door in it.locks:
            await it.do("access_codes/create", device_id=door, code=f"4711{number:02}", **when(number))
    await it.settle()


async def cost(it: House, verb: str) -> tuple[int, int]:
    """Return how many statements and how many calls of functions a command takes."""
    statements: list[str] = []
    calls = 0

    def count(_frame: FrameType, event: str, _argument: Any) -> None:  # noqa: ANN401 - as the interpreter tells it
        nonlocal calls
        calls += event == "call"

    it.store.watch(statements.append)
    before: Callable[..., object] | None = sys.getprofile()
    sys.setprofile(count)
    try:
        await it.do(verb)
    finally:
        sys.setprofile(before)
        it.store.watch(None)
    return len(statements), calls


@VERBS
async def test_five_times_the_locks_take_five_times_the_work(verb: str) -> None:
    """In statements and in calls."""
    found = []
    for doors in (4, 20):
        async with house(**{f"door_{number}": READABLE for number in range(doors)}) as it:
            await filled(it, 2)
            found.append(await cost(it, verb))
    (few_statements, few_calls), (statements, calls) = found
    assert statements <= 5 * few_statements
    assert calls <= 5 * few_calls * SLACK


@VERBS
@pytest.mark.parametrize("when", [guest, staff])
async def test_five_times_the_codes_on_a_lock_take_five_times_the_work(verb: str, when: When) -> None:
    """And no more statements: a lock is read as a whole, however much is on it."""
    found = []
    for codes in (8, 40):
        async with house(front=READABLE) as it:
            await filled(it, codes, when)
            found.append(await cost(it, verb))
    (few_statements, few_calls), (statements, calls) = found
    assert statements == few_statements
    assert calls <= 5 * few_calls * SLACK
