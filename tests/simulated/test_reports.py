"""What the hub is told, unasked, of what people do at the door."""

from pathlib import Path

import pytest

from drivers.simulated import keypad
from drivers.simulated.files import install, path_of
from drivers.simulated.models import READABLE
from drivers.simulated.settings import ModelName, Reports, SimulatedLockSettings
from gateway.domain.credential import Credential, Empty, Evidence, Known, Reading, Unreadable
from gateway.domain.driver import (
    AccessDenied,
    AllCleared,
    AuthorityDown,
    AuthorityUp,
    CodeUsed,
    LockDead,
    LockEvent,
    LockSeen,
    LockUnreachable,
    Refused,
    SlotReported,
    SlotTouched,
    Tampered,
    Written,
)
from gateway.domain.errors import NotFound
from gateway.domain.pin import Pin
from gateway.domain.store import StorageFailed
from tests.simulated.clock import NOON
from tests.simulated.running import again, running

PIN = Pin("4711")


def one(model: ModelName = "readable", reports: Reports = "notification") -> dict[str, SimulatedLockSettings]:
    """Return the configuration of one lock called door."""
    return {"door": SimulatedLockSettings(model=model, reports=reports)}


async def test_the_driver_tells_first_who_is_there(tmp_path: Path) -> None:
    """The authority, then each lock with what it is and can do."""
    locks = {"door": SimulatedLockSettings(slots=2), "gate": SimulatedLockSettings(slots=7)}
    async with running(tmp_path, locks) as run:
        up, door, gate = run.sink.take()
    assert up == AuthorityUp(device_ids=("door", "gate"))
    assert isinstance(door, LockSeen)
    assert isinstance(gate, LockSeen)
    assert (door.device_id, door.identity.product, door.capabilities.slots) == (
        "door",
        "readable",
        ("1", "2"),
    )
    assert (gate.device_id, gate.capabilities.max_codes) == ("gate", 7)
    assert door.identity.contradicts(gate.identity)


@pytest.mark.parametrize(
    ("model", "reports", "set_tells", "delete_tells"),
    [
        (
            "readable",
            "report",
            SlotReported(device_id="door", slot="3", reading=Known(Credential(pin=PIN))),
            SlotReported(device_id="door", slot="3", reading=Empty()),
        ),
        (
            "masked",
            "report",
            SlotReported(device_id="door", slot="3", reading=Unreadable(enabled=True)),
            SlotReported(device_id="door", slot="3", reading=Empty()),
        ),
        # Its readings prove nothing, so it sends none.
        (
            "write_only",
            "report",
            SlotTouched(device_id="door", slot="3"),
            SlotTouched(device_id="door", slot="3"),
        ),
        (
            "readable",
            "notification",
            SlotTouched(device_id="door", slot="3"),
            SlotTouched(device_id="door", slot="3"),
        ),
    ],
)
async def test_an_edit_at_the_keypad_is_told_in_the_manner_of_the_lock(
    tmp_path: Path, model: ModelName, reports: Reports, set_tells: LockEvent, delete_tells: LockEvent
) -> None:
    """With the new content, or only that the slot changed."""
    async with running(tmp_path, one(model, reports)) as run:
        run.sink.take()
        keypad.set_code(run.directory, "door", "3", PIN, at=NOON)
        assert await run.look() == [set_tells]
        keypad.delete(run.directory, "door", "3", at=NOON)
        assert await run.look() == [delete_tells]


async def test_a_lock_that_chooses_tells_only_that_something_changed(tmp_path: Path) -> None:
    """Not which slot, and not that all are gone."""
    async with running(tmp_path, one("chooser", "report")) as run:
        run.sink.take()
        keypad.set_code(run.directory, "door", None, Pin("471111"), at=NOON)
        assert await run.look() == [SlotTouched(device_id="door", slot=None)]
        keypad.delete_all(run.directory, "door", at=NOON)
        assert await run.look() == [SlotTouched(device_id="door", slot=None)]


async def test_a_silent_lock_tells_of_no_edit_but_of_its_use(tmp_path: Path) -> None:
    """Edits must be found by looking."""
    async with running(tmp_path, one(reports="silent")) as run:
        run.sink.take()
        keypad.set_code(run.directory, "door", "3", PIN, at=NOON)
        keypad.set_admin_pin(run.directory, "door", Pin("9001"), at=NOON)
        keypad.open_door(run.directory, "door", PIN, at=NOON)
        keypad.delete_all(run.directory, "door", at=NOON)
        assert await run.look() == [CodeUsed(device_id="door", slot="3", at=NOON)]


async def test_a_deed_waits_until_it_can_be_stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk ends no driver, and what was told is neither lost nor told twice."""
    async with running(tmp_path, one()) as run:
        run.sink.take()
        store, tries = run.sink.handle, list[LockEvent]()

        async def fail_twice(event: LockEvent) -> None:
            tries.append(event)
            if len(tries) <= 2:
                raise StorageFailed("the disk is full")
            await store(event)

        monkeypatch.setattr(run.sink, "handle", fail_twice)
        keypad.set_code(run.directory, "door", "3", PIN, at=NOON)
        keypad.delete_all(run.directory, "door", at=NOON)
        assert [await run.look() for _ in range(3)] == [
            [],
            [],
            [SlotTouched(device_id="door", slot="3"), AllCleared(device_id="door")],
        ]


async def test_deeds_between_two_looks_are_told_in_order(tmp_path: Path) -> None:
    """None is lost, none told twice."""
    async with running(tmp_path, one()) as run:
        run.sink.take()
        keypad.set_code(run.directory, "door", "3", PIN, at=NOON)
        keypad.set_admin_pin(run.directory, "door", Pin("9001"), at=NOON)
        keypad.delete_all(run.directory, "door", at=NOON)
        assert await run.look() == [
            SlotTouched(device_id="door", slot="3"),
            Tampered(device_id="door", what="administrator code changed"),
            AllCleared(device_id="door"),
        ]
        assert await run.look() == []


async def test_opening_tells_the_slot_and_a_wrong_code_no_digits(tmp_path: Path) -> None:
    """A known code that does not open now is told with its slot; the administrator is not told at all."""
    async with running(tmp_path, one()) as run:
        keypad.set_admin_pin(run.directory, "door", Pin("9001"), at=NOON)
        async with run.driver.session("door") as session:
            await session.write("3", Credential(pin=PIN), replaces=None)
            await session.write("4", Credential(pin=Pin("4712"), enabled=False), replaces=None)
        await run.look()
        typed = [
            keypad.open_door(run.directory, "door", Pin(pin), at=NOON) for pin in ("4711", "4712", "1111")
        ]
        assert typed == ["3", None, None]
        assert keypad.open_door(run.directory, "door", Pin("9001"), at=NOON) == "admin"
        assert await run.look() == [
            CodeUsed(device_id="door", slot="3", at=NOON),
            AccessDenied(device_id="door", reason="credential_error", slot="4", at=NOON),
            AccessDenied(device_id="door", reason="unknown_code", at=NOON),
        ]


async def test_a_lock_without_reports_of_use_tells_neither_use_nor_wrong_codes(tmp_path: Path) -> None:
    """Some keypads keep that to themselves."""
    async with running(tmp_path, one("tiny")) as run:
        run.sink.take()
        keypad.set_code(run.directory, "door", "1", PIN, at=NOON)
        keypad.open_door(run.directory, "door", PIN, at=NOON)
        keypad.open_door(run.directory, "door", Pin("1111"), at=NOON)
        assert await run.look() == [SlotTouched(device_id="door", slot="1")]


async def test_what_the_hub_writes_is_no_report(tmp_path: Path) -> None:
    """Its own changes are not told back to it."""
    async with running(tmp_path, one(reports="report")) as run:
        run.sink.take()
        async with run.driver.session("door") as session:
            await session.write("3", Credential(pin=PIN), replaces=None)
            await session.clear("3", holds=None)
        assert await run.look() == []


async def test_what_happened_before_the_start_is_not_told(tmp_path: Path) -> None:
    """A radio that was off heard nothing; the codes are on the lock all the same."""
    async with running(tmp_path, one()) as run:
        keypad.set_code(run.directory, "door", "3", PIN, at=NOON)
    async with running(tmp_path, one()) as run:
        assert [type(event) for event in run.sink.take()] == [AuthorityUp, LockSeen]
        async with run.driver.session("door") as session:
            assert await session.read("3") == Known(Credential(pin=PIN))


async def test_a_lock_whose_file_is_taken_away_is_dead_until_it_is_back(tmp_path: Path) -> None:
    """Sessions fail as with a lock that does not answer; its deeds since are told when it is back."""
    async with running(tmp_path, one()) as run:
        _, seen = run.sink.take()
        away = path_of(run.directory, "door").rename(tmp_path / "away")
        assert await run.look() == [LockDead(device_id="door")]
        assert await run.look() == []
        async with run.driver.session("door") as session:
            with pytest.raises(LockUnreachable):
                await session.read("3")
            with pytest.raises(LockUnreachable):
                await session.write("3", Credential(pin=PIN), replaces=None)
        with pytest.raises(NotFound):
            keypad.set_code(run.directory, "door", "3", PIN, at=NOON)
        away.rename(path_of(run.directory, "door"))
        assert await run.look() == [seen]


async def test_a_lock_that_is_damaged_at_the_start_is_dead(tmp_path: Path) -> None:
    """The driver runs on and finds it when it is repaired."""
    async with running(tmp_path, one()) as run:
        file = path_of(run.directory, "door")
        content = file.read_bytes()
        _, seen = run.sink.take()
    file.write_bytes(b"{")
    async with running(tmp_path, one()) as run:
        assert run.sink.take() == [AuthorityUp(device_ids=("door",)), LockDead(device_id="door")]
        file.write_bytes(content)
        assert await run.look() == [seen]


async def test_a_directory_that_cannot_be_made_is_dead_locks_and_no_end(tmp_path: Path) -> None:
    """A file in the place of the directory: the driver waits until somebody makes room."""
    (tmp_path / "simulated").touch()
    async with running(tmp_path, one()) as run:
        assert run.sink.take() == [AuthorityUp(device_ids=("door",)), LockDead(device_id="door")]
        assert await run.look() == []


async def test_a_driver_that_runs_again_tells_what_it_missed(tmp_path: Path) -> None:
    """It remembers how far it had told."""
    async with running(tmp_path, one()) as run:
        pass
    keypad.delete_all(run.directory, "door", at=NOON)
    run.sink.take()
    async with again(run):
        assert [type(event) for event in run.sink.take()] == [AuthorityUp, LockSeen, AllCleared]


async def test_a_lock_that_is_damaged_again_does_not_die_again(tmp_path: Path) -> None:
    """Dead is told once."""
    async with running(tmp_path, one()) as run:
        run.sink.take()
        path_of(run.directory, "door").write_bytes(b"{")
        assert await run.look() == [LockDead(device_id="door")]
        path_of(run.directory, "door").write_bytes(b"{}")
        assert await run.look() == []


async def test_the_past_of_another_file_is_not_told(tmp_path: Path) -> None:
    """A lock that was reset counts its deeds anew; from then on they are told."""
    async with running(tmp_path, one()) as run:
        for _ in range(3):
            keypad.open_door(run.directory, "door", PIN, at=NOON)
        await run.look()
        reset = tmp_path / "reset"
        install(reset, "door", READABLE)
        keypad.delete_all(reset, "door", at=NOON)
        path_of(reset, "door").rename(path_of(run.directory, "door"))
        assert await run.look() == []
        keypad.set_code(run.directory, "door", "3", PIN, at=NOON)
        assert await run.look() == [SlotTouched(device_id="door", slot="3")]


@pytest.mark.parametrize(
    ("model", "evidence", "reading"),
    [
        ("readable", Evidence.ACCEPTED, None),
        ("masked", Evidence.SENT, Unreadable(enabled=True)),
        ("write_only", Evidence.SENT, None),
    ],
)
async def test_the_outcome_of_a_write_is_what_such_a_lock_tells(
    tmp_path: Path, model: ModelName, evidence: Evidence, reading: Reading | None
) -> None:
    """An acknowledgement, or else a look at the slot, or nothing at all."""
    async with running(tmp_path, one(model)) as run, run.driver.session("door") as session:
        written = await session.write("3", Credential(pin=PIN), replaces=None)
    assert written == Written(slot="3", evidence=evidence, reading=reading)


async def test_sessions_need_a_running_driver(tmp_path: Path) -> None:
    """Before and after, the authority is down: nothing is sent."""
    async with running(tmp_path, one()) as run:
        pass
    with pytest.raises(AuthorityDown):
        async with run.driver.session("door"):
            pass


async def test_a_lock_without_checksum_refuses_to_be_probed(tmp_path: Path) -> None:
    """Rather than answer something that says nothing."""
    async with running(tmp_path, one("masked")) as run, run.driver.session("door") as session:
        with pytest.raises(Refused):
            await session.probe()


async def test_showing_the_lock_hides_the_digits(tmp_path: Path) -> None:
    """Printed as it is, nothing leaks; who asks for a PIN gets it."""
    async with running(tmp_path, one()) as run:
        keypad.set_code(run.directory, "door", "3", PIN, at=NOON)
        shown = keypad.show(run.directory, "door")
    assert "4711" not in repr(shown)
    assert shown["3"].pin.reveal() == "4711"
