"""The map of a lock's slots on a terminal."""

from typing import Any

import pytest

from gateway.cli.slots import duration, inventory_line, map_lines
from tests.cli.conftest import House, Pinsmith
from tests.cli.samples import DEVICE


def slot(number: int, state: str = "free", **more: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """Return a slot as the daemon tells it."""
    return {
        "slot": str(number),
        "state": state,
        "access_code_id": None,
        "is_usable": True,
        "read_at": None,
    } | more


def test_twenty_slots_in_a_row_each_with_the_number_of_its_first() -> None:
    """What the signs mean stands below; signs that are not there are not explained."""
    slots = [slot(number) for number in range(1, 23)]
    slots[0]["state"], slots[1]["state"], slots[21]["state"] = "unmanaged", "unread", "managed"
    slots[2]["is_usable"] = False
    assert list(map_lines(slots)) == [
        " 1  o?-.. ..... ..... .....",
        "21  .#",
        "# a code of the gateway  o somebody else's  . free  - free, not for the gateway  ? not read yet",
    ]


def test_codes_of_the_gateway_where_it_may_not_put_any_are_named() -> None:
    """A lock of which the number of slots was lowered: the map tells no numbers beyond a gap."""
    slots = [slot(1), slot(2), *(slot(number, "managed", is_usable=False) for number in (9, 10))]
    assert list(map_lines(slots))[-1] == "codes of the gateway in slots that are not for it: 9, 10"


def test_a_lock_nobody_has_seen_has_no_map() -> None:
    """Nor an explanation of one."""
    assert list(map_lines([])) == []


def test_states_of_a_newer_daemon_are_not_taken_for_free() -> None:
    """A slot of unknown state is unknown."""
    assert next(iter(map_lines([slot(1, "borrowed")]))) == "1  ?"


@pytest.mark.parametrize(
    ("left", "line"),
    [
        (None, "reading its slots: 3 of 250"),
        (492, "reading its slots: 3 of 250, about 8 min more"),
    ],
)
def test_an_inventory_says_how_long_it_takes(left: int | None, line: str) -> None:
    """As soon as that can be known."""
    assert inventory_line({"inventory": {"slots_read": 3, "slots": 250, "seconds_left": left}}) == line
    assert inventory_line({"inventory": None}) is None
    assert inventory_line({}) is None


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-5, "0 s"),
        (59.9, "59 s"),
        (60, "1 min"),
        (3600, "1 h"),
        (3661, "1 h 1 min"),
        (86_400, "1 d"),
        (90_000, "1 d 1 h"),
    ],
)
def test_spans_are_said_in_two_units_at_most(seconds: float, words: str) -> None:
    """Who waits wants no more."""
    assert duration(seconds) == words


def test_one_lock_is_shown_with_its_map(house: House, pinsmith: Pinsmith) -> None:
    """And with how far it has been read."""
    progress = {"slots_read": 2, "slots": 5, "seconds_left": 6}
    house.answers["devices/get"] = {
        "device": DEVICE | {"inventory": progress},
        "slots": [slot(1, "managed"), slot(2), slot(3, "unread")],
    }
    lines = pinsmith("locks", "show", "front-door").lines
    assert "1 #.?" in lines
    assert "inventory reading its slots: 2 of 5, about 6 s more" in lines
