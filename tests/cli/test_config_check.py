"""`config check` beside a database that remembers locks."""

import asyncio
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from gateway.cli.exits import Exit
from gateway.domain.store import Tx
from storage.data_dir import DATABASE, KEY
from storage.keys import load_key
from storage.store import SqliteStore
from storage.vault import Vault
from tests.cli.conftest import NOW, House, Pinsmith
from tests.storage.samples import CLEARING, CODE, DEVICE, INTENT, PLACEMENT

MISSING = (
    "locks.front: missing, and a code of the hub is or may be on this lock: put it back and take them off "
    "first (`pinsmith locks retire front`), or give it up (`pinsmith locks forget front`)"
)
WANTED = replace(
    CODE,
    starts_at=None,
    ends_at=None,
    deleted_at=None,
    is_one_time_use=False,
    first_used_at=None,
    backup=None,
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


def later(codes: int) -> Callable[[Tx], None]:
    """Leave so many codes of which nothing is on the lock yet."""

    def unit(tx: Tx) -> None:
        for number in range(codes):
            starts_at, ends_at = NOW + timedelta(days=20), NOW + timedelta(days=25)
            tx.save_code(
                replace(WANTED, access_code_id=f"later {number}", starts_at=starts_at, ends_at=ends_at)
            )

    return unit


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
@pytest.mark.parametrize(
    ("units", "words"),
    [
        ((later(2),), "2 codes of the hub are to come onto this lock: put it back"),
        (
            (holding, later(1)),
            "a code of the hub is or may be on this lock and a code of the hub is to come onto this lock:",
        ),
    ],
    ids=["to come", "one of each"],
)
def test_codes_that_are_to_come_count_too(
    house: House, pinsmith: Pinsmith, units: tuple[Callable[[Tx], None], ...], words: str
) -> None:
    """Their guests would stand before a door that knows nothing of them, and nobody would be told."""
    remember(house, *units)

    done = pinsmith("config", "check")

    assert done.code == Exit.CONFIGURATION
    assert f"locks.front: missing, and {words}" in done.err


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    "changes",
    [
        {"ends_at": NOW},
        {"deleted_at": NOW},
        {"is_one_time_use": True, "first_used_at": NOW},
        {"backup": "waiting"},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_a_lock_that_left_without_codes_is_none(
    house: House, pinsmith: Pinsmith, changes: dict[str, Any]
) -> None:
    """Neither codes that are over, nor backups that are for nobody yet, nor a clear of a code of others."""
    past = replace(WANTED, **changes)
    remember(house, lambda tx: tx.save_code(past), lambda tx: tx.open_intent("front", CLEARING))

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
