"""Another configuration taken over by an engine that runs, in an event loop whose time jumps."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import override

import pytest
from msgspec.structs import replace

from drivers.simulated.driver import SimulatedDriver
from drivers.simulated.models import READABLE
from drivers.simulated.settings import SimulatedLockSettings, SimulatedSettings
from gateway.domain.credential import Credential, SlotRef
from gateway.domain.driver import Written
from gateway.domain.lock import Link, LockPolicy
from gateway.domain.pulse import Beat, Limits, Pulse
from gateway.domain.timing import Timing
from gateway.engine.crew import LEAVE_S
from tests.engine.bench import Bench
from tests.engine.build import DOOR, NOON
from tests.engine.test_running import LoopClock, Patient
from tests.heard import listening
from tests.simulation.loop import run_virtual

PIN = "471134"


class Slow(Patient):
    """A driver whose writes take their time."""

    write_s = 0.0
    """Seconds from the moment the lock has stored the code until the answer."""

    @override
    async def write(
        self, slot: SlotRef | None, credential: Credential, *, replaces: Credential | None
    ) -> Written:
        written = await super().write(slot, credential, replaces=replaces)
        await asyncio.sleep(self.write_s)
        return written


async def taken_over(
    bench: Bench, driver: Patient, policy: LockPolicy | None = None, beat: Beat | None = None
) -> None:
    """Have the engine reach the lock through `driver`, under `policy` unless that stays."""
    await bench.engine.take_over(
        rules=bench.engine.shop.rules,
        drivers={"bench": driver},
        policies={DOOR: policy or bench.policy},
        beat=beat,
    )


def told(story: Callable[[Bench, Slow], Awaitable[None]]) -> None:
    """Run a hub with one lock while `story` is told."""
    bench = Bench(READABLE)

    async def main() -> None:
        bench.clock = LoopClock()
        driver = bench.driver = Slow(bench)
        bench.boot()
        await bench.engine.start()
        hub = asyncio.ensure_future(bench.engine.run())
        driver.reports.put_nowait(bench.seen())
        await asyncio.sleep(1)
        await story(bench, driver)
        hub.cancel()
        await asyncio.gather(hub, return_exceptions=True)

    run_virtual(main())
    bench.store.close()


def test_a_lock_that_keeps_its_driver_notices_only_the_policy() -> None:
    """A write in hand goes on, and the lock counts as reachable all the while."""

    async def story(bench: Bench, driver: Slow) -> None:
        driver.write_s = 30.0
        await bench.create(PIN)
        await asyncio.sleep(1)
        began = asyncio.get_running_loop().time()
        await taken_over(bench, driver, replace(bench.policy, name="Front"))
        assert asyncio.get_running_loop().time() == began
        device = bench.snap().device
        assert (device.policy, device.link) == (replace(bench.policy, name="Front"), Link.ONLINE)
        await asyncio.sleep(40)
        assert [what for what, _ in driver.operations].count("write") == 1
        assert list(bench.on_lock().values()) == [PIN]

    told(story)


def test_an_operation_in_hand_may_end_before_the_driver_goes() -> None:
    """What it yielded counts, and the new driver has nothing to repeat."""

    async def story(bench: Bench, driver: Slow) -> None:
        driver.write_s = 30.0
        await bench.create(PIN)
        await asyncio.sleep(1)
        other = Slow(bench)
        await taken_over(bench, other)
        assert not bench.snap().intents
        assert bench.snap().device.link is Link.UNKNOWN
        other.reports.put_nowait(bench.seen())
        await asyncio.sleep(120)
        assert "write" not in [what for what, _ in other.operations]
        assert list(bench.on_lock().values()) == [PIN]

    told(story)


def test_an_operation_that_hangs_is_cut_off_and_asked_about() -> None:
    """As after a crash: it may have worked, so the lock is asked and no second slot is taken."""

    async def story(bench: Bench, driver: Slow) -> None:
        driver.write_s = 1_000_000.0
        await bench.create(PIN)
        await asyncio.sleep(1)
        began = asyncio.get_running_loop().time()
        other = Slow(bench)
        await taken_over(bench, other)
        assert asyncio.get_running_loop().time() - began == pytest.approx(LEAVE_S)
        assert bench.snap().intents
        other.reports.put_nowait(bench.seen())
        await asyncio.sleep(120)
        assert not bench.snap().intents
        assert list(bench.on_lock().values()) == [PIN]

    told(story)


def test_rules_count_at_once() -> None:
    """A code whose time to be set comes nearer with a longer lead is set now."""

    async def story(bench: Bench, driver: Slow) -> None:
        starts = NOON + timedelta(days=2)
        await bench.create(
            PIN, starts_at=starts.isoformat(), ends_at=(starts + timedelta(days=1)).isoformat()
        )
        await asyncio.sleep(5)
        assert bench.on_lock() == {}
        await bench.engine.take_over(
            rules=replace(bench.engine.shop.rules, timing=Timing(lead=timedelta(days=3))),
            drivers={"bench": driver},
            policies={DOOR: bench.policy},
        )
        await asyncio.sleep(5)
        assert list(bench.on_lock().values()) == [PIN]

    told(story)


def test_a_full_disk_makes_the_new_configuration_wait() -> None:
    """It is taken over as a whole once there is room; that it waits is told once, and that it is over."""

    async def story(bench: Bench, driver: Slow) -> None:
        bench.store.failing = True
        with listening("gateway.engine.engine") as records:
            taking = asyncio.ensure_future(taken_over(bench, driver, replace(bench.policy, name="Front")))
            await asyncio.sleep(25)
            assert not taking.done()
            bench.store.failing = False
            await taking
        assert [
            (r.levelname, r.getMessage().split(":")[0]) for r in records if r.levelno > logging.DEBUG
        ] == [
            ("ERROR", "The new configuration waits for the database"),
            ("INFO", "The new configuration is stored, after 30 s and 3 failed attempts"),
        ]
        policy = bench.snap().device.policy
        assert policy is not None
        assert policy.name == "Front"

    told(story)


def test_a_new_configuration_that_waits_for_hours_is_no_hanging() -> None:
    """To start anew would free no space, and would end what works."""

    async def story(bench: Bench, driver: Slow) -> None:
        bench.store.failing = True
        reload = driver.pulse.beat("reload")
        reload.on_radio()
        taking = asyncio.ensure_future(taken_over(bench, driver, replace(bench.policy, name="Front"), reload))
        for _ in range(30):
            await asyncio.sleep(300)
            assert driver.pulse.stuck() == {}
        bench.store.failing = False
        await taking

    told(story)


def test_a_driver_that_went_while_it_slept_is_no_hanging(tmp_path: Path) -> None:
    """The database may not take the new configuration for hours, and nobody goes on with its sign of life."""

    async def story(bench: Bench, driver: Slow) -> None:
        pulse = driver.pulse
        old = SimulatedDriver(
            SimulatedSettings(),
            {DOOR: SimulatedLockSettings()},
            clock=bench.clock,
            directory=tmp_path,
            beat=pulse.beat("simulated"),
        )
        rules, policies = bench.engine.shop.rules, {DOOR: bench.policy}
        await bench.engine.take_over(rules=rules, drivers={"bench": old}, policies=policies)
        await asyncio.sleep(1)
        bench.store.failing = True
        reload = pulse.beat("reload")
        taking = asyncio.ensure_future(taken_over(bench, Slow(bench), beat=reload))
        for _ in range(30):
            await asyncio.sleep(300)
            assert pulse.stuck() == {}
        bench.store.failing = False
        await taking

    told(story)


def test_pairing_is_not_cut_off() -> None:
    """What would end the driver at work is refused, in words; what leaves it alone is not."""

    async def story(bench: Bench, driver: Slow) -> None:
        bench.engine.pairings.under_way.add(DOOR)
        policies = {DOOR: bench.policy}
        assert bench.engine.hindrance({"bench": driver}, policies) is None
        found = bench.engine.hindrance({"bench": Slow(bench)}, policies)
        assert found is not None
        assert "is being paired" in found

    told(story)


def test_a_lock_that_left_gives_no_more_signs_of_life() -> None:
    """A worker that has gone is not stuck."""

    async def story(bench: Bench, driver: Slow) -> None:
        assert bench.engine._crew.worker(DOOR) is not None
        await bench.engine.take_over(rules=bench.engine.shop.rules, drivers={"bench": driver}, policies={})
        assert bench.engine._crew.worker(DOOR) is None
        await asyncio.sleep(100_000)
        assert bench.engine._crew._pulse.stuck() == {}

    told(story)


def test_an_operation_without_end_is_told_by_its_sign_of_life() -> None:
    """Sleeping for an hour is none; a radio that never answers is one."""
    stuck: list[dict[str, str]] = []

    async def story(bench: Bench, driver: Slow) -> None:
        pulse = Pulse(asyncio.get_running_loop().time, Limits(radio_s=100, timer_s=10))
        bench.engine._crew._pulse = pulse
        await taken_over(bench, other := Slow(bench))
        other.reports.put_nowait(bench.seen())
        await asyncio.sleep(20_000)
        stuck.append(pulse.stuck())
        other.write_s = 1_000_000.0
        await bench.create(PIN)
        await asyncio.sleep(90)
        stuck.append(pulse.stuck())
        await asyncio.sleep(30)
        stuck.append(pulse.stuck())
        assert driver is not other

    told(story)
    assert stuck[:2] == [{}, {}]
    assert stuck[2].keys() == {f"lock {DOOR}"}
