"""Finds a secret in whatever shape it may have got out."""

import base64
import re
from collections.abc import Iterator
from typing import Final

_IDS: Final = re.compile(rb"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_SHORT: Final = 5
"""Digits that so few are in other numbers by chance: they count only where they stand alone."""
_PIECE: Final = 8
"""So many bytes of a key are too many to be told."""


def found(secret: bytes | str, text: bytes) -> list[str]:
    """Return in which shapes a key (bytes) or a number (its digits) is in a text."""
    shapes = _of_key(secret) if isinstance(secret, bytes) else _of_digits(secret)
    plain = _IDS.sub(b"-", text)
    return [name for name, shape in shapes if _is_in(shape, text, plain)]


def _is_in(shape: bytes, text: bytes, plain: bytes) -> bool:
    if shape.isdigit() and len(shape) < _SHORT:
        return re.search(rb"(?<!\d)" + shape + rb"(?!\d)", plain) is not None
    return shape in text


def _of_key(key: bytes) -> Iterator[tuple[str, bytes]]:
    for at in range(0, len(key) - _PIECE + 1, _PIECE):
        yield from _of_bytes(key[at : at + _PIECE])
    for order in ("little", "big"):
        yield f"one number, {order}", str(int.from_bytes(key, order)).encode()


def _of_digits(digits: str) -> Iterator[tuple[str, bytes]]:
    yield "digits", digits.encode()
    for name, shape in _of_bytes(digits.encode()):
        if name != "raw":
            yield f"digits as {name}", shape
    yield "list of digits", ", ".join(digits).encode()
    if len(digits) < _SHORT:
        return  # Two bytes are anywhere.
    number = int(digits)
    for order in ("little", "big"):
        yield from _of_bytes(number.to_bytes(8 if number >> 32 else 4, order), base64_too=False)


def _of_bytes(data: bytes, *, base64_too: bool = True) -> Iterator[tuple[str, bytes]]:
    yield "raw", data
    yield "hexadecimal", data.hex().encode()
    yield "upper case hexadecimal", data.hex().upper().encode()
    yield "spaced hexadecimal", data.hex(" ").encode()
    yield "escaped", repr(data)[2:-1].encode()
    yield "list of bytes", ", ".join(map(str, data)).encode()
    if base64_too:
        for before in range(3):
            # The characters that depend on nothing but the secret, wherever in a longer text it begins.
            whole = base64.b64encode(bytes(before) + data)
            inner = whole[-(-before * 8 // 6) : (before + len(data)) * 8 // 6]
            yield "base64", inner
            yield "base64 for addresses", inner.translate(bytes.maketrans(b"+/", b"-_"))
