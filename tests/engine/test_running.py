"""Workers and engine as they run, in an event loop whose time jumps from timer to timer."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import pytest
from msgspec.structs import replace

from drivers.simulated.models import READABLE
from gateway.domain.driver import EventSink, LockAlive, LockEvent, Tampered
from gateway.domain.handing_over import hand_over
from gateway.domain.placement import Snapshot
from gateway.domain.pulse import Pulse
from tests.engine.bench import Bench, BenchDriver, HandClock
from tests.engine.build import DOOR, HOUR, MINUTE, NOON, SECOND, device, snapshot
from tests.simulation.loop import run_virtual

PIN = "471134"


class LoopClock(HandClock):
    """Clocks that go by the loop's time."""

    def now(self) -> datetime:
        return self.wall + timedelta(seconds=self.boot())

    def boot(self) -> float:
        return asyncio.get_running_loop().time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class Patient(BenchDriver):
    """A driver that tells what is put into `reports`, and otherwise waits."""

    def __init__(self, bench: Bench) -> None:
        super().__init__(bench.lock)
        self.reports: asyncio.Queue[LockEvent] = asyncio.Queue()
        self.pulse = Pulse(bench.clock.boot)
        self._clock = bench.clock

    async def run(self, sink: EventSink) -> None:
        beat = self.pulse.beat("feed")
        while True:
            beat.idle()
            await hand_over(await self.reports.get(), sink, self._clock, beat)


def running(story: Callable[[Bench, Patient], Awaitable[None]]) -> Bench:
    """Run a hub with one lock while `story` is told; end it afterwards."""
    bench = Bench(READABLE)

    async def main() -> None:
        bench.clock = LoopClock()
        driver = bench.driver = Patient(bench)
        bench.boot()
        await bench.engine.start()
        hub = asyncio.ensure_future(bench.engine.run())
        driver.reports.put_nowait(bench.seen())
        await asyncio.sleep(1)
        await story(bench, driver)
        hub.cancel()
        await asyncio.gather(hub, return_exceptions=True)

    run_virtual(main())
    return bench


def test_everything_comes_about_by_itself() -> None:
    """Seen, read, written, enabled and removed in time, with nobody asking."""
    seen: list[dict[str, str]] = []

    async def story(bench: Bench, _driver: Patient) -> None:
        ends = (NOON + HOUR).isoformat()
        await bench.create(PIN, ends_at=ends)
        await asyncio.sleep(1)
        seen.append(bench.on_lock())
        await asyncio.sleep(3600 - 3)
        seen.append(bench.on_lock())
        await asyncio.sleep(5)
        seen.append(bench.on_lock())

    running(story).store.close()
    assert seen == [{"20": PIN}, {"20": PIN}, {}]


def test_a_report_wakes_the_worker() -> None:
    """What somebody did is looked into at once."""

    async def story(bench: Bench, driver: Patient) -> None:
        before = len(driver.operations)
        bench.driver.lock.delete_all()
        sync = replace(bench.snap().device, audit_at=None)
        bench.store.do(lambda tx: tx.save_device(sync))
        driver.reports.put_nowait(LockAlive(device_id=DOOR))
        await asyncio.sleep(1)
        assert len(driver.operations) > before

    running(story).store.close()


def test_a_jump_of_the_clock_wakes_every_worker() -> None:
    """Nobody has to wait for a timer that was set before."""

    async def story(bench: Bench, _driver: Patient) -> None:
        await bench.create(PIN, ends_at=(NOON + 5 * HOUR).isoformat())
        await asyncio.sleep(1)
        bench.clock.jump(6 * HOUR)
        await asyncio.sleep(3)
        assert bench.on_lock() == {}

    running(story).store.close()


def test_a_full_disk_is_waited_out(caplog: pytest.LogCaptureFixture) -> None:
    """The worker tries again after ten seconds; the store says it once, so it does so only at DEBUG."""

    async def story(bench: Bench, _driver: Patient) -> None:
        await bench.create(PIN)
        bench.store.failing = True
        await asyncio.sleep(25)
        assert bench.on_lock() == {}
        bench.store.failing = False
        await asyncio.sleep(11)
        assert list(bench.on_lock().values()) == [PIN]

    with caplog.at_level(logging.DEBUG, logger="gateway.engine.worker"):
        running(story).store.close()
    messages = [(r.levelno, r.getMessage()) for r in caplog.records if "disk" in r.getMessage()]
    assert messages == [(logging.DEBUG, f"{DOOR}: the disk is full; trying again in 10 s")] * 3


def test_a_report_is_not_lost_on_a_full_disk() -> None:
    """The driver waits until it is stored: some locks forget what they have told."""

    async def story(bench: Bench, driver: Patient) -> None:
        bench.events()
        bench.store.failing = True
        driver.reports.put_nowait(Tampered(device_id=DOOR, what="cover removed"))
        driver.reports.put_nowait(LockAlive(device_id=DOOR))
        await asyncio.sleep(25)
        assert driver.reports.qsize() == 1
        bench.store.failing = False
        await asyncio.sleep(11)
        assert bench.events() == ["device.tampered"]

    running(story).store.close()


def test_a_report_that_waits_for_a_full_disk_is_no_hanging() -> None:
    """However long it waits: to start anew frees no space, and what waits in memory would be lost."""

    async def story(bench: Bench, driver: Patient) -> None:
        bench.events()
        bench.store.failing = True
        driver.reports.put_nowait(Tampered(device_id=DOOR, what="cover removed"))
        driver.reports.put_nowait(LockAlive(device_id=DOOR))
        for _ in range(20):
            await asyncio.sleep(60)
            assert driver.pulse.stuck() == {}
        bench.store.failing = False
        await asyncio.sleep(11)
        assert bench.events() == ["device.tampered"]
        assert driver.reports.empty()

    running(story).store.close()


def test_a_driver_s_mistake_is_logged_by_its_place_and_not_by_its_text(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The text of a foreign exception may hold a PIN."""

    async def story(bench: Bench, driver: Patient) -> None:
        driver.faults = [("before", ValueError(PIN))]
        await bench.create(PIN)
        await asyncio.sleep(600)
        assert list(bench.on_lock().values()) == [PIN]

    with caplog.at_level(logging.DEBUG):
        running(story).store.close()
    [message] = [r.getMessage() for r in caplog.records if r.levelno == logging.ERROR]
    assert "ValueError in _operate" in message
    assert PIN not in caplog.text


def test_a_driver_that_trips_over_its_session_makes_the_lock_wait(caplog: pytest.LogCaptureFixture) -> None:
    """As if the lock had not answered: told, with growing pauses, and healed when it works again."""

    async def story(bench: Bench, driver: Patient) -> None:
        driver.closed = ValueError(PIN)
        await bench.create(PIN)
        await asyncio.sleep(300)
        assert bench.snap().device.failures > 1
        driver.closed = None
        await asyncio.sleep(600)
        assert list(bench.on_lock().values()) == [PIN]

    with caplog.at_level(logging.DEBUG):
        running(story).store.close()
    assert "the driver failed: ValueError in session" in caplog.text
    assert PIN not in caplog.text


class TestStart:
    """Memory is brought in line with the configuration."""

    @staticmethod
    def started(bench: Bench, known: Snapshot | None = None) -> Snapshot:
        """Start; return the facts."""
        if known is not None:
            bench.store.do(lambda tx: tx.save_device(known.device))

        async def main() -> None:
            await bench.engine.start()

        run_virtual(main())
        return bench.snap()

    def test_a_lock_known_from_before_must_be_seen_again(self) -> None:
        """Another one may answer under its address by now (rule 15)."""
        bench = Bench(READABLE)
        assert self.started(bench, snapshot(device())).device.unseen_since == NOON
        bench.store.close()

    def test_a_suspected_wipe_has_its_time_again(self) -> None:
        """While the hub was off nobody could look."""
        bench = Bench(READABLE)
        suspected = snapshot(device(wipe_suspected_at=NOON - HOUR))
        assert self.started(bench, suspected).device.wipe_suspected_at == NOON
        bench.store.close()

    def test_a_lock_counts_as_away_until_its_driver_tells(self) -> None:
        """After every start."""
        bench = Bench(READABLE)
        lock = self.started(bench).device
        assert (lock.authority_lost_at, lock.audit_at, lock.retry_at) == (NOON, None, None)
        bench.store.close()

    @pytest.mark.parametrize(("cron", "kept"), [("17 3 * * *", True), ("0 4 * * *", False)])
    def test_a_changed_audit_time_holds_from_now_on(self, cron: str, *, kept: bool) -> None:
        """An unchanged one keeps its next audit."""
        bench = Bench(READABLE)
        first = self.started(bench)
        due = NOON + MINUTE
        later = replace(first, device=replace(first.device, audit_at=due, retry_at=NOON + HOUR))
        bench.policy = replace(bench.policy, audit=cron)
        bench.boot()
        lock = self.started(bench, later).device
        assert lock.audit_at == (due if kept else None)
        assert lock.retry_at is None
        bench.store.close()

    def test_a_lock_that_left_the_configuration_says_so(self) -> None:
        """It is told, and nothing is done on it; a wake-up for it goes nowhere."""
        bench = Bench(READABLE)
        first = self.started(bench)
        bench.store.do(
            lambda tx: tx.save_device(replace(first.device, device_id="cellar", audit_at=NOON + SECOND))
        )
        self.started(bench)
        issues = bench.store.do(lambda tx: tx.issues("cellar"))
        assert [issue.code for issue in issues] == ["removed_from_configuration"]
        assert "cellar" in bench.told
        bench.engine.wake("cellar")
        bench.store.close()


def test_a_driver_of_several_names_runs_once() -> None:
    """Families of locks share an adapter, which has one scan."""
    started: list[EventSink] = []

    class Shared(Patient):
        async def run(self, sink: EventSink) -> None:
            started.append(sink)
            await super().run(sink)

    async def main(bench: Bench) -> None:
        bench.clock, bench.driver = LoopClock(), Shared(bench)
        bench.driver_names = ("nuki", "yale", "bench")
        bench.boot()
        await bench.engine.start()
        hub = asyncio.ensure_future(bench.engine.run())
        await asyncio.sleep(1)
        hub.cancel()
        await asyncio.gather(hub, return_exceptions=True)
        bench.store.close()

    run_virtual(main(Bench(READABLE)))
    assert len(started) == 1
