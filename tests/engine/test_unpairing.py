"""Keys that are no longer wanted, and locks that were swapped for others."""

from msgspec.structs import replace

from gateway.domain.driver import PairingFailed
from tests.engine.build import DOOR, IDENTITY, MINUTE
from tests.engine.pairing_bed import attempt, told, unpaired, until


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


class TestARefusal:
    """What the lock refused to this hub is not tried again by itself."""

    async def test_a_person_who_asks_for_a_look_has_it_tried_again(self) -> None:
        """They may have put it right. To try the command out changes nothing."""
        async with unpaired() as (bench, driver):
            await bench.do("devices/sync", device_id=DOOR, dry_run=True)
            assert driver.asked_again == []

            await bench.do("devices/sync", device_id=DOOR)
            assert driver.asked_again == [DOOR]
