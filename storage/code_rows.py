"""Access codes, and what was last told about each."""

import functools
from collections.abc import Mapping, Sequence
from typing import Any

from gateway.domain.code import AccessCode
from gateway.domain.issues import Announced
from gateway.domain.pin import Pin
from gateway.domain.recurrence import Recurrence
from storage.codec import REMEMBERED, Plain, Sealed, from_ms, from_ms_or_none, to_ms, to_ms_or_none
from storage.rows import Rows
from storage.vault import Vault

_PIN = Sealed("access_code", Pin)
_ANNOUNCED = Plain("announced", Announced)
_RECURRENCE = Plain("access_code", Recurrence)
_FIELDS = (
    "access_code_id",
    "device_id",
    "name",
    "pin",
    "revision",
    "created_at",
    "updated_at",
    "starts_at",
    "ends_at",
    "is_external_modification_allowed",
    "prefer_native_scheduling",
    "deleted_at",
    "common_code_key",
    "recurrence",
    "is_one_time_use",
    "backup",
    "pulled_backup_access_code_id",
    "first_used_at",
)
CODE_COLUMNS = ", ".join(f"access_code.{field}" for field in _FIELDS)
"""The columns that `code_of` reads, in its order."""
_SAVE = (
    f"INSERT INTO access_code ({', '.join(_FIELDS)}) VALUES ({', '.join('?' for _ in _FIELDS)}) "  # noqa: S608 - fixed texts
    "ON CONFLICT (access_code_id) DO UPDATE SET "
    + ", ".join(f"{field} = excluded.{field}" for field in _FIELDS[1:])
)


@functools.lru_cache(REMEMBERED)
def code_of(row: tuple[Any, ...], vault: Vault) -> AccessCode:
    """Return the code of one row, whose columns are `CODE_COLUMNS`. What was read last is remembered."""
    found = dict(zip(_FIELDS, row, strict=True))
    code_id, device_id, revision = found["access_code_id"], found["device_id"], found["revision"]
    recurrence = found["recurrence"]
    for field in ("starts_at", "ends_at", "deleted_at", "first_used_at"):
        found[field] = from_ms_or_none(found[field])
    for field in ("is_external_modification_allowed", "prefer_native_scheduling", "is_one_time_use"):
        found[field] = bool(found[field])
    return AccessCode(
        **found
        | {
            "pin": _PIN.open(vault, found["pin"], device_id, code_id, str(revision)),
            "created_at": from_ms(found["created_at"]),
            "updated_at": from_ms(found["updated_at"]),
            "recurrence": None if recurrence is None else _RECURRENCE.read(recurrence, device_id),
        }
    )


class CodeRows(Rows):
    """The part of a transaction that is about access codes; meanings as in `gateway.domain.store.Tx`."""

    def code_ids(self, device_id: str) -> Sequence[str]:
        """Return the ids of all codes of a lock, also of those that do not open."""
        rows = self._execute(
            "SELECT access_code_id FROM access_code WHERE device_id = ? ORDER BY created_at, access_code_id",
            (device_id,),
        )
        return [code_id for (code_id,) in rows]

    def code(self, access_code_id: str) -> AccessCode | None:
        """Return one code, deleted ones included while they may be on a lock."""
        row = self._execute(
            f"SELECT {CODE_COLUMNS} "  # noqa: S608 - a fixed text
            "FROM access_code WHERE access_code_id = ?",
            (access_code_id,),
        ).fetchone()
        return None if row is None else code_of(row, self._vault)

    def codes(self) -> Sequence[AccessCode]:
        """Return all codes in order of creation."""
        rows = self._execute(
            f"SELECT {CODE_COLUMNS} "  # noqa: S608 - a fixed text
            "FROM access_code ORDER BY created_at, access_code_id"
        )
        return [code_of(row, self._vault) for row in rows]

    def save_code(self, code: AccessCode) -> None:
        """Insert or replace a code. Its lock must exist when the unit ends."""
        self._kept.pop(code.device_id, None)
        pin = _PIN.seal(self._vault, code.pin, code.device_id, code.access_code_id, str(code.revision))
        # Not INSERT OR REPLACE: that would delete the row first and take placement and announced state along.
        self._execute(
            _SAVE,
            (
                code.access_code_id,
                code.device_id,
                code.name,
                pin,
                code.revision,
                to_ms(code.created_at),
                to_ms(code.updated_at),
                to_ms_or_none(code.starts_at),
                to_ms_or_none(code.ends_at),
                code.is_external_modification_allowed,
                code.prefer_native_scheduling,
                to_ms_or_none(code.deleted_at),
                code.common_code_key,
                None if code.recurrence is None else _RECURRENCE.write(code.recurrence),
                code.is_one_time_use,
                code.backup,
                code.pulled_backup_access_code_id,
                to_ms_or_none(code.first_used_at),
            ),
        )

    def drop_code(self, access_code_id: str) -> None:
        """Drop a code with its placement, issues and announced state."""
        self._kept.clear()
        self._execute("DELETE FROM access_code WHERE access_code_id = ?", (access_code_id,))
        self._execute("DELETE FROM issue WHERE access_code_id = ?", (access_code_id,))

    def announced(self, device_id: str) -> Mapping[str, Announced]:
        """Return what was last told about each code of a lock."""
        rows = self._execute("SELECT access_code_id, body FROM announced WHERE device_id = ?", (device_id,))
        return {code_id: _ANNOUNCED.read(body, device_id) for code_id, body in rows}

    def save_announced(self, device_id: str, access_code_id: str, announced: Announced) -> None:
        """Remember what was told. The code must exist when the unit ends."""
        self._execute(
            "INSERT INTO announced (access_code_id, device_id, body) VALUES (?, ?, ?) "
            "ON CONFLICT (access_code_id) DO UPDATE SET device_id = excluded.device_id, body = excluded.body "
            "WHERE device_id <> excluded.device_id OR body <> excluded.body",
            (access_code_id, device_id, _ANNOUNCED.write(announced)),
        )
