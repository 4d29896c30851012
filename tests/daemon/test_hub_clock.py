"""What drivers are told of the time."""

from datetime import timedelta

from gateway.daemon.hub_clock import HubClock
from gateway.engine.clock_guard import ClockGuard, ClockSettings
from tests.engine.build import NOON
from tests.zwave.hand_clock import HandClock

DAY = timedelta(days=1)


def unsure(settings: ClockSettings | None = None) -> tuple[HandClock, ClockGuard, HubClock]:
    """Return the clocks of a machine without a time server."""
    clock = HandClock(NOON)
    clock.is_synchronised = False
    guard = ClockGuard(clock, settings or ClockSettings())
    return clock, guard, HubClock(clock, guard.view)


def test_a_time_that_nobody_vouches_for_is_not_synchronised() -> None:
    """The wall clock is shown as it is."""
    _, _, hub = unsure()
    assert not hub.synchronised()
    assert hub.now() == NOON


def test_a_time_server_is_believed() -> None:
    """As the kernel says it."""
    clock, _, hub = unsure()
    clock.is_synchronised = True
    assert hub.synchronised()
    assert hub.now() == NOON


def test_the_word_of_a_person_counts() -> None:
    """`pinsmith clock trust`: drivers may set the clocks of locks from then on."""
    clock, guard, hub = unsure()
    guard.trust()
    clock.move(DAY)
    assert hub.synchronised()
    assert hub.now() == NOON + DAY


def test_the_policy_counts() -> None:
    """`untrusted_policy = "run"`."""
    assert unsure(ClockSettings(untrusted_policy="run"))[2].synchronised()


def test_a_wall_clock_that_somebody_moves_is_not_followed_once_the_time_is_known() -> None:
    """The time server went away; the boot-time clock goes on."""
    clock, _, hub = unsure()
    clock.is_synchronised = True
    assert hub.synchronised()
    clock.is_synchronised = False
    clock.step(400 * DAY)
    clock.move(DAY)
    assert hub.synchronised()
    assert hub.now() == NOON + DAY
