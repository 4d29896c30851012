"""The hub is started anew, killed in the middle of a batch, or loses the link: the lock ends up as wished."""

import os
from collections.abc import Awaitable, Callable

import pytest

from tests.ble_bed.virtual import in_virtual_time
from tests.ble_homes.doors import Door
from tests.ble_homes.families import every_door
from tests.ble_homes.home import Home, at_home

pytestmark = pytest.mark.slow

KEPT, OLD, NEW, GONE, ADDED = "834947", "762519", "958736", "547398", "653874"
STEPS = int(os.environ.get("PINSMITH_STEPS", "3"))
"""Points of a batch, spread evenly, at which things go wrong. More than there are: all."""


@every_door
@in_virtual_time
async def test_a_restart_writes_nothing_and_tells_nothing_twice(door_type: type[Door]) -> None:
    """Everything is known from the database."""
    async with at_home(door_type) as home:
        code_id = await home.create(KEPT)
        await home.create(OLD)
        await home.settle()
        home.events()
        written = home.door.changes()
        await home.restart()
        await home.settle()
        assert home.door.changes() == written
        assert home.events() == []
        assert (await home.shown(code_id))["status"] == "set"


async def _batch(home: Home) -> tuple[list[str], int]:
    """Ask for a change, a removal and a new code at once; return the ids and the messages so far."""
    kept, changed, gone = [await home.create(pin) for pin in (KEPT, OLD, GONE)]
    await home.settle()
    home.events()
    before = home.door.peripheral.messages
    await home.update(changed, code=NEW)
    await home.delete(gone)
    return [kept, changed, await home.create(ADDED)], before


async def _length(door_type: type[Door]) -> int:
    """Return how many messages the batch takes, second looks included; on a lock that sleeps in one touch."""
    async with at_home(door_type) as home:
        _, before = await _batch(home)
        await home.settle(60)
        return home.door.peripheral.messages - before


async def _check(home: Home, ids: list[str]) -> None:
    """The lock holds what was asked for, once; everything was told once, and no code is a stranger."""
    assert home.door.pins() == sorted([KEPT, NEW, ADDED])
    assert [(await home.shown(one))["status"] for one in ids] == ["set", "set", "set"]
    assert await home.unmanaged() == []
    told = home.events()
    assert told.count("access_code.removed_from_device") == 1
    assert told.count("access_code.deleted") == 1
    assert told.count("access_code.unmanaged.created") == 0
    assert not [kind for kind in told if "external" in kind]
    for slot in home.snap().slots.values():
        assert slot.unmanaged_id is None


async def _at_every_step(
    door_type: type[Door],
    go_wrong: Callable[[Home], None],
    mend: Callable[[Home], Awaitable[None]],
    *,
    but_last: int = 0,
) -> None:
    """Let it go wrong at some messages of the batch; `mend` says first whether it really did."""
    length = await _length(door_type) - but_last
    steps = min(STEPS, length)
    for at in (1 + step * length // steps for step in range(steps)):
        async with at_home(door_type) as home:
            ids, before = await _batch(home)
            _when(home, before + at, go_wrong)
            await home.settle(60)
            assert home.door.peripheral.on_message is None, at
            await mend(home)
            await home.settle()
            await home.settle()
            await _check(home, ids)


def _when(home: Home, number: int, go_wrong: Callable[[Home], None]) -> None:
    """Have something go wrong once, when that message comes in."""

    def heard() -> None:
        if home.door.peripheral.messages == number:
            home.door.peripheral.on_message = None
            go_wrong(home)

    home.door.peripheral.on_message = heard


async def _restart(home: Home) -> None:
    assert not home.alive
    await home.restart()


async def _one_link_broke(home: Home) -> None:
    assert home.door.peripheral.lose_after is None
    assert home.door.peripheral.drops == 1


def _lose_answer(home: Home) -> None:
    """Break the link once the lock has acted and before it answers."""

    async def cut() -> None:
        home.door.peripheral.weather.mute = True
        await home.door.peripheral.drop()
        home.door.peripheral.weather.mute = False

    home.door.peripheral.soon(cut())


def _lose_question(home: Home) -> None:
    """Break the link before the next message is acted upon."""
    home.door.peripheral.lose_after = 0


@every_door
@in_virtual_time
async def test_a_hub_killed_in_the_middle_of_a_batch_ends_it_when_it_comes_back(
    door_type: type[Door],
) -> None:
    """The lock acts on what it heard last; of its answer nothing is stored."""
    await _at_every_step(door_type, Home.kill, _restart)


@every_door
@in_virtual_time
async def test_a_link_lost_before_an_answer_leads_to_no_second_code(door_type: type[Door]) -> None:
    """The hub looks before it writes again."""
    await _at_every_step(door_type, _lose_answer, _one_link_broke)


@every_door
@in_virtual_time
async def test_a_link_lost_before_a_question_arrives_loses_nothing(door_type: type[Door]) -> None:
    """It is asked again."""
    await _at_every_step(door_type, _lose_question, _one_link_broke, but_last=1)
