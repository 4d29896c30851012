"""Frames, as the lock reads and writes them."""

from collections.abc import Iterator

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

START_OF_FRAME = b"\x7f\x5a"
REPLY = 0x54
FACTORY = bytes.fromhex("987623e8a923a1bb3d9e7d0378124588")
_BODY = 12


def checksum(data: bytes) -> int:
    """CRC-8 with the polynomial x^8 + x^5 + x^4 + 1, bits backwards, and one slip of the vendor's pen."""
    bits = 0
    for byte in data:
        if bits ^ byte == 0x21:
            bits = 0x07
            continue
        for place in range(8):
            out = (bits ^ byte) & 1 if place == 0 else bits & 1
            bits = (bits ^ byte if place == 0 else bits) >> 1
            if out:
                bits ^= 0b10001100
    return bits


def seal(data: bytes, key: bytes) -> bytes:
    """Pad and encrypt."""
    fill = 16 - len(data) % 16
    aes = Cipher(algorithms.AES(key), modes.CBC(key)).encryptor()
    return aes.update(data + bytes((fill,)) * fill) + aes.finalize()


def unseal(data: bytes, key: bytes) -> bytes | None:
    """Decrypt; None where that makes no sense."""
    if not data or len(data) % 16:
        return None
    aes = Cipher(algorithms.AES(key), modes.CBC(key)).decryptor()
    plain = aes.update(data) + aes.finalize()
    fill = plain[-1]
    if not 1 <= fill <= 16 or plain[-fill:] != bytes((fill,)) * fill:
        return None
    return plain[:-fill]


def reply(head: bytes, sealed: bytes, *, wrong_checksum: bool = False) -> bytes:
    """Return a frame of the lock; `head` is what follows the start of frame in that of the client."""
    body = START_OF_FRAME + head + bytes((REPLY, 0xAA, len(sealed))) + sealed
    return body + bytes((checksum(body) ^ (0x55 if wrong_checksum else 0),)) + b"\r\n"


class Ear:
    """Finds frames in what a client writes. Raises nothing: what is wrong is not heard."""

    def __init__(self) -> None:
        self._bytes = b""

    def deaf(self) -> None:
        """Forget a frame that was begun."""
        self._bytes = b""

    def hear(self, piece: bytes) -> Iterator[tuple[bytes, int, bytes]]:
        """Take a piece; yield head, command and sealed data of each frame."""
        self._bytes += piece
        while len(self._bytes) >= _BODY:
            if not self._bytes.startswith(START_OF_FRAME):
                self._bytes = self._bytes[1:]
                continue
            end = _BODY + self._bytes[11] + 3
            if len(self._bytes) < end:
                return
            frame, self._bytes = self._bytes[:end], self._bytes[end:]
            if frame[-2:] == b"\r\n" and checksum(frame[:-3]) == frame[-3] and frame[10] == 0xAA:
                yield frame[2:9], frame[9], frame[_BODY:-3]
