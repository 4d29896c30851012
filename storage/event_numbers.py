"""From where events are numbered after a restore, so that no number is given twice.

Subscribers drop what is not above the highest `seq` they have seen: nobody would hear a hub that fell behind.
"""

import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path

ASIDE = ".replaced-"
"""Follows the name of what a restore has put aside; a time follows."""
SEQ_LEAP = 1_000_000
"""How far it goes beyond what the databases at hand know: events may have been told since, on a lost card."""
_HIGHEST_BELIEVED = 10**15
"""No hub has told more; well below 2**53, up to which all readers of JSON count right."""
_AS_IT_LIES = "mode=ro&immutable=1"
"""Nothing is written or made beside it; but its log is not read."""


def number_after(replaced: Path, now: datetime) -> int:
    """Return a number above all that a hub has given of which `replaced` is, or was, the database.

    Those put aside before count too: a restore that was cut off may have left none in place. Where all are
    gone, do not open, or are not the one that told the last events, the time counts, in milliseconds since
    1970: no hub tells an event in each, so the numbers stay behind the clock.
    """
    logged = replaced.with_name(f"{replaced.name}-wal").exists()
    known = [_highest(replaced, "mode=ro" if logged else _AS_IT_LIES)]
    # Without their logs, beside which SQLite would leave a file for good; no log holds as much as the leap.
    known += [_highest(aside, _AS_IT_LIES) for aside in replaced.parent.glob(f"{replaced.name}{ASIDE}*")]
    return max(max(known) + SEQ_LEAP, int(now.timestamp() * 1000))


def count_on(connection: sqlite3.Connection, above: int) -> None:
    """Let numbers begin above this one, and well above what the database itself knows of."""
    known = connection.execute(
        "UPDATE sqlite_sequence SET seq = max(seq + ?, ?) WHERE name = 'event'", (SEQ_LEAP, above)
    )
    if not known.rowcount:
        connection.execute("INSERT INTO sqlite_sequence (name, seq) VALUES ('event', ?)", (above,))


def _highest(database: Path, how: str) -> int:
    """Return the highest number that a database knows; 0 for what is none, such as a log."""
    try:
        with closing(sqlite3.connect(f"{database.absolute().as_uri()}?{how}", uri=True)) as connection:
            [highest] = connection.execute(
                "SELECT max(seq) FROM sqlite_sequence WHERE name = 'event' AND seq BETWEEN 0 AND ?",
                (_HIGHEST_BELIEVED,),
            ).fetchone()
    except sqlite3.Error:
        return 0
    return int(highest or 0)
