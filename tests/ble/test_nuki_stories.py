"""What happens to a Nuki beside the hub, with the whole hub behind it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from random import Random
from typing import Any

import pytest

from drivers.ble.nuki.commands import Command
from gateway.engine.mutations import instant
from tests.ble.test_whole_hub import CELLAR, Hub, paired_with
from tests.ble_bed.backend import bleak_on
from tests.ble_bed.nuki.brain import Brain
from tests.ble_bed.nuki.memory import Code
from tests.ble_bed.nuki.on_air import NukiOnAir
from tests.ble_bed.radio import Air
from tests.ble_bed.virtual import VirtualClock, in_virtual_time

GUESTS, FAMILY = ("471193", "471194"), (864213, 864214)


class Home:
    """A hub, and a Nuki that it is paired with."""

    def __init__(self, hub: Hub, keypad: NukiOnAir, clock: VirtualClock) -> None:
        self.hub, self.keypad, self.clock = hub, keypad, clock
        self.brain = keypad.brain

    async def create(self, pin: str, **params: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
        """Create a code."""
        made = await self.hub.do("access_codes/create", device_id=CELLAR, code=pin, **params)
        return dict(made["access_code"])

    def pins(self) -> list[int]:
        """Return what is really on the lock."""
        return sorted(code.pin for code in self.brain.memory.codes.values())

    async def told(self) -> list[str]:
        """Return the types of all events about codes."""
        events = (await self.hub.do("events/list", limit=500))["events"]
        return [event["event_type"] for event in events if event["event_type"].startswith("access_code")]


@asynccontextmanager
async def home() -> AsyncIterator[Home]:
    """Pair a hub with a Nuki."""
    air, clock, dice = Air(), VirtualClock(asyncio.get_running_loop()), Random(5)
    with bleak_on(air):
        keypad = await NukiOnAir.hang_up(
            air, "C0:00:00:00:0A:01", Brain(now=clock.now, random=dice.randbytes)
        )
        hub = Hub(clock, {CELLAR: "nuki"})
        async with hub.running():
            await paired_with(hub, keypad)
            yield Home(hub, keypad, clock)


@in_virtual_time
async def test_a_family_s_codes_on_a_lock_that_was_reset_stay() -> None:
    """They got the numbers that the guests' codes had. The guests' codes come back beside them."""
    async with home() as it:
        codes = [await it.create(pin) for pin in GUESTS]
        await asyncio.sleep(600)
        memory = it.brain.memory
        numbers = sorted(memory.codes)
        memory.codes.clear()
        memory.users.clear()
        memory.next_code = numbers[0]
        for pin in FAMILY:
            memory.add(Code(pin=pin, name=b"Family".ljust(20, b"\0"), created=it.clock.now()))
        assert sorted(memory.codes) == numbers

        await paired_with(it.hub, it.keypad)
        await asyncio.sleep(600)
        assert it.pins() == sorted([*map(int, GUESTS), *FAMILY])
        assert [await it.hub.status(code) for code in codes] == ["set", "set"]
        assert "access_code.modified_external_to_gateway" not in await it.told()


@pytest.mark.parametrize("answer", [0x23, 0x24])
@in_virtual_time
async def test_a_code_deleted_while_it_waited_for_its_start_is_added_again(answer: int) -> None:
    """The lock says that there is no such code; the guest waits half a minute, and not until the audit."""
    async with home() as it:
        it.brain.faults.unknown_id = answer
        starts = it.clock.now() + timedelta(minutes=20)
        guest = await it.create(
            GUESTS[0], starts_at=instant(starts), ends_at=instant(starts + timedelta(days=1))
        )
        other = await it.create(GUESTS[1])
        await asyncio.sleep(900)
        (number,) = (n for n, code in it.brain.memory.codes.items() if code.pin == int(GUESTS[0]))
        assert not it.brain.memory.codes.pop(number).enabled

        await asyncio.sleep(360)
        assert it.pins() == sorted(map(int, GUESTS))
        assert it.brain.type_code(int(GUESTS[0]))
        assert [await it.hub.status(code) for code in (guest, other)] == ["set", "set"]
        assert (await it.told()).count("access_code.deleted_external_to_gateway") == 1


@in_virtual_time
async def test_a_staged_code_that_could_not_be_disabled_at_once_is_blamed_on_nobody() -> None:
    """The lock took it, enabled, and was busy when it was to be disabled."""
    async with home() as it:
        it.brain.faults.refuses = {Command.UPDATE_CODE: 0x45}
        starts = it.clock.now() + timedelta(minutes=20)
        guest = await it.create(
            GUESTS[0], starts_at=instant(starts), ends_at=instant(starts + timedelta(days=1))
        )
        await asyncio.sleep(10)
        assert [code.enabled for code in it.brain.memory.codes.values()] == [True]
        it.brain.faults.refuses = {}
        await asyncio.sleep(300)
        assert [code.enabled for code in it.brain.memory.codes.values()] == [False]
        await asyncio.sleep(1200)
        assert await it.hub.status(guest) == "set"
        assert "access_code.modified_external_to_gateway" not in await it.told()
