"""Pairing by command: told as it goes on, its secrets nowhere, and ended whatever happens."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest
from msgspec.structs import replace

from drivers.simulated.models import READABLE
from gateway.domain.driver import LockDead, LockUnreachable, PairingFailed, Progress
from gateway.engine import pairing
from gateway.engine.commands.params import PairDevice
from gateway.engine.keyring import StoredKeys
from gateway.engine.pairing import Given
from tests.engine.bench import Bench, BenchDriver
from tests.engine.build import DOOR, IDENTITY, MINUTE

PIN = "97531864"
KEYS = b"keys"


class PairingDriver(BenchDriver):
    """A driver whose lock must be paired. It repeats everything it was given, as no driver should."""

    def __init__(self, bench: Bench) -> None:
        super().__init__(bench.lock)
        self.keyring = StoredKeys(bench.store)
        self.failure: Exception | None = None
        self.go_on = asyncio.Event()
        self.go_on.set()

    async def pair(self, device_id: str, given: Mapping[str, str], progress: Progress) -> None:
        await progress("hold the button for five seconds")
        await progress(f"got {sorted(given.values())} and {given}")
        await self.go_on.wait()
        if self.failure is not None:
            raise self.failure
        await self.keyring.save(device_id, KEYS)

    async def unpair(self, device_id: str) -> None:
        if self.failure is not None:
            raise self.failure
        await self.keyring.forget(device_id)


@asynccontextmanager
async def unpaired() -> AsyncIterator[tuple[Bench, PairingDriver]]:
    """Run a hub with a lock that was never paired."""
    bench = Bench(READABLE)
    driver = bench.driver = PairingDriver(bench)
    bench.boot()
    await bench.engine.start()
    running = asyncio.ensure_future(bench.engine.pairings.run())
    try:
        yield bench, driver
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
        bench.store.close()


async def until(done: Callable[[], bool]) -> None:
    """Let others work until something came about."""
    for _ in range(100):
        if done():
            return
        await asyncio.sleep(0)
    raise AssertionError("it did not come about")


async def attempt(bench: Bench, begun: dict[str, Any]) -> dict[str, Any]:
    """Return how the attempt that a reply names has ended."""
    attempt_id = begun["action_attempt"]["action_attempt_id"]

    def ended() -> bool:
        found = bench.store.do(lambda tx: tx.attempt(attempt_id))
        return found is not None and found.status != "pending"

    await until(ended)
    found: dict[str, Any] = await bench.do("action_attempts/get", action_attempt_id=attempt_id)
    return dict(found["action_attempt"])


def told(bench: Bench) -> list[tuple[str, str | None]]:
    """Return events with their words."""
    stored = bench.store.do(lambda tx: tx.undelivered(1000))
    return [(one.event.event_type, one.event.payload.get("message")) for one in stored]


class TestPairing:
    """From a lock in the configuration to one that is managed."""

    async def test_a_lock_without_keys_says_what_to_type(self) -> None:
        """And nothing else of what follows from it."""
        async with unpaired() as (bench, _):
            await bench.settle()
            shown = (await bench.do("devices/get", device_id=DOOR))["device"]

            assert shown["is_paired"] is False
            assert [error["error_code"] for error in shown["errors"]] == ["device_not_paired"]
            assert shown["errors"][0]["message"].endswith(f"type: pinsmith pair bench {DOOR}")
            [plan] = (await bench.do("plan/get", device_id=DOOR))["plans"]
            assert plan["gate"] == "not_paired"
            await bench.engine.handle(LockDead(device_id=DOOR))
            assert bench.issues() == {"device_not_paired"}

    async def test_it_goes_on_in_plain_words_and_ends_with_the_attempt(self) -> None:
        """The attempt, an event for every step, and the lock is worked on."""
        async with unpaired() as (bench, driver):
            bench.events()
            begun = await bench.do("devices/pair", device_id=DOOR, given={"security_pin": PIN})
            assert begun["action_attempt"]["status"] == "pending"
            assert begun["action_attempt"]["action_type"] == "PAIR_DEVICE"

            ended = await attempt(bench, begun)

            assert ended["status"] == "success"
            assert [event for event, _ in told(bench)] == [
                "device.pairing_progress",
                "device.pairing_progress",
                "device.paired",
            ]
            assert told(bench)[0] == ("device.pairing_progress", "hold the button for five seconds")
            assert await driver.keyring.load(DOOR) == KEYS
            await bench.engine.handle(bench.seen())
            await bench.create("471134")
            await bench.settle()
            assert list(bench.on_lock().values()) == ["471134"]
            assert (await bench.do("devices/get", device_id=DOOR))["device"]["is_paired"] is True

    async def test_a_paired_lock_stays_paired_over_a_restart(self) -> None:
        """The keys are in the vault."""
        async with unpaired() as (bench, _):
            await attempt(bench, await bench.do("devices/pair", device_id=DOOR))
            bench.boot()
            await bench.engine.start()
            assert bench.snap().device.is_paired is True

    @pytest.mark.parametrize(
        ("failure", "words"),
        [
            (PairingFailed("no such lock was heard"), "no such lock was heard"),
            (LockUnreachable("the connection broke"), "the connection broke"),
            (RuntimeError(f"nobody foresaw {PIN}"), "unforeseen"),
            (PairingFailed(f"{PIN} is no PIN"), "*** is no PIN"),
        ],
    )
    async def test_a_failure_says_why_and_changes_nothing(self, failure: Exception, words: str) -> None:
        """Without anything that was given, even where a driver repeats it."""
        async with unpaired() as (bench, driver):
            driver.failure = failure
            begun = await bench.do("devices/pair", device_id=DOOR, given={"security_pin": PIN})
            ended = await attempt(bench, begun)

            assert ended["status"] == "error"
            assert ended["error"]["type"] == "pairing_failed"
            assert words in ended["error"]["message"]
            assert told(bench)[-1] == ("device.pairing_failed", ended["error"]["message"])
            assert bench.snap().device.is_paired is False

    async def test_it_does_not_stay_open_for_ever(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A driver that waits for a lock that nobody brings is ended."""
        monkeypatch.setattr(pairing, "LONGEST_S", 0.01)
        async with unpaired() as (bench, driver):
            driver.go_on.clear()
            begun = await bench.do("devices/pair", device_id=DOOR)
            await asyncio.sleep(0.05)
            assert "too long" in (await attempt(bench, begun))["error"]["message"]

    async def test_a_restart_in_the_middle_ends_it(self) -> None:
        """What was given is known to nobody any more."""
        async with unpaired() as (bench, driver):
            driver.go_on.clear()
            begun = await bench.do("devices/pair", device_id=DOOR, given={"security_pin": PIN})
            await until(lambda: len(told(bench)) >= 2)

            bench.boot()
            await bench.engine.start()

            ended = await attempt(bench, begun)
            assert ended["error"]["type"] == "interrupted"
            assert told(bench)[-1][0] == "device.pairing_failed"
            assert bench.snap().device.is_paired is False

    async def test_a_full_disk_makes_the_news_wait(self) -> None:
        """The end of it is told all the same."""
        async with unpaired() as (bench, driver):
            driver.go_on.clear()
            begun = await bench.do("devices/pair", device_id=DOOR)
            await until(lambda: len(told(bench)) >= 2)
            driver.failure = PairingFailed("nobody came")
            bench.store.failing = True
            bench.clock.slept = lambda: setattr(bench.store, "failing", False)
            driver.go_on.set()
            await until(lambda: not bench.store.failing)

            assert (await attempt(bench, begun))["status"] == "error"


class TestSecrets:
    """What is given passes through memory only."""

    async def test_they_are_nowhere(self, caplog: pytest.LogCaptureFixture) -> None:
        """Not in the database, its replies, the events or the log; the names of what was given may be."""
        caplog.set_level(logging.DEBUG)
        async with unpaired() as (bench, _):
            begun = await bench.do("devices/pair", device_id=DOOR, given={"security_pin": PIN})
            await attempt(bench, begun)
            replies = str(begun) + str(await bench.do("events/list"))

            assert "hold the button" in "".join(bench.store.dump())
            for place in (replies, "".join(bench.store.dump()), caplog.text):
                assert PIN not in place

    async def test_a_mistake_in_them_is_not_echoed(self) -> None:
        """Names and lengths are checked without a word of the value."""
        async with unpaired() as (bench, _):
            for given in ({"security_pin": PIN * 100}, {"security_pin": 4711}, PIN, {PIN * 40: "x"}):
                reply = await bench.ask("devices/pair", device_id=DOOR, given=given)
                assert reply["error"]["type"] == "invalid_input"
                assert PIN not in str(reply)

    def test_printing_shows_names_only(self) -> None:
        """Whoever logs a command by mistake gives nothing away."""
        given = Given({"security_pin": PIN, "address": "AA:BB:CC:DD:EE:FF"})
        assert f"{given} {given!r}" == "Given(address, security_pin) Given(address, security_pin)"
        assert PIN not in repr(PairDevice(device_id=DOOR, given={"security_pin": PIN}))
        assert given.masked(f"{PIN} at AA:BB:CC:DD:EE:FF") == "*** at AA:BB:CC:DD:EE:FF"


class TestRefusals:
    """What is no use to begin."""

    async def test_one_at_a_time(self) -> None:
        """Two pairings with one lock would be in each other's way."""
        async with unpaired() as (bench, driver):
            driver.go_on.clear()
            await bench.do("devices/pair", device_id=DOOR)
            reply = await bench.ask("devices/pair", device_id=DOOR)
            assert reply["error"]["type"] == "device_refused"
            assert (await bench.ask("devices/unpair", device_id=DOOR))["error"]["type"] == "device_refused"
            driver.go_on.set()

    async def test_a_lock_that_needs_no_keys(self) -> None:
        """A Z-Wave lock is included by its server."""
        bench = Bench(READABLE)
        await bench.start()
        for verb in ("devices/pair", "devices/unpair"):
            assert (await bench.ask(verb, device_id=DOOR))["error"]["type"] == "unsupported_device"
        assert "is_paired" not in (await bench.do("devices/get", device_id=DOOR))["device"]
        bench.store.close()

    async def test_a_lock_that_is_leaving(self) -> None:
        """Retired locks get no new keys."""
        async with unpaired() as (bench, _):
            await bench.do("devices/retire", device_id=DOOR)
            assert (await bench.ask("devices/pair", device_id=DOOR))["error"]["type"] == "device_refused"

    async def test_trying_it_begins_nothing(self) -> None:
        """Nobody presses a button for a dry run."""
        async with unpaired() as (bench, _):
            bench.events()
            await bench.do("devices/pair", device_id=DOOR, dry_run=True)
            await asyncio.sleep(0)
            assert bench.events() == []


class TestLettingGo:
    """Keys that are no longer wanted."""

    async def test_unpairing_forgets_the_keys(self) -> None:
        """And says what to type should it be wanted again."""
        async with unpaired() as (bench, driver):
            await attempt(bench, await bench.do("devices/pair", device_id=DOOR))
            await bench.engine.handle(bench.seen())

            ended = await attempt(bench, await bench.do("devices/unpair", device_id=DOOR))

            assert (ended["action_type"], ended["status"]) == ("UNPAIR_DEVICE", "success")
            assert await driver.keyring.load(DOOR) is None
            assert bench.issues() == {"device_not_paired"}
            assert told(bench)[-1][0] == "device.unpaired"

    async def test_unpairing_that_fails_says_so(self) -> None:
        """The keys are kept then."""
        async with unpaired() as (bench, driver):
            await attempt(bench, await bench.do("devices/pair", device_id=DOOR))
            driver.failure = PairingFailed("the adapter is away")
            ended = await attempt(bench, await bench.do("devices/unpair", device_id=DOOR))
            assert ended["error"]["message"] == "the adapter is away"
            assert bench.snap().device.is_paired is True

    async def test_a_forgotten_lock_is_forgotten_by_its_driver_too(self) -> None:
        """It stays in the configuration and must be paired anew."""
        async with unpaired() as (bench, driver):
            await attempt(bench, await bench.do("devices/pair", device_id=DOOR))
            await bench.engine.handle(bench.seen())
            dropped: list[str] = []

            async def unpair(device_id: str) -> None:
                dropped.append(device_id)

            driver.unpair = unpair  # type: ignore[method-assign]
            await bench.do("devices/forget", device_id=DOOR)
            await until(lambda: bool(dropped))

            assert dropped == [DOOR]
            lock = bench.snap().device
            assert (lock.is_paired, lock.capabilities, lock.identity) == (False, None, None)


class TestAnotherLock:
    """A lock that was swapped for a new one, under the same name."""

    async def test_new_keys_and_a_person_s_word_make_it_ours(self) -> None:
        """Pairing alone is not that word: it may be the wrong door (rule 15)."""
        async with unpaired() as (bench, _):
            await attempt(bench, await bench.do("devices/pair", device_id=DOOR))
            await bench.engine.handle(bench.seen())
            await bench.create("471134")
            await bench.settle()
            bench.lock.slots.clear()

            await attempt(bench, await bench.do("devices/pair", device_id=DOOR))
            other = replace(bench.seen(), identity=replace(IDENTITY, product="other", serial="18"))
            await bench.engine.handle(other)
            await bench.settle()
            assert "device_replaced" in bench.issues()
            assert bench.on_lock() == {}

            await bench.do("devices/replace", device_id=DOOR)
            await bench.settle()
            assert list(bench.on_lock().values()) == ["471134"]

    async def test_the_same_lock_after_a_reset_is_read_anew(self) -> None:
        """Its codes are gone, and nobody told."""
        async with unpaired() as (bench, _):
            await attempt(bench, await bench.do("devices/pair", device_id=DOOR))
            await bench.engine.handle(bench.seen())
            await bench.settle()
            bench.driver.operations.clear()
            bench.clock.pass_by(MINUTE)

            await attempt(bench, await bench.do("devices/pair", device_id=DOOR))
            await bench.settle()

            assert bench.driver.operations != []
