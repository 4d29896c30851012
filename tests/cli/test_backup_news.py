"""What a backup tells those who listen to the hub: through the database, since it works beside the daemon."""

import asyncio
import io
from pathlib import Path
from typing import Any

import pytest

from gateway.cli.backup_news import News
from gateway.cli.exits import Exit
from gateway.domain.events import Event
from gateway.domain.store import StorageFailed
from gateway.mqtt.own_events import OwnEvents
from storage import backup as module
from storage.keys import load_key
from storage.store import SqliteStore
from storage.vault import Vault
from tests.cli.conftest import NOW, House, Pinsmith

PASSPHRASE = "correct horse battery"


class Told:
    """News by a clock that a test moves, and the events of them."""

    def __init__(self) -> None:
        self.now = 0.0
        self.events: list[Event] = []
        own = OwnEvents("home", lambda: NOW, lambda: "id")
        self.news = News(self.events.append, own, lambda: self.now)

    def contents(self) -> list[tuple[str, dict[str, Any]]]:
        """Return types and contents."""
        return [(event.event_type.removeprefix("gateway.backup_"), event.payload) for event in self.events]


def test_a_long_backup_tells_each_tenth_of_it_and_the_time_left() -> None:
    """Copying is one half, sealing the other; and how long it took is told in the end."""
    told = Told()
    for done in range(0, 1001, 50):
        told.now += 10
        told.news.copied(done, 1000)
    source = told.news.sealing(io.BytesIO(b"x" * 1000), 1000)
    while source.read(100):
        told.now += 30
    told.news.made()
    progress = [content["percent"] for kind, content in told.contents() if kind == "progress"]
    assert progress == [10, 20, 30, 40, 50, 60, 70, 80, 90, 100]
    assert told.contents()[0] == ("progress", {"percent": 10, "seconds_left": 450})
    assert told.contents()[4] == ("progress", {"percent": 50, "seconds_left": 210})
    assert told.contents()[-1] == ("made", {"seconds": 510})


def test_a_short_backup_tells_no_progress() -> None:
    """Nor one that leaps: 10 s from one event to the next, at least."""
    told = Told()
    for done in range(0, 1001, 10):
        told.now += 0.05
        told.news.copied(done, 1000)
    assert told.events == []
    told.now += 10
    told.news.copied(1000, 1000)
    told.news.copied(1000, 1000)
    assert [kind for kind, _ in told.contents()] == ["progress"]


def test_an_empty_database_is_no_trouble() -> None:
    """There is nothing to divide by."""
    told = Told()
    told.now += 20
    told.news.copied(0, 0)
    assert told.news.sealing(io.BytesIO(), 0).read(10) == b""
    assert told.contents() == [("progress", {"percent": 100, "seconds_left": 0})]


@pytest.fixture
def database(house: House) -> Path:
    """The gateway's memory, as the daemon leaves it."""

    async def make() -> None:
        folder = house.folder / "var"
        store = await SqliteStore.open(folder, Vault(load_key(folder, None)))
        await store.run(lambda tx: tx.save_meta("gateway_id", "home"))
        await store.close()

    asyncio.run(make())
    return house.folder / "var"


def waiting(folder: Path) -> list[tuple[str, str, dict[str, Any]]]:
    """Return the events that the daemon would send, and about whom they are."""

    async def look() -> list[tuple[str, str, dict[str, Any]]]:
        store = await SqliteStore.open(folder, Vault(load_key(folder, None)))
        stored = await store.run(lambda tx: tx.undelivered(10))
        await store.close()
        return [(one.event.event_type, one.event.device_id, one.event.payload) for one in stored]

    return asyncio.run(look())


def test_a_backup_that_is_there_is_told(house: House, pinsmith: Pinsmith, database: Path) -> None:
    """Once it is complete."""
    done = pinsmith("backup", str(house.folder / "b"), typed=(PASSPHRASE, PASSPHRASE))
    assert (done.code, done.err) == (Exit.OK, "")
    assert waiting(database) == [("gateway.backup_made", "home", {"seconds": 0})]


def test_a_backup_that_fails_is_told_with_its_reason(
    house: House, pinsmith: Pinsmith, database: Path
) -> None:
    """Nobody reads the log of a timer at night."""
    done = pinsmith("backup", str(house.folder / "absent" / "b"), typed=(PASSPHRASE, PASSPHRASE))
    assert done.code == Exit.FAILED
    [(kind, _, content)] = waiting(database)
    assert kind == "gateway.backup_failed"
    assert content["message"] in done.err


@pytest.mark.parametrize(
    "arguments",
    [("absent", "--keep", "3"), ("b", "--passphrase-file", "absent")],
    ids=["a stick that is gone", "no passphrase"],
)
def test_so_is_one_that_could_not_begin(
    house: House, pinsmith: Pinsmith, database: Path, arguments: tuple[str, ...]
) -> None:
    """What goes wrong most often, at night."""
    file, *others = arguments
    done = pinsmith("backup", str(house.folder / file), *others, typed=(PASSPHRASE, PASSPHRASE))
    assert done.code != Exit.OK
    [(kind, _, content)] = waiting(database)
    assert (kind, content["message"] in done.err) == ("gateway.backup_failed", True)


def test_a_name_that_is_no_text_is_told_as_far_as_it_is_one(
    house: House, pinsmith: Pinsmith, database: Path
) -> None:
    """A folder of another system, on a stick."""
    done = pinsmith("backup", str(house.folder / "caf\udce9" / "b"), typed=(PASSPHRASE, PASSPHRASE))
    assert done.code == Exit.FAILED
    [(_, _, content)] = waiting(database)
    assert "caf\\udce9" in content["message"]


@pytest.mark.usefixtures("database")
def test_a_backup_that_nobody_can_be_told_of_is_made_all_the_same(
    house: House, pinsmith: Pinsmith, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk of the hub is full, and that of the backup is not."""

    def fail(*_: object) -> None:
        raise StorageFailed("no room")

    monkeypatch.setattr(module, "note", fail)
    done = pinsmith("backup", str(house.folder / "b"), typed=(PASSPHRASE, PASSPHRASE))
    assert (done.code, (house.folder / "b").exists()) == (Exit.OK, True)
    assert done.err == "nobody is told of this backup: no room\n"
