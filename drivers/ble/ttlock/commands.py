"""The commands that are used, and what a lock answers when it says no."""

from enum import IntEnum

from gateway.domain.driver import Refused
from gateway.domain.placement import Refusal

ANSWER = 0x54
"""The command of every answer; the one that it answers stands inside."""
VENDOR = b"SCIENER"
"""A word that some commands carry for no other purpose than to be right."""


class Command(IntEnum):
    """Bytes that say what is asked."""

    FEATURES = 0x01
    PASSCODE = 0x03
    PASSCODES = 0x07
    GET_KEY = 0x19
    LOG = 0x25
    PROVE = 0x30
    INIT_PASSCODES = 0x31
    GET_CLOCK = 0x34
    CHECK_ADMIN = 0x41
    SET_CLOCK = 0x43
    START = 0x45
    SET_ADMIN_PASSCODE = 0x53
    ADD_ADMIN = 0x56
    FINISH = 0x57
    GET_ADMIN_PASSCODE = 0x65
    DEVICE_INFO = 0x90


class Feature(IntEnum):
    """Bits of what a lock says it can do."""

    PASSCODES = 0
    MODIFY_PASSCODE = 7
    GET_ADMIN_PASSCODE = 18
    NO_CLOCK = 20


class Failure(IntEnum):
    """Bytes that say why not; the names follow those in the vendor's published app library."""

    CHECKSUM = 0x01
    NO_PERMISSION = 0x02
    WRONG_ADMIN = 0x03
    SETTING_MODE = 0x05
    NO_ADMIN = 0x06
    NOT_SETTING_MODE = 0x07
    WRONG_PROOF = 0x08
    NO_POWER = 0x0A
    KEY_OUTDATED = 0x0D
    KEY_EXPIRED = 0x0E
    BAD_LENGTH = 0x0F
    KEY_NOT_YET = 0x11
    NOT_LOGGED_IN = 0x12
    EXISTS = 0x14
    NOT_THERE = 0x15
    FULL = 0x16
    UNKNOWN_COMMAND = 0x1B
    FROZEN = 0x1C
    NO_RECORD = 0x1F
    BAD_PARAMETER = 0x20
    WORKING = 0x24
    """No failure: the answer itself is still to come."""


KEYS_DO_NOT_FIT = frozenset(
    {
        Failure.NO_PERMISSION,
        Failure.WRONG_ADMIN,
        Failure.NO_ADMIN,
        Failure.KEY_OUTDATED,
        Failure.KEY_EXPIRED,
        Failure.KEY_NOT_YET,
    }
)
"""At the login: trying again with the same keys is useless and may lock us out. Later: not for these keys."""
LOGIN_REFUSED = KEYS_DO_NOT_FIT | {Failure.WRONG_PROOF, Failure.NOT_LOGGED_IN}
"""At the login only. Which of all these a real lock answers to wrong keys is not documented."""
PASSES = frozenset(
    {Failure.CHECKSUM, Failure.SETTING_MODE, Failure.NO_POWER, Failure.NOT_LOGGED_IN, Failure.FROZEN}
)
"""Says nothing of what was asked: another time, or over another connection, the lock may do it."""
_ADMINISTRATOR = "pair it with those of its administrator"
NOT_ALLOWED = f"the lock does not let these keys manage codes: {_ADMINISTRATOR}"
LOG_NOT_ALLOWED = f"the lock does not let these keys read its log: {_ADMINISTRATOR}"
FACTS_NOT_ALLOWED = f"the lock does not let these keys have it say what it is: {_ADMINISTRATOR}"
CLOCK_NOT_ALLOWED = f"the lock does not let these keys read or set its clock: {_ADMINISTRATOR}"

_MEANING = {
    Failure.CHECKSUM: (Refusal.BUSY, "the message reached the lock garbled"),
    Failure.SETTING_MODE: (Refusal.BUSY, "somebody is setting the lock up"),
    Failure.FROZEN: (Refusal.BUSY, "the lock is frozen by its app"),
    Failure.NO_POWER: (Refusal.OTHER, "the lock's battery is too weak"),
    Failure.BAD_LENGTH: (Refusal.FORMAT, "the lock does not take codes of this length"),
    Failure.EXISTS: (Refusal.DUPLICATE, "the lock has this code already"),
    Failure.NOT_THERE: (Refusal.OTHER, "the lock has no such code"),
    Failure.FULL: (Refusal.FULL, "the lock has no room for another code"),
    Failure.UNKNOWN_COMMAND: (Refusal.OTHER, "the lock does not know this command"),
} | dict.fromkeys(KEYS_DO_NOT_FIT, (Refusal.OTHER, NOT_ALLOWED))


class SaidNo(Exception):
    """The lock answered with a failure. Nothing was changed."""

    def __init__(self, code: int) -> None:
        """Keep the byte that says why; 0 where there was none."""
        super().__init__(f"the lock answered with failure {code}")
        self.code = code

    def refusal(self) -> Refused:
        """Return it as the engine understands it."""
        reason, words = _MEANING.get(
            self.code,  # type: ignore[call-overload]  # an IntEnum key is found by its number
            (Refusal.OTHER, f"the lock said no (failure {self.code})"),
        )
        return Refused(reason, words)
