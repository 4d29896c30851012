"""The person at the door of a simulated lock."""

import json
from pathlib import Path

import pytest

from drivers.simulated.files import install
from drivers.simulated.models import MODELS
from gateway.cli.exits import Exit
from tests.cli.conftest import House, Pinsmith

LOCK = "front-door"


@pytest.fixture(autouse=True)
def lock(house: House) -> Path:
    """The lock hangs on the door, as after the first start of the daemon."""
    folder = house.folder / "var" / "simulated"
    install(folder, LOCK, MODELS["readable"].with_slots(5))
    return folder


def test_a_code_typed_in_opens_the_door(pinsmith: Pinsmith) -> None:
    """Set, open, delete, and it does not open any more."""
    stored = pinsmith("keypad", "set", LOCK, "3", "--pin", typed=("4711",))
    opened = pinsmith("keypad", "open", LOCK, "--pin-stdin", stdin="4711\n")
    deleted = pinsmith("keypad", "delete", LOCK, "3")
    shut = pinsmith("keypad", "open", LOCK, "--pin", typed=("4711",))

    assert (stored.code, stored.out) == (Exit.OK, "stored in slot 3\n")
    assert (opened.code, opened.out) == (Exit.OK, "the door opens, with slot 3\n")
    assert (deleted.code, deleted.out) == (Exit.OK, "slot 3 deleted\n")
    assert (shut.code, shut.err) == (Exit.FAILED, "pinsmith: the door stays shut\n")


def test_without_a_slot_the_lowest_free_one_is_taken(pinsmith: Pinsmith) -> None:
    """As people do."""
    done = pinsmith("keypad", "set", LOCK, "--pin-stdin", "--json", stdin="4711")

    assert json.loads(done.out) == {"slot": "1"}


def test_pins_are_shown_only_when_asked_for(pinsmith: Pinsmith) -> None:
    """Everything else about the slots is."""
    pinsmith("keypad", "set", LOCK, "2", "--pin", typed=("4711",))

    hidden = pinsmith("keypad", "show", LOCK)
    shown = pinsmith("keypad", "show", LOCK, "--show-pins", "--json")

    assert hidden.lines[0] == "slot enabled"
    assert hidden.lines[2] == "2 yes"
    assert json.loads(shown.out) == {"slots": [{"slot": "2", "code": "4711", "enabled": True, "name": None}]}


def test_clearing_empties_every_slot(pinsmith: Pinsmith) -> None:
    """As with "delete all codes" in a lock's menu."""
    for pin in ("4711", "4712"):
        pinsmith("keypad", "set", LOCK, "--pin-stdin", stdin=pin)

    assert pinsmith("keypad", "clear", LOCK).code == Exit.OK
    assert json.loads(pinsmith("keypad", "show", LOCK, "--json").out) == {"slots": []}


def test_what_the_lock_refuses_is_told_without_the_pin(pinsmith: Pinsmith) -> None:
    """This lock takes no PIN twice."""
    pinsmith("keypad", "set", LOCK, "1", "--pin-stdin", stdin="4711")

    done = pinsmith("keypad", "set", LOCK, "2", "--pin-stdin", stdin="4711")

    assert done.code == Exit.REFUSED
    assert done.err.startswith("pinsmith: ")
    assert "4711" not in done.err


def test_a_real_lock_has_no_keypad_here(pinsmith: Pinsmith) -> None:
    """The message names the locks that have."""
    done = pinsmith("keypad", "clear", "back-door")

    assert (done.code, done.err) == (
        Exit.USAGE,
        "pinsmith: back-door is not a simulated lock; there are: front-door\n",
    )


def test_a_lock_that_was_never_hung_up_is_told(pinsmith: Pinsmith, lock: Path) -> None:
    """The daemon does that at its first start."""
    for file in lock.iterdir():
        file.unlink()

    done = pinsmith("keypad", "show", LOCK)

    assert done.code == Exit.REFUSED
    assert "daemon" in done.err
