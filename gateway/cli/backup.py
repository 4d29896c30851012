"""`pinsmith backup` and `restore`: the gateway's memory in one sealed file."""

from pathlib import Path

from gateway.cli.arguments import command, takes_passphrase
from gateway.cli.context import Commands, Context
from gateway.cli.exits import UsageError


def add(commands: Commands) -> None:
    """Add these commands."""
    save = command(commands, "backup", "write database and key to one file, sealed with a passphrase")
    save.set_defaults(do=_backup)
    save.add_argument("file", type=Path, metavar="FILE", help="file to write; the daemon may be running")
    takes_passphrase(save)
    restore = command(
        commands, "restore", "put a backup in place while the daemon is stopped, then confirm it"
    )
    restore.set_defaults(do=_restore)
    restore.add_argument(
        "file", type=Path, metavar="FILE", nargs="?", help="file that backup wrote, or pinsmith.db.format-N"
    )
    restore.add_argument(
        "--replace", action="store_true", help="put a database that is there aside under a dated name"
    )
    restore.add_argument(
        "--confirm",
        action="store_true",
        help="with the daemon running again: the plan is right, let it write to locks",
    )
    takes_passphrase(restore)


def _backup(context: Context) -> None:
    from storage.backup import backup  # noqa: PLC0415 - cryptography is slow to load
    from storage.data_dir import DATABASE  # noqa: PLC0415 - same
    from storage.keys import load_key  # noqa: PLC0415 - same

    args = context.args
    folder = context.settings.gateway.data_directory
    if not (folder / DATABASE).exists():
        raise UsageError(f"there is no database in {folder} yet")
    credentials = context.env.get("CREDENTIALS_DIRECTORY")
    key = load_key(folder, Path(credentials) if credentials else None)
    passphrase = context.terminal.passphrase(args.passphrase_file, twice=True)
    backup(folder / DATABASE, key, passphrase, args.file)
    if not context.json({"file": str(args.file)}):
        context.terminal.say(f"written to {args.file}; without the passphrase nobody can read it")


def _restore(context: Context) -> None:
    args = context.args
    if args.confirm == (args.file is not None):
        raise UsageError("give either the file to restore, or --confirm once the plan was looked at")
    if args.confirm:
        answer = context.ask("restore/confirm")
        if not context.json(answer):
            context.terminal.say("confirmed; the daemon goes on with the plan")
        return
    kept = _put_back(context)
    if context.json({"kept": [str(path) for path in kept]}):
        return
    for path in kept:
        context.terminal.say(f"kept: {path}")
    context.terminal.say(
        "restored; no lock is written to yet. Start the daemon, look at `pinsmith plan`, "
        "then `pinsmith restore --confirm`"
    )


def _put_back(context: Context) -> list[Path]:
    from storage.backup import go_back, is_copy, restore  # noqa: PLC0415 - cryptography is slow to load
    from storage.keys import load_key  # noqa: PLC0415 - same

    args, folder = context.args, context.settings.gateway.data_directory
    if is_copy(args.file):
        credentials = context.env.get("CREDENTIALS_DIRECTORY")
        key = load_key(folder, Path(credentials) if credentials else None)
        return go_back(args.file, key, folder, now=context.now(), replace=args.replace)
    passphrase = context.terminal.passphrase(args.passphrase_file, twice=False)
    return restore(args.file, passphrase, folder, now=context.now(), replace=args.replace)
