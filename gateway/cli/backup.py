"""`pinsmith backup` and `restore`: the gateway's memory in one sealed file."""

import os
import re
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, TextIO

from gateway.cli.arguments import command, takes_passphrase
from gateway.cli.backup_news import News
from gateway.cli.context import Commands, Context
from gateway.cli.exits import Failure, UsageError
from gateway.cli.hub import show_plans
from gateway.cli.users import demand_owner
from gateway.domain.events import Event
from gateway.domain.store import Source, StorageFailed
from gateway.mqtt.own_events import OwnEvents

_ENDING = ".backup"


def add(commands: Commands) -> None:
    """Add these commands."""
    save = command(commands, "backup", "write database and key to one file, sealed with a passphrase")
    save.set_defaults(do=_backup)
    save.add_argument("file", type=Path, metavar="FILE", help="file to write; the daemon may be running")
    save.add_argument(
        "--keep",
        type=int,
        metavar="N",
        help="FILE is a folder: write a file with the date in its name, and keep only the newest N of them",
    )
    takes_passphrase(save)
    restore = command(
        commands, "restore", "put a backup in place while the daemon is stopped, then confirm it"
    )
    restore.set_defaults(do=_restore)
    restore.add_argument(
        "file",
        type=Path,
        metavar="FILE",
        nargs="?",
        help="file that backup wrote, or pinsmith.db.format-N or pinsmith.db.release-V",
    )
    restore.add_argument(
        "--replace", action="store_true", help="put a database that is there aside under a dated name"
    )
    restore.add_argument(
        "--confirm",
        action="store_true",
        help="with the daemon running again: show the plan, ask, and let it write to locks",
    )
    restore.add_argument(
        "--damaged",
        action="store_true",
        help="take a backup in which something does not open; the other locks work again",
    )
    restore.add_argument("--yes", action="store_true", help="with --confirm: neither show the plan nor ask")
    takes_passphrase(restore)


def _backup(context: Context) -> None:
    from storage.data_dir import DATABASE  # noqa: PLC0415 - cryptography is slow to load
    from storage.keys import existing_key  # noqa: PLC0415 - same

    args = context.args
    folder = context.settings.gateway.data_directory
    if not (folder / DATABASE).exists():
        raise UsageError(
            f"there is no database in {folder}: start the daemon once, or put `gateway.data_directory` right"
        )
    credentials = context.env.get("CREDENTIALS_DIRECTORY")
    key = existing_key(folder, Path(credentials) if credentials else None)
    news = _news(context, folder / DATABASE, key)
    try:
        target = _make(context, folder / DATABASE, key, news)
    except (Failure, StorageFailed) as error:
        news.failed(str(error))
        raise
    news.made()
    if args.keep is not None:
        _thin_out(context, target)
    if not context.json({"file": str(target)}):
        context.terminal.say(f"written to {target}; without the passphrase nobody can read it")


def _make(context: Context, database: Path, key: bytes, news: News) -> Path:
    """Make the backup that was asked for and return its file. Raises Failure and StorageFailed."""
    from storage.backup import backup  # noqa: PLC0415 - cryptography is slow to load

    args = context.args
    target: Path = args.file if args.keep is None else _dated(context)
    passphrase = context.terminal.passphrase(args.passphrase_file, twice=True)
    with shown(context.terminal.stderr) as (copied, watched):

        def copied_and_told(done: int, of: int) -> None:
            copied(done, of)
            news.copied(done, of)

        def watched_and_told(source: BinaryIO) -> Source:
            return news.sealing(watched(source), os.fstat(source.fileno()).st_size)

        backup(database, key, passphrase, target, copied=copied_and_told, watched=watched_and_told)
    return target


def _news(context: Context, database: Path, key: bytes) -> News:
    """Return what tells of the backup through the database. That it cannot is said, and stops no backup."""
    from storage.backup import note  # noqa: PLC0415 - cryptography is slow to load

    def noting(event: Event) -> None:
        try:
            note(database, key, event)
        except StorageFailed as error:
            context.terminal.warn(f"nobody is told of this backup: {error}")

    own = OwnEvents(context.settings.gateway.id, context.now, lambda: str(uuid.uuid4()))
    return News(noting, own, time.monotonic)


def _dated(context: Context) -> Path:
    """Return the file to write in the folder that was named. Raises UsageError."""
    folder: Path = context.args.file
    if context.args.keep < 1:
        raise UsageError("--keep takes a number from 1")
    if not folder.is_dir():
        raise UsageError(f"{folder} is not a folder, which --keep needs")
    return folder / f"{_stem(context)}{context.now():%Y%m%dT%H%M%SZ}{_ENDING}"


def _thin_out(context: Context, written: Path) -> None:
    """Delete the oldest dated backups of this hub; never the one just written, whatever the clock says.

    By name and not by the date of the file, which a copy changes, and which is of the same clock. One that
    is named later than that just written is older all the same: the clock was ahead then, or is behind now.
    Other files there are left alone.
    """
    shape = re.compile(re.escape(_stem(context)) + r"\d{8}T\d{6}Z" + re.escape(_ENDING))
    others = sorted(
        (path for path in written.parent.iterdir() if shape.fullmatch(path.name) and path != written),
        key=lambda path: (path.name < written.name, path.name),
    )
    for old in others[: max(len(others) - context.args.keep + 1, 0)]:
        old.unlink(missing_ok=True)


def _stem(context: Context) -> str:
    return f"pinsmith-{context.settings.gateway.id}-"


@contextmanager
def shown(out: TextIO) -> Iterator[tuple[Callable[[int, int], None], Callable[[BinaryIO], BinaryIO]]]:
    """Show on a terminal how far a backup is and how long it takes yet; elsewhere nothing.

    Yield what is to be told how much was copied, and what is to see the copy read.
    """
    from rich.console import Console  # noqa: PLC0415 - costs a fifth of a second on a small hub
    from rich.progress import Progress  # noqa: PLC0415

    with Progress(console=Console(file=out), transient=True, disable=not out.isatty()) as progress:
        copying = progress.add_task("Copying the database", total=None)

        def copied(done: int, of: int) -> None:
            progress.update(copying, completed=done, total=of)

        def watched(source: BinaryIO) -> BinaryIO:
            progress.remove_task(copying)
            size = os.fstat(source.fileno()).st_size
            return progress.wrap_file(source, total=size, description="Sealing")

        yield copied, watched


def _restore(context: Context) -> None:
    args = context.args
    if args.confirm == (args.file is not None):
        raise UsageError("give either the file to restore, or --confirm with the daemon running again")
    if args.confirm:
        _confirm(context)
        return
    kept = _put_back(context)
    if context.json({"kept": [str(path) for path in kept]}):
        return
    for path in kept:
        context.terminal.say(f"kept: {path}")
    _tell_key(context)
    context.terminal.say(
        "restored; no lock is written to yet. Start the daemon, then `pinsmith restore --confirm`, which "
        "shows what it will do and asks"
    )


def _tell_key(context: Context) -> None:
    """Say where a backup has left its key; nothing where that is the one that systemd hands over."""
    from storage.backup import is_copy  # noqa: PLC0415 - cryptography is slow to load
    from storage.data_dir import KEY  # noqa: PLC0415 - same

    key = context.settings.gateway.data_directory / KEY
    if key.exists() and not is_copy(context.args.file):
        context.terminal.say(
            f"the key is now in {key}; where systemd hands it to the daemon, put it there before you start "
            "it, and delete this file"
        )


def _confirm(context: Context) -> None:
    """Let the daemon write to locks once somebody has seen what it will do there and wants it."""
    if not context.args.yes:
        if context.args.json:
            raise UsageError("nobody sees the plan with --json: look at `pinsmith plan`, then add --yes")
        show_plans(context, context.ask("plan/get"))
        context.terminal.confirm("Is this plan right? The daemon goes on with it.")
    answer = context.ask("restore/confirm")
    if not context.json(answer):
        context.terminal.say("confirmed; the daemon goes on with the plan")


def _put_back(context: Context) -> list[Path]:
    from storage.backup import go_back, is_copy, restore  # noqa: PLC0415 - cryptography is slow to load
    from storage.keys import existing_key  # noqa: PLC0415 - same

    args, folder = context.args, context.settings.gateway.data_directory
    asked = [str(args.file), "--replace"] if args.replace else [str(args.file)]
    demand_owner(folder, args.config, "restore", *asked)
    if is_copy(args.file):
        credentials = context.env.get("CREDENTIALS_DIRECTORY")
        key = existing_key(folder, Path(credentials) if credentials else None)
        return go_back(args.file, key, folder, now=context.now(), replace=args.replace, damaged=args.damaged)
    passphrase = context.terminal.passphrase(args.passphrase_file, twice=False)
    return restore(
        args.file,
        passphrase,
        folder,
        now=context.now(),
        replace=args.replace,
        damaged=args.damaged,
        handed=_handed(context),
    )


def _handed(context: Context) -> bytes | None:
    """Return the key that systemd hands over, where it does."""
    from storage.keys import CREDENTIAL, load_key  # noqa: PLC0415 - cryptography is slow to load

    credentials = context.env.get("CREDENTIALS_DIRECTORY")
    if not credentials or not Path(credentials, CREDENTIAL).exists():
        return None
    return load_key(context.settings.gateway.data_directory, Path(credentials))
