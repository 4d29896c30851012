"""What is left alone because a lock refused it, and for how long."""

from datetime import timedelta

from drivers.ble.hold import Hold
from tests.ble_bed.virtual import LONG_S
from tests.nuki.house import HandClock


def test_what_waits_for_a_person_is_not_ended_by_time() -> None:
    """Whatever else is refused meanwhile, and counts for an hour only."""
    clock = HandClock()
    hold = Hold(clock)
    hold.refused("disabled")
    hold.refused("not now", 3600)
    clock.passed += timedelta(seconds=LONG_S)
    assert "disabled" in (hold.words or "")


def test_once_it_worked_or_a_person_asks_it_may_be_tried() -> None:
    """Whatever was refused before."""
    hold = Hold(HandClock())
    hold.refused("wrong key")
    assert "locks sync" in (hold.words or "")
    hold.lift()
    assert hold.words is None
