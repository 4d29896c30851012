"""`config check` beside a database that remembers locks."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.cli.exits import Exit
from gateway.domain.store import Tx
from storage.data_dir import DATABASE, KEY
from storage.keys import load_key
from storage.store import SqliteStore
from storage.vault import Vault
from tests.cli.conftest import House, Pinsmith
from tests.storage.samples import CLEARING, CODE, DEVICE, INTENT, PLACEMENT

MISSING = (
    "locks.front: missing, and a code of the hub is or may be on this lock: put it back and take them off "
    "first (`pinsmith locks retire front`), or give it up (`pinsmith locks forget front`)"
)


@pytest.fixture
def folder(house: House) -> Path:
    """The data directory of a hub that ran before, without codes."""
    remember(house, lambda tx: tx.save_device(DEVICE))
    return house.folder / "var"


def remember(house: House, *units: Callable[[Tx], None]) -> None:
    """Have the hub remember something."""

    async def ran() -> None:
        folder = house.folder / "var"
        store = await SqliteStore.open(folder, Vault(load_key(folder, None)))
        for unit in units:
            await store.run(unit)
        await store.close()

    asyncio.run(ran())


def holding(tx: Tx) -> None:
    """Leave a code that is on the lock."""
    tx.save_code(CODE)
    tx.save_placement("front", PLACEMENT)


def under_way(tx: Tx) -> None:
    """Leave a code of which nobody knows whether it got there."""
    tx.save_code(CODE)
    tx.open_intent("front", INTENT)


@pytest.mark.parametrize("unit", [holding, under_way])
def test_a_lock_that_left_while_it_holds_codes_is_a_mistake(
    house: House, pinsmith: Pinsmith, folder: Path, unit: Callable[[Tx], None]
) -> None:
    """As a reload says it, for people and for programs; the database stays as it is."""
    remember(house, unit)
    before = {file.name: file.read_bytes() for file in folder.iterdir()}

    people, program = pinsmith("config", "check"), pinsmith("config", "check", "--json")

    assert (people.code, program.code) == (Exit.CONFIGURATION, Exit.CONFIGURATION)
    assert people.err == f"{house.folder}/pinsmith.toml: {MISSING}\n"
    [mistake] = json.loads(program.out)["mistakes"]
    assert mistake["key"] == "locks.front"
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == before


@pytest.mark.usefixtures("folder")
def test_a_lock_that_left_without_codes_is_none(house: House, pinsmith: Pinsmith) -> None:
    """Neither codes that wait for their time nor what was never a code of the hub count."""
    remember(house, lambda tx: tx.save_code(CODE), lambda tx: tx.open_intent("front", CLEARING))

    done = pinsmith("config", "check")

    assert (done.code, done.err) == (Exit.OK, "")


@pytest.mark.usefixtures("folder")
def test_a_lock_that_is_still_there_is_none(house: House, pinsmith: Pinsmith) -> None:
    """However many codes it holds."""
    remember(house, holding)
    file = house.folder / "pinsmith.toml"
    file.write_text(file.read_text() + '[locks.front]\ndriver = "simulated"\n')

    assert pinsmith("config", "check").code == Exit.OK


def test_without_a_database_nothing_is_looked_for_or_made(house: House, pinsmith: Pinsmith) -> None:
    """Before the very first start."""
    done = pinsmith("config", "check")

    assert (done.code, done.err) == (Exit.OK, "")
    assert not (house.folder / "var").exists()


def test_what_cannot_be_read_is_a_warning(house: House, pinsmith: Pinsmith, folder: Path) -> None:
    """The file itself may be right."""
    (folder / KEY).unlink()

    people, program = pinsmith("config", "check"), pinsmith("config", "check", "--json")

    assert (people.code, program.code) == (Exit.OK, Exit.OK)
    assert people.err.startswith(f"warning: {house.folder}/pinsmith.toml: gateway.data_directory: cannot be")
    assert [one["key"] for one in json.loads(program.out)["warnings"]] == ["gateway.data_directory"]
    assert not (folder / KEY).exists()
    assert (folder / DATABASE).exists()
