"""Frames: `7F 5A | version | command | AA | length | data | CRC-8 | 0D 0A`, cut into pieces on the air."""

from msgspec import Struct

HEADER = b"\x7f\x5a"
TRAILER = b"\r\n"
FROM_APP = 0xAA
_LENGTH_AT = 11
_DATA_AT = 12
MOST_DATA = 255
"""The length is one byte."""
PIECE = 20
"""Bytes of one write: what the smallest ATT MTU carries. Locks of this family are never sent more."""
_CRC_POLYNOMIAL = 0x8C
_SLIP_AT, _SLIP = 33, 0x07
"""Where the vendor's table has 0x07 for 0x7D. A client took it from the vendor's library, and answers of a
real lock that were published for their "bad" checksum have exactly the one that this makes."""


class Version(Struct, frozen=True, kw_only=True):
    """The kind of lock, as the head of every frame to it says. The defaults are those of a V3 door lock."""

    protocol: int = 5
    sub: int = 3
    scene: int = 1
    group: int = 1
    organisation: int = 1

    def head(self) -> bytes:
        """Return it as bytes."""
        return (
            bytes((self.protocol, self.sub, self.scene))
            + self.group.to_bytes(2)
            + self.organisation.to_bytes(2)
        )


class Frame(Struct, frozen=True, kw_only=True):
    """A frame that was heard. `data` is encrypted still."""

    command: int
    data: bytes
    crc_fits: bool
    """Clients have met answers with another checksum: a wrong one is told and no reason to drop a frame."""


def crc8(data: bytes) -> int:
    """Return the vendor's checksum: the Dallas/Maxim CRC-8 (start 0) by a table with one wrong entry."""
    crc = 0
    for byte in data:
        crc = _TABLE[crc ^ byte]
    return crc


def _entry(index: int) -> int:
    if index == _SLIP_AT:
        return _SLIP
    for _ in range(8):
        index = index >> 1 ^ (_CRC_POLYNOMIAL if index & 1 else 0)
    return index


_TABLE = tuple(_entry(index) for index in range(256))


def encode(version: Version, command: int, data: bytes) -> bytes:
    """Return a whole frame. Raises ValueError where the data is too long for one."""
    if len(data) > MOST_DATA:
        raise ValueError("a frame carries 255 bytes at most")
    body = HEADER + version.head() + bytes((command, FROM_APP, len(data))) + data
    return body + bytes((crc8(body),)) + TRAILER


def pieces(frame: bytes) -> list[bytes]:
    """Return a frame cut for the air."""
    return [frame[start : start + PIECE] for start in range(0, len(frame), PIECE)]


class Assembler:
    """Puts frames together from pieces of any size.

    A frame ends where its length says: the two bytes of the trailer may stand in encrypted data too. What is
    no frame, such as one with a piece lost or doubled, is skipped up to the next head.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()

    def clear(self) -> None:
        """Forget what came so far."""
        self._buffer.clear()

    def feed(self, piece: bytes) -> list[Frame]:
        """Take in one piece; return the frames that it completed."""
        self._buffer += piece
        frames = []
        while self._to_head() and len(self._buffer) > _LENGTH_AT:
            crc_at = _DATA_AT + self._buffer[_LENGTH_AT]
            end = crc_at + 1 + len(TRAILER)
            if len(self._buffer) < end:
                break
            if self._buffer[crc_at + 1 : end] != TRAILER:
                del self._buffer[: len(HEADER)]
                continue
            body = bytes(self._buffer[:crc_at])
            fits = self._buffer[crc_at] == crc8(body)
            frames.append(Frame(command=body[9], data=body[_DATA_AT:], crc_fits=fits))
            del self._buffer[:end]
        return frames

    def _to_head(self) -> bool:
        """Drop what stands before a head; say whether there is one."""
        start = self._buffer.find(HEADER)
        if start < 0:
            # The last byte may be the first half of one.
            del self._buffer[: -1 if self._buffer.endswith(HEADER[:1]) else len(self._buffer)]
            return False
        del self._buffer[:start]
        return True
