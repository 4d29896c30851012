"""Where the master key comes from: 64 hexadecimal digits in a file."""

import os
import re
import stat
from collections.abc import Callable
from pathlib import Path

from storage.data_dir import DATABASE, KEY
from storage.errors import KeyUnusable
from storage.private_files import write_new
from storage.vault import KEY_LENGTH

CREDENTIAL = "pinsmith.key"
"""Name of the systemd credential that, where given, goes before the file in the data directory."""
_SHAPE = re.compile(rb"[0-9a-fA-F]{%d}\s*" % (2 * KEY_LENGTH))


def load_key(
    data_dir: Path, credentials_dir: Path | None, random: Callable[[int], bytes] = os.urandom
) -> bytes:
    """Return the master key.

    `credentials_dir` is what systemd names in $CREDENTIALS_DIRECTORY. Without a credential the file `key` in
    the data directory counts. It is created at the very first start, and never beside a database: that one
    needs the key it was sealed with.

    Raises:
        KeyUnusable: missing beside a database, not a key, or open to other users; says what to do.
    """
    if credentials_dir is not None and (credentials_dir / CREDENTIAL).exists():
        # systemd decides who can read a credential.
        return _parsed(credentials_dir / CREDENTIAL)
    path = data_dir / KEY
    if not path.exists():
        _create(path, random(KEY_LENGTH))
    if stat.S_IMODE(path.stat().st_mode) & (stat.S_IRWXG | stat.S_IRWXO):
        raise KeyUnusable(f"{path} is open to other users: run `chmod 600 {path}`")
    return _parsed(path)


def write_key(key: bytes) -> bytes:
    """Return the content of a key file."""
    return key.hex().encode() + b"\n"


def _create(path: Path, key: bytes) -> None:
    database = path.parent / DATABASE
    if database.exists() and database.stat().st_size:
        raise KeyUnusable(
            f"the key {path} is missing and {database} cannot be read without it: put the file back, or "
            "restore both from a backup with `pinsmith restore FILE`"
        )
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_new(path, [write_key(key)])
    except OSError as error:
        raise KeyUnusable(f"{path} cannot be created: {error.strerror}") from error


def _parsed(path: Path) -> bytes:
    try:
        text = path.read_bytes()
    except OSError as error:
        raise KeyUnusable(f"{path} cannot be read: {error.strerror}") from error
    if _SHAPE.fullmatch(text) is None:
        raise KeyUnusable(
            f"{path} is not a key of {2 * KEY_LENGTH} hexadecimal digits: put the right file back"
        )
    return bytes.fromhex(text.decode())
