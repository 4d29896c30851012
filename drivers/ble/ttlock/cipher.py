"""The encryption of the data in a frame: AES-128-CBC with PKCS #7 padding, and the key as first block.

So equal data under one key is equal on the air. Nothing in a message makes it unique; what keeps somebody
from playing an old one back is the number that a lock draws at every login.
"""

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

KEY_LENGTH = 16
_BLOCK_BITS = 128
FACTORY_KEY = bytes.fromhex("987623E8A923A1BB3D9E7D0378124588")
"""What every lock speaks with until it has an administrator. Built into the vendor's app: no secret."""


def encrypt(data: bytes, key: bytes) -> bytes:
    """Return `data` padded and encrypted. Raises ValueError where the key has not 16 bytes."""
    padder = PKCS7(_BLOCK_BITS).padder()
    encryptor = Cipher(algorithms.AES(_checked(key)), modes.CBC(key)).encryptor()
    return encryptor.update(padder.update(data) + padder.finalize()) + encryptor.finalize()


def decrypt(data: bytes, key: bytes) -> bytes:
    """Return the data without padding. Raises ValueError where it was not encrypted with this key."""
    decryptor = Cipher(algorithms.AES(_checked(key)), modes.CBC(key)).decryptor()
    unpadder = PKCS7(_BLOCK_BITS).unpadder()
    padded = decryptor.update(data) + decryptor.finalize()
    return unpadder.update(padded) + unpadder.finalize()


def _checked(key: bytes) -> bytes:
    if len(key) != KEY_LENGTH:
        raise ValueError("a key has 16 bytes")
    return key
