"""Hub and Bluetooth locks together: commands on one side, virtual locks on the other."""

import asyncio
import itertools
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest

from drivers.ble.driver import BleDriver
from drivers.ble.family import Configured
from drivers.ble.link import connect
from drivers.ble.nuki.family import configured as nuki
from drivers.ble.nuki.settings import NukiLockSettings
from drivers.ble.settings import BleSettings
from drivers.ble.ttlock.configured import configured as ttlock
from drivers.ble.ttlock.settings import TTLockSettings
from gateway.domain.lock import LockPolicy
from gateway.domain.timing import Timing
from gateway.engine.clock_guard import ClockGuard, ClockSettings
from gateway.engine.commands.desk import CommandDesk
from gateway.engine.engine import Engine
from gateway.engine.keyring import StoredKeys
from gateway.engine.turn import Rules
from gateway.engine.work import Chance
from tests.ble_bed.backend import bleak_on
from tests.ble_bed.nuki.brain import Brain
from tests.ble_bed.nuki.on_air import NukiOnAir
from tests.ble_bed.radio import Air
from tests.ble_bed.ttlock.lock import VirtualLock
from tests.ble_bed.ttlock.on_air import LockOnAir, put_on
from tests.ble_bed.virtual import VirtualClock, in_virtual_time
from tests.engine.bench import MemoryStore

CELLAR, SHED = "cellar", "shed"
SECURITY_PIN = "2468"
FINISH = 0x57
"""TTLock's "that was all" at the end of an initialisation."""


class Hub:
    """Engine, desk and driver on a store in memory."""

    def __init__(self, clock: VirtualClock, locks: Mapping[str, str]) -> None:
        self.store = MemoryStore()
        keyring, dice, ids = StoredKeys(self.store), Random(3), itertools.count(1)
        guard = ClockGuard(clock, ClockSettings())
        made: dict[str, Configured] = {}
        for device_id, family in locks.items():
            made[device_id] = (
                nuki(
                    device_id,
                    NukiLockSettings(),
                    keyring=keyring,
                    clock=clock,
                    random=dice.randbytes,
                    connect=connect,
                )
                if family == "nuki"
                else ttlock(
                    device_id,
                    TTLockSettings(),
                    keyring=keyring,
                    connect=connect,
                    clock=clock,
                    sure_time=clock.now,
                    zone=ZoneInfo("UTC"),
                    random=dice.randbytes,
                )
            )
        self.driver = BleDriver(BleSettings(), made, clock=clock, random=dice, keyring=keyring)
        self.engine = Engine(
            store=self.store,
            clock=clock,
            guard=guard,
            rules=Rules(
                timing=Timing(),
                removals_after_step=3,
                next_audit=lambda _cron, now: now + timedelta(days=1),
            ),
            chance=Chance(lambda: f"id-{next(ids)}", dice.random, dice.randrange),
            drivers=dict.fromkeys(locks.values(), self.driver),
            policies={
                device_id: LockPolicy(name=device_id, driver=name) for device_id, name in locks.items()
            },
            told=lambda _: None,
        )
        self._desk = CommandDesk(self.engine, lambda _: None)
        self._numbers = itertools.count(1)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run until the block ends."""
        await self.engine.start()
        task = asyncio.ensure_future(self.engine.run())
        await asyncio.sleep(1)
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            self.store.close()

    async def do(self, verb: str, **params: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
        """Give a command that must succeed; return its data."""
        body = {"transaction": f"t{next(self._numbers)}", **params}
        reply = msgspec.json.decode(await self._desk.execute("me", verb, msgspec.json.encode(body)))
        assert reply["status"] == "ok", reply["error"]
        data: dict[str, Any] = reply["data"]
        return data

    async def pair(self, device_id: str, **given: str) -> dict[str, Any]:
        """Pair, and return how it ended."""
        begun = await self.do("devices/pair", device_id=device_id, given=given)
        attempt_id = begun["action_attempt"]["action_attempt_id"]
        for _ in range(300):
            found = await self.do("action_attempts/get", action_attempt_id=attempt_id)
            ended: dict[str, Any] = found["action_attempt"]
            if ended["status"] != "pending":
                return ended
            await asyncio.sleep(1)
        raise AssertionError("it did not end")

    async def troubles(self, device_id: str) -> list[str]:
        """Return the codes of the errors and warnings of a lock."""
        lock = (await self.do("devices/get", device_id=device_id))["device"]
        return [e["error_code"] for e in lock["errors"]] + [w["warning_code"] for w in lock["warnings"]]

    async def status(self, code: dict[str, Any]) -> str:
        """Return the status of a code."""
        found = await self.do("access_codes/get", access_code_id=code["access_code_id"])
        return str(found["access_code"]["status"])


async def hang_up_ttlock(air: Air, clock: VirtualClock) -> tuple[VirtualLock, LockOnAir]:
    """Hang up a new TTLock."""
    lock = VirtualLock(now=lambda: clock.true().replace(tzinfo=None), key=bytes(range(16)), admin=None)
    return lock, await put_on(air, lock, "C1:00:00:00:00:05")


@in_virtual_time
async def test_a_lock_that_sleeps_waits_for_a_touch() -> None:
    """Paired at the door; then a code waits, says so, and is on the lock some seconds after a touch."""
    air, clock = Air(), VirtualClock(asyncio.get_running_loop())
    with bleak_on(air):
        lock, on_air = await hang_up_ttlock(air, clock)
        hub = Hub(clock, {SHED: "ttlock"})
        async with hub.running():
            assert await hub.troubles(SHED) == ["device_not_paired"]
            await on_air.touch()
            assert (await hub.pair(SHED))["status"] == "success"
            await asyncio.sleep(120)
            assert await hub.troubles(SHED) == []

            code = (await hub.do("access_codes/create", device_id=SHED, code="471193"))["access_code"]
            await asyncio.sleep(300)
            assert lock.codes == []
            assert await hub.troubles(SHED) == ["waiting_for_touch"]
            assert (await hub.status(code), hub.driver.health[SHED].rssi is not None) == ("setting", True)

            await on_air.touch()
            await asyncio.sleep(10)
            assert [held.current for held in lock.codes] == ["471193"]
            assert await hub.status(code) == "set"
            assert await hub.troubles(SHED) == []


@in_virtual_time
async def test_two_families_get_one_pin_over_one_adapter() -> None:
    """One is set at once, the other at a touch."""
    air, clock, dice = Air(), VirtualClock(asyncio.get_running_loop()), Random(5)
    brain = Brain(now=clock.now, random=dice.randbytes)
    with bleak_on(air):
        lock, on_air = await hang_up_ttlock(air, clock)
        keypad = await NukiOnAir.hang_up(air, "C0:00:00:00:0A:01", brain)
        hub = Hub(clock, {CELLAR: "nuki", SHED: "ttlock"})
        async with hub.running():
            brain.pairing = True
            await keypad.advertise()
            assert (await hub.pair(CELLAR, security_pin=SECURITY_PIN))["status"] == "success"
            await keypad.advertise()
            await on_air.touch()
            assert (await hub.pair(SHED))["status"] == "success"
            await asyncio.sleep(60)

            codes = (await hub.do("access_codes/create_multiple", device_ids=[CELLAR, SHED]))["access_codes"]
            await asyncio.sleep(60)
            assert [await hub.status(code) for code in codes] == ["set", "setting"]
            await on_air.touch()
            await asyncio.sleep(10)
            assert [await hub.status(code) for code in codes] == ["set", "set"]
            assert [held.current for held in lock.codes] == [codes[0]["code"]]


@in_virtual_time
async def test_a_lock_whose_initialisation_broke_off_gets_its_codes() -> None:
    """Its keys are kept, so that nobody is told to pair it again, and no restart is needed."""
    air, clock = Air(), VirtualClock(asyncio.get_running_loop())
    with bleak_on(air):
        lock, on_air = await hang_up_ttlock(air, clock)
        hub = Hub(clock, {SHED: "ttlock"})
        async with hub.running():
            await on_air.touch()
            lock.faults.silent_on = frozenset({FINISH})
            assert "not set up to the end" in (await hub.pair(SHED))["error"]["message"]
            lock.faults.silent_on = frozenset()
            await asyncio.sleep(600)

            code = (await hub.do("access_codes/create", device_id=SHED, code="471193"))["access_code"]
            await on_air.touch()
            await asyncio.sleep(60)
            assert await hub.status(code) == "set"
            assert [held.current for held in lock.codes] == ["471193"]
            assert await hub.troubles(SHED) == []


@pytest.mark.slow
@in_virtual_time
async def test_a_lock_in_place_of_another_gets_no_code_before_a_person_says_so() -> None:
    """It is paired under the old name; what the old one held is set on it afterwards, and once."""
    air, clock, dice = Air(), VirtualClock(asyncio.get_running_loop()), Random(5)
    old, new = (Brain(now=clock.now, random=dice.randbytes) for _ in range(2))
    new.nuki_id = old.nuki_id + 1
    with bleak_on(air):
        hub = Hub(clock, {CELLAR: "nuki"})
        async with hub.running():
            first = await NukiOnAir.hang_up(air, "C0:00:00:00:0A:01", old)
            await paired_with(hub, first)
            code = (await hub.do("access_codes/create", device_id=CELLAR, code="471193"))["access_code"]
            await asyncio.sleep(60)
            assert await hub.status(code) == "set"
            await first.peripheral.hide()

            await paired_with(hub, await NukiOnAir.hang_up(air, "C0:00:00:00:0A:02", new))
            await asyncio.sleep(120)
            assert "device_replaced" in await hub.troubles(CELLAR)
            assert new.memory.codes == {}

            await hub.do("devices/replace", device_id=CELLAR)
            await asyncio.sleep(120)
            assert [held.pin for held in new.memory.codes.values()] == [471193]
            assert await hub.status(code) == "set"
            assert await hub.troubles(CELLAR) == []


async def paired_with(hub: Hub, keypad: NukiOnAir) -> None:
    """Hold the button of a Nuki and pair the hub with it."""
    keypad.brain.pairing = True
    await keypad.advertise()
    assert (await hub.pair(CELLAR, security_pin=SECURITY_PIN))["status"] == "success"
    await keypad.advertise()
    await asyncio.sleep(60)


def test_a_wrong_security_pin_is_told_without_it(caplog: pytest.LogCaptureFixture) -> None:
    """The lock knows the hub by then: the right one is enough, without its button."""
    caplog.set_level(logging.DEBUG, logger="gateway")
    caplog.set_level(logging.DEBUG, logger="drivers")

    @in_virtual_time
    async def story() -> None:
        air, clock, dice = Air(), VirtualClock(asyncio.get_running_loop()), Random(5)
        brain = Brain(now=clock.now, random=dice.randbytes, pin=9753)
        with bleak_on(air):
            keypad = await NukiOnAir.hang_up(air, "C0:00:00:00:0A:01", brain)
            hub = Hub(clock, {CELLAR: "nuki"})
            async with hub.running():
                brain.pairing = True
                await keypad.advertise()
                ended = await hub.pair(CELLAR, security_pin=SECURITY_PIN)
                assert "security PIN is wrong" in ended["error"]["message"]
                await keypad.advertise()
                code = (await hub.do("access_codes/create", device_id=CELLAR, code="471193"))["access_code"]
                await asyncio.sleep(60)
                assert await hub.status(code) == "setting"
                assert "security PIN" in hub.driver.problems[CELLAR]
                assert await hub.troubles(CELLAR) == []

                ended = await hub.pair(CELLAR, security_pin="9753", keep_keys="yes")
                assert ended["status"] == "success"
                await asyncio.sleep(60)
                assert await hub.status(code) == "set"

    story()
    assert SECURITY_PIN not in caplog.text
