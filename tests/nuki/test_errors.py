"""What a lock's refusals mean: the numbers as the vendor's specification has them, written down once more."""

import pytest

from drivers.ble.nuki.errors import MEANINGS, Lasting, LockError
from gateway.domain.placement import Refusal

LATER = (0xFD, 0x22, 0x2C, 0x2D, 0x2E, 0x40, 0x41, 0x42, 0x43, 0x44, 0x45, 0x46, 0x48, 0x49, 0x4A, 0x4B, 0x4C)
PERSONS = (0xFE, 0xFF, 0x10, 0x11, 0x12, 0x13, 0x20, 0x21, 0x24, 0x25, 0x26, 0x27, 0x28, 0x47, 0x4D)
SPECIAL = {0x23: Refusal.FORMAT, 0x29: Refusal.FULL, 0x2A: Refusal.DUPLICATE, 0x2B: Refusal.FORMAT}
WANTED = dict.fromkeys(LATER, Refusal.BUSY) | dict.fromkeys(PERSONS, Refusal.OTHER) | SPECIAL
BARRED = dict.fromkeys((0x11, 0x24, 0x25, 0x26), Lasting.BARRED) | {0x27: Lasting.NOT_NOW}
LASTING = {0x20: Lasting.REVOKED, 0x21: Lasting.PIN_WRONG, 0x28: Lasting.PIN_LOCKED_OUT} | BARRED


@pytest.mark.parametrize("code", sorted(WANTED))
def test_every_error_has_its_reason_and_what_follows_from_it(code: int) -> None:
    """What passes by itself is tried again. What only a person can end, as keys, PIN and rights, lasts."""
    error = LockError(code)
    assert error.reason is WANTED[code]
    assert error.lasting is LASTING.get(code, Lasting.NOTHING)


def test_no_error_is_missing_here() -> None:
    """A new one is to be thought about twice."""
    assert MEANINGS.keys() == WANTED.keys()


def test_an_error_that_nobody_described_is_told_by_its_number() -> None:
    """It is tried neither at once nor never."""
    error = LockError(0x7E)
    assert (error.reason, error.lasting) == (Refusal.OTHER, Lasting.NOTHING)
    assert "0x7e" in str(error)
