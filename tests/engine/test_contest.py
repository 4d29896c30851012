"""Two controllers that fight over a slot: recognised, named, and slowed down."""

from drivers.simulated.models import READABLE
from gateway.domain.driver import SlotTouched
from gateway.engine.mutations import instant
from gateway.engine.readings import absorb_reading
from tests.engine.bench import Bench
from tests.engine.build import DAY, DOOR, HOUR, MINUTE, NOON, code, device, held, known
from tests.engine.conftest import Hang
from tests.engine.working import working

OURS = "471134"


async def meddle(bench: Bench, number: int) -> None:
    """Let the other controller write its own PIN into our slot."""
    bench.by_hand("20", f"99{number:04}")
    await bench.tell(SlotTouched(device_id=DOOR, slot="20"))


async def test_the_third_change_within_a_day_is_put_right_later_and_later(hang: Hang) -> None:
    """Half an hour, an hour, two; the lock says why."""
    bench = await hang(READABLE)
    await bench.create(OURS)
    await bench.settle(HOUR)
    for number in range(2):
        await meddle(bench, number)
        await bench.settle(MINUTE)
        assert bench.on_lock() == {"20": OURS}
    for number, wait in ((2, 30 * MINUTE), (3, HOUR), (4, 2 * HOUR)):
        await meddle(bench, number)
        await bench.settle(wait - MINUTE)
        assert bench.on_lock() == {"20": f"99{number:04}"}
        await bench.settle(2 * MINUTE)
        assert bench.on_lock() == {"20": OURS}
    told = bench.events()
    assert told.count("device.third_party_integration_detected") == 1
    [warning] = (await bench.do("devices/get", device_id=DOOR))["device"]["warnings"]
    assert (warning["warning_code"], "20" in warning["message"]) == ("third_party_integration_detected", True)


async def test_a_day_of_peace_ends_it(hang: Hang) -> None:
    """The warning goes, and the next change is put right at once."""
    bench = await hang(READABLE)
    await bench.create(OURS)
    await bench.settle(HOUR)
    for number in range(3):
        await meddle(bench, number)
        await bench.settle(HOUR)
    assert "third_party_integration_detected" in bench.issues()
    await bench.settle(DAY + MINUTE)
    assert bench.issues() == set()
    assert "device.third_party_integration_no_longer_detected" in bench.events()
    await meddle(bench, 9)
    await bench.settle(MINUTE)
    assert bench.on_lock() == {"20": OURS}


async def test_an_update_by_its_owner_does_not_wait(hang: Hang) -> None:
    """What a person asks for is done at once."""
    bench = await hang(READABLE)
    code_id = await bench.create(OURS)
    await bench.settle(HOUR)
    for number in range(3):
        await meddle(bench, number)
        await bench.settle(MINUTE)
    await bench.do("access_codes/update", access_code_id=code_id, code="582245")
    await bench.settle(MINUTE)
    assert bench.on_lock() == {"20": "582245"}


class TestRemoval:
    """What is not wanted any more is not fought over: it goes."""

    def test_looks_at_a_changed_code_do_not_put_off_its_removal(self) -> None:
        """However often it is seen changed before the clear is its turn."""
        work = working(device(), code(deleted_at=NOON), held(removal_began=NOON))
        for _ in range(4):
            absorb_reading(work, "20", known(enabled=False))
        placement = work.placement("ana")
        assert (placement.contested, placement.retry_at) == (0, None)

    async def test_a_code_that_others_changed_all_day_leaves_at_its_end(self, hang: Hang) -> None:
        """The pause before it would be put right again is not sat out."""
        bench = await hang(READABLE)
        await bench.create(OURS, ends_at=instant(NOON + 5 * HOUR))
        for _ in range(5):
            await bench.settle(59 * MINUTE)
            bench.by_hand("20", OURS, enabled=False)
            await bench.tell(SlotTouched(device_id=DOOR, slot="20"))
        assert "third_party_integration_detected" in bench.issues()
        await bench.settle(6 * MINUTE)
        assert bench.on_lock() == {}
