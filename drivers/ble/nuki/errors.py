"""What a lock's refusals mean.

The names are those of the vendor's specification and of its later versions as other software knows them.
"""

from enum import Enum
from typing import Final, NamedTuple

from gateway.domain.driver import Refused
from gateway.domain.placement import Refusal


class Lasting(Enum):
    """What stays true after an answer, until a person does something."""

    NOTHING = "nothing"
    PIN_WRONG = "pin wrong"
    """Repeating it would lock us out: nothing that needs the PIN is sent until it changes."""
    PIN_LOCKED_OUT = "pin locked out"
    """Somebody tried wrong PINs; ours may be right. It is left alone for a while."""
    REVOKED = "revoked"
    """The lock no longer knows us: pair again. It cannot seal that, so anybody may have said it."""
    BARRED = "barred"
    """The lock knows us and lets us do nothing, by its settings: not asked again before a person wants it."""
    NOT_NOW = "not now"
    """The same at this time of day only: asked again after an hour."""


class Meaning(NamedTuple):
    """One error code: why the lock said no, in words, and what follows from it."""

    refusal: Refusal
    words: str
    lasting: Lasting = Lasting.NOTHING


UNKNOWN_ERROR: Final = 0xFF
NO_SUCH_ID: Final = frozenset({0x23, 0x24})
"""What a lock may answer of a code that is not there; which one is not documented."""

_BUSY = Meaning(Refusal.BUSY, "the lock is busy")
_MOTOR = Meaning(Refusal.BUSY, "the lock has trouble with its motor")

MEANINGS: Final = {
    0xFD: Meaning(Refusal.BUSY, "the lock received a message with a wrong checksum"),
    0xFE: Meaning(Refusal.OTHER, "the lock found a message of the wrong length"),
    0xFF: Meaning(Refusal.OTHER, "the lock says no more than: unknown error"),
    0x10: Meaning(Refusal.OTHER, "the lock is not in pairing mode"),
    0x11: Meaning(
        Refusal.OTHER,
        "the lock did not accept our proof of the key",
        Lasting.BARRED,
    ),
    0x12: Meaning(Refusal.OTHER, "the lock did not accept what we call ourselves"),
    0x13: Meaning(Refusal.OTHER, "the lock knows as many users as it can: delete one in the Nuki app"),
    0x20: Meaning(
        Refusal.OTHER,
        "the lock does not know this hub any more: pair it again",
        Lasting.REVOKED,
    ),
    0x21: Meaning(
        Refusal.OTHER,
        "the lock refused the security PIN: nothing more is tried until it is changed (pair again)",
        Lasting.PIN_WRONG,
    ),
    0x22: Meaning(Refusal.BUSY, "the lock found a challenge that was used or old"),
    0x23: Meaning(Refusal.FORMAT, "the lock refused a value of the code"),
    0x24: Meaning(
        Refusal.OTHER,
        "the lock has no such entry",
        Lasting.BARRED,
    ),
    0x25: Meaning(
        Refusal.OTHER, "this hub's access is disabled in the Nuki app: enable it there", Lasting.BARRED
    ),
    0x26: Meaning(
        Refusal.OTHER,
        "this hub's access is not allowed from afar: allow that in the Nuki app",
        Lasting.BARRED,
    ),
    0x27: Meaning(
        Refusal.OTHER,
        "this hub's access is limited in time in the Nuki app, and this is not the time: "
        "take the limit away there",
        Lasting.NOT_NOW,
    ),
    0x28: Meaning(
        Refusal.OTHER,
        "wrong security PINs were tried too often: the lock takes none for a while",
        Lasting.PIN_LOCKED_OUT,
    ),
    0x29: Meaning(Refusal.FULL, "the lock has no room for another code"),
    0x2A: Meaning(Refusal.DUPLICATE, "the lock has this PIN already"),
    0x2B: Meaning(Refusal.FORMAT, "the lock refused the form of this PIN"),
    0x2C: Meaning(Refusal.BUSY, "the keypad is locked for a while after wrong codes"),
    0x2D: Meaning(Refusal.BUSY, "the keypad is locked for a while after wrong codes"),
    0x2E: Meaning(Refusal.BUSY, "the keypad is locked for a while after wrong codes"),
    0x40: _BUSY,
    0x41: _MOTOR,
    0x42: _MOTOR,
    0x43: _MOTOR,
    0x44: _MOTOR,
    0x45: _BUSY,
    0x46: _MOTOR,
    0x47: Meaning(Refusal.OTHER, "the lock is not calibrated"),
    0x48: _MOTOR,
    0x49: Meaning(Refusal.BUSY, "the lock's battery is too low"),
    0x4A: _MOTOR,
    0x4B: _MOTOR,
    0x4C: Meaning(Refusal.BUSY, "the lock's battery is too low"),
    0x4D: Meaning(Refusal.OTHER, "the lock wants a firmware update first"),
}


class LockError(Refused):
    """The lock answered a command with an error code."""

    def __init__(self, code: int, *, sealed: bool = True) -> None:
        """Say in words what the code means; `sealed`: only the lock can have sent it."""
        meaning = MEANINGS.get(code) or Meaning(Refusal.OTHER, f"the lock answered error {code:#04x}")
        super().__init__(meaning.refusal, meaning.words)
        self.code = code
        self.sealed = sealed
        self.lasting = meaning.lasting
