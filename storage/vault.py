"""What seals PINs before they reach the disk.

One master key of 256 bits; what is used is derived from it (HKDF-SHA256, RFC 5869), one key per purpose, so
that nothing published for one purpose says anything about another.
"""

import hmac
import os
from collections.abc import Callable
from hashlib import sha256

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from storage.errors import SealBroken

KEY_LENGTH = 32
"""Bytes of the master key."""
_NONCE_LENGTH = 12
_VERSION = b"\x01"


def random_nonce() -> bytes:
    """Return a nonce: 96 random bits, good for 2^32 seals under one key (NIST SP 800-38D, section 8.3).

    A write every second for a hundred years stays below that.
    """
    return os.urandom(_NONCE_LENGTH)


class Vault:
    """Seals with AES-256-GCM and makes keyed digests. Safe to use from one thread at a time.

    Raises:
        ValueError: the key is not 32 bytes.
    """

    def __init__(self, key: bytes, nonce: Callable[[], bytes] = random_nonce) -> None:
        """Derive the working keys from the master key. `nonce` must never repeat itself under one key."""
        if len(key) != KEY_LENGTH:
            message = "a master key is 32 bytes"
            raise ValueError(message)
        self._aead = AESGCM(_derive(key, b"pinsmith seal"))
        self._digest_key = _derive(key, b"pinsmith digest")
        self._nonce = nonce
        self.key_check = _derive(key, b"pinsmith key check").hex()
        """Tells one key from another and nothing else; kept in clear beside what the key sealed."""

    def seal(self, plaintext: bytes, context: bytes) -> bytes:
        """Encrypt `plaintext` so that it opens only with the same `context`."""
        nonce = self._nonce()
        return _VERSION + nonce + self._aead.encrypt(nonce, plaintext, context)

    def open(self, sealed: bytes, context: bytes) -> bytes:
        """Return what was sealed.

        Raises:
            SealBroken: altered, sealed with another key, or sealed for another place.
        """
        nonce = sealed[1 : 1 + _NONCE_LENGTH]
        if sealed[:1] == _VERSION and len(nonce) == _NONCE_LENGTH:
            try:
                return self._aead.decrypt(nonce, sealed[1 + _NONCE_LENGTH :], context)
            except InvalidTag:
                pass
        message = "a sealed value does not open where it stands: restore the newest backup"
        raise SealBroken(message)

    def digest(self, body: bytes) -> bytes:
        """Return a keyed digest (HMAC-SHA256): without the key, a short PIN cannot be found by trial."""
        return hmac.digest(self._digest_key, body, sha256)


def place(*parts: str) -> bytes:
    """Name the row that a sealed value belongs to, without two rows ever sharing a name."""
    return msgspec.json.encode(parts)


def _derive(key: bytes, purpose: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=KEY_LENGTH, salt=None, info=purpose).derive(key)
