"""A lock that goes silent and comes back again and again: noticed, told, and told when it is over."""

from drivers.simulated.models import READABLE
from gateway.domain.driver import LockAlive, LockDead, LockUnreachable, NoAnswer, SlotTouched
from tests.engine.bench import Bench
from tests.engine.build import DAY, DOOR, HOUR, MINUTE
from tests.engine.conftest import Hang

FLAKY = "device_has_flaky_connection"
BEGAN, ENDED = "device.connection_became_flaky", "device.connection_stabilized"


async def lapse(bench: Bench) -> None:
    """Let the lock be away for a minute."""
    await bench.tell(LockDead(device_id=DOOR))
    await bench.settle(MINUTE)
    await bench.tell(LockAlive(device_id=DOOR))
    await bench.settle(MINUTE)


async def lapses(bench: Bench, number: int) -> None:
    """Let the lock be away so often, ten minutes apart."""
    for _ in range(number):
        await lapse(bench)
        await bench.settle(10 * MINUTE)


async def test_the_third_return_within_an_hour_of_each_other_is_told_once(hang: Hang) -> None:
    """As a warning of the lock that says how often, and by an event with all that holds then."""
    bench = await hang(READABLE)
    await lapses(bench, 2)
    assert FLAKY not in bench.issues()
    await lapses(bench, 3)
    [warning] = (await bench.do("devices/get", device_id=DOOR))["device"]["warnings"]
    assert (warning["warning_code"], "5 times" in warning["message"]) == (FLAKY, True)
    told = bench.events()
    assert (told.count(BEGAN), told.count(ENDED)) == (1, 0)


async def test_an_hour_without_another_ends_it(hang: Hang) -> None:
    """And then it takes three again."""
    bench = await hang(READABLE)
    await lapses(bench, 3)
    bench.events()
    await bench.settle(HOUR)
    assert bench.issues() == set()
    assert bench.events().count(ENDED) == 1
    await lapses(bench, 2)
    assert FLAKY not in bench.issues()


async def test_lapses_hours_apart_are_ordinary(hang: Hang) -> None:
    """Every radio misses something now and then."""
    bench = await hang(READABLE)
    for _ in range(6):
        await lapse(bench)
        await bench.settle(2 * HOUR)
    assert BEGAN not in bench.events()


async def test_a_lock_that_is_gone_is_disconnected_and_not_flaky(hang: Hang) -> None:
    """However often it was tried meanwhile."""
    bench = await hang(READABLE)
    bench.driver.closed = LockUnreachable("out of reach")
    await bench.create("471134")
    await bench.settle(DAY)
    assert "device_disconnected" in bench.issues()
    assert FLAKY not in bench.issues()


async def test_silence_is_not_stability(hang: Hang) -> None:
    """A flaky lock that is gone stays flaky, and is stable after an hour of answers."""
    bench = await hang(READABLE)
    await lapses(bench, 3)
    await bench.tell(LockDead(device_id=DOOR))
    await bench.settle(5 * HOUR)
    assert bench.issues() == {FLAKY, "device_disconnected"}
    await bench.tell(LockAlive(device_id=DOOR))
    await bench.settle(50 * MINUTE)
    assert bench.issues() == {FLAKY}
    await bench.settle(20 * MINUTE)
    assert bench.issues() == set()


async def test_operations_without_an_answer_count_too(hang: Hang) -> None:
    """The hub's own view, where no server speaks of dead and alive."""
    bench = await hang(READABLE)
    for number in range(3):
        a_look_first = [None] if number else []
        bench.driver.faults = [*a_look_first, ("before", NoAnswer("nothing came back"))]
        await bench.create(f"47113{number}")
        await bench.settle(15 * MINUTE)
    assert BEGAN in bench.events()


async def test_a_slot_that_never_answers_makes_no_flaky_lock(hang: Hang) -> None:
    """Looks at single slots may fail while the lock is well."""
    bench = await hang(READABLE)
    for _ in range(5):
        bench.driver.faults = [("before", NoAnswer("nothing came back"))]
        await bench.tell(SlotTouched(device_id=DOOR, slot="5"))
        await bench.settle(10 * MINUTE)
        assert bench.driver.faults == []
    assert BEGAN not in bench.events()
