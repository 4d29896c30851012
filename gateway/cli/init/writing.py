"""Puts configuration and password in their place: both whole, or neither."""

import grp
import os
import shutil
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from gateway.cli.exits import Failure, UsageError

PASSWORD_FILE = "mqtt-password"  # noqa: S105 - the name of a file
"""Of the file beside the configuration."""
GROUP = "pinsmith"
"""Of the daemon's user, where the package made one."""
_OURS, _SHARED = 0o600, 0o640


def demand_room(file: Path, *, replace: bool) -> None:
    """Raise UsageError before anything is asked where the file could not be written in the end."""
    there = file.absolute().parent
    while not os.access(there, os.F_OK, effective_ids=True):
        there = there.parent
    if not os.access(there, os.W_OK | os.X_OK, effective_ids=True):
        raise UsageError(f"this user may not write below {there}: use sudo, or --out names another file")
    if file.exists() and not replace:
        raise UsageError(f"{file} is there already, and nothing was changed: --replace writes it anew")
    if file.is_dir():
        raise UsageError(f"{file} is a folder: --out names the file to write")


def write[T](
    file: Path,
    content: str,
    password: str | None,
    check: Callable[[Path], T],
    *,
    replace: bool,
    group: str = GROUP,
) -> T:
    """Write the configuration, and the password beside it where there is one; return what `check` returns.

    `check` is given the new file before it is in place, and raises where it is wrong. With `replace` the
    configuration that was there stays beside it as `.old`. As root, files go to root and `group`, if there
    is such a group; else they are for this user alone.

    Raises Failure where a file cannot be written, and what `check` raises. Then everything is as before.
    """
    file = file.absolute()
    try:
        with ExitStack() as folders:
            _make_folder(file.parent, folders)
            workshop = Path(tempfile.mkdtemp(prefix=".pinsmith-init-", dir=file.parent))
            try:
                checked = _write(workshop, file, content, password, check, replace=replace, group=group)
            finally:
                shutil.rmtree(workshop, ignore_errors=True)
            folders.pop_all()
    except FileExistsError:
        raise Failure(f"{file.parent} got such a file meanwhile, and nothing was changed") from None
    except OSError as error:
        raise Failure(f"cannot write below {file.parent}: {error.strerror}") from None
    return checked


def _write[T](
    workshop: Path,
    file: Path,
    content: str,
    password: str | None,
    check: Callable[[Path], T],
    *,
    replace: bool,
    group: str,
) -> T:
    new = _make(workshop / file.name, content, group)
    secret = None if password is None else _make(workshop / PASSWORD_FILE, password, group)
    checked = check(new)
    with ExitStack() as undo:
        if secret is not None:
            _put(secret, file.with_name(PASSWORD_FILE), undo, replace=replace)
        old = _put(new, file, undo, replace=replace)
        if old is not None:
            old.replace(file.with_name(f"{file.name}.old"))
        undo.pop_all()
    _settle(file.parent)
    return checked


def _make_folder(folder: Path, undo: ExitStack) -> None:
    if folder.exists():
        return
    _make_folder(folder.parent, undo)
    folder.mkdir()
    undo.callback(folder.rmdir)


def _make(file: Path, content: str, group: str) -> Path:
    handle = os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, _OURS)
    with os.fdopen(handle, "w", encoding="utf-8") as opened:
        opened.write(content)
        opened.flush()
        gid = _gid(group)
        if gid is not None:
            os.fchown(handle, -1, gid)
            os.fchmod(handle, _SHARED)
        os.fsync(handle)
    return file


def _gid(group: str) -> int | None:
    if os.geteuid() != 0:
        return None
    try:
        return grp.getgrnam(group).gr_gid
    except KeyError:
        return None


def _put(new: Path, place: Path, undo: ExitStack, *, replace: bool) -> Path | None:
    """Move a file into its place; return where the one that was there has gone."""
    if not (replace and place.exists()):
        os.link(new, place)  # Fails where there is a file, unlike a rename.
        undo.callback(place.unlink)
        return None
    old = new.with_name(f"{new.name}.old")
    os.link(place, old)
    new.replace(place)
    undo.callback(old.replace, place)
    return old


def _settle(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
