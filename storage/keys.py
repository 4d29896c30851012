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
    """Return the master key of a daemon, which makes one, the file `key`, at its very first start.

    Never beside a database: that one needs the key it was sealed with. Otherwise like `existing_key`.
    """
    path, database = data_dir / KEY, data_dir / DATABASE
    is_first_start = not (database.exists() and database.stat().st_size)
    if is_first_start and not (_credential(credentials_dir) or path.exists()):
        _create(path, random(KEY_LENGTH))
    return existing_key(data_dir, credentials_dir)


def existing_key(data_dir: Path, credentials_dir: Path | None) -> bytes:
    """Return the master key: the credential of systemd, or else what is in the file `key`.

    `credentials_dir` is what systemd names in $CREDENTIALS_DIRECTORY.

    Raises:
        KeyUnusable: missing, not a key, or open to other users; says what to do.
    """
    credential = _credential(credentials_dir)
    if credential is not None:
        # systemd decides who can read a credential.
        return _parsed(credential)
    path = data_dir / KEY
    if not path.exists():
        raise KeyUnusable(
            f"the key {path} is missing, and the database cannot be read without it. Where systemd hands it "
            f"to the daemon as the credential {CREDENTIAL}, nothing is lost: while the daemon runs, put "
            "`env CREDENTIALS_DIRECTORY=/run/credentials/pinsmith.service` before the command; otherwise see "
            '"The key as a credential" in docs/install.md. Where it was a file, put it back, or restore both '
            "from a backup with `pinsmith restore FILE`"
        )
    if stat.S_IMODE(path.stat().st_mode) & (stat.S_IRWXG | stat.S_IRWXO):
        raise KeyUnusable(f"{path} is open to other users: run `chmod 600 {path}`")
    return _parsed(path)


def write_key(key: bytes) -> bytes:
    """Return the content of a key file."""
    return key.hex().encode() + b"\n"


def _credential(credentials_dir: Path | None) -> Path | None:
    if credentials_dir is None or not (credentials_dir / CREDENTIAL).exists():
        return None
    return credentials_dir / CREDENTIAL


def _create(path: Path, key: bytes) -> None:
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
