"""`pinsmith init` as a conversation: what is asked, what is written, and when nothing is."""

import json
import stat
from collections.abc import Sequence
from pathlib import Path

import pytest

from gateway.cli.exits import Exit
from gateway.cli.init.command import system_zone
from gateway.config import load
from tests.init.person import CTRL_C, alone, at_terminal, piped


def left(file: Path) -> list[str]:
    """What is in the folder of the configuration."""
    return sorted(one.name for one in file.parent.iterdir())


def test_enter_takes_what_is_proposed(file: Path) -> None:
    """The machine knows its name and its time zone."""
    told = at_terminal(file, alone())
    assert told.code == Exit.OK
    settings = load(file, {})
    assert settings.gateway.time_zone.key == "Europe/Berlin"
    assert settings.gateway.data_directory == file.parent / "var"
    assert left(file) == ["config.toml"]
    assert stat.S_IMODE(file.stat().st_mode) & 0o007 == 0


def test_what_is_typed_is_written(file: Path) -> None:
    """And explained beside it."""
    answers = {"Name of this hub": "lake-house", "Time zone": "America/Toronto", "Folder": "/srv/codes"}
    at_terminal(file, alone() | answers)
    settings = load(file, {})
    assert settings.gateway.id == "lake-house"
    assert settings.gateway.time_zone.key == "America/Toronto"
    assert settings.gateway.data_directory == Path("/srv/codes")
    assert "# Zone of the local times" in file.read_text()


def test_it_says_what_comes_next(file: Path) -> None:
    """Commands to copy, and nothing else on standard output."""
    told = at_terminal(file, alone())
    assert told.out.splitlines() == [
        f"written: {file}",
        "next:",
        f"  pinsmith --config {file} doctor",
        f"  pinsmith --config {file} run",
        f"  pinsmith --config {file} locks list",
    ]


def test_programs_are_told_in_json(file: Path) -> None:
    """The questions are on standard error, out of the way."""
    told = at_terminal(file, alone(), "--json")
    answer = json.loads(told.out)
    assert (answer["file"], answer["password_file"], answer["locks"]) == (str(file), None, [])


def test_a_person_who_errs_is_asked_again(file: Path) -> None:
    """And told what is expected."""
    told = at_terminal(
        file, alone() | {"Name of this hub": ("Lake House", "lake"), "Time zone": ("Berlin", "Asia/Tokyo")}
    )
    assert told.code == Exit.OK
    assert "expected 1 to 32 of a-z, 0-9, _ and -" in told.err
    assert 'such as "Europe/Berlin"' in told.err
    assert load(file, {}).gateway.id == "lake"


def test_a_broker_that_is_not_there_is_told_as_by_the_doctor(file: Path) -> None:
    """The person may answer again, or go on: the broker may be installed later."""
    told = at_terminal(file, alone() | {"Answer again": ("again", "keep")})
    assert "nothing listens at" in told.err
    assert told.was_asked("Address of the broker") == 2
    assert told.code == Exit.OK


def test_another_machine_is_spoken_to_encrypted(file: Path) -> None:
    """Proposed when plain mqtt:// was typed, with the port for it."""
    at_terminal(file, alone() | {"Address of the broker": "mqtt://broker.invalid"})
    assert str(load(file, {}).mqtt.url) == "mqtts://broker.invalid:8883"


def test_in_clear_only_who_says_so_twice(file: Path) -> None:
    """The first no is about TLS, the yes about PINs in clear; else the address is asked for anew."""
    answers: dict[str, str | Sequence[str]] = {
        "Address of the broker": "mqtt://broker.invalid",
        "encrypted connections": "no",
        "in clear": ("no", "yes"),
    }
    told = at_terminal(file, alone() | answers)
    assert told.was_asked("Address of the broker") == 2
    assert load(file, {}).mqtt.allow_plaintext


@pytest.mark.parametrize("question", ["Name of this hub", "Password", "zwave-js-server", "Write it"])
def test_ctrl_c_leaves_nothing(file: Path, question: str) -> None:
    """At any question."""
    told = at_terminal(file, alone() | {"User": "pinsmith", "Password": "s3cret", question: CTRL_C})
    assert told.code == 130
    assert told.err.endswith("nothing was written\n")
    assert told.asked[-1].startswith(question) or question in told.asked[-1]
    assert left(file) == []


def test_no_at_the_end_leaves_nothing(file: Path) -> None:
    """What would be written was shown before."""
    told = at_terminal(file, alone() | {"Write it": "no"})
    assert told.code == Exit.FAILED
    assert 'time_zone = "Europe/Berlin"' in told.err
    assert left(file) == []


def test_a_file_that_is_there_is_not_touched(file: Path) -> None:
    """Told before anything is asked."""
    file.write_text("mine")
    told = at_terminal(file, alone())
    assert told.code == Exit.USAGE
    assert "--replace" in told.err
    assert told.asked == []
    assert file.read_text() == "mine"


def test_replacing_keeps_the_old_one(file: Path) -> None:
    """The last one only."""
    file.write_text("mine")
    assert at_terminal(file, alone(), "--replace").code == Exit.OK
    assert load(file, {}).gateway.time_zone.key == "Europe/Berlin"
    assert left(file) == ["config.toml", "config.toml.old"]
    assert file.with_name("config.toml.old").read_text() == "mine"


def test_without_a_terminal_it_refuses(file: Path) -> None:
    """A pipe that nobody thought of must not become a configuration."""
    told = piped(file, "\n" * 50)
    assert told.code == Exit.USAGE
    assert "--stdin" in told.err
    assert left(file) == []


def test_programs_answer_line_by_line(file: Path) -> None:
    """In the order of the questions; an empty line is the default."""
    url = alone()["Address of the broker"]
    told = piped(file, f"cabin\n\n\n{url}\nnone\nkeep\nnone\n\n", "--stdin")
    assert told.code == Exit.OK, told.err
    assert load(file, {}).gateway.id == "cabin"


def test_a_program_that_errs_is_not_asked_again(file: Path) -> None:
    """Later lines would answer the wrong questions. What was given is not repeated: it may be a password."""
    told = piped(file, "cabin\nS3cret Zone\n", "--stdin")
    assert told.code == Exit.USAGE
    assert "Time zone: expected the name of a time zone" in told.err
    assert "S3cret" not in told.err
    assert left(file) == []


def test_too_few_lines_leave_nothing(file: Path) -> None:
    """It says which answer was missing."""
    told = piped(file, "cabin\n", "--stdin")
    assert told.code == Exit.FAILED
    assert "no answer to: Time zone; nothing was written" in told.err
    assert left(file) == []


def test_the_zone_of_the_machine(tmp_path: Path) -> None:
    """TZ goes before the link; without either nothing is proposed, because a wrong zone is worse."""
    link = tmp_path / "localtime"
    assert system_zone({}, link) == ""
    link.symlink_to("/usr/share/zoneinfo/Asia/Kolkata")
    assert system_zone({}, link) == "Asia/Kolkata"
    assert system_zone({"TZ": ":Europe/Rome"}, link) == "Europe/Rome"
    assert system_zone({"TZ": "CET-1CEST"}, link) == "Asia/Kolkata"
