"""What a lock says it can do (command 0x01), and its battery."""

from msgspec import Struct

_WORD = 4
_HUNDRED = 100


class Features(Struct, frozen=True):
    """`bits` counts as `Feature` does; `battery` is 0 to 1, None where the byte is no percentage."""

    bits: int
    battery: float | None


def read_features(payload: bytes) -> Features:
    """Return what an answer means: the battery, then words of four bytes, lowest bits first."""
    if not payload:
        return Features(0, None)
    words = [payload[at : at + _WORD] for at in range(1, len(payload), _WORD)]
    bits = sum(int.from_bytes(word) << 32 * place for place, word in enumerate(words) if len(word) == _WORD)
    return Features(bits, payload[0] / _HUNDRED if payload[0] <= _HUNDRED else None)
