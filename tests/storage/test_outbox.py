"""Events until the broker has them, replies for repeated commands, topics to be emptied."""

import logging
import sqlite3
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from gateway.domain.pin import Pin
from storage.sqlite import SqliteTx, run_unit
from storage.vault import Vault
from tests.storage.samples import CLEARING, DEVICE, EVENT, HOUR, NOON, event

SECOND = timedelta(seconds=1)


def seqs(tx: SqliteTx, limit: int = 100) -> list[int]:
    """Numbers of the events that still have to go out."""
    return [stored.seq for stored in tx.undelivered(limit)]


def test_seq_rises_by_one_and_orders_the_outbox(tx: SqliteTx) -> None:
    """Order is that of storing, whatever the events say of their time."""
    given = [tx.emit(event(number, at=NOON - number * HOUR)) for number in range(4)]

    assert given == [1, 2, 3, 4]
    assert seqs(tx) == given
    assert seqs(tx, limit=2) == [1, 2]


def test_a_number_is_never_given_twice(tx: SqliteTx) -> None:
    """Not even when everything was delivered and pruned."""
    last = max(tx.emit(event(number)) for number in range(3))
    tx.mark_delivered(seqs(tx), NOON)
    tx.prune(replies_before=NOON, events_before=NOON + HOUR)

    assert tx.events(limit=9) == []
    assert tx.emit(event(9)) == last + 1


def test_delivered_events_leave_the_outbox_and_stay_listed(tx: SqliteTx) -> None:
    """Acknowledgements come in any order."""
    first, second, third = (tx.emit(event(number)) for number in range(3))
    tx.mark_delivered([third, first], NOON)

    assert seqs(tx) == [second]
    assert tx.undelivered_count() == 1
    listed = tx.events(limit=9)
    assert [stored.seq for stored in listed] == [first, second, third]


def test_an_event_id_is_stored_once(tx: SqliteTx) -> None:
    """The broker's side tells repeats by it, so two events must not share one."""
    tx.emit(EVENT)
    with pytest.raises(sqlite3.IntegrityError):
        tx.emit(EVENT)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, [1, 2, 3, 4]),
        ({"since": NOON + SECOND}, [2, 3, 4]),
        ({"until": NOON + 2 * SECOND}, [1, 2]),
        ({"since": NOON + SECOND, "until": NOON + 3 * SECOND}, [2, 3]),
        ({"device_ids": ["back"]}, [3]),
        ({"access_code_ids": ["code-1"]}, [2, 4]),
        ({"event_types": ["no.such"]}, []),
        ({"event_ids": ["event-2", "event-3"]}, [2, 3]),
        ({"access_code_ids": ["code-1"], "device_ids": ["back"]}, []),
        ({"access_code_ids": ["code-1"], "limit": 1}, [4]),
        ({"limit": 2}, [3, 4]),
    ],
)
def test_events_are_found_by_time_lock_and_code(
    tx: SqliteTx, query: dict[str, Any], found: list[int]
) -> None:
    """`since` counts itself in, `until` does not, conditions add up; of too many the newest are given."""
    tx.emit(event(1, at=NOON))
    tx.emit(event(2, at=NOON + SECOND, access_code_id="code-1"))
    tx.emit(event(3, at=NOON + 2 * SECOND, device_id="back"))
    tx.emit(event(4, at=NOON + 3 * SECOND, access_code_id="code-1"))

    assert [stored.seq for stored in tx.events(**{"limit": 100, **query})] == found


def test_trimming_leaves_a_small_outbox_alone(tx: SqliteTx) -> None:
    """Exactly as many as allowed is not too many, and what is delivered does not count."""
    for number in range(5):
        tx.emit(event(number))
    tx.mark_delivered([1, 2], NOON)

    assert tx.trim_outbox(3) == (0, 0)
    assert seqs(tx) == [3, 4, 5]


def test_trimming_drops_the_oldest_and_spares_security(tx: SqliteTx) -> None:
    """An alarm outlives any number of newer news (rule 8)."""
    alarm, news = "device.tampered", "access_code.set_on_device"
    for number, kind in enumerate([news, alarm, news, alarm, news]):
        tx.emit(event(number, kind=kind))

    assert tx.trim_outbox(3) == (2, 1)
    assert seqs(tx) == [2, 4, 5]
    assert tx.trim_outbox(1) == (2, 2)
    assert seqs(tx) == [4]


def test_what_a_dropped_gap_event_told_of_is_told_by_the_next(tx: SqliteTx) -> None:
    """In the end a subscriber can say how many it never saw, however long the broker was away."""
    gap = event(1, kind="gateway.gap")
    tx.emit(replace(gap, payload={"events_dropped": 7, "first_seq_dropped": 3}))
    for number in range(2, 4):
        tx.emit(event(number, kind="device.tampered"))

    assert tx.trim_outbox(2) == (8, 1)
    tx.emit(replace(gap, event_id="later", payload={"events_dropped": 8, "first_seq_dropped": 1}))
    assert tx.trim_outbox(0) == (2 + 9, 1)


def test_prune_keeps_what_is_young_or_undelivered(tx: SqliteTx) -> None:
    """A day without broker must not cost an event, whatever its age."""
    old, young = tx.emit(event(1, at=NOON)), tx.emit(event(2, at=NOON + HOUR))
    waiting = tx.emit(event(3, at=NOON))
    misdated = tx.emit(replace(event(4, at=NOON - 9000 * HOUR), created_at=NOON + HOUR))
    tx.mark_delivered([old, young, misdated], NOON)
    tx.save_reply("app", "verb", "old", b"d", b"old", NOON)
    tx.save_reply("app", "verb", "young", b"d", b"young", NOON + HOUR)

    tx.prune(replies_before=NOON + HOUR, events_before=NOON + HOUR)

    kept = tx.events(limit=9)
    assert [stored.seq for stored in kept] == [young, waiting, misdated]
    assert tx.reply("app", "verb", "old") is None
    assert tx.reply("app", "verb", "young") == (b"d", b"young")


def test_prune_keeps_open_intents(tx: SqliteTx) -> None:
    """What is not known to have ended is never too old."""
    tx.save_device(DEVICE)
    tx.open_intent("front", replace(CLEARING, intent_id="open"))
    tx.open_intent("front", replace(CLEARING, intent_id="closed"))
    tx.close_intent("closed", "confirmed", NOON)

    tx.prune(replies_before=NOON, events_before=NOON + 1000 * HOUR)

    snapshot = tx.snapshot("front")
    assert snapshot is not None
    assert [intent.intent_id for intent in snapshot.intents] == ["open"]
    assert tx._connection.execute("SELECT count(*) FROM intent").fetchone() == (1,)


def test_a_reply_belongs_to_client_verb_and_transaction(tx: SqliteTx) -> None:
    """The same transaction of another client is another command."""
    tx.save_reply("app", "access_codes/create", "t", tx.digest(b"one"), b"reply", NOON)

    assert tx.reply("app", "access_codes/create", "t") == (tx.digest(b"one"), b"reply")
    assert tx.reply("other", "access_codes/create", "t") is None
    assert tx.reply("app", "access_codes/delete", "t") is None
    assert tx.reply("app", "access_codes/create", "u") is None
    assert tx.digest(b"one") != tx.digest(b"two")


def test_of_each_client_the_newest_replies_are_kept(tx: SqliteTx) -> None:
    """Newest is what was stored last, also where the clock went back; who sends little loses nothing."""
    tx.save_reply("quiet", "devices/pause", "0", b"digest", b"reply", NOON)
    for number in range(5):
        tx.save_reply("busy", "devices/pause", str(number), b"digest", b"reply", NOON - number * HOUR)
    tx.save_reply("busy", "devices/pause", "1", b"digest", b"stored anew", NOON)

    assert tx.trim_replies(3) == 2

    kept = [t for t in "01234" if tx.reply("busy", "devices/pause", t) is not None]
    assert kept == ["1", "3", "4"]
    assert tx.reply("quiet", "devices/pause", "0") is not None
    assert tx.trim_replies(3) == 0


def test_tombstones_are_kept_until_dropped(tx: SqliteTx) -> None:
    """Noting one twice is the same as once."""
    for topic in ("access_code/b/state", "access_code/a/state", "access_code/b/state"):
        tx.add_tombstone(topic)
    assert tx.tombstones() == ["access_code/a/state", "access_code/b/state"]

    tx.drop_tombstone("access_code/a/state")
    assert tx.tombstones() == ["access_code/b/state"]


def test_an_event_with_a_pin_inside_is_not_stored(tx: SqliteTx) -> None:
    """The last fence of rule 9, at any depth."""
    with pytest.raises(TypeError) as refused:
        tx.emit(replace(EVENT, payload={"from": [{"code": Pin("918273")}]}))

    assert "918273" not in str(refused.value)
    assert seqs(tx) == []


@pytest.mark.parametrize("column", ["payload", "asked"])
@pytest.mark.parametrize("damaged", ["CAST('{]' AS TEXT)", "CAST(x'7bff7d' AS TEXT)"])
def test_an_event_that_does_not_open_does_not_hold_up_the_others(
    connection: sqlite3.Connection, vault: Vault, caplog: pytest.LogCaptureFixture, damaged: str, column: str
) -> None:
    """That it was is still told, only not what it said; and somebody reads of it."""
    run_unit(connection, vault, lambda tx: [tx.emit(event(number)) for number in (1, 2)])
    connection.execute(f"UPDATE event SET {column} = {damaged} WHERE seq = 1")  # noqa: S608 - a fixed text
    found = run_unit(connection, vault, lambda tx: tx.undelivered(9))
    assert [stored.event for stored in found] == [replace(event(1), payload={}), event(2)]
    [line] = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert "Event 1" in line.getMessage()
