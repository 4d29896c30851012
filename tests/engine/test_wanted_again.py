"""A code that is wanted again while its removal is half done, on a lock that proves nothing."""

from datetime import timedelta

from drivers.simulated.models import WRITE_ONLY
from gateway.domain.driver import LockAlive, LockUnreachable
from gateway.engine.mutations import instant
from tests.engine.build import DOOR, HOUR, MINUTE, NOON, SECOND
from tests.engine.conftest import Hang

PIN = "471134"
TWICE = {"cron": "0 13,15 * * *", "minutes": 60, "time_zone": "UTC"}
BETWEEN = timedelta(minutes=40)


async def test_a_stay_prolonged_between_the_two_clears_goes_on(hang: Hang) -> None:
    """The host prolongs it a second after its end; the first clear went out already."""
    bench = await hang(WRITE_ONLY)
    code_id = await bench.create(PIN, ends_at=instant(NOON + HOUR))
    await bench.settle(HOUR + SECOND)
    assert bench.on_lock() == {}
    await bench.do("access_codes/update", access_code_id=code_id, ends_at=instant(NOON + 9 * HOUR))
    await bench.settle(MINUTE)
    assert bench.on_lock() == {"20": PIN}


async def test_the_next_window_opens_although_the_second_clear_of_the_last_one_never_went_out(
    hang: Hang,
) -> None:
    """The lock was away between them, until the next window was due."""
    bench = await hang(WRITE_ONLY)
    await bench.create(PIN, recurrence=TWICE)
    await bench.settle(2 * HOUR + SECOND)
    bench.driver.closed = LockUnreachable("away")
    await bench.settle(BETWEEN)
    bench.driver.closed = None
    await bench.tell(LockAlive(device_id=DOOR))
    await bench.settle(BETWEEN)
    assert bench.on_lock() == {"20": PIN}
