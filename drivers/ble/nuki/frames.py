"""From messages to bytes on the air and back: checksums, sealing, putting indications together.

A plain frame is `command u16 | payload | crc u16`; a sealed one is `nonce[24] | authorisation u32 | length
u16 | box`, and in its box there are `authorisation u32 | command u16 | payload | crc u16`. Numbers are little
endian. The box is XSalsa20-Poly1305 under a key that both sides computed when they were paired.
"""

import binascii
import hashlib
import hmac
import struct
from collections.abc import Callable
from typing import Final

from msgspec import Struct
from nacl.bindings import crypto_box_beforenm, crypto_scalarmult_base
from nacl.exceptions import CryptoError
from nacl.secret import SecretBox

from drivers.ble.nuki.commands import Command

type Randomness = Callable[[int], bytes]
"""Gives that many bytes that nobody can guess."""

_CRC = 2
_HEADER = struct.Struct("<24sIH")
_PLAIN_LENGTHS: Final = {
    Command.PUBLIC_KEY: 32,
    Command.CHALLENGE: 32,
    Command.AUTHORIZATION_ID: 84,
    Command.STATUS: 1,
    Command.ERROR_REPORT: 3,
    Command.AUTHORIZATION_INFO: 1,
}
"""Payload bytes of what a lock says in clear."""
_MOST = 4096
"""No message comes near this many bytes: what does is noise."""


class Message(Struct, frozen=True):
    """One message of the lock. Its payload may hold PINs: never shown."""

    command: int
    payload: bytes

    def __repr__(self) -> str:
        """Name the command only."""
        return f"Message({self.command:#06x})"


class BadFrame(Exception):
    """What came is no message of this lock: cut, changed, or not for us."""


def crc16(data: bytes) -> bytes:
    """Return CRC-16/CCITT-FALSE of `data`, low byte first."""
    return binascii.crc_hqx(data, 0xFFFF).to_bytes(_CRC, "little")


def plain(command: int, payload: bytes = b"") -> bytes:
    """Return a frame that anybody can read, as used while pairing."""
    body = struct.pack("<H", command) + payload
    return body + crc16(body)


def read_plain(frame: bytes) -> Message:
    """Return what a plain frame says. Raises BadFrame."""
    if len(frame) < 2 + _CRC or crc16(frame[:-_CRC]) != frame[-_CRC:]:
        raise BadFrame("a message came with a wrong checksum")
    return Message(int.from_bytes(frame[:2], "little"), frame[2:-_CRC])


def public_key(secret_key: bytes) -> bytes:
    """Return the X25519 public key that belongs to a secret one."""
    return crypto_scalarmult_base(secret_key)


def shared_key(lock_key: bytes, secret_key: bytes) -> bytes:
    """Return the long-term key: X25519, then HSalsa20. Raises BadFrame for a public key that is none."""
    try:
        return crypto_box_beforenm(lock_key, secret_key)
    except CryptoError:
        raise BadFrame("the lock sent a key that cannot be used") from None


def authenticator(key: bytes, *parts: bytes) -> bytes:
    """Return HMAC-SHA256 over the parts, one behind the other."""
    return hmac.new(key, b"".join(parts), hashlib.sha256).digest()


class Seal:
    """The key of one authorisation: closes and opens sealed frames."""

    def __init__(self, key: bytes, authorisation: int, random: Randomness) -> None:
        """Use the shared `key` and the number that the lock gave us; a nonce is drawn for every frame."""
        self._box = SecretBox(key)
        self._authorisation = authorisation
        self._random = random

    def close(self, command: int, payload: bytes = b"") -> bytes:
        """Return a frame that only the lock can read."""
        body = struct.pack("<IH", self._authorisation, command) + payload
        nonce = self._random(SecretBox.NONCE_SIZE)
        box = self._box.encrypt(body + crc16(body), nonce).ciphertext
        return _HEADER.pack(nonce, self._authorisation, len(box)) + box

    def open(self, frame: bytes) -> Message:
        """Return what a sealed frame says. Raises BadFrame."""
        if len(frame) < _HEADER.size:
            raise BadFrame("a message came cut off")
        nonce, _, _ = _HEADER.unpack_from(frame)
        try:
            body = self._box.decrypt(frame[_HEADER.size :], nonce)
        except (CryptoError, ValueError):
            raise BadFrame("a message came that our key does not open") from None
        # Some locks leave the checksum zero (pyNukiBT); the box proves the content already.
        if len(body) < 4 + 2 + _CRC or body[-_CRC:] not in {crc16(body[:-_CRC]), bytes(_CRC)}:
            raise BadFrame("a message came with a wrong checksum")
        return Message(int.from_bytes(body[4:6], "little"), body[6:-_CRC])


class Gathering:
    """Puts indications together to frames, at whatever size they were cut.

    An indication that equals the one before is the same one once more and is dropped: a nonce, a key or an
    authenticator is in every message of more than one indication, so no two are alike.
    """

    def __init__(self, *, sealed: bool) -> None:
        """Expect sealed frames, or plain ones; errors may come plain in either case."""
        self.sealed = sealed
        self._held = b""
        self._last = b""

    def add(self, indication: bytes) -> bytes | None:
        """Take an indication; return the frame that it completes, None while there is more to come."""
        if indication == self._last:
            return None
        self._last = indication
        self._held += indication
        wanted = self._wanted()
        if wanted is None or len(self._held) < wanted:
            if len(self._held) > _MOST:
                self._held = b""
            return None
        frame, self._held = self._held[:wanted], b""
        return frame

    def _wanted(self) -> int | None:
        """Return how many bytes the frame under way has; None while that is not to be seen."""
        if is_plain_error(self._held):
            return len(self._held)
        if self.sealed:
            if len(self._held) < _HEADER.size:
                return None
            length: int = _HEADER.unpack_from(self._held)[2]
            return _HEADER.size + length
        payload = _PLAIN_LENGTHS.get(Command.of(self._held))
        return 2 + payload + _CRC if payload is not None else len(self._held)


def is_plain_error(frame: bytes) -> bool:
    """Say whether this is a whole error report that was not sealed."""
    if len(frame) != 2 + 3 + _CRC or Command.of(frame) is not Command.ERROR_REPORT:
        return False
    return crc16(frame[:-_CRC]) == frame[-_CRC:]
