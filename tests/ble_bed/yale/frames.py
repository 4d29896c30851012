"""Frames of 18 bytes: 16 of them encrypted, two plain ones behind."""

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

LENGTH = 18
BLOCK = 16
SECURE_TAIL = 0x0F
COMMAND_TAIL = 0x02
PIN_BYTES = 7


class Secrecy:
    """A cipher in both directions: by single blocks during the handshake, chained by direction after it."""

    def __init__(self, key: bytes, *, chained: bool) -> None:
        cipher = Cipher(algorithms.AES(key), modes.CBC(bytes(BLOCK)) if chained else modes.ECB())  # noqa: S305 - theirs
        self._encryptor, self._decryptor = cipher.encryptor(), cipher.decryptor()

    def close(self, frame: bytes) -> bytes:
        """Encrypt what is sent."""
        return self._encryptor.update(frame[:BLOCK]) + frame[BLOCK:]

    def open(self, frame: bytes) -> bytes:
        """Decrypt what was received."""
        return self._decryptor.update(frame[:BLOCK]) + frame[BLOCK:]


def is_secure(frame: bytes) -> bool:
    """Check a frame of the handshake: the words it consists of, its checksum included, sum up to nothing."""
    return len(frame) == LENGTH and sum(_words(frame, 16)) & 0xFFFFFFFF == 0


def secure(kind: int, payload: bytes = b"", key_slot: int = 0) -> bytes:
    """Build a frame of the handshake."""
    frame = bytearray(LENGTH)
    frame[0], frame[16], frame[17] = kind, SECURE_TAIL, key_slot
    frame[4 : 4 + len(payload)] = payload
    frame[12:16] = (-sum(_words(frame, 12)) & 0xFFFFFFFF).to_bytes(4, "little")
    return bytes(frame)


def is_command(frame: bytes) -> bool:
    """Check a command: its bytes sum up to nothing."""
    return len(frame) == LENGTH and frame[0] == 0xEE and sum(frame) & 0xFF == 0


def answer(kind: int, opcode: int, fields: dict[int, bytes]) -> bytes:
    """Build an answer with `fields` by their place."""
    frame = bytearray(LENGTH)
    frame[0], frame[1], frame[16] = kind, opcode, COMMAND_TAIL
    for place, value in fields.items():
        frame[place : place + len(value)] = value
    frame[3] = -sum(frame) & 0xFF
    return bytes(frame)


def packed(digits: str) -> bytes:
    """Return a PIN as it is on the air: two digits a byte, filled up with F."""
    return bytes.fromhex(digits.ljust(2 * PIN_BYTES, "f"))


def digits_of(pin: bytes) -> str:
    """Return the digits of a packed PIN."""
    return pin.hex().rstrip("f")


def _words(frame: bytes | bytearray, until: int) -> list[int]:
    return [int.from_bytes(frame[at : at + 4], "little") for at in range(0, until, 4)]
