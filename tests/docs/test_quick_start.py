"""docs/quick-start.md: every situation has a whole configuration, and commands that fit it."""

import json
import re
import shlex
from pathlib import Path

import pytest

from drivers.zwave.network import KEEP_CODES
from gateway.cli.main import make_parser
from gateway.config import Settings, load
from tests.docs.pages import ROOT, Block, blocks

PAGE = "docs/quick-start.md"
SITUATIONS = {
    "Z-Wave stick": {"zwave"},
    "Nuki": {"nuki"},
    "TTLock": {"ttlock"},
    "Yale or August": {"yale"},
    "Mixed": {"zwave", "nuki", "ttlock", "yale"},
}


def _of(situation: str) -> list[Block]:
    """Return the blocks below a heading."""
    lines = (ROOT / PAGE).read_text(encoding="utf-8").splitlines()
    first = lines.index(f"## {situation}") + 1
    last = next((n for n, line in enumerate(lines[first:], first) if line.startswith("## ")), len(lines))
    return [block for block in blocks(PAGE) if first < block.line <= last]


def _settings(situation: str, folder: Path) -> Settings:
    (table,) = (block.text for block in _of(situation) if block.kind == "toml")
    (folder / "pinsmith.toml").write_text(table, encoding="utf-8")
    return load(folder / "pinsmith.toml", {})


def _commands(situation: str) -> list[list[str]]:
    """Return the words after `pinsmith` of every command of a situation."""
    lines = [line for block in _of(situation) if block.kind == "sh" for line in block.text.splitlines()]
    return [shlex.split(line)[2:] for line in lines if line.startswith("sudo pinsmith ")]


@pytest.mark.parametrize(("situation", "drivers"), SITUATIONS.items())
def test_the_configuration_is_enough_as_it_is(situation: str, drivers: set[str], tmp_path: Path) -> None:
    """Loaded as the daemon does it; it names locks of the kinds that the heading promises."""
    settings = _settings(situation, tmp_path)
    assert {policy.driver for policy in settings.policies.values()} == drivers


@pytest.mark.parametrize("situation", SITUATIONS)
def test_the_commands_lead_to_a_code_on_a_configured_lock(situation: str, tmp_path: Path) -> None:
    """The file is checked, what speaks Bluetooth is paired by its kind, a code is created; in this order."""
    locks = _settings(situation, tmp_path).policies
    done = []
    for words in _commands(situation):
        args = make_parser().parse_args(words)
        device: str = getattr(args, "device", "")
        assert not device or device in locks, words
        if words[0] == "pair":
            assert locks[device].driver == words[1], words
        done.append((words[0], device))
    wireless = [lock for lock, policy in locks.items() if policy.driver != "zwave"]
    first_code = next(number for number, (word, _) in enumerate(done) if word == "codes")
    assert done[0][0] == "config"
    assert [device for word, device in done[:first_code] if word == "pair"] == wireless


def test_every_situation_is_on_the_page() -> None:
    """And none is left untried."""
    headings = re.findall(r"^## (.+)$", (ROOT / PAGE).read_text(encoding="utf-8"), re.MULTILINE)
    assert headings == [*SITUATIONS, "And then"]


def test_the_server_is_told_to_keep_codes() -> None:
    """The option in the server's file is the one that the driver sets; its keys are what the server takes."""
    (file,) = (json.loads(block.text) for block in _of("Z-Wave stick") if block.kind == "json")
    assert file["interview"] == KEEP_CODES["interview"]
    keys = file["securityKeys"]
    assert keys.keys() == {"S0_Legacy", "S2_Unauthenticated", "S2_Authenticated", "S2_AccessControl"}
    assert len(set(keys.values())) == len(keys)
    assert all(re.fullmatch(r"[0-9A-F]{32}", key) for key in keys.values())


def test_the_server_listens_on_this_machine_only() -> None:
    """And reads the file that has the option."""
    (unit,) = (block.text for block in _of("Z-Wave stick") if block.kind == "ini")
    assert "--host 127.0.0.1" in unit
    assert "--config /etc/zwave-js.json" in unit
