"""What the vault keeps of one lock: its key, and what it said of itself when the key was tried."""

from typing import Annotated, override

import msgspec
from msgspec import Meta, Struct

KEY_BYTES = 16
MOST_KEY_SLOT = 255


class YaleKeys(Struct, frozen=True, kw_only=True):
    """The offline key and its number in the lock, and who the lock is. Printing it shows no key."""

    key: Annotated[bytes, Meta(min_length=KEY_BYTES, max_length=KEY_BYTES)]
    key_slot: Annotated[int, Meta(ge=0, le=MOST_KEY_SLOT)]
    address: str
    """Bluetooth address, upper case."""
    model: str = ""
    serial: str | None = None
    firmware: str = ""

    @override
    def __repr__(self) -> str:
        return f"YaleKeys(address={self.address!r}, key hidden)"

    __str__ = __repr__

    def packed(self) -> bytes:
        """Return what the vault is to keep."""
        return msgspec.json.encode(self)


def unpacked(secret: bytes) -> YaleKeys:
    """Return what `packed` packed.

    Raises:
        ValueError: it is something else. The text says nothing of the content.
    """
    try:
        return msgspec.json.decode(secret, type=YaleKeys)
    except msgspec.MsgspecError:
        raise ValueError("the stored keys of this lock are not those of a Yale lock") from None
