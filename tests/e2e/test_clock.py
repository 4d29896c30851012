"""A hub that does not know the time."""

import pytest

from tests.daemon.bed import PINS
from tests.e2e.clock import PassingClock
from tests.e2e.conftest import Start
from tests.zwave_bed.config import Model

pytestmark = [pytest.mark.zwave_bed, pytest.mark.mosquitto, pytest.mark.slow]


def _lost() -> PassingClock:
    """Return the clocks of a machine that never knew the time."""
    clock = PassingClock()
    clock.is_synchronised = False
    return clock


async def test_no_window_opens_until_the_clock_can_be_believed(start: Start) -> None:
    """The lock says so with a warning; when the time is certain the window opens at once."""
    async with start("v2_s2", clock=_lost()) as house:
        code_id = await house.create(
            "v2_s2", PINS[0], starts_at=house.in_time(hours=1), ends_at=house.in_time(hours=9)
        )
        house.let_pass(hours=2)
        await house.until(lambda: "clock_untrusted" in house.warnings(house.lock("v2_s2")))
        await house.settled("v2_s2")
        assert (await house.radio("v2_s2")).set == 0
        house.clock.is_synchronised = True
        await house.hears("access_code.set_on_device", code_id)
        assert list((await house.on_lock("v2_s2")).values()) == [PINS[0]]
        await house.until(lambda: not house.warnings(house.lock("v2_s2")))
        # One write, at once enabled: the lead is over.
        assert (await house.radio("v2_s2")).set == 1


async def test_an_ongoing_code_needs_no_clock(start: Start) -> None:
    """Nothing about it depends on the time."""
    async with start("v2_s2", clock=_lost()) as house:
        await house.create_set("v2_s2", PINS[0])


async def test_a_quiet_day_costs_one_audit_and_no_write(start: Start) -> None:
    """Converged locks, twenty-four hours: no set, no clear, a checksum or one look at each slot."""
    models: tuple[Model, ...] = ("v2_s2", "masked_s2")
    async with start(*models) as house:
        await house.create_set("v2_s2", PINS[0], ends_at=house.in_time(days=9))
        await house.create_set("v2_s2", PINS[1])
        await house.create_set("masked_s2", PINS[0])
        house.let_pass(days=1)
        for model in models:
            await house.settled(model)
            await house.forget_radio(model)
        told = len(house.app.events())
        for _ in range(24):
            house.let_pass(hours=1)
            for model in models:
                await house.settled(model)
        await house.radio_reaches("v2_s2", checksum=1)
        for model in models:
            radio = await house.radio(model)
            assert (radio.set, radio.clear) == (0, 0)
            assert radio.get + radio.checksum <= 1, model
        assert len(house.app.events()) == told


async def test_a_person_who_vouches_for_the_time_has_the_clocks_of_locks_set(start: Start) -> None:
    """No time server, ever: from `clock/trust` on locks with schedules are told the time, once a day."""
    async with start("scheduled", clock=_lost()) as house:
        await house.settled("scheduled")
        house.let_pass(minutes=2)
        await house.settled("scheduled")
        assert (await house.radio("scheduled")).clock == 0
        assert (await house.app.ask("clock/trust"))["data"]["clock"]["trusted"]
        for _ in range(2):
            house.let_pass(minutes=2)
            # Told the time and the zone, and asked for both.
            await house.radio_reaches("scheduled", clock=4)
            # The next time counts from the last answer. Whoever looks at the slots comes after it.
            await house.do("devices/sync", device_id="scheduled")
            await house.settled("scheduled")
            await house.forget_radio("scheduled")
            house.let_pass(days=1)
