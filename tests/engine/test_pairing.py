"""Pairing by command: told as it goes on, its secrets nowhere, and ended whatever happens."""

import asyncio
import logging

import pytest

from drivers.simulated.models import READABLE
from gateway.domain.driver import LockDead, LockUnreachable, PairingFailed
from gateway.domain.pulse import Limits, Pulse
from gateway.engine import pairing
from gateway.engine.commands.params import PairDevice
from gateway.engine.pairing import Given
from tests.engine.bench import Bench
from tests.engine.build import DOOR, MINUTE
from tests.engine.pairing_bed import KEYS, PIN, BrokeOff, attempt, told, unpaired, until


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
            stored = bench.store.do(lambda tx: tx.undelivered(1000))
            # The first step has a limit of its own, the second that of the whole attempt.
            assert [one.event.payload.get("seconds_left") for one in stored] == [120, 900, None]
            assert await driver.keyring.load(DOOR) == KEYS
            await bench.engine.handle(bench.seen())
            await bench.create("471134")
            await bench.settle()
            assert list(bench.on_lock().values()) == ["471134"]
            assert (await bench.do("devices/get", device_id=DOOR))["device"]["is_paired"] is True

    async def test_a_pairing_that_never_ends_is_told_by_its_sign_of_life(
        self,
    ) -> None:
        """Waiting for something to pair is life, and so is a pairing that takes its time."""
        time = [0.0]
        async with unpaired() as (bench, driver):
            pulse = bench.engine.pairings._pulse = Pulse(lambda: time[0], Limits(radio_s=1000))
            time[0] += 1_000_000
            assert pulse.stuck() == {}
            driver.go_on.clear()
            begun = await bench.do("devices/pair", device_id=DOOR)
            await until(lambda: [event for event, _ in told(bench)].count("device.pairing_progress") == 2)
            time[0] += 999
            assert pulse.stuck() == {}
            time[0] += 2
            assert pulse.stuck() == {f"pairing {DOOR}": "at the radio, 1 s overdue"}
            driver.go_on.set()
            await attempt(bench, begun)
            await until(lambda: pulse.stuck() == {})

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

    async def test_a_lock_whose_pairing_broke_off_is_worked_with_by_the_keys_that_were_kept(self) -> None:
        """The attempt failed all the same: people are told what is missing."""
        async with unpaired() as (bench, driver):
            await driver.keyring.save(DOOR, KEYS)
            driver.failure = BrokeOff("its keys are kept")
            ended = await attempt(bench, await bench.do("devices/pair", device_id=DOOR))

            assert (ended["status"], ended["error"]["message"]) == ("error", "its keys are kept")
            assert told(bench)[-1][0] == "device.pairing_failed"
            await bench.engine.handle(bench.seen())
            await bench.create("471134")
            await bench.settle()
            assert "device_not_paired" not in bench.issues()
            assert list(bench.on_lock().values()) == ["471134"]

    async def test_a_reset_lock_whose_pairing_broke_off_is_read_anew(self) -> None:
        """Its codes are gone, as after a pairing that came to its end."""
        async with unpaired() as (bench, driver):
            await attempt(bench, await bench.do("devices/pair", device_id=DOOR))
            await bench.engine.handle(bench.seen())
            await bench.settle()
            bench.driver.operations.clear()
            bench.clock.pass_by(MINUTE)

            driver.failure = BrokeOff("its keys are kept")
            await attempt(bench, await bench.do("devices/pair", device_id=DOOR))
            await bench.settle()

            assert bench.driver.operations != []

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
