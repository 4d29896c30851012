"""The exchange that makes the hub known to a lock, as pure steps: frames out, messages in.

Each function is a generator. It yields the next frame, with what opens the answer to it, is sent the answer,
and returns what was agreed. It raises PairingRefused where the lock does not prove that it has the key or
answers something else.
"""

import struct
from collections.abc import Generator
from typing import Final

from msgspec import Struct

from drivers.ble.nuki.commands import COMPLETE, Command, Registration
from drivers.ble.nuki.errors import MEANINGS
from drivers.ble.nuki.frames import (
    Message,
    Randomness,
    Seal,
    authenticator,
    plain,
    public_key,
    shared_key,
)

_KEY = 32
_NAME = 32
_PLACEHOLDER: Final = 0xFFFFFF7F
"""Stands for the authorisation that is still to come; as pyNukiBT sends it (7F FF FF FF on the air)."""


class Agreed(Struct, frozen=True):
    """What pairing yields. Printing shows nothing."""

    shared_key: bytes
    authorisation: int

    def __repr__(self) -> str:
        """Show nothing."""
        return "Agreed(hidden)"


class PairingRefused(Exception):
    """Pairing ended without an agreement. The message is for people."""


class Said(Struct, frozen=True):
    """A frame for the lock, and what its answer is sealed with; None: it comes in clear."""

    frame: bytes
    seal: Seal | None = None


type Exchange = Generator[Said, Message, Agreed]


class Introduction(Struct, frozen=True, kw_only=True):
    """What the hub calls itself."""

    registration: Registration
    app_id: int
    name: str

    def name_bytes(self) -> bytes:
        """Return as many whole characters as fit."""
        return self.name.encode()[:_NAME].decode(errors="ignore").encode().ljust(_NAME, b"\0")


def classic(me: Introduction, random: Randomness) -> Exchange:
    """Pair with a lock of the first four generations. All of it goes over the air in clear but the keys."""
    key, challenge = yield from _agree_on_key(random)
    body = bytes([me.registration]) + struct.pack("<I", me.app_id) + me.name_bytes()
    nonce = random(_KEY)
    proof = authenticator(key, body, nonce, challenge)
    answer = yield Said(plain(Command.AUTHORIZATION_DATA, proof + body + nonce))
    payload = _expect(answer, Command.AUTHORIZATION_ID, 32 + 4 + 16 + 32)
    theirs, authorisation, uuid, challenge = payload[:32], payload[32:36], payload[36:52], payload[52:]
    if theirs != authenticator(key, authorisation, uuid, challenge, nonce):
        raise PairingRefused("the lock did not prove that it has the key: somebody may be in between")
    proof = authenticator(key, authorisation, challenge)
    answer = yield Said(plain(Command.AUTHORIZATION_ID_CONFIRMATION, proof + authorisation))
    if _expect(answer, Command.STATUS, 1)[0] != COMPLETE:
        raise PairingRefused("the lock did not complete the pairing")
    return Agreed(key, int.from_bytes(authorisation, "little"))


def fifth_generation(me: Introduction, pin: int, random: Randomness) -> Exchange:
    """Pair with a lock of the fifth generation, which wants its PIN. Never tried on a real one."""
    key, _ = yield from _agree_on_key(random)
    body = struct.pack("<I", me.app_id) + me.name_bytes() + struct.pack("<I", pin)
    seal = Seal(key, _PLACEHOLDER, random)
    answer = yield Said(seal.close(Command.AUTHORIZATION_DATA, body), seal)
    payload = _expect(answer, Command.AUTHORIZATION_ID, 4 + 16)
    return Agreed(key, int.from_bytes(payload[:4], "little"))


def _agree_on_key(random: Randomness) -> Generator[Said, Message, tuple[bytes, bytes]]:
    """Exchange public keys and prove that we have ours; return the key and the lock's next challenge."""
    secret = random(_KEY)
    ours = public_key(secret)
    answer = yield Said(plain(Command.REQUEST_DATA, struct.pack("<H", Command.PUBLIC_KEY)))
    theirs = _expect(answer, Command.PUBLIC_KEY, _KEY)
    key = shared_key(theirs, secret)
    answer = yield Said(plain(Command.PUBLIC_KEY, ours))
    challenge = _expect(answer, Command.CHALLENGE, _KEY)
    proof = authenticator(key, ours, theirs, challenge)
    answer = yield Said(plain(Command.AUTHORIZATION_AUTHENTICATOR, proof))
    if answer.command == Command.AUTHORIZATION_INFO:
        return key, b""
    return key, _expect(answer, Command.CHALLENGE, _KEY)


def _expect(answer: Message, command: Command, length: int) -> bytes:
    if answer.command == Command.ERROR_REPORT and answer.payload:
        meaning = MEANINGS.get(answer.payload[0])
        raise PairingRefused(meaning.words if meaning is not None else "the lock refused to be paired")
    if answer.command != command or len(answer.payload) < length:
        raise PairingRefused("the lock answered something else than pairing asks for")
    return answer.payload[:length]
