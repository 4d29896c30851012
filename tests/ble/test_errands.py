"""What a connection does besides: it asks the lock what it is, and reads its log."""

import asyncio
import logging

import pytest

from gateway.domain.credential import Credential
from gateway.domain.driver import LockSeen
from gateway.domain.pin import Pin
from gateway.domain.store import StorageFailed
from tests.ble.running import running
from tests.ble.tiny import TinySession, configured, remembered, seen
from tests.ble_bed.virtual import in_virtual_time

CODE = Credential(pin=Pin("4711"))


@in_virtual_time
async def test_a_lock_of_which_nothing_is_known_is_asked_once_when_it_is_heard() -> None:
    """Then the engine knows it; one that pairing described is not connected to at start."""
    locks = {"front": configured("front", is_known=False), "back": configured("back")}
    async with running(locks=locks) as run:
        await asyncio.sleep(60)
        assert (run.connects("front"), run.connects("back")) == (1, 0)
        assert sorted(run.sink.taken(LockSeen), key=lambda event: event.device_id) == [
            remembered("back"),
            seen("front"),
        ]


@in_virtual_time
async def test_a_log_that_makes_no_sense_is_no_business_of_whoever_works() -> None:
    """A mistake in what the driver wants for itself does not come out of the engine's session."""
    async with running() as run:
        run.doors["front"].log.append("nonsense")
        async with run.driver.session("front") as session:
            await session.write("1", CODE, replaces=None)
        assert run.doors["front"].codes == {"1": "4711"}


@in_virtual_time
async def test_a_log_whose_place_cannot_be_stored_is_no_mistake_of_ours(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk is full: that is told by those who look after the database, and no error here."""

    async def no_room(*_: object) -> bool:
        raise StorageFailed("the disk is full")

    monkeypatch.setattr(TinySession, "read_log", no_room)
    caplog.set_level(logging.INFO, logger="drivers")
    async with running() as run:
        async with run.driver.session("front") as session:
            await session.read("1")
        await asyncio.sleep(60)
    said = [record.levelname for record in caplog.records if "its log was not read" in record.message]
    assert said == ["INFO"]


@in_virtual_time
async def test_a_lock_that_does_not_tell_what_it_is_still_tells_its_log() -> None:
    """What it refuses to tell is asked for again after a while, not at once and not for ever."""
    async with running(locks={"front": configured("front", is_known=False, describes=False)}) as run:
        door = run.doors["front"]
        assert door.asked == ["who", "log"]
        await asyncio.sleep(1000)
        assert run.connects("front") == 1
        await asyncio.sleep(1000)
        assert door.asked.count("who") == 2


@in_virtual_time
async def test_a_lock_that_did_not_tell_what_it_is_is_asked_at_once_when_a_person_asks() -> None:
    """Nobody waits for half an hour next to it."""
    async with running(locks={"front": configured("front", is_known=False, describes=False)}) as run:
        door = run.doors["front"]
        await asyncio.sleep(60)
        assert door.asked.count("who") == 1
        run.driver.ask_again("front")
        await asyncio.sleep(10)
        assert door.asked.count("who") == 2
        await asyncio.sleep(1000)
        assert door.asked.count("who") == 2
