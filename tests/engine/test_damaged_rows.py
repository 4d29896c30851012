"""A row that does not open costs one lock: all others go on, and it is told what to do."""

import logging

import pytest

from drivers.simulated.models import READABLE
from gateway.domain.driver import AuthorityUp
from gateway.domain.store import LastingFailure, StorageFailed
from gateway.engine.keyring import StoredKeys
from tests.engine.commands.house import House, house

PIN, OTHER = "471134", "580291"
WAYS = {
    "access_code": "UPDATE access_code SET pin = zeroblob(40) WHERE device_id = 'front'",
    "placement": "UPDATE placement SET sealed = zeroblob(40) WHERE device_id = 'front'",
    "slot": "UPDATE slot SET sealed = zeroblob(40) WHERE device_id = 'front'",
    "device": "UPDATE device SET sealed = zeroblob(40) WHERE device_id = 'front'",
    "text": "UPDATE access_code SET name = CAST(x'ff' AS TEXT) WHERE device_id = 'front'",
}


def damage(it: House, table: str) -> None:
    """Spoil what is stored of `front`, as a failing card does, and forget what was read before."""
    it.store._connection.execute(WAYS[table])
    it.store._kept.clear()


async def furnished(it: House) -> None:
    """Put a code on each of the two locks."""
    await it.do("access_codes/create", device_id="front", code=PIN)
    await it.do("access_codes/create", device_id="back", code=PIN)
    await it.settle()


@pytest.mark.parametrize("table", WAYS)
async def test_the_others_are_worked_on_after_a_start(table: str) -> None:
    """The hub starts, and the sound lock gets what it should."""
    async with house(front=READABLE, back=READABLE) as it:
        await furnished(it)
        damage(it, table)
        await it.engine.start()
        with pytest.raises(LastingFailure):
            await it.engine.handle(AuthorityUp(device_ids=("front", "back")))
        await it.engine.handle(it.seen("back"))
        await it.do("access_codes/create", device_id="back", code=OTHER)
        [front, back] = it.workers
        with pytest.raises(LastingFailure):
            await front.reconcile()
        await back.reconcile()
        assert sorted(it.on_lock("back")) == [PIN, OTHER]
        assert it.on_lock("front") == [PIN]


@pytest.mark.parametrize("table", ["access_code", "placement", "slot", "device"])
async def test_a_command_that_meets_it_is_answered(table: str) -> None:
    """It would come back for ever otherwise. The answer names lock, table and way out."""
    async with house(front=READABLE, back=READABLE) as it:
        await furnished(it)
        damage(it, table)
        reply = await it.ask("access_codes/list", device_id="front")
        assert (reply["status"], reply["error"]["type"]) == ("error", "internal_error")
        for words in (f"front: a row of `{table}` does not open", "pinsmith locks forget front"):
            assert words in reply["error"]["message"]
        assert PIN not in reply["error"]["message"]
        assert len((await it.do("access_codes/list", device_id="back"))["access_codes"]) == 1


@pytest.mark.parametrize("table", WAYS)
async def test_forgetting_the_lock_ends_it(table: str) -> None:
    """It says which codes may be on it, and begins anew, at the next start where its own row is gone."""
    async with house(front=READABLE, back=READABLE) as it:
        await furnished(it)
        code_id = (await it.do("access_codes/list", device_id="front"))["access_codes"][0]["access_code_id"]
        damage(it, table)
        reply = await it.do("devices/forget", device_id="front")
        assert [one["access_code_id"] for one in reply["left_behind"]] == [code_id]
        assert f"access_code/{code_id}/state" in it.store.do(lambda tx: tx.tombstones())
        await it.engine.start()
        await it.engine.handle(AuthorityUp(device_ids=("front", "back")))
        for door in ("front", "back"):
            await it.engine.handle(it.seen(door))
        await it.settle()
        assert len((await it.do("devices/list"))["devices"]) == 2
        assert len((await it.do("access_codes/list"))["access_codes"]) == 1


async def test_a_restore_is_confirmed_for_the_others() -> None:
    """Or no lock would ever be written to again."""
    async with house(front=READABLE, back=READABLE) as it:
        await furnished(it)
        for door in ("front", "back"):
            it.set_device(door, held_for_restore=True)
        damage(it, "access_code")
        assert await it.do("restore/confirm") == {"device_ids": ["back"]}


async def test_keys_that_do_not_open_are_no_keys() -> None:
    """Only pairing anew helps; the driver goes on with its other locks."""
    async with house(front=READABLE) as it:
        it.store.do(lambda tx: tx.save_secret("front", b"keys"))
        keys = StoredKeys(it.store)
        assert await keys.load("front") == b"keys"
        it.store._connection.execute("UPDATE lock_secret SET sealed = zeroblob(40)")
        assert await keys.load("front") is None
        await keys.save("front", b"new")
        assert await keys.load("front") == b"new"


async def test_a_disk_that_is_full_is_no_answer() -> None:
    """That command is to come again."""
    async with house(front=READABLE) as it:
        it.store.failing = True
        with pytest.raises(StorageFailed):
            await it.ask("access_codes/create", device_id="front", code=PIN)


async def test_a_change_that_contradicts_what_is_stored_is_answered(caplog: pytest.LogCaptureFixture) -> None:
    """A fault of ours is one every time."""
    async with house(front=READABLE) as it:
        it.store._connection.execute(
            "CREATE TRIGGER never BEFORE INSERT ON access_code BEGIN SELECT RAISE(ABORT, 'never'); END"
        )
        with caplog.at_level(logging.DEBUG):
            reply = await it.ask("access_codes/create", device_id="front", code=PIN)
        assert reply["error"]["type"] == "internal_error"
        assert "SQLITE_CONSTRAINT" in reply["error"]["message"]
        assert PIN not in caplog.text
