"""What can be wrong with the data directory, the key and the database."""

from collections.abc import Iterator
from pathlib import Path

from gateway.doctor.finding import Finding, fine, note, problem, warning
from gateway.doctor.probe_memory import MemoryFacts, Modes

_WAL_LARGE_MIB = 64
_MIB = 1024 * 1024

_NOT_LOOKED = warning(
    "memory_not_looked_at",
    "this user may not look into {path}",
    "The data directory belongs to the user of the daemon alone, as it should.",
    "Run doctor as that user or as root: `sudo pinsmith doctor`.",
)
_NONE_YET = note(
    "database_none_yet",
    "there is no database in {path} yet",
    "The daemon was never started here, or gateway.data_directory names another folder than before.",
    "Start the daemon. If codes were managed before, put the right data_directory.",
)
_DIRECTORY_OPEN = problem(
    "directory_open",
    "{path} is open to other users of this machine",
    "It was copied or made by hand.",
    "`chmod 700 {path}`",
)
_DATABASE_OPEN = problem(
    "database_open",
    "the database in {path} can be read by other users of this machine",
    "It was copied or restored by hand.",
    "`sudo sh -c 'chmod 600 {path}/pinsmith.db*'`",
)
_KEY_OPEN = problem(
    "key_open",
    "the key in {path} is open to other users of this machine; the daemon does not start with it",
    "It was copied by hand. Whoever has the key and the database has every PIN.",
    "`chmod 600 {path}/key`",
)
_KEY_MISSING = problem(
    "key_missing",
    "the key that belongs to the database is missing in {path}",
    "It was deleted, or only the database was copied here; or systemd hands it over as a credential, which "
    "this command does not get.",
    "Put the file `key` back, or restore both from a backup with `pinsmith restore FILE`. With a credential: "
    "nothing.",
)
_KEY_ELSEWHERE = note(
    "key_elsewhere",
    "the running daemon has its key from elsewhere than {path}; single locks were not looked at",
    "systemd hands it over as a credential, which this command does not get.",
    "Nothing, if that is meant; `pinsmith locks list` tells of the locks.",
)
_KEY_UNUSABLE = problem(
    "key_unusable",
    "the key in {path} cannot be used",
    "It is not a key of 64 hexadecimal digits: overwritten, cut short, or another file.",
    "Put the right file back, or restore both from a backup with `pinsmith restore FILE`.",
)
_KEY_WRONG = problem(
    "key_wrong",
    "the key in {path} is not the one that the database was sealed with",
    "Key and database come from two machines or two backups; or systemd hands the daemon its key as a "
    "credential, and this file is left over.",
    "Put back the key that belongs to this database, or restore both from one backup. With a credential: "
    "start the daemon, then run doctor once more.",
)
_CREDENTIAL_WRONG = problem(
    "credential_wrong",
    "the credential pinsmith.key is not the key that the database in {path} was sealed with; the daemon does "
    "not start with it",
    "Credential and database come from two machines or two backups.",
    "Put back the credential that belongs to this database, or restore a backup.",
)
_CREDENTIAL_OUTDATED = problem(
    "credential_outdated",
    "the credential pinsmith.key is not the key that the database in {path} was sealed with, the file "
    "{path}/key is; the daemon does not start, because the credential goes before the file",
    "A backup with another key was restored, or the credential is from another machine.",
    "Put {path}/key in place of the credential, or take the credential away; then restart the daemon.",
)
_KEY_LEFT_OVER = warning(
    "key_left_over",
    "the key in {path} is not the one of the running daemon; single locks were not looked at",
    "systemd hands it over as a credential, which goes before the file; what lies there is from the "
    "installation or from before.",
    "Put `env CREDENTIALS_DIRECTORY=/run/credentials/pinsmith.service` before `pinsmith backup` and "
    "`pinsmith doctor`, and move the file `key` elsewhere, where nobody takes it for the right one.",
)
_KEY_IN_CLEAR = warning(
    "key_in_clear",
    "there is a file `key` in {path} although systemd hands over the right key",
    "A restore has left it there, or it stayed when systemd got the key. The daemon does not read it.",
    "Move the file `key` away from this card: whoever has it and the database has every PIN.",
)
_OWNER = problem(
    "owner_mixed",
    "files in {path} belong to different users",
    "pinsmith ran as root or another user once, most often by `sudo pinsmith run`.",
    "`chown -R --reference={path} {path}`, and run it by systemd only.",
)
_DAMAGED = problem(
    "database_damaged",
    "the database in {path} is damaged",
    "The card fails, or the power failed while it lied about having written.",
    "Stop pinsmith, `pinsmith restore FILE` with the newest backup, and replace the card.",
)
_ROW_DAMAGED = problem(
    "row_damaged",
    "a row of `{table}` of the lock {lock} does not open in {path}; nothing is done on this lock",
    "The card fails, or somebody changed the file.",
    "Stop pinsmith and `pinsmith restore FILE` with the newest good backup; or `pinsmith locks forget "
    "{lock}`, then enter its codes anew, and pair it anew where it was paired. Replace the card.",
)
_UNREADABLE = problem(
    "database_unreadable",
    "the database in {path} cannot be opened",
    "Another program holds it, or the disk does not answer.",
    "Run doctor once more; look into `dmesg` for errors of the disk.",
)
_TOO_NEW = problem(
    "database_too_new",
    "the database in {path} has format {version}, this release knows {known}",
    "A newer release has written it.",
    "Install that release again, or restore a backup made with this one.",
)
_TO_MIGRATE = note(
    "database_older",
    "the database in {path} has format {version}, this release brings it to {known}",
    "This release was installed and not started yet.",
    "Make a backup, then restart the daemon.",
)
_WAL = warning(
    "database_log_large",
    "the database's log in {path} has grown to {size} MiB",
    "Another program keeps the database open, such as a browser for SQLite files, or a copy that hangs.",
    "End that program; `fuser {path}/pinsmith.db` names it.",
)
_RESTORING = problem(
    "restore_unfinished",
    "a restore into {path} was interrupted; the daemon does not start",
    "The power failed, or it was ended.",
    "Run `pinsmith restore FILE` again.",
)
KINDS = (
    _NOT_LOOKED,
    _NONE_YET,
    _DIRECTORY_OPEN,
    _DATABASE_OPEN,
    _KEY_OPEN,
    _KEY_MISSING,
    _KEY_ELSEWHERE,
    _KEY_UNUSABLE,
    _KEY_WRONG,
    _CREDENTIAL_WRONG,
    _CREDENTIAL_OUTDATED,
    _KEY_LEFT_OVER,
    _KEY_IN_CLEAR,
    _OWNER,
    _DAMAGED,
    _ROW_DAMAGED,
    _UNREADABLE,
    _TOO_NEW,
    _TO_MIGRATE,
    _WAL,
    _RESTORING,
)


def check_memory(facts: MemoryFacts, path: Path) -> Iterator[Finding]:
    """Judge the data directory at `path`."""
    if facts.denied:
        yield _NOT_LOOKED.found("database", path=path)
        return
    if facts.restoring:
        yield _RESTORING.found("database", path=path)
    yield from _permissions(facts, path)
    if facts.database is None:
        yield _NONE_YET.found("database", path=path)
        return
    key, database = list(_key(facts, path)), list(_database(facts, path))
    yield from key
    yield from database
    if not key and facts.key_fits:
        yield fine("key", "fits the database")
    if not database:
        yield fine("database", f"sound, format {facts.version}, {len(facts.devices)} locks")


def _permissions(facts: MemoryFacts, path: Path) -> Iterator[Finding]:
    if _is_open(facts.directory):
        yield _DIRECTORY_OPEN.found("database", path=path)
    if _is_open(facts.database):
        yield _DATABASE_OPEN.found("database", path=path)
    owners = {modes.owner for modes in (facts.directory, facts.database, facts.key) if modes is not None}
    if len(owners) > 1:
        yield _OWNER.found("database", path=path)


def _key(facts: MemoryFacts, path: Path) -> Iterator[Finding]:
    if facts.from_credential:
        if facts.key is not None and facts.key_fits:
            yield _KEY_IN_CLEAR.found("key", path=path)
        elif facts.key_fits is False:
            kind = _CREDENTIAL_OUTDATED if facts.file_fits else _CREDENTIAL_WRONG
            yield kind.found("key", path=path)
    elif facts.key is None:
        yield (_KEY_ELSEWHERE if facts.runs_here else _KEY_MISSING).found("key", path=path)
    elif _is_open(facts.key):
        yield _KEY_OPEN.found("key", path=path)
    elif facts.key_trouble is not None:
        yield _KEY_UNUSABLE.found("key", path=path)
    if facts.key_fits is False and not facts.from_credential:
        # A daemon starts with no other key than that of its database.
        yield (_KEY_LEFT_OVER if facts.runs_here else _KEY_WRONG).found("key", path=path)


def _database(facts: MemoryFacts, path: Path) -> Iterator[Finding]:
    if facts.failure is not None:
        yield (_DAMAGED if facts.failure == "damaged" else _UNREADABLE).found("database", path=path)
    elif facts.version is not None and facts.version > facts.known_version:
        yield _TOO_NEW.found("database", path=path, version=facts.version, known=facts.known_version)
    elif facts.version is not None and facts.version < facts.known_version:
        yield _TO_MIGRATE.found("database", path=path, version=facts.version, known=facts.known_version)
    for lock, table in facts.damaged.items():
        yield _ROW_DAMAGED.found("database", path=path, lock=lock, table=table)
    if (size := facts.wal_bytes // _MIB) >= _WAL_LARGE_MIB:
        yield _WAL.found("database", path=path, size=size)


def _is_open(modes: Modes | None) -> bool:
    return modes is not None and modes.others
