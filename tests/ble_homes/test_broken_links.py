"""The link breaks before any message of an operation, in either direction: no code is lost or doubled."""

import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Literal

import pytest

from tests.ble_bed.virtual import in_virtual_time
from tests.ble_bed.yale.brain import Opcode
from tests.ble_homes.doors import DOOR, Door, NukiDoor, TTLockDoor, YaleDoor
from tests.ble_homes.families import NUKI, TTLOCK, YALE
from tests.ble_homes.home import Home, at_home

pytestmark = pytest.mark.slow

KEPT, OLD, NEW, WRONG = "834947", "762519", "958736", "547398"
OTHERS: Final = ("671938", "672938", "673938", "674938")
"""Codes of the vendor's app: a list is several messages long."""
STEPS = int(os.environ.get("PINSMITH_STEPS", "3"))
"""Messages in each direction at which the link breaks: so many of all, and so many of those that it is about.
More than there are: all."""
CHANGES: Final[Mapping[type[Door], set[int]]] = {
    NukiDoor: {0x41, 0x46, 0x47},
    TTLockDoor: {0x03},
    YaleDoor: {Opcode.CLEAR, Opcode.SET, Opcode.ACCESS, Opcode.COMMIT},
}
LISTS: Final[Mapping[type[Door], int]] = {NukiDoor: 0x43, TTLockDoor: 0x07, YaleDoor: Opcode.GET}
type Way = Literal["question", "answer"]


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One thing to do, by what the codes of the hub are called by, and what there is in the end."""

    begin: Callable[[Home, dict[str, str]], Awaitable[object]]
    command: Mapping[type[Door], int]
    """What it is about: by which it is known that it was broken there too."""
    pins: tuple[str, ...] = (KEPT, OLD)
    told: tuple[str, ...] = ()
    """Events of people at the door."""


async def _use(home: Home, _: dict[str, str]) -> None:
    for digits in (KEPT, WRONG, OLD):
        home.door.open_with(digits)
    await home.door.show_news()


async def _reset_clock(home: Home, _: dict[str, str]) -> None:
    """Have the lock lose its time; it is looked at with the next look at its codes after a restart."""
    assert isinstance(home.door, NukiDoor)
    home.door.brain.faults.clock_reset_to = home.clock.true().replace(year=2000)
    await home.restart()
    await home.do("devices/sync", device_id=DOOR)


def _each(nuki: int, ttlock: int, yale: int) -> Mapping[type[Door], int]:
    return {NukiDoor: nuki, TTLockDoor: ttlock, YaleDoor: yale}


ADD = Operation(
    begin=lambda home, _: home.create(NEW), command=_each(0x41, 0x03, Opcode.SET), pins=(KEPT, OLD, NEW)
)
CHANGE = Operation(
    begin=lambda home, ids: home.update(ids[OLD], code=NEW),
    command=_each(0x46, 0x03, Opcode.COMMIT),
    pins=(KEPT, NEW),
)
REMOVE = Operation(
    begin=lambda home, ids: home.delete(ids[OLD]), command=_each(0x47, 0x03, Opcode.CLEAR), pins=(KEPT,)
)
LIST = Operation(
    begin=lambda home, _: home.do("devices/sync", device_id=DOOR), command=_each(0x43, 0x07, Opcode.GET)
)
LOG = Operation(
    begin=_use,
    # Not for a Yale: what it gives out it forgets, and a lost answer with it.
    command={NukiDoor: 0x31, TTLockDoor: 0x25},
    told=("lock.access_denied", "lock.unlocked", "lock.unlocked"),
)
CLOCK = Operation(begin=_reset_clock, command={NukiDoor: 0x21})
_CODES = {"add": ADD, "change": CHANGE, "remove": REMOVE, "list": LIST}
EACH: Final = [
    *(
        pytest.param(*NUKI.values, it, id=f"nuki-{name}")
        for name, it in [*_CODES.items(), ("log", LOG), ("clock", CLOCK)]
    ),
    *(pytest.param(*YALE.values, it, id=f"yale-{name}") for name, it in _CODES.items()),
    *(pytest.param(*TTLOCK.values, it, id=f"ttlock-{name}") for name, it in [*_CODES.items(), ("log", LOG)]),
]


async def _prepared(home: Home) -> dict[str, str]:
    """Put codes of the hub and of the app on the lock; return the ids of the hub's by PIN."""
    for digits in OTHERS:
        home.door.app_adds(digits)
    ids = {digits: await home.create(digits) for digits in (KEPT, OLD)}
    await home.settle()
    await home.sync()
    assert len(await home.unmanaged()) == len(OTHERS)
    home.events()
    return ids


async def _unbroken(door_type: type[Door], operation: Operation, way: Way) -> list[int]:
    """Carry it out; return which command each message in one direction belonged to."""
    at: list[int] = []
    async with at_home(door_type) as home:
        door = home.door
        ids = await _prepared(home)
        if way == "question":
            door.peripheral.on_message = lambda: at.append(len(door.asked()))
        else:
            door.peripheral.on_piece = lambda: at.append(len(door.asked()) - 1)
        await operation.begin(home, ids)
        await home.settle(60)
        door.peripheral.on_message = door.peripheral.on_piece = None
        asked = door.asked()
        await _check(home, operation)
    return [asked[number] for number in at]


def _some(numbers: Sequence[int]) -> set[int]:
    """Return so many of them, spread evenly, the first and the last among them."""
    steps = min(STEPS, len(numbers))
    return {numbers[step * (len(numbers) - 1) // max(steps - 1, 1)] for step in range(steps)}


async def _check(home: Home, operation: Operation) -> None:
    """The lock holds what it should, once; all was told once, and nobody's code was taken for another's."""
    await home.settle()
    await home.sync()
    assert home.door.pins() == sorted([*operation.pins, *OTHERS])
    listed = (await home.do("access_codes/list", device_id=DOOR))["access_codes"]
    assert sorted(code["status"] for code in listed) == ["set"] * len(operation.pins)
    assert len(await home.unmanaged()) == len(OTHERS)
    told = home.events()
    assert sorted(kind for kind in told if kind.startswith("lock.")) == list(operation.told)
    assert not [kind for kind in told if "external" in kind or "unmanaged" in kind]
    if isinstance(home.door, NukiDoor):
        assert abs(home.door.brain.clock() - home.clock.true()) < timedelta(minutes=1)


def _said_at_each_end(door: Door) -> list[int]:
    """Note from now on, at each end of a connection, how many commands had come."""
    counts: list[int] = []
    door.peripheral.on_disconnect.append(lambda: counts.append(len(door.asked())))
    return counts


@pytest.mark.parametrize("way", ["question", "answer"])
@pytest.mark.parametrize(("door_type", "operation"), EACH)
@in_virtual_time
async def test_a_link_lost_at_any_message_leaves_all_as_wanted(
    door_type: type[Door], operation: Operation, way: Way
) -> None:
    """Where it broke over a change, the hub lists before it changes anything again."""
    over = await _unbroken(door_type, operation, way)
    own = [number for number, command in enumerate(over) if command == operation.command[door_type]]
    assert own
    for number in sorted(_some(own) | _some(range(len(over)))):
        async with at_home(door_type) as home:
            ids = await _prepared(home)
            peripheral = home.door.peripheral
            lost = _said_at_each_end(home.door)
            if way == "question":
                peripheral.lose_after = number
            else:
                peripheral.lose_after_pieces = number
            await operation.begin(home, ids)
            await home.settle(60)
            assert peripheral.drops == 1, number
            await home.settle()
            if over[number] in CHANGES[door_type]:
                relevant = {*CHANGES[door_type], LISTS[door_type]}
                after = [command for command in home.door.asked()[lost[0] :] if command in relevant]
                assert after[0] == LISTS[door_type], number
            await _check(home, operation)
