"""What goes out over MQTT: events until the broker has them, replies to commands, topics to be emptied."""

import logging
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

from gateway.domain.events import Event, StoredEvent
from gateway.domain.lines import Line, of_event
from gateway.domain.trouble import about
from storage.codec import Plain, from_ms, to_ms, to_ms_or_none
from storage.errors import DatabaseDamaged
from storage.rows import Rows
from storage.vault import place

_PAYLOAD = Plain("event", dict[str, Any])
_COLUMNS = (
    "seq, event_id, event_type, device_id, access_code_id, occurred_at, created_at, CAST(payload AS BLOB),"
    " CAST(asked AS BLOB)"
)
"""What `_stored` reads. Bytes, because one text that is none would fail the whole query."""


class OutboxRows(Rows):
    """The part of a transaction that is about telling; meanings as in `gateway.domain.store.Tx`."""

    def emit(self, event: Event) -> int:
        """Append to the outbox and note it for the log; return the gateway-wide `seq`.

        A payload that holds a `Pin`, at any depth, raises TypeError.
        """
        row = self._execute(
            "INSERT INTO event (event_id, event_type, device_id, access_code_id, occurred_at, created_at,"
            " security, payload, asked) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING seq",
            (
                event.event_id,
                event.event_type,
                event.device_id,
                event.access_code_id,
                to_ms(event.occurred_at),
                to_ms(event.created_at),
                event.security,
                _PAYLOAD.write(event.payload),
                _PAYLOAD.write(event.asked) if event.asked else None,
            ),
        ).fetchone()
        seq = int(row[0])
        self.note(of_event(event, seq))
        return seq

    def undelivered(self, limit: int) -> Sequence[StoredEvent]:
        """Return the oldest events that the broker has not acknowledged, in `seq` order."""
        return self._stored(
            self._execute(
                f"SELECT {_COLUMNS} FROM event WHERE delivered_at IS NULL ORDER BY seq LIMIT ?",  # noqa: S608 - a fixed text
                (limit,),
            )
        )

    def undelivered_count(self) -> int:
        """Return how many events the broker has not acknowledged."""
        row = self._execute("SELECT count(*) FROM event WHERE delivered_at IS NULL").fetchone()
        return int(row[0])

    def mark_delivered(self, seqs: Sequence[int], at: datetime) -> None:
        """Remember that the broker has these events; the first time counts."""
        delivered = to_ms(at)
        self._connection.executemany(
            "UPDATE event SET delivered_at = ? WHERE seq = ? AND delivered_at IS NULL",
            [(delivered, seq) for seq in seqs],
        )

    def events(
        self,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        event_ids: Collection[str] | None = None,
        device_ids: Collection[str] | None = None,
        access_code_ids: Collection[str] | None = None,
        event_types: Collection[str] | None = None,
        after_seq: int | None = None,
        limit: int,
    ) -> Sequence[StoredEvent]:
        """Return events that occurred at or after `since` and before `until`, in `seq` order.

        The newest of them; with `after_seq` the first ones after that.
        """
        conditions: list[str] = ["TRUE" if after_seq is None else "seq > ?"]
        values: list[Any] = [] if after_seq is None else [after_seq]
        for text, moment in (("occurred_at >= ?", since), ("occurred_at < ?", until)):
            if moment is not None:
                conditions.append(text)
                values.append(to_ms_or_none(moment))
        for column, wanted in (
            ("event_id", event_ids),
            ("device_id", device_ids),
            ("access_code_id", access_code_ids),
            ("event_type", event_types),
        ):
            if wanted is not None:
                conditions.append(f"{column} IN ({', '.join('?' for _ in wanted)})")
                values += wanted
        found = self._stored(
            self._execute(
                f"SELECT {_COLUMNS} FROM event WHERE {' AND '.join(conditions)}"  # noqa: S608 - fixed texts only
                f" ORDER BY seq {'DESC' if after_seq is None else 'ASC'} LIMIT ?",
                (*values, limit),
            )
        )
        return found[::-1] if after_seq is None else found

    def trim_outbox(self, most: int) -> tuple[int, int]:
        """Drop undelivered events beyond `most`, non-security first, oldest first.

        Return (events dropped, lowest seq dropped); (0, 0) when nothing had to go. What a dropped gap event
        told of counts again: nobody has heard of it.
        """
        excess = self.undelivered_count() - most
        if excess <= 0:
            return 0, 0
        gone = self._execute(
            "DELETE FROM event WHERE seq IN "
            "(SELECT seq FROM event WHERE delivered_at IS NULL ORDER BY security, seq LIMIT ?)"
            " RETURNING seq, event_type, CAST(payload AS BLOB)",
            (excess,),
        ).fetchall()
        told = [self._payload(seq, payload) for seq, kind, payload in gone if kind == "gateway.gap"]
        gaps = [gap for gap in told if gap]
        first = min([*(seq for seq, *_ in gone), *(gap["first_seq_dropped"] for gap in gaps)])
        return len(gone) + sum(gap["events_dropped"] for gap in gaps), first

    def _stored(self, rows: Iterable[tuple[Any, ...]]) -> list[StoredEvent]:
        return [
            StoredEvent(
                seq=seq,
                event=Event(
                    event_id=event_id,
                    event_type=event_type,
                    device_id=device_id,
                    access_code_id=access_code_id,
                    occurred_at=from_ms(occurred_at),
                    created_at=from_ms(created_at),
                    payload=self._payload(seq, payload),
                    asked=self._payload(seq, asked) if asked is not None else {},
                ),
            )
            for (
                seq,
                event_id,
                event_type,
                device_id,
                access_code_id,
                occurred_at,
                created_at,
                payload,
                asked,
            ) in rows
        ]

    def _payload(self, seq: int, body: bytes) -> dict[str, Any]:
        """Return what an event says; nothing where it does not open, which must not hold up all others."""
        try:
            return _PAYLOAD.read(body)
        except DatabaseDamaged:
            words = f"Event {seq}: what it says does not open and is left out"
            self.note(Line(logging.ERROR, words, about(seq=seq, trouble="storage")))
            return {}

    def reply(self, client: str, verb: str, transaction: str) -> tuple[bytes, bytes] | None:
        """Return (body digest, stored reply) of a command that was already carried out."""
        row = self._execute(
            "SELECT digest, sealed FROM reply WHERE client = ? AND verb = ? AND transaction_id = ?",
            (client, verb, transaction),
        ).fetchone()
        if row is None:
            return None
        return row[0], self._vault.open(row[1], place("reply", client, verb, transaction))

    def save_reply(
        self, client: str, verb: str, transaction: str, digest: bytes, reply: bytes, at: datetime
    ) -> None:
        """Remember the reply of a command; it is encrypted, because it may hold a PIN."""
        sealed = self._vault.seal(reply, place("reply", client, verb, transaction))
        self._execute(
            "INSERT OR REPLACE INTO reply (client, verb, transaction_id, digest, sealed, stored_at) "
            "VALUES (?, ?, ?, ?, ?, ?)",
            (client, verb, transaction, digest, sealed, to_ms(at)),
        )

    def trim_replies(self, most: int) -> int:
        """Forget the oldest replies of every client that has more than `most`; return how many went.

        Oldest is what was stored first, whatever the clock said.
        """
        too_many = self._execute(
            "SELECT client, count(*) - ? FROM reply GROUP BY client HAVING count(*) > ?", (most, most)
        ).fetchall()
        # A row that is replaced gets a new rowid, above all others.
        return sum(
            self._execute(
                "DELETE FROM reply WHERE rowid IN"
                " (SELECT rowid FROM reply WHERE client = ? ORDER BY rowid LIMIT ?)",
                excess,
            ).rowcount
            for excess in too_many
        )

    def digest(self, body: bytes) -> bytes:
        """Return a keyed digest of a command body."""
        return self._vault.digest(body)

    def tombstones(self) -> Sequence[str]:
        """Return the retained topics (below the root) that must still be emptied on the broker."""
        return [topic for (topic,) in self._execute("SELECT topic FROM tombstone ORDER BY topic")]

    def add_tombstone(self, topic: str) -> None:
        """Note a retained topic to be emptied."""
        self._execute("INSERT OR IGNORE INTO tombstone (topic) VALUES (?)", (topic,))

    def drop_tombstone(self, topic: str) -> None:
        """Forget a retained topic that the broker has emptied."""
        self._execute("DELETE FROM tombstone WHERE topic = ?", (topic,))
