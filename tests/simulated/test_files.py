"""The file of a lock: private, whole at any time, shared by processes."""

import multiprocessing
import stat
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest

from drivers.simulated import keypad
from drivers.simulated.files import JOURNAL_LENGTH, NOTE, NoLockFile, changing, install, load, path_of
from drivers.simulated.lock import SimulatedLock
from drivers.simulated.models import CHOOSER, MASKED, NATIVE, READABLE
from gateway.domain.credential import Credential, Schedule, WeeklyWindow
from gateway.domain.driver import Refused
from gateway.domain.errors import NotFound
from gateway.domain.pin import Pin
from tests.simulated.clock import NOON


def test_a_new_file_is_private_and_says_that_it_is_a_toy(tmp_path: Path) -> None:
    """Nobody else reads it, and whoever opens it is told about the PINs first."""
    directory = tmp_path / "simulated"
    install(directory, "door", READABLE)
    with changing(directory, "door") as memory:
        memory.lock.write("1", Credential(pin=Pin("4711")))
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in directory.iterdir()} == {0o600}
    assert path_of(directory, "door").read_text().startswith(f'{{\n  "note": "{NOTE}"')


def test_everything_comes_back_from_the_file(tmp_path: Path) -> None:
    """Slots with schedule and name, the administrator's PIN, the next id, the journal."""
    install(tmp_path, "door", CHOOSER)
    weekly = WeeklyWindow(weekdays=(0, 6), from_minute=5, until_minute=600)
    schedule = Schedule(starts_at=NOON, ends_at=None, weekly=(weekly,))
    credential = Credential(pin=Pin("471111"), enabled=False, schedule=schedule, name="Ann")
    with changing(tmp_path, "door") as memory:
        memory.lock.write(None, credential)
        memory.lock.set_admin_pin(Pin("999999"))
        memory.note("used", "1", NOON)
    again = load(tmp_path, "door")
    assert again.lock.slots == {"1": credential}
    assert again.lock.admin_pin == Pin("999999")
    assert again.lock.next_id == 2
    assert again.lock.model == CHOOSER
    assert again.journal == memory.journal


def test_a_change_that_fails_leaves_the_file_alone(tmp_path: Path) -> None:
    """Byte for byte."""
    install(tmp_path, "door", READABLE)
    before = path_of(tmp_path, "door").read_bytes()
    with pytest.raises(Refused), changing(tmp_path, "door") as memory:
        _write_two_of_one_pin(memory.lock)
    assert path_of(tmp_path, "door").read_bytes() == before


def test_installing_again_keeps_the_codes_and_takes_the_new_model(tmp_path: Path) -> None:
    """The configuration decides what the lock is, the file what it holds."""
    install(tmp_path, "door", READABLE)
    keypad.set_code(tmp_path, "door", "1", Pin("4711"), at=NOON)
    install(tmp_path, "door", MASKED.with_slots(7))
    assert load(tmp_path, "door").lock.model == MASKED.with_slots(7)
    assert keypad.show(tmp_path, "door") == {"1": Credential(pin=Pin("4711"))}


@pytest.mark.parametrize(
    "content",
    ["", "{}", "null", '{"note": 1}', "\x00\xff"],
    ids=["empty", "no fields", "null", "wrong field", "bytes"],
)
def test_a_damaged_file_is_a_lock_that_is_not_there(tmp_path: Path, content: str) -> None:
    """Nothing of it is believed, and it is not overwritten."""
    install(tmp_path, "door", READABLE)
    path_of(tmp_path, "door").write_text(content)
    with pytest.raises(NoLockFile):
        load(tmp_path, "door")
    with pytest.raises(NoLockFile):
        install(tmp_path, "door", READABLE)
    assert path_of(tmp_path, "door").read_text() == content


@pytest.mark.parametrize("wrong", ['"secret 77"', "778899", "null"], ids=["blank", "number", "null"])
def test_the_error_about_a_damaged_file_quotes_nothing(tmp_path: Path, wrong: str) -> None:
    """A PIN with a typing error in it is still somebody's PIN."""
    install(tmp_path, "door", NATIVE)
    keypad.set_code(tmp_path, "door", "1", Pin("4711"), at=NOON)
    path = path_of(tmp_path, "door")
    path.write_text(path.read_text().replace('"4711"', wrong))
    with pytest.raises(NoLockFile) as error:
        load(tmp_path, "door")
    assert error.value.__cause__ is None
    assert error.value.__suppress_context__
    assert "77" not in str(error.value)


@pytest.mark.parametrize("device_id", ["", ".", "..", "../door", "a/b", "/etc/door", ".hidden"])
def test_an_id_that_leads_elsewhere_is_refused(tmp_path: Path, device_id: str) -> None:
    """No file is made or read outside the directory."""
    with pytest.raises(NoLockFile):
        install(tmp_path / "simulated", device_id, READABLE)
    with pytest.raises(NotFound):
        keypad.show(tmp_path / "simulated", device_id)
    assert {file.name for file in tmp_path.rglob("*")} <= {"simulated"}


def test_the_journal_does_not_grow_for_ever(tmp_path: Path) -> None:
    """The newest deeds stay, numbered on."""
    memory = install(tmp_path, "door", READABLE)
    for _ in range(JOURNAL_LENGTH + 5):
        memory.note("denied", None, NOON)
    assert len(memory.journal) == JOURNAL_LENGTH
    assert memory.last_number == JOURNAL_LENGTH + 5


def _write_two_of_one_pin(lock: SimulatedLock) -> None:
    lock.write("1", Credential(pin=Pin("4711")))
    lock.write("2", Credential(pin=Pin("4711")))


def _type_codes(directory: Path, first: int, together: Barrier) -> None:
    together.wait(timeout=60)
    for number in range(first, first + 100):
        keypad.set_code(directory, "door", None, Pin(f"{number}"), at=NOON)


@pytest.mark.slow
def test_two_processes_lose_nothing(tmp_path: Path) -> None:
    """Two hundred codes typed by two processes at once are two hundred codes and entries."""
    install(tmp_path, "door", READABLE.with_slots(200))
    spawn = multiprocessing.get_context("spawn")
    together = spawn.Barrier(2)
    people = [spawn.Process(target=_type_codes, args=(tmp_path, first, together)) for first in (1000, 2000)]
    for person in people:
        person.start()
    for person in people:
        person.join(timeout=60)
    assert [person.exitcode for person in people] == [0, 0]
    memory = load(tmp_path, "door")
    assert len({held.pin for held in memory.lock.slots.values()}) == 200
    assert memory.last_number == 200
