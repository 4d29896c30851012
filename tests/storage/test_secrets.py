"""A PIN on the disk is sealed, bound to its row, and in no error text."""

import json
import sqlite3
import traceback
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from gateway.domain.pin import Pin
from gateway.domain.placement import Placement
from gateway.domain.store import Tx
from storage.codec import Plain, Sealed
from storage.data_dir import DATABASE
from storage.errors import DatabaseDamaged, SealBroken
from storage.sqlite import open_database, run_unit
from storage.vault import KEY_LENGTH, Vault
from tests.storage.samples import (
    CHECKSUM,
    CODE,
    DEVICE,
    NOON,
    PINS,
    PLACEMENT,
    SECRET,
    SLOT,
    check_everything,
    store_everything,
)


def bytes_on_disk(folder: Path) -> bytes:
    """Everything that SQLite has written anywhere."""
    return b"".join(path.read_bytes() for path in sorted(folder.iterdir()))


def test_no_pin_is_anywhere_in_the_files(tmp_path: Path, vault: Vault) -> None:
    """Neither in the database nor in its log, neither before nor after deletion; other text is there.

    Nor is the checksum of a lock over its PINs, from which one could be found by trying them all.
    """
    connection = open_database(tmp_path / DATABASE)
    run_unit(connection, vault, store_everything)
    in_the_log = bytes_on_disk(tmp_path)
    connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
    in_the_database = bytes_on_disk(tmp_path)
    run_unit(connection, vault, lambda tx: tx.forget_device("front"))
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    after_deletion = bytes_on_disk(tmp_path)
    connection.close()

    for written in (in_the_log, in_the_database, after_deletion):
        assert [secret for secret in (*PINS, CHECKSUM) if secret.encode() in written] == []
        assert SECRET[2:] not in written
        # Shows that the search finds what is in clear, at the same places.
        assert b"access_code/gone/state" in written
    assert "Günther".encode() in in_the_database
    assert "Günther".encode() not in after_deletion


@pytest.mark.parametrize(
    "move",
    [
        "UPDATE access_code SET pin = (SELECT pin FROM access_code WHERE access_code_id = 'code-2')",
        "UPDATE access_code SET revision = revision - 1",
        "UPDATE access_code SET device_id = 'back'",
        "UPDATE device SET sealed = (SELECT sealed FROM device WHERE device_id = 'back')",
        "UPDATE placement SET sealed = (SELECT sealed FROM placement WHERE access_code_id = 'code-2')",
        "UPDATE slot SET sealed = (SELECT sealed FROM slot WHERE slot = '1')",
        "UPDATE slot SET sealed = (SELECT sealed FROM placement)",
        "UPDATE slot SET sealed = x''",
        "UPDATE slot SET sealed = CAST(x'02' || substr(sealed, 2) AS BLOB)",
        "UPDATE intent SET sealed = (SELECT sealed FROM intent WHERE intent_id = 'intent-2')",
        "UPDATE intent SET device_id = 'back'",
    ],
)
def test_a_sealed_value_opens_only_where_it_belongs(
    connection: sqlite3.Connection, vault: Vault, move: str
) -> None:
    """Whoever can write the file still cannot put a PIN of one row into another."""

    def unit(tx: Tx) -> None:
        store_everything(tx)
        tx.save_device(replace(DEVICE, device_id="back"))
        tx.save_code(replace(CODE, access_code_id="code-2"))
        tx.save_placement("front", Placement(access_code_id="code-2"))

    run_unit(connection, vault, unit)
    assert connection.execute(move).rowcount

    with pytest.raises(SealBroken):
        run_unit(connection, vault, lambda tx: [tx.snapshot("front"), tx.snapshot("back")])


def test_a_reply_opens_only_for_its_own_command(connection: sqlite3.Connection, vault: Vault) -> None:
    """A reply may hold a PIN that only its client may see."""
    run_unit(connection, vault, lambda tx: tx.save_reply("app", "verb", "t", b"d", b"secret", NOON))
    connection.execute("UPDATE reply SET client = 'other'")

    with pytest.raises(SealBroken):
        run_unit(connection, vault, lambda tx: tx.reply("other", "verb", "t"))


def test_keys_of_a_lock_open_only_for_that_lock(connection: sqlite3.Connection, vault: Vault) -> None:
    """Otherwise whoever can write the file makes the hub work on another door."""
    run_unit(connection, vault, store_everything)
    run_unit(connection, vault, lambda tx: tx.save_device(replace(DEVICE, device_id="back")))
    connection.execute("UPDATE lock_secret SET device_id = 'back'")

    with pytest.raises(SealBroken):
        run_unit(connection, vault, lambda tx: tx.secret("back"))


def test_another_key_opens_nothing(connection: sqlite3.Connection, vault: Vault) -> None:
    """A copied database is of no use without its key."""
    run_unit(connection, vault, store_everything)
    other = Vault(bytes(KEY_LENGTH))

    with pytest.raises(SealBroken):
        run_unit(connection, other, lambda tx: tx.code("code-1"))
    with pytest.raises(SealBroken):
        run_unit(connection, other, lambda tx: tx.devices())
    with pytest.raises(SealBroken):
        run_unit(connection, other, lambda tx: tx.secret("front"))
    with pytest.raises(SealBroken):
        run_unit(connection, other, lambda tx: tx.reply("app", "access_codes/get", "t-1"))
    run_unit(connection, vault, check_everything)


def test_the_same_value_is_sealed_differently_each_time(connection: sqlite3.Connection, vault: Vault) -> None:
    """Two equal PINs cannot be told by looking."""
    run_unit(connection, vault, store_everything)
    query = "SELECT sealed FROM slot WHERE slot = '1'"
    first = connection.execute(query).fetchone()
    run_unit(connection, vault, lambda tx: tx.save_slot("front", SLOT))

    assert connection.execute(query).fetchone() != first


def test_what_holds_a_pin_has_no_form_in_clear() -> None:
    """Storing a placement outside the seal fails instead of leaking."""
    with pytest.raises(TypeError) as refused:
        Plain("placement", Placement).write(PLACEMENT)

    assert not [pin for pin in PINS if pin in "".join(traceback.format_exception(refused.value))]


def test_a_value_of_unknown_form_is_not_quoted(vault: Vault) -> None:
    """The decoder's own message would name what it found."""
    sealed = Sealed("slot", dict[str, str]).seal(vault, {"reading": "739184"}, "front", "1")

    with pytest.raises(DatabaseDamaged) as refused:
        Sealed("slot", type(SLOT)).open(vault, sealed, "front", "1")

    shown = "".join(traceback.format_exception(refused.value))
    assert "739184" not in shown
    assert isinstance(refused.value.__context__, msgspec.MsgspecError)


def test_only_pins_are_taught_to_the_sealing_codec(vault: Vault) -> None:
    """Anything else unknown is a mistake, not something to store somehow."""
    with pytest.raises(TypeError, match="object is not stored"):
        Sealed("slot", object).seal(vault, object(), "front")
    sealed = Sealed("pin", str).seal(vault, "1234", "a")
    assert Sealed("pin", Pin).open(vault, sealed, "a") == Pin("1234")
    with pytest.raises(DatabaseDamaged):
        Sealed("pin", Pin).open(vault, Sealed("pin", int).seal(vault, 1234, "b"), "b")


def test_the_digest_needs_the_key() -> None:
    """Without it, whoever reads the database could find a short PIN by trial."""
    body = json.dumps({"code": "1234"}).encode()
    one, other = Vault(bytes(KEY_LENGTH)), Vault(bytes([1]) * KEY_LENGTH)

    assert one.digest(body) == Vault(bytes(KEY_LENGTH)).digest(body)
    assert one.digest(body) != other.digest(body)
    assert one.key_check != other.key_check


def test_a_key_of_another_length_is_not_taken() -> None:
    """A cut-off key would seal with less than it promises."""
    with pytest.raises(ValueError, match="32 bytes"):
        Vault(b"short")
