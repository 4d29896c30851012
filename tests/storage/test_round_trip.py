"""Whatever the domain can express comes back unchanged."""

import typing
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from msgspec import Struct
from msgspec.structs import replace

from gateway.domain.code import AccessCode
from gateway.domain.credential import Credential, Empty, Known, Schedule, Unreadable, WeeklyWindow
from gateway.domain.events import Event, StoredEvent
from gateway.domain.issues import Announced, Issue
from gateway.domain.lock import Capabilities, Device, Identity, LockPolicy, PinRules
from gateway.domain.pin import Pin
from gateway.domain.placement import Confirmed, Former, Intent, Outside, Placement, Rejection, Slot, Snapshot
from storage.codec import from_ms, to_ms
from storage.sqlite import SqliteTx, open_database, run_unit
from storage.vault import Vault
from tests.storage.samples import CODE, DEVICE, KEY, NOON

LAST_MS = to_ms(datetime(9999, 12, 31, 23, 59, 59, 999000, tzinfo=UTC))

# As SQLite and JSON can hold them, which is all that a hub can meet.
times = st.integers(to_ms(datetime(1, 1, 1, tzinfo=UTC)), LAST_MS).map(from_ms)
texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)
numbers = st.integers(-(2**63), 2**63 - 1)
json_values: SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | numbers | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
)
st.register_type_strategy(datetime, times)
st.register_type_strategy(timedelta, st.integers(0, 10**9).map(lambda ms: timedelta(milliseconds=ms)))
st.register_type_strategy(str, texts)
st.register_type_strategy(int, numbers)
st.register_type_strategy(float, st.floats(allow_nan=False, allow_infinity=False))
st.register_type_strategy(Pin, st.from_regex(r"[\x21-\x7e]{1,32}", fullmatch=True).map(Pin))


def anything[T: Struct](kind: type[T], **fixed: SearchStrategy[Any]) -> SearchStrategy[T]:
    """Build any value of a domain type from the types of its fields."""
    hints = typing.get_type_hints(kind)
    fields = {
        name: json_objects if hint == dict[str, Any] else st.from_type(hint) for name, hint in hints.items()
    }
    return st.builds(kind, **{**fields, **fixed})


json_objects = st.dictionaries(texts, json_values, max_size=3)
for inner in (WeeklyWindow, Schedule, Credential, PinRules, Capabilities, Identity, LockPolicy):
    st.register_type_strategy(inner, anything(inner))
st.register_type_strategy(Known, st.from_type(Credential).map(Known))
st.register_type_strategy(Unreadable, st.sampled_from([None, False, True]).map(Unreadable))
st.register_type_strategy(Empty, st.just(Empty()))
for later in (Confirmed, Outside, Rejection, Former):
    st.register_type_strategy(later, anything(later))


@pytest.fixture(scope="module")
def tx() -> typing.Iterator[SqliteTx]:
    """Give one unit over a database in memory to all examples; each overwrites what the one before left."""
    connection = open_database(":memory:")
    vault = Vault(KEY)
    run_unit(connection, vault, lambda tx: tx.save_device(DEVICE))
    connection.execute("BEGIN")
    yield SqliteTx(connection, vault)
    connection.close()


def snapshot(tx: SqliteTx) -> Snapshot:
    """Return everything about the one lock."""
    found = tx.snapshot("front")
    assert found is not None
    return found


@given(anything(Device, device_id=st.just("front")))
def test_locks(tx: SqliteTx, device: Device) -> None:
    """Whatever a driver and the engine may say of a lock."""
    tx.save_device(device)

    assert tx.device("front") == device


@given(anything(AccessCode, device_id=st.just("front")), texts)
def test_codes(tx: SqliteTx, code: AccessCode, other_name: str) -> None:
    """Columns, times to the millisecond, and the sealed PIN; replaced as a whole."""
    tx.save_code(replace(code, name=other_name, deleted_at=None, starts_at=None))
    tx.save_code(code)

    assert tx.code(code.access_code_id) == code
    assert snapshot(tx).codes[code.access_code_id] == code
    tx.drop_code(code.access_code_id)
    assert tx.codes() == []


@given(anything(Placement, access_code_id=st.just("code-1")))
def test_placements(tx: SqliteTx, placement: Placement) -> None:
    """What we know of our own code on the lock."""
    tx.save_code(CODE)
    tx.save_placement("front", placement)

    assert snapshot(tx).placements == {"code-1": placement}
    tx.drop_code("code-1")


@given(anything(Slot))
def test_slots(tx: SqliteTx, slot: Slot) -> None:
    """Every kind of reading, with any name a driver gives a slot."""
    tx.save_slot("front", slot)

    assert snapshot(tx).slots == {slot.slot: slot}
    tx.drop_slot("front", slot.slot)


@given(anything(Intent))
def test_intents(tx: SqliteTx, intent: Intent) -> None:
    """What an operation wanted and what was there before, until its outcome is known."""
    tx.open_intent("front", intent)

    assert snapshot(tx).intents == (intent,)
    tx.close_intent(intent.intent_id, "confirmed", NOON)
    assert snapshot(tx).intents == ()
    tx._execute("DELETE FROM intent")


@given(st.lists(anything(Issue), max_size=3))
def test_issues(tx: SqliteTx, issues: list[Issue]) -> None:
    """In their order, with whatever data they carry."""
    tx.replace_issues("front", issues)

    assert tx.issues("front") == issues


@given(anything(Announced))
def test_announced(tx: SqliteTx, announced: Announced) -> None:
    """What was told is remembered exactly, or it would be told again."""
    tx.save_code(CODE)
    tx.save_announced("front", "code-1", announced)

    assert tx.announced("front") == {"code-1": announced}
    tx.drop_code("code-1")


@given(anything(Event))
def test_events(tx: SqliteTx, event: Event) -> None:
    """Events reach the broker as they were emitted."""
    seq = tx.emit(event)

    [stored] = tx.undelivered(9)
    assert stored == StoredEvent(seq=seq, event=event)
    assert tx.trim_outbox(0) == (1, seq)


@given(texts, texts, texts, st.binary(), st.binary())
def test_replies(tx: SqliteTx, client: str, verb: str, transaction: str, digest: bytes, reply: bytes) -> None:
    """Any bytes under any names."""
    tx.save_reply(client, verb, transaction, digest, reply, NOON)

    assert tx.reply(client, verb, transaction) == (digest, reply)


@given(st.binary())
def test_keys(tx: SqliteTx, secret: bytes) -> None:
    """Any bytes, of which only a driver knows the meaning."""
    tx.save_secret("front", secret)

    assert tx.secret("front") == secret


@given(st.datetimes(timezones=st.just(UTC)))
def test_times_are_cut_to_milliseconds(at: datetime) -> None:
    """Never rounded up: a stored time is not later than the moment was."""
    assert timedelta(0) <= at - from_ms(to_ms(at)) < timedelta(milliseconds=1)


def test_a_time_without_zone_is_a_mistake() -> None:
    """It would be off by hours without anybody noticing."""
    with pytest.raises(TypeError):
        to_ms(datetime(2026, 1, 1))  # noqa: DTZ001 - that is the point
