"""What became of commands that need the lock."""

from collections.abc import Sequence
from typing import Any

from gateway.domain.attempts import ActionAttempt
from storage.codec import from_ms, from_ms_or_none, to_ms, to_ms_or_none
from storage.rows import Rows

_COLUMNS = (
    "action_attempt_id, action_type, device_id, access_code_id, revision, status, error_type, error_message,"
    " created_at, finished_at"
)


class AttemptRows(Rows):
    """The part of a transaction that is about action attempts; meanings as in `gateway.domain.store.Tx`."""

    def save_attempt(self, attempt: ActionAttempt) -> None:
        """Insert an attempt, or note how it ended."""
        self._execute(
            f"INSERT INTO action_attempt ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "  # noqa: S608 - a fixed text
            "ON CONFLICT (action_attempt_id) DO UPDATE SET status = excluded.status,"
            " error_type = excluded.error_type, error_message = excluded.error_message,"
            " finished_at = excluded.finished_at",
            (
                attempt.action_attempt_id,
                attempt.action_type,
                attempt.device_id,
                attempt.access_code_id,
                attempt.revision,
                attempt.status,
                attempt.error_type,
                attempt.error_message,
                to_ms(attempt.created_at),
                to_ms_or_none(attempt.finished_at),
            ),
        )

    def attempt(self, action_attempt_id: str) -> ActionAttempt | None:
        """Return one attempt."""
        row = self._execute(
            f"SELECT {_COLUMNS} FROM action_attempt WHERE action_attempt_id = ?",  # noqa: S608 - a fixed text
            (action_attempt_id,),
        ).fetchone()
        return None if row is None else _attempt(row)

    def pending_attempts(self, device_id: str) -> Sequence[ActionAttempt]:
        """Return the attempts on a lock that have not ended, oldest first."""
        rows = self._execute(
            f"SELECT {_COLUMNS} FROM action_attempt "  # noqa: S608 - a fixed text
            "WHERE device_id = ? AND status = 'pending' ORDER BY number",
            (device_id,),
        )
        return [_attempt(row) for row in rows]

    def attempts(
        self, *, device_id: str | None, access_code_id: str | None, status: str | None, limit: int
    ) -> Sequence[ActionAttempt]:
        """Return the newest `limit` attempts that fit, newest first."""
        asked = (("device_id", device_id), ("access_code_id", access_code_id), ("status", status))
        given = [(name, value) for name, value in asked if value is not None]
        conditions = " AND ".join(f"{name} = ?" for name, _ in given) or "TRUE"
        rows = self._execute(
            f"SELECT {_COLUMNS} FROM action_attempt WHERE {conditions} ORDER BY number DESC LIMIT ?",  # noqa: S608 - fixed texts
            (*(value for _, value in given), limit),
        )
        return [_attempt(row) for row in rows]


def _attempt(row: Sequence[Any]) -> ActionAttempt:
    found_id, kind, device_id, code_id, revision, status, error, message, created, finished = row
    return ActionAttempt(
        action_attempt_id=found_id,
        action_type=kind,
        device_id=device_id,
        access_code_id=code_id,
        revision=revision,
        status=status,
        error_type=error,
        error_message=message,
        created_at=from_ms(created),
        finished_at=from_ms_or_none(finished),
    )
