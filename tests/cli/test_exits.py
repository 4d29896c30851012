"""Exit codes and messages: what a script and its author get to know."""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.cli.broker import connected
from gateway.cli.exits import MEANINGS, Exit, NoDaemon
from gateway.cli.main import main, make_parser
from gateway.config import load
from tests.cli.conftest import House, Pinsmith

PAGE = Path(__file__).parents[2] / "docs" / "command-line.md"


def test_a_refusal_is_told_in_the_words_of_the_daemon(house: House, pinsmith: Pinsmith) -> None:
    """For programs with its type."""
    house.refusal = ("not_found", "there is no such access code")

    people, program = pinsmith("codes", "delete", "x"), pinsmith("codes", "delete", "x", "--json")

    assert (people.code, people.out) == (Exit.REFUSED, "")
    assert people.err == "pinsmith: there is no such access code\n"
    assert program.code == Exit.REFUSED
    assert json.loads(program.out) == {
        "error": {"type": "not_found", "message": "there is no such access code"}
    }


def test_a_wrong_configuration_names_every_mistake(house: House, pinsmith: Pinsmith) -> None:
    """The same for a command that only wants to ask the daemon."""
    file = house.folder / "pinsmith.toml"
    file.write_text('[gateway]\nid = "A B"\n')

    done = pinsmith("codes", "list")

    assert done.code == Exit.CONFIGURATION
    assert len(done.err.splitlines()) == 3
    assert all(line.startswith(f"{file}") for line in done.err.splitlines())


@pytest.mark.parametrize("line", ["codes list", "doctor", "locks show front-door"])
def test_a_program_is_told_of_a_wrong_configuration(house: House, pinsmith: Pinsmith, line: str) -> None:
    """As of any error, and of every mistake."""
    (house.folder / "pinsmith.toml").write_text('[gateway]\nid = "A B"\n')

    people, program = pinsmith(*line.split()), pinsmith(*line.split(), "--json")

    assert (program.code, program.err) == (Exit.CONFIGURATION, "")
    error = json.loads(program.out)["error"]
    assert error == {"type": "wrong_configuration", "message": people.err.removesuffix("\n")}
    assert len(error["message"].splitlines()) == 3


def test_config_check_says_what_is_configured(house: House, pinsmith: Pinsmith) -> None:
    """One look tells whether it is the right file."""
    done = pinsmith("config", "check")

    assert done.code == Exit.OK
    assert done.lines == [
        f"{house.folder}/pinsmith.toml is right: gateway home, broker mqtt://127.0.0.1:1, 2 locks"
    ]


def test_config_check_warns_of_a_key_that_only_the_service_gets(house: House, pinsmith: Pinsmith) -> None:
    """Whether the service gets it cannot be known while it is stopped, so that is not called right either."""
    file = house.folder / "pinsmith.toml"
    text = file.read_text().replace("mqtt://127.0.0.1:1", "mqtts://broker.example")
    file.write_text(text.replace("[locks.front-door]", 'cert_file = "hub.pem"\n\n[locks.front-door]'))
    (house.folder / "hub.pem").write_text("certificate")

    people, program = pinsmith("config", "check"), pinsmith("config", "check", "--json")

    assert (people.code, program.code) == (Exit.OK, Exit.OK)
    assert people.err.startswith(f"warning: {file}:6: mqtt.key_file: ")
    assert [one["key"] for one in json.loads(program.out)["warnings"]] == ["mqtt.key_file"]


def test_a_broker_is_not_asked_without_the_key_that_only_the_service_gets(house: House) -> None:
    """The broker's own words would say nothing of where it is."""
    (house.folder / "hub.pem").write_text("certificate")
    file = house.folder / "other.toml"
    file.write_text(
        '[gateway]\nid = "home"\ntime_zone = "UTC"\n'
        '[mqtt]\nurl = "mqtts://127.0.0.1:1"\ncert_file = "hub.pem"\n'
    )
    settings = load(file, {}, service=house.folder / "pinsmith.service")

    with pytest.raises(NoDaemon, match=r"pinsmith\.tls-key.*sudo"), connected(settings):
        pass


def test_config_check_lists_mistakes_for_programs(house: House, pinsmith: Pinsmith) -> None:
    """An editor can jump to the line."""
    file = house.folder / "pinsmith.toml"
    file.write_text(file.read_text().replace('"readable"', '"bad"'))

    done = pinsmith("config", "check", "--json")

    [mistake] = json.loads(done.out)["mistakes"]
    assert done.code == Exit.CONFIGURATION
    assert (mistake["file"], mistake["line"], mistake["key"]) == (str(file), 11, "locks.front-door.model")


def test_the_configuration_is_looked_for_in_order(
    house: House, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """--config goes before PINSMITH_CONFIG, and that before the folder one is in."""
    (house.folder / "here").mkdir()
    monkeypatch.chdir(house.folder / "here")
    monkeypatch.delenv("PINSMITH_CONFIG", raising=False)

    assert main(["config", "check"]) == Exit.CONFIGURATION
    told = capsys.readouterr().err
    assert "looked for pinsmith.toml, /etc/pinsmith/config.toml" in told
    assert "`pinsmith init` writes one" in told
    monkeypatch.chdir(house.folder)
    assert main(["config", "check"]) == Exit.OK
    monkeypatch.setenv("PINSMITH_CONFIG", "other.toml")
    assert main(["config", "check"]) == Exit.CONFIGURATION
    assert capsys.readouterr().err.startswith("other.toml: cannot be read")
    assert main(["config", "check", "--config", "pinsmith.toml"]) == Exit.OK


def test_a_broker_that_is_not_there_is_told(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    """Nobody listens on port 1."""
    code = main(["codes", "list", "--config", str(house.folder / "pinsmith.toml")])

    assert code == Exit.NO_DAEMON
    assert capsys.readouterr().err == (
        "pinsmith: the broker mqtt://127.0.0.1:1 cannot be reached: Connection refused\n"
    )


def test_a_reader_that_leaves_early_causes_no_traceback(house: House) -> None:
    """`pinsmith ... | head -1` is everyday use."""
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "gateway.cli.main", "config", "check"]
    done = subprocess.run(  # noqa: S603 - a fixed command
        [*command, "--config", str(house.folder / "pinsmith.toml")],
        stdout=writing,
        stderr=subprocess.PIPE,
        timeout=60,
        check=False,
    )
    os.close(writing)

    assert (done.returncode, done.stderr) == (Exit.FAILED, b"")


def test_exit_codes_are_documented() -> None:
    """Help and page name every code with the same words."""
    page, shown = PAGE.read_text(encoding="utf-8"), make_parser().format_help()
    for code in Exit:
        assert f"| {code.value} | {MEANINGS[code]} |" in page
        assert f"{code.value}  {MEANINGS[code]}" in shown


def leaves(parser: argparse.ArgumentParser) -> list[str]:
    """Every command that can be typed, as it is typed."""
    below = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    return [leaf for action in below for one in action.choices.values() for leaf in leaves(one)] or [
        parser.prog
    ]


@pytest.mark.parametrize("command", leaves(make_parser()))
def test_every_command_is_on_the_page_and_has_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Help works without a configuration."""
    with pytest.raises(SystemExit) as ended:
        make_parser().parse_args([*command.split()[1:], "--help"])

    assert ended.value.code == Exit.OK
    assert "--json" in capsys.readouterr().out
    assert f"| `{command}" in PAGE.read_text(encoding="utf-8")


def test_asking_loads_no_table_no_storage_and_no_radio() -> None:
    """Each of them would cost a small hub more time than the answer."""
    script = (
        "import sys\n"
        "from gateway.cli.main import make_parser\n"
        "make_parser()\n"
        "print(*{name.split('.')[0] for name in sys.modules})\n"
    )
    done = subprocess.run(  # noqa: S603 - a fixed command
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True
    )

    loaded = set(done.stdout.split())
    assert "gateway" in loaded
    assert loaded & {"rich", "storage", "cryptography", "websockets", "amqtt", "croniter", "bleak"} == set()
