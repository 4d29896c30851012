"""The format of a backup: one file sealed with a passphrase, written and read piece by piece.

::

    magic (16) | version | log2 n | r | p | salt (16) | nonce prefix (7) | sealed master key (48) | pieces ...

The file key comes from the passphrase by scrypt (RFC 7914) with the parameters in the header. Every piece is
AES-256-GCM under that key; its nonce is prefix, number of the piece and a mark on the last one, so that
pieces cannot be swapped, left out or cut off unnoticed (the STREAM construction of Hoang, Reyhanitabar,
Rogaway and Vizár, 2015). The master key is number 0, bound to what stands before it; it tells a wrong
passphrase at once. The other pieces are bound to the whole header.
"""

import os
import struct
import unicodedata
from collections.abc import Callable, Iterator
from typing import BinaryIO, NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from gateway.domain.store import Source, StorageFailed
from storage.errors import BackupUnreadable
from storage.vault import KEY_LENGTH

_MAGIC = b"PINSMITH BACKUP\n"
_VERSION = 1
_FRONT = struct.Struct(">16sBBBB16s7s")
_TAG = 16
_PIECE = 64 * 1024
_MOST_MEMORY = 256 * 1024 * 1024
_MOST_PASSES = 16


class Cost(NamedTuple):
    """What one try of a passphrase costs: 128 * r * 2^log2_n bytes of memory, p times over.

    The default, 64 MiB twice, is one of those OWASP's password storage notes name for scrypt; a hub with
    512 MiB can afford it.
    """

    log2_n: int = 16
    r: int = 8
    p: int = 2

    @property
    def memory(self) -> int:
        """Return how many bytes it takes at once."""
        return 128 * self.r * (1 << self.log2_n)

    @property
    def bearable(self) -> bool:
        """Say whether a header may ask for this: a forged one must not exhaust the machine.

        RFC 7914 has no log2 n from 16 * r on.
        """
        in_scrypt = min(self) >= 1 and self.log2_n < 16 * self.r
        return in_scrypt and self.memory <= _MOST_MEMORY and self.p <= _MOST_PASSES


def seal(
    source: Source,
    master_key: bytes,
    passphrase: str,
    cost: Cost,
    random: Callable[[int], bytes] = os.urandom,
) -> Iterator[bytes]:
    """Yield the bytes of a backup that holds `master_key` and everything in `source`.

    Raises StorageFailed where the passphrase needs more memory than there is.
    """
    salt, prefix = random(16), random(7)
    front = _FRONT.pack(_MAGIC, _VERSION, *cost, salt, prefix)
    aead = _aead(passphrase, salt, cost)
    header = front + aead.encrypt(_nonce(prefix, 0, last=False), master_key, front)
    yield header
    for number, (piece, last) in enumerate(_pieces(source, _PIECE), start=1):
        yield aead.encrypt(_nonce(prefix, number, last=last), piece, header)


def unseal(file: BinaryIO, passphrase: str) -> tuple[bytes, Iterator[bytes]]:
    """Return the master key and an iterator over what was sealed with it.

    Raises:
        BackupUnreadable: here or while iterating; what came before must be thrown away then.
        StorageFailed: the passphrase needs more memory than there is.
    """
    front = file.read(_FRONT.size)
    if len(front) < _FRONT.size or not front.startswith(_MAGIC):
        raise BackupUnreadable("this file is not a pinsmith backup")
    _, version, log2_n, r, p, salt, prefix = _FRONT.unpack(front)
    cost = Cost(log2_n, r, p)
    if version != _VERSION or not cost.bearable:
        raise BackupUnreadable("this backup has a format that this pinsmith does not know: use a newer one")
    aead = _aead(passphrase, salt, cost)
    sealed_key = file.read(KEY_LENGTH + _TAG)
    try:
        master_key = aead.decrypt(_nonce(prefix, 0, last=False), sealed_key, front)
    except InvalidTag:
        raise BackupUnreadable(
            "the passphrase is wrong, or the first bytes of the backup are damaged"
        ) from None
    return master_key, _opened(file, aead, prefix, front + sealed_key)


def _opened(file: BinaryIO, aead: AESGCM, prefix: bytes, header: bytes) -> Iterator[bytes]:
    for number, (piece, last) in enumerate(_pieces(file, _PIECE + _TAG), start=1):
        try:
            yield aead.decrypt(_nonce(prefix, number, last=last), piece, header)
        except InvalidTag:
            raise BackupUnreadable("the backup is damaged or cut short: use another one") from None


def _pieces(file: Source, size: int) -> Iterator[tuple[bytes, bool]]:
    """Yield (piece, whether it is the last one); an empty file is one empty piece."""
    piece = file.read(size)
    while following := file.read(size):
        yield piece, False
        piece = following
    yield piece, True


def _nonce(prefix: bytes, number: int, *, last: bool) -> bytes:
    return prefix + number.to_bytes(4) + bytes([last])


def _aead(passphrase: str, salt: bytes, cost: Cost) -> AESGCM:
    # The same letters may be typed as different code points on another machine.
    typed = unicodedata.normalize("NFC", passphrase).encode()
    try:
        return AESGCM(Scrypt(salt=salt, length=32, n=2**cost.log2_n, r=cost.r, p=cost.p).derive(typed))
    except MemoryError:
        raise StorageFailed(
            f"the passphrase needs {-(-cost.memory // 2**20)} MiB of memory at once, which this machine does "
            "not give: end another program, or take another machine"
        ) from None
