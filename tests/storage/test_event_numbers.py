"""No number of an event is given twice over restores: subscribers drop what is not above the highest seen."""

import errno
import itertools
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gateway.domain.store import StorageFailed, Tx
from storage.backup import backup, restore
from storage.data_dir import DATABASE
from storage.event_numbers import SEQ_LEAP
from storage.keys import load_key
from storage.sealed_file import Cost
from storage.sqlite import check_key, open_database, run_unit
from storage.vault import Vault
from tests.storage.samples import event

CHEAP = Cost(log2_n=4, r=1, p=1)
WORDS = "correct horse battery"
BEHIND = datetime(1970, 1, 1, 0, 1, tzinfo=UTC)
"""What a hub without a clock battery believes that it is."""
NOW = datetime(2026, 8, 1, 9, 30, tzinfo=UTC)
NEW = itertools.count()
"""No event is the same as another."""


def tell(data_dir: Path, events: int = 1) -> list[int]:
    """Start a hub, let it tell so many events, and stop it; return their numbers."""
    told: list[int] = []

    def unit(tx: Tx) -> None:
        told.extend(tx.emit(event(next(NEW))) for _ in range(events))

    vault = Vault(load_key(data_dir, None))
    with closing(open_database(data_dir / DATABASE)) as connection:
        run_unit(connection, vault, check_key(vault))
        run_unit(connection, vault, unit)
    return told


def backed_up(data_dir: Path, target: Path) -> Path:
    """Make a backup of a hub."""
    backup(data_dir / DATABASE, load_key(data_dir, None), WORDS, target, cost=CHEAP)
    return target


@pytest.mark.parametrize("told_before", [0, 3])
def test_what_was_told_after_the_backup_is_left_out(data_dir: Path, tmp_path: Path, told_before: int) -> None:
    """By a leap where neither a database nor the clock knows better."""
    tell(data_dir, told_before)
    restore(backed_up(data_dir, tmp_path / "file"), WORDS, tmp_path / "new", now=BEHIND)

    assert tell(tmp_path / "new") == [told_before + SEQ_LEAP + 1]


@pytest.mark.parametrize("now", [NOW, BEHIND])
def test_one_backup_restored_twice_begins_above_the_first_time(
    data_dir: Path, tmp_path: Path, now: datetime
) -> None:
    """The database that is replaced knows what was given, whatever the clock says."""
    tell(data_dir)
    file = backed_up(data_dir, tmp_path / "file")
    restore(file, WORDS, data_dir, now=now, replace=True)
    first = tell(data_dir, 5)
    restore(file, WORDS, data_dir, now=now, replace=True)

    assert tell(data_dir)[0] > first[-1]


def test_what_only_the_log_of_the_replaced_database_knows_counts(data_dir: Path, tmp_path: Path) -> None:
    """The power failed: the log is put aside as it was found."""
    tell(data_dir)
    file = backed_up(data_dir, tmp_path / "file")
    restore(file, WORDS, data_dir, now=BEHIND, replace=True)
    vault = Vault(load_key(data_dir, None))
    with closing(open_database(data_dir / DATABASE)) as connection:
        last = run_unit(connection, vault, lambda tx: tx.emit(event(next(NEW))))
        log = (data_dir / f"{DATABASE}-wal").read_bytes()
        kept = restore(file, WORDS, data_dir, now=BEHIND, replace=True)

    assert log
    assert log in [path.read_bytes() for path in kept]
    assert tell(data_dir)[0] > last


@pytest.mark.parametrize("left", [None, b"SQLite format 3\0" + b"\xff" * 9000], ids=["new card", "damaged"])
def test_without_the_database_of_before_the_time_counts(
    data_dir: Path, tmp_path: Path, left: bytes | None
) -> None:
    """A hub tells less than an event in a millisecond, so it never is ahead of the clock."""
    tell(data_dir)
    file = backed_up(data_dir, tmp_path / "file")
    restore(file, WORDS, data_dir, now=NOW, replace=True)
    first = tell(data_dir, 5)
    (data_dir / DATABASE).unlink()
    if left is not None:
        (data_dir / DATABASE).write_bytes(left)

    restore(file, WORDS, data_dir, now=NOW + timedelta(minutes=5), replace=True)

    assert tell(data_dir)[0] > first[-1]


@pytest.mark.parametrize("moved", range(4))
def test_a_restore_that_was_cut_off_and_run_again_knows_what_was_told(
    data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moved: int
) -> None:
    """The second run may find the database put aside, and none where it was. What is kept stays as it is."""
    tell(data_dir)
    file = backed_up(data_dir, tmp_path / "file")
    restore(file, WORDS, data_dir, now=NOW, replace=True)
    last = tell(data_dir, 5)[-1]
    kept = {path.name for path in data_dir.iterdir()}
    rename, renamed = Path.rename, itertools.count()

    def dying(path: Path, target: Path) -> Path:
        if next(renamed) == moved:
            raise OSError(errno.EIO, "the power fails")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", dying)
    with pytest.raises(StorageFailed, match="the power fails"):
        restore(file, WORDS, data_dir, now=BEHIND, replace=True)

    restore(file, WORDS, data_dir, now=BEHIND)

    assert tell(data_dir)[0] > last
    assert kept < {path.name for path in data_dir.iterdir()}
    assert not [*data_dir.glob("*.replaced-*-shm")]


def test_a_hub_that_began_anew_is_no_measure(data_dir: Path, tmp_path: Path) -> None:
    """Its database opens and knows nothing of the card before."""
    tell(data_dir)
    file = backed_up(data_dir, tmp_path / "file")
    restore(file, WORDS, data_dir, now=NOW, replace=True)
    first = tell(data_dir, 5)
    tell(tmp_path / "new")

    restore(file, WORDS, tmp_path / "new", now=NOW + timedelta(minutes=5), replace=True)

    assert tell(tmp_path / "new")[0] > first[-1]


@pytest.mark.parametrize("value", [2**63 - 1, -1, "x", None])
def test_a_number_that_no_hub_can_have_given_is_not_believed(
    data_dir: Path, tmp_path: Path, value: object
) -> None:
    """From a damaged row: above it no event could be told, or none that JSON can number."""
    tell(data_dir)
    file = backed_up(data_dir, tmp_path / "file")
    with closing(open_database(data_dir / DATABASE)) as connection:
        connection.execute("UPDATE sqlite_sequence SET seq = ?", (value,))

    restore(file, WORDS, data_dir, now=NOW, replace=True)

    [seq] = tell(data_dir)
    assert NOW.timestamp() * 1000 < seq < 2**53
