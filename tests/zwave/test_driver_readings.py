"""What a report of a slot means."""

import pytest

from drivers.zwave.readings import reading_of
from gateway.domain.credential import Credential, Empty, Known, Reading, Unreadable
from gateway.domain.pin import Pin


def known(digits: str, *, enabled: bool = True) -> Known:
    """Return the reading of a slot that shows these digits."""
    return Known(Credential(pin=Pin(digits), enabled=enabled))


@pytest.mark.parametrize("code", ["", "0000", "****", None, "4711"])
def test_the_status_alone_says_that_a_slot_is_empty(code: str | None) -> None:
    """Locks pad empty slots with zeros, and some mask that padding."""
    assert reading_of(0, code) == Empty()


@pytest.mark.parametrize("code", ["**********", "****", "", "0000", None, {"type": "Buffer", "data": [1, 2]}])
def test_hidden_digits_are_not_taken_for_a_pin(code: object) -> None:
    """Locks mask with asterisks or zeros, or withhold the code: comparing that would rewrite for ever."""
    assert reading_of(1, code) == Unreadable(enabled=True)
    assert reading_of(2, code) == Unreadable(enabled=False)


@pytest.mark.parametrize(
    ("status", "reading"),
    [
        (1, known("4711")),
        (2, known("4711", enabled=False)),
        (3, known("4711", enabled=False)),
        (4, known("4711")),
        (6, known("4711")),
        (7, known("4711")),
        (99, Unreadable(enabled=None)),
    ],
)
def test_the_status_says_whether_the_code_opens_the_door(status: int, reading: Reading) -> None:
    """A status that nobody knows is taken, and no more is claimed."""
    assert reading_of(status, "4711") == reading


@pytest.mark.parametrize("status", [0xFE, None, "enabled"])
def test_a_slot_that_the_lock_does_not_have_gives_no_reading(status: object) -> None:
    """Above all it is not empty."""
    assert reading_of(status, "") is None


def test_a_pin_with_leading_zeros_is_a_pin() -> None:
    """Only zeros throughout are a mask."""
    assert reading_of(1, "0001") == known("0001")
