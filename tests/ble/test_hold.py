"""What is left alone because a lock refused it, and for how long."""

from datetime import timedelta

from drivers.ble.hold import DOUBTS, HOLD_S, Hold
from tests.nuki.house import HandClock


def test_what_waits_for_a_person_is_not_ended_by_time() -> None:
    """Whatever else is refused meanwhile, and counts for an hour only."""
    clock = HandClock()
    hold = Hold(clock)
    hold.refused("disabled")
    hold.refused("not now", 3600)
    clock.passed += timedelta(seconds=30 * HOLD_S)
    assert "disabled" in (hold.words or "")


def test_a_person_who_asks_has_it_tried_once() -> None:
    """Also where it took more than one refusal, because anybody may have sent them."""
    hold = Hold(HandClock())
    held = []
    for _ in range(DOUBTS):
        hold.doubted("wrong key")
        held.append(hold.words is not None)
    assert held == [False, True]
    hold.ask_again()
    held.append(hold.words is not None)
    hold.doubted("wrong key")
    held.append(hold.words is not None)
    assert held == [False, True, False, True]


def test_once_it_worked_one_disturbance_counts_for_nothing() -> None:
    """Earlier refusals are forgotten."""
    hold = Hold(HandClock())
    for _ in range(4):
        hold.doubted("wrong key")
        hold.lift()
    hold.doubted("wrong key")
    assert hold.words is None
