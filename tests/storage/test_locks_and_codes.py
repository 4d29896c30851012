"""What is remembered of locks, codes, slots, operations and troubles."""

import sqlite3

import pytest
from msgspec.structs import replace

from gateway.domain.pin import Pin
from gateway.domain.placement import Placement, Slot
from gateway.domain.store import Tx
from storage.sqlite import SqliteTx, run_unit
from storage.vault import Vault
from tests.storage.samples import (
    ANNOUNCED,
    CLEARING,
    CODE,
    DEVICE,
    EVENT,
    HOUR,
    INTENT,
    ISSUE,
    NOON,
    SLOT,
    check_everything,
    store_everything,
)


@pytest.fixture
def full(tx: SqliteTx) -> SqliteTx:
    """Hold one of everything."""
    store_everything(tx)
    return tx


def test_everything_comes_back_as_it_was_stored(full: SqliteTx) -> None:
    """No field is lost and none is coloured by its default."""
    check_everything(full)


def test_what_was_never_stored_is_none(tx: SqliteTx) -> None:
    """Absence is an answer and no error."""
    assert tx.device("x") is None
    assert tx.snapshot("x") is None
    assert tx.code("x") is None
    assert tx.reply("app", "verb", "x") is None
    assert tx.meta("x") is None


def test_saving_again_replaces(full: SqliteTx) -> None:
    """Each save is the newest truth, and takes nothing along that hangs on the same row."""
    device, code = replace(DEVICE, failures=9), replace(CODE, pin=Pin("135790"), revision=5, ends_at=None)
    placement, slot = Placement(access_code_id="code-1"), Slot(slot="1")

    full.save_placement("front", placement)
    full.save_slot("front", slot)
    full.save_device(device)
    full.save_code(code)
    full.save_announced("front", "code-1", replace(ANNOUNCED, status="removing"))
    full.save_meta("clock_floor", "later")

    snapshot = full.snapshot("front")
    assert snapshot is not None
    assert snapshot.device == device
    assert snapshot.codes == {"code-1": code}
    assert snapshot.placements == {"code-1": placement}
    assert snapshot.slots["1"] == slot
    assert full.announced("front")["code-1"].status == "removing"
    assert full.meta("clock_floor") == "later"


def test_a_snapshot_is_of_one_lock_only(full: SqliteTx) -> None:
    """What stands on the back door must not be planned for the front door."""
    back = replace(CODE, access_code_id="code-2", device_id="back")
    full.save_device(replace(DEVICE, device_id="back"))
    full.save_code(back)
    full.save_slot("back", Slot(slot="9"))

    snapshot = full.snapshot("back")

    assert snapshot is not None
    assert snapshot.codes == {"code-2": back}
    assert snapshot.placements == {}
    assert set(snapshot.slots) == {"9"}
    assert snapshot.intents == ()
    check = full.snapshot("front")
    assert check is not None
    assert set(check.codes) == {"code-1"}


def test_codes_come_in_order_of_creation(tx: SqliteTx) -> None:
    """Lists that people page through keep their order."""
    tx.save_device(DEVICE)
    for number, created in enumerate([NOON + 2 * HOUR, NOON, NOON + HOUR]):
        tx.save_code(replace(CODE, access_code_id=f"code-{number}", created_at=created))

    assert [code.access_code_id for code in tx.codes()] == ["code-1", "code-2", "code-0"]
    snapshot = tx.snapshot("front")
    assert snapshot is not None
    assert list(snapshot.codes) == ["code-1", "code-2", "code-0"]


def test_dropping_a_code_takes_what_hangs_on_it(full: SqliteTx) -> None:
    """Issues of the lock itself stay, and so do the journal and the events."""
    of_the_lock = replace(ISSUE, access_code_id=None)
    full.replace_issues("front", [ISSUE, of_the_lock])

    full.drop_code("code-1")

    snapshot = full.snapshot("front")
    assert snapshot is not None
    assert snapshot.codes == {}
    assert snapshot.placements == {}
    assert snapshot.intents == (INTENT, CLEARING)
    assert full.issues("front") == [of_the_lock]
    assert full.announced("front") == {}
    assert [stored.event for stored in full.undelivered(9)] == [EVENT]


def test_forgetting_a_lock_keeps_events_and_journal(full: SqliteTx, connection: sqlite3.Connection) -> None:
    """Everything that belongs to the lock goes; what happened stays told, without its PINs."""
    full.forget_device("front")

    assert full.snapshot("front") is None
    assert full.codes() == []
    assert full.issues("front") == []
    assert full.announced("front") == {}
    assert [stored.event for stored in full.undelivered(9)] == [EVENT]
    journal = connection.execute("SELECT intent_id, outcome, sealed FROM intent ORDER BY number").fetchall()
    assert journal == [("intent-1", "forgotten", None), ("intent-2", "forgotten", None)]
    assert connection.execute("SELECT count(*) FROM slot").fetchone() == (0,)


def test_forgetting_a_lock_forgets_its_keys(full: SqliteTx) -> None:
    """Whoever takes the lock over must not find keys that still open it."""
    full.forget_device("front")

    assert full.secret("front") is None
    full.save_device(DEVICE)
    assert full.secret("front") is None


def test_keys_are_replaced_and_dropped(full: SqliteTx) -> None:
    """Pairing anew puts the new keys in place of the old; a lock that was never paired has none."""
    full.save_secret("front", b"new")

    assert full.secret("front") == b"new"
    full.drop_secret("front")
    full.drop_secret("front")
    assert full.secret("front") is None
    assert full.secret("back") is None


def test_a_lock_that_comes_back_starts_without_open_intents(full: SqliteTx) -> None:
    """An operation from before must not speak for codes that do not exist any more."""
    full.forget_device("front")
    full.save_device(DEVICE)

    snapshot = full.snapshot("front")

    assert snapshot is not None
    assert snapshot.intents == ()


def test_a_dropped_slot_is_gone_and_its_neighbours_stay(full: SqliteTx) -> None:
    """A lock that chooses its slots no longer lists it."""
    full.drop_slot("front", "29")

    snapshot = full.snapshot("front")
    assert snapshot is not None
    assert set(snapshot.slots) == {"1", "30"}


def test_closing_an_intent_keeps_its_line_and_erases_its_pins(
    full: SqliteTx, connection: sqlite3.Connection
) -> None:
    """The journal says what was done and how it ended; digits are of no use there any more."""
    full.close_intent("intent-1", "confirmed", NOON + HOUR)

    snapshot = full.snapshot("front")
    assert snapshot is not None
    assert snapshot.intents == (CLEARING,)
    row = connection.execute(
        "SELECT kind, slot, outcome, closed_at - opened_at, sealed FROM intent WHERE intent_id = 'intent-1'"
    ).fetchone()
    assert row == ("set", "30", "confirmed", 3_600_000, None)


def test_a_part_of_the_journal_holds_what_was_under_way_in_it(tx: SqliteTx) -> None:
    """Of the newest so many; one that waited long for its answer is not pushed out by those that did not."""
    for number, (opened, closed) in enumerate([(0, 8), (1, 2), (3, 4), (6, 7), (9, None)]):
        tx.open_intent("front", replace(INTENT, intent_id=f"{number}", opened_at=NOON + opened * HOUR))
        if closed is not None:
            tx.close_intent(f"{number}", "applied", NOON + closed * HOUR)

    def found(since: int | None, until: int | None, limit: int = 9) -> str:
        bounds = [NOON + hours * HOUR if hours is not None else None for hours in (since, until)]
        journal = tx.journal("code-1", since=bounds[0], until=bounds[1], limit=limit)
        return "".join(entry.intent_id for entry in journal)

    assert found(None, None) == "01234"
    assert found(None, None, 2) == "34"
    assert found(5, 9, 2) == "03"
    assert found(9, None) == "4"
    assert found(None, 3) == "01"


def test_open_intents_come_oldest_first_whatever_the_clock_said(tx: SqliteTx) -> None:
    """Order is the order of writing: the clock may have been set back in between."""
    tx.save_device(DEVICE)
    tx.open_intent("front", replace(INTENT, intent_id="z", opened_at=NOON))
    tx.open_intent("front", replace(INTENT, intent_id="a", opened_at=NOON - HOUR))

    snapshot = tx.snapshot("front")

    assert snapshot is not None
    assert [intent.intent_id for intent in snapshot.intents] == ["z", "a"]


def test_issues_are_replaced_as_a_whole(full: SqliteTx) -> None:
    """What is not named any more is over; the order given is kept."""
    warning = replace(ISSUE, code="device_paused", access_code_id=None)
    full.replace_issues("front", iter([warning, ISSUE]))
    assert full.issues("front") == [warning, ISSUE]

    full.replace_issues("front", [])
    assert full.issues("front") == []


def test_saving_the_same_again_writes_nothing(connection: sqlite3.Connection, vault: Vault) -> None:
    """A converged lock costs the memory card nothing."""
    run_unit(connection, vault, store_everything)
    before = connection.total_changes

    def unit(tx: Tx) -> None:
        tx.save_device(DEVICE)
        tx.replace_issues("front", [ISSUE])
        tx.save_announced("front", "code-1", ANNOUNCED)
        tx.save_meta("clock_floor", "2026-07-01T12:00:00Z")

    run_unit(connection, vault, unit)
    assert connection.total_changes == before

    run_unit(connection, vault, lambda tx: tx.save_slot("front", SLOT))
    assert connection.total_changes == before + 1
