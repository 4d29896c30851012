"""What units read of a lock is remembered from one to the next, for as long as nobody changes it."""

import sqlite3
from collections.abc import Callable

import pytest
from msgspec.structs import replace

from gateway.domain.placement import Placement, Slot, Snapshot
from gateway.domain.store import Tx
from storage.sqlite import run_unit
from storage.vault import Vault
from tests.storage.samples import CODE, DEVICE, HOUR, INTENT, NOON, SLOT, store_everything

CHANGES: dict[str, Callable[[Tx], None]] = {
    "save_device": lambda tx: tx.save_device(replace(DEVICE, battery=0.1)),
    "forget_device": lambda tx: tx.forget_device("front"),
    "save_code": lambda tx: tx.save_code(replace(CODE, name="Bea")),
    "drop_code": lambda tx: tx.drop_code(CODE.access_code_id),
    "save_placement": lambda tx: tx.save_placement("front", Placement(access_code_id=CODE.access_code_id)),
    "save_slot": lambda tx: tx.save_slot("front", Slot(slot=SLOT.slot)),
    "drop_slot": lambda tx: tx.drop_slot("front", SLOT.slot),
    "open_intent": lambda tx: tx.open_intent("front", replace(INTENT, intent_id="another")),
    "close_intent": lambda tx: tx.close_intent(INTENT.intent_id, "applied", NOON + HOUR),
}


class Hub:
    """One connection and what is remembered beside it."""

    def __init__(self, connection: sqlite3.Connection, vault: Vault) -> None:
        self._connection, self._vault = connection, vault
        self._kept: dict[str, Snapshot] = {}
        self.do(store_everything)
        self.known = self.do(lambda tx: tx.snapshot("front"))

    def do[T](self, unit: Callable[[Tx], T]) -> T:
        """Carry out a unit as the store does."""
        return run_unit(self._connection, self._vault, unit, self._kept)

    def stored(self) -> Snapshot | None:
        """Return what the file holds, by nothing but the file."""
        return run_unit(self._connection, self._vault, lambda tx: tx.snapshot("front"))


@pytest.fixture
def hub(connection: sqlite3.Connection, vault: Vault) -> Hub:
    """Return a hub that has read its lock."""
    return Hub(connection, vault)


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_every_change_is_seen_in_its_unit_and_after_it(hub: Hub, change: Callable[[Tx], None]) -> None:
    """A plan made by what a lock held before would write to the wrong slot."""

    def unit(tx: Tx) -> Snapshot | None:
        change(tx)
        return tx.snapshot("front")

    within = hub.do(unit)

    assert within == hub.stored() == hub.do(lambda tx: tx.snapshot("front"))
    assert within != hub.known


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_unit_that_fails_leaves_nothing_behind(hub: Hub, change: Callable[[Tx], None]) -> None:
    """What it read after its change never was."""

    def unit(tx: Tx) -> None:
        change(tx)
        tx.snapshot("front")
        raise LookupError("own")

    with pytest.raises(LookupError, match="own"):
        hub.do(unit)

    assert hub.do(lambda tx: tx.snapshot("front")) == hub.stored() == hub.known


def test_what_nobody_changed_is_not_read_again(hub: Hub, connection: sqlite3.Connection) -> None:
    """Lists and plans of a house in which nothing happens cost no query per slot."""
    statements: list[str] = []
    connection.set_trace_callback(statements.append)

    assert hub.do(lambda tx: tx.snapshot("front")) == hub.known

    connection.set_trace_callback(None)
    assert [one for one in statements if one.startswith("SELECT")] == []
