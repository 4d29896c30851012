"""`pinsmith doctor` as it is typed: what is printed, and the exit code."""

import asyncio
import json
from pathlib import Path

import pytest

from gateway.cli.exits import Exit
from gateway.domain.lock import Capabilities, Device
from tests.cli.conftest import House, Pinsmith
from tests.doctor.bed import remember

QUIET = """\
[gateway]
id = "home"
time_zone = "Europe/Berlin"
data_directory = "data"
[mqtt]
url = "mqtt://127.0.0.1:1"
[locks.front-door]
driver = "simulated"
"""


@pytest.fixture(autouse=True)
def _simple(house: House) -> None:
    """A house that needs no radio, and whose broker is away."""
    (house.folder / "pinsmith.toml").write_text(QUIET)


def test_a_problem_is_told_with_cause_and_remedy_and_an_exit_code(pinsmith: Pinsmith) -> None:
    """For people."""
    done = pinsmith("doctor")
    assert done.code == Exit.FAILED
    place = done.lines.index("PROBLEM broker: nothing listens at mqtt://127.0.0.1:1")
    assert done.lines[place + 1].startswith("why: The broker does not run")
    assert done.lines[place + 2].startswith("do: Start it")
    assert "problems" in done.lines[-1]


def test_programs_get_every_field(pinsmith: Pinsmith) -> None:
    """For programs: the id of a finding stays what it is."""
    done = pinsmith("doctor", "--json")
    answer = json.loads(done.out)
    assert done.code == Exit.FAILED
    [broker] = [one for one in answer["findings"] if one["id"] == "broker_nobody_listens"]
    assert set(broker) == {"id", "severity", "where", "what", "cause", "remedy"}
    assert answer["counts"]["problem"] == sum(one["severity"] == "problem" for one in answer["findings"])


def test_the_worst_comes_first(pinsmith: Pinsmith) -> None:
    """Whoever reads only the first lines has read what matters."""
    answer = json.loads(pinsmith("doctor", "--json").out)
    order = ["problem", "warning", "note", "ok"]
    places = [order.index(one["severity"]) for one in answer["findings"]]
    assert places == sorted(places)


def test_a_lock_that_is_not_there_is_a_mistake_of_typing(pinsmith: Pinsmith) -> None:
    """The locks that are there are named."""
    done = pinsmith("doctor", "attic")
    assert done.code == Exit.USAGE
    assert "front-door" in done.err


def test_a_lock_that_left_the_configuration_is_looked_at_as_long_as_it_is_remembered(
    pinsmith: Pinsmith, house: House
) -> None:
    """It is to be forgotten, which nobody does whom it is told that there is no such lock."""
    cellar = Device(device_id="cellar", policy=None, capabilities=Capabilities(max_codes=10), retiring=True)
    asyncio.run(remember(house.folder, lambda tx: tx.save_device(cellar)))
    done = pinsmith("doctor", "cellar")
    assert any(line.startswith("note cellar: ") for line in done.lines)
    assert "do: `pinsmith locks forget cellar`" in done.lines


def test_a_wrong_configuration_is_told_as_everywhere(pinsmith: Pinsmith, house: House) -> None:
    """Nothing can be looked at without it."""
    (house.folder / "pinsmith.toml").write_text("[gateway]\n")
    assert pinsmith("doctor").code == Exit.CONFIGURATION


def test_looking_leaves_nothing_behind(pinsmith: Pinsmith, house: House) -> None:
    """No folder, no key, no database."""
    pinsmith("doctor")
    assert [file.name for file in Path(house.folder).iterdir()] == ["pinsmith.toml"]
