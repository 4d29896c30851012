"""Access codes, and what was last told about each."""

from collections.abc import Mapping, Sequence
from typing import Any

from gateway.domain.code import AccessCode
from gateway.domain.issues import Announced
from gateway.domain.pin import Pin
from storage.codec import Plain, Sealed, from_ms, from_ms_or_none, to_ms, to_ms_or_none
from storage.rows import Rows
from storage.vault import Vault

_PIN = Sealed("access_code", Pin)
_ANNOUNCED = Plain(Announced)


def code_of(row: Sequence[Any], vault: Vault) -> AccessCode:
    """Return the code of one row, whose columns stand in the order of the table."""
    code_id, device_id, name, pin, revision, created, updated, starts, ends, external, native, deleted = row
    return AccessCode(
        access_code_id=code_id,
        device_id=device_id,
        name=name,
        pin=_PIN.open(vault, pin, device_id, code_id, str(revision)),
        revision=revision,
        created_at=from_ms(created),
        updated_at=from_ms(updated),
        starts_at=from_ms_or_none(starts),
        ends_at=from_ms_or_none(ends),
        is_external_modification_allowed=bool(external),
        prefer_native_scheduling=bool(native),
        deleted_at=from_ms_or_none(deleted),
    )


class CodeRows(Rows):
    """The part of a transaction that is about access codes; meanings as in `gateway.domain.store.Tx`."""

    def code(self, access_code_id: str) -> AccessCode | None:
        """Return one code, deleted ones included while they may be on a lock."""
        row = self._execute(
            "SELECT access_code_id, device_id, name, pin, revision, created_at, updated_at, starts_at,"
            " ends_at, is_external_modification_allowed, prefer_native_scheduling, deleted_at "
            "FROM access_code WHERE access_code_id = ?",
            (access_code_id,),
        ).fetchone()
        return None if row is None else code_of(row, self._vault)

    def codes(self) -> Sequence[AccessCode]:
        """Return all codes in order of creation."""
        rows = self._execute(
            "SELECT access_code_id, device_id, name, pin, revision, created_at, updated_at, starts_at,"
            " ends_at, is_external_modification_allowed, prefer_native_scheduling, deleted_at "
            "FROM access_code ORDER BY created_at, access_code_id"
        )
        return [code_of(row, self._vault) for row in rows]

    def save_code(self, code: AccessCode) -> None:
        """Insert or replace a code. Its lock must exist when the unit ends."""
        pin = _PIN.seal(self._vault, code.pin, code.device_id, code.access_code_id, str(code.revision))
        # Not INSERT OR REPLACE: that would delete the row first and take placement and announced state along.
        self._execute(
            "INSERT INTO access_code VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
            "ON CONFLICT (access_code_id) DO UPDATE SET device_id = excluded.device_id, name = excluded.name,"
            " pin = excluded.pin, revision = excluded.revision, created_at = excluded.created_at,"
            " updated_at = excluded.updated_at, starts_at = excluded.starts_at, ends_at = excluded.ends_at,"
            " is_external_modification_allowed = excluded.is_external_modification_allowed,"
            " prefer_native_scheduling = excluded.prefer_native_scheduling, deleted_at = excluded.deleted_at",
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
            ),
        )

    def drop_code(self, access_code_id: str) -> None:
        """Drop a code with its placement, issues and announced state."""
        self._execute("DELETE FROM access_code WHERE access_code_id = ?", (access_code_id,))
        self._execute("DELETE FROM issue WHERE access_code_id = ?", (access_code_id,))

    def announced(self, device_id: str) -> Mapping[str, Announced]:
        """Return what was last told about each code of a lock."""
        rows = self._execute("SELECT access_code_id, body FROM announced WHERE device_id = ?", (device_id,))
        return {code_id: _ANNOUNCED.read(body) for code_id, body in rows}

    def save_announced(self, device_id: str, access_code_id: str, announced: Announced) -> None:
        """Remember what was told. The code must exist when the unit ends."""
        self._execute(
            "INSERT INTO announced (access_code_id, device_id, body) VALUES (?, ?, ?) "
            "ON CONFLICT (access_code_id) DO UPDATE SET device_id = excluded.device_id, body = excluded.body "
            "WHERE device_id <> excluded.device_id OR body <> excluded.body",
            (access_code_id, device_id, _ANNOUNCED.write(announced)),
        )
