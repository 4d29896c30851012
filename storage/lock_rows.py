"""Locks, their slots, the journal of writes to them, and what stands in the way."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from msgspec import Struct

from gateway.domain.credential import Credential, Reading
from gateway.domain.issues import Issue
from gateway.domain.lock import Device
from gateway.domain.placement import Intent, IntentKind, JournalEntry, Placement, Slot, Snapshot
from storage.code_rows import CODE_COLUMNS, code_of
from storage.codec import Plain, Sealed, from_ms, from_ms_or_none, to_ms, to_ms_or_none
from storage.rows import Rows


class _Write(Struct, frozen=True):
    """The part of an intent that may hold PINs."""

    target: Credential | None
    before: Reading | None


# A lock's checksum runs over its PINs: in clear, trying them all would find one.
_DEVICE = Sealed("device", Device)
_ISSUE = Plain("issue", Issue)
_SLOT = Sealed("slot", Slot)
_WRITE = Sealed("intent", _Write)
_PLACEMENT = Sealed("placement", Placement)


class LockRows(Rows):
    """The part of a transaction that is about locks; meanings as in `gateway.domain.store.Tx`."""

    def device_ids(self) -> Sequence[str]:
        """Return the ids of all locks remembered, in order, also of those that do not open."""
        return [
            device_id for (device_id,) in self._execute("SELECT device_id FROM device ORDER BY device_id")
        ]

    def devices(self) -> Sequence[Device]:
        """Return every lock remembered, by device id."""
        rows = self._execute("SELECT sealed, device_id FROM device ORDER BY device_id")
        return [_DEVICE.open(self._vault, sealed, device_id) for sealed, device_id in rows]

    def device(self, device_id: str) -> Device | None:
        """Return one lock."""
        row = self._execute("SELECT sealed FROM device WHERE device_id = ?", (device_id,)).fetchone()
        return None if row is None else _DEVICE.open(self._vault, row[0], device_id)

    def save_device(self, device: Device) -> None:
        """Insert or replace a lock. Saving what is stored already writes nothing to the disk."""
        # Compared opened: the same lock is sealed differently each time.
        if self.device(device.device_id) == device:
            return
        self._kept.pop(device.device_id, None)
        self._execute(
            "INSERT INTO device (device_id, sealed) VALUES (?, ?) "
            "ON CONFLICT (device_id) DO UPDATE SET sealed = excluded.sealed",
            (device.device_id, _DEVICE.seal(self._vault, device, device.device_id)),
        )

    def forget_device(self, device_id: str) -> None:
        """Drop a lock with its codes, placements, slots, issues and secret; events and journal stay.

        Journal entries still open are closed as `forgotten`: nobody is left who could learn their outcome.
        """
        self._kept.pop(device_id, None)
        self._execute("DELETE FROM device WHERE device_id = ?", (device_id,))
        self._execute(
            "UPDATE intent SET closed_at = opened_at, outcome = 'forgotten', sealed = NULL "
            "WHERE device_id = ? AND closed_at IS NULL",
            (device_id,),
        )

    def snapshot(self, device_id: str) -> Snapshot | None:
        """Return everything about one lock.

        Asked twice per radio operation, hence in as few queries as can be, and none where nothing changed.
        """
        kept = self._kept.get(device_id)
        if kept is not None:
            return kept
        device = self.device(device_id)
        if device is None:
            return None
        codes, placements = {}, {}
        for *code_row, placed_on, sealed in self._execute(
            f"SELECT {CODE_COLUMNS}, p.device_id, p.sealed "  # noqa: S608 - a fixed text
            "FROM access_code LEFT JOIN placement p USING (access_code_id) "
            "WHERE access_code.device_id = ? ORDER BY created_at, access_code_id",
            (device_id,),
        ):
            code = code_of(tuple(code_row), self._vault)
            codes[code.access_code_id] = code
            if sealed is not None:
                placements[code.access_code_id] = _PLACEMENT.open(
                    self._vault, sealed, placed_on, code.access_code_id
                )
        slots = {
            slot: _SLOT.open(self._vault, sealed, device_id, slot)
            for slot, sealed in self._execute(
                "SELECT slot, sealed FROM slot WHERE device_id = ? ORDER BY slot", (device_id,)
            )
        }
        found = Snapshot(
            device=device,
            codes=codes,
            placements=placements,
            slots=slots,
            intents=self._open_intents(device_id),
        )
        self._kept[device_id] = found
        return found

    def _open_intents(self, device_id: str) -> tuple[Intent, ...]:
        intents = []
        for intent_id, access_code_id, slot, kind, revision, opened_at, why, sealed in self._execute(
            "SELECT intent_id, access_code_id, slot, kind, revision, opened_at, why, sealed FROM intent "
            "WHERE device_id = ? AND closed_at IS NULL ORDER BY number",
            (device_id,),
        ):
            write = _WRITE.open(self._vault, sealed, device_id, intent_id, str(revision))
            intents.append(
                Intent(
                    intent_id=intent_id,
                    access_code_id=access_code_id,
                    revision=revision,
                    slot=slot,
                    kind=IntentKind(kind),
                    target=write.target,
                    before=write.before,
                    opened_at=from_ms(opened_at),
                    why=why,
                )
            )
        return tuple(intents)

    def save_placement(self, device_id: str, placement: Placement) -> None:
        """Insert or replace a placement. Its code must exist when the unit ends."""
        self._kept.pop(device_id, None)
        code_id = placement.access_code_id
        self._execute(
            "INSERT INTO placement (access_code_id, device_id, sealed) VALUES (?, ?, ?) "
            "ON CONFLICT (access_code_id) DO UPDATE"
            " SET device_id = excluded.device_id, sealed = excluded.sealed",
            (code_id, device_id, _PLACEMENT.seal(self._vault, placement, device_id, code_id)),
        )

    def save_slot(self, device_id: str, slot: Slot) -> None:
        """Insert or replace a slot. Its lock must exist when the unit ends."""
        self._kept.pop(device_id, None)
        self._execute(
            "INSERT INTO slot (device_id, slot, sealed) VALUES (?, ?, ?) "
            "ON CONFLICT (device_id, slot) DO UPDATE SET sealed = excluded.sealed",
            (device_id, slot.slot, _SLOT.seal(self._vault, slot, device_id, slot.slot)),
        )

    def drop_slot(self, device_id: str, slot: str) -> None:
        """Forget a slot."""
        self._kept.pop(device_id, None)
        self._execute("DELETE FROM slot WHERE device_id = ? AND slot = ?", (device_id, slot))

    def open_intent(self, device_id: str, intent: Intent) -> None:
        """Journal an operation before it goes out."""
        self._kept.pop(device_id, None)
        write = _Write(target=intent.target, before=intent.before)
        self._execute(
            "INSERT INTO intent "
            "(intent_id, device_id, access_code_id, slot, kind, revision, opened_at, why, sealed) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                intent.intent_id,
                device_id,
                intent.access_code_id,
                intent.slot,
                intent.kind.value,
                intent.revision,
                to_ms(intent.opened_at),
                intent.why,
                _WRITE.seal(self._vault, write, device_id, intent.intent_id, str(intent.revision)),
            ),
        )

    def close_intent(self, intent_id: str, outcome: str, at: datetime) -> None:
        """Attach the outcome to a journalled operation; its PINs are of no use any more and go."""
        closed = self._execute(
            "UPDATE intent SET closed_at = ?, outcome = ?, sealed = NULL WHERE intent_id = ? "
            "RETURNING device_id",
            (to_ms(at), outcome, intent_id),
        )
        for (device_id,) in closed.fetchall():
            self._kept.pop(device_id, None)

    def journal(
        self,
        access_code_id: str,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int,
    ) -> Sequence[JournalEntry]:
        """Return the newest `limit` writes for a code between two moments, oldest first, with outcomes."""
        after, before = to_ms_or_none(since), to_ms_or_none(until)
        rows = self._execute(
            "SELECT intent_id, slot, kind, revision, opened_at, closed_at, outcome, why FROM intent "
            "WHERE access_code_id = ? AND (? IS NULL OR COALESCE(closed_at, opened_at) >= ?) "
            "AND (? IS NULL OR opened_at < ?) ORDER BY number DESC LIMIT ?",
            (access_code_id, after, after, before, before, limit),
        ).fetchall()
        return [
            JournalEntry(
                intent_id=intent_id,
                slot=slot,
                kind=IntentKind(kind),
                revision=revision,
                opened_at=from_ms(opened_at),
                closed_at=from_ms_or_none(closed_at),
                outcome=outcome,
                why=why,
            )
            for intent_id, slot, kind, revision, opened_at, closed_at, outcome, why in reversed(rows)
        ]

    def issues(self, device_id: str) -> Sequence[Issue]:
        """Return the errors and warnings of a lock and of its codes, in the order they were given."""
        rows = self._execute("SELECT body FROM issue WHERE device_id = ? ORDER BY position", (device_id,))
        return [_ISSUE.read(body, device_id) for (body,) in rows]

    def replace_issues(self, device_id: str, issues: Iterable[Issue]) -> None:
        """Make these the issues of the lock and its codes. The same ones again write nothing to the disk."""
        rows = [
            (device_id, position, issue.access_code_id, _ISSUE.write(issue))
            for position, issue in enumerate(issues)
        ]
        stored = self._execute(
            "SELECT device_id, position, access_code_id, body FROM issue "
            "WHERE device_id = ? ORDER BY position",
            (device_id,),
        ).fetchall()
        if rows == stored:
            return
        self._execute("DELETE FROM issue WHERE device_id = ?", (device_id,))
        self._connection.executemany(
            "INSERT INTO issue (device_id, position, access_code_id, body) VALUES (?, ?, ?, ?)", rows
        )
