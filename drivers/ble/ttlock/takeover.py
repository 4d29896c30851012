"""What is said to a lock once: the initialisation of a new one, and a first look at a known one."""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from drivers.ble.ttlock.cipher import KEY_LENGTH
from drivers.ble.ttlock.commands import VENDOR, Command, Feature, SaidNo
from drivers.ble.ttlock.conversation import Conversation
from drivers.ble.ttlock.features import read_features
from drivers.ble.ttlock.secret import Secret
from drivers.ble.ttlock.times import face_of, moment_bytes
from gateway.domain.driver import DriverError, NoAnswer, PairingFailed

_ADMIN_DIGITS = 7
_LEAST_NUMBER = 100_000_000
_NUMBERS = 900_000_000
"""Nine digits, as in the vendor's app."""
_YEARS = 10
_SOME_YEAR = 2026
"""Where the hub does not know the time. It only dates numbers that nobody uses."""
_LARGEST_CODE = 1071
_SECRET_DIGITS = 10
_MODEL, _FIRMWARE = 1, 3

type Random = Callable[[int], bytes]


async def first_key(talk: Conversation, *, greets: bool) -> bytes:
    """Ask a lock in setting mode for the key that it draws.

    `greets`: begin with the greeting that older locks want. Clients disagree about it: most send it, one says
    that third generation locks hang up on it.
    """
    if greets:
        with suppress(SaidNo, NoAnswer):
            await talk.ask(Command.START)
    key = await talk.ask(Command.GET_KEY, VENDOR)
    if len(key) != KEY_LENGTH:
        raise PairingFailed("the lock gave a key of the wrong length: it is of a kind that is not known here")
    return key


async def become_admin(talk: Conversation, secret: Secret) -> None:
    """Give a lock in setting mode the keys in `secret`, by which it knows us from then on.

    Raises SaidNo (it has not taken them), LockUnreachable or NoAnswer (it may have).
    """
    talk.key = secret.key
    numbers = secret.admin_ps.to_bytes(4) + secret.unlock_key.to_bytes(4)
    await talk.ask(Command.ADD_ADMIN, numbers + VENDOR)


async def set_up(
    talk: Conversation, secret: Secret, now: datetime | None, zone: ZoneInfo, random: Random
) -> Secret:
    """Finish the initialisation; return what is to be kept. It may be done anew where it broke off.

    Raises SaidNo, LockUnreachable, NoAnswer; the lock is ours even so.
    """
    if now is not None:
        with suppress(SaidNo):  # some locks do not do it at this point; the first session does
            await talk.ask(Command.SET_CLOCK, moment_bytes(face_of(now, zone)))
    secret = replace(secret, features=read_features(await talk.ask(Command.FEATURES)).bits)
    year = _SOME_YEAR if now is None else now.year
    secret = replace(secret, admin_passcode=await _admin_passcode(talk, secret, year, random))
    await talk.ask(Command.FINISH)
    secret = replace(secret, half_set_up=False)
    try:
        return await acquaint(talk, secret)
    except (SaidNo, DriverError):
        return secret  # the rest is only what it calls itself


async def acquaint(talk: Conversation, secret: Secret) -> Secret:
    """Return what a lock on which we are logged in says of itself, with its keys."""
    return replace(
        secret,
        features=read_features(await talk.ask(Command.FEATURES)).bits,
        model=await _info(talk, _MODEL),
        firmware=await _info(talk, _FIRMWARE),
    )


def some_passcode(random: Random) -> str:
    """Draw a code for the setup at the keypad."""
    return "".join(str(byte % 10) for byte in random(_ADMIN_DIGITS))


def number(random: Random) -> int:
    """Draw a number of nine digits."""
    return _LEAST_NUMBER + int.from_bytes(random(8)) % _NUMBERS


def yearly_secrets(year: int, random: Random) -> bytes:
    """Return 61 bytes of numbers for ten years.

    With them the vendor's cloud computes codes that a lock takes without having been told. Nobody keeps them
    here, so that nobody can: every code on a lock that was told them is one that was sent to it.
    """
    parts = [bytes((year % 100,))]
    for _ in range(_YEARS):
        code = int.from_bytes(random(8)) % _LARGEST_CODE
        secret = int.from_bytes(random(8)) % 10**_SECRET_DIGITS
        # 12 bits of one and 36 bits of the other.
        parts.append((code << 36 | secret).to_bytes(6))
    return b"".join(parts)


async def _admin_passcode(talk: Conversation, secret: Secret, year: int, random: Random) -> str:
    """Learn the code that opens the setup at the keypad, or set that of `secret`, with new yearly secrets."""
    if secret.can(Feature.GET_ADMIN_PASSCODE):
        told = await talk.ask(Command.GET_ADMIN_PASSCODE)
        digits = told[1 : told[0] + 1] if told else b""
        return digits.decode("ascii") if digits.isdigit() else ""
    await talk.ask(Command.SET_ADMIN_PASSCODE, bytes(map(int, secret.admin_passcode)))
    await talk.ask(Command.INIT_PASSCODES, yearly_secrets(year, random))
    return secret.admin_passcode


async def _info(talk: Conversation, what: int) -> str:
    """Return a text that the lock has about itself; empty where it has none."""
    try:
        text = await talk.ask(Command.DEVICE_INFO, bytes((what,)))
    except SaidNo:
        return ""
    return "".join(chr(byte) for byte in text if 32 < byte < 127)  # noqa: PLR2004 - printable ASCII
