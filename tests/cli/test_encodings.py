"""Machines whose locale is not UTF-8: nothing ends in a traceback, and JSON stays JSON."""

import io
import json
import sys
from pathlib import Path

import pytest

from gateway.cli.exits import Exit
from gateway.cli.main import main
from tests.cli.conftest import House, Pinsmith

LOCALES = pytest.mark.parametrize("encoding", ["latin-1", "ascii"])


def run(encoding: str, *argv: str) -> tuple[int, str]:
    """Run a command with standard output as Python opens it in such a locale."""
    raw = io.BytesIO()
    out = io.TextIOWrapper(raw, encoding=encoding)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(sys, "stdout", out)
        code = main(argv)
    out.flush()
    return code, raw.getvalue().decode("ascii")


@pytest.fixture
def odd(house: House) -> str:
    """A configuration under a name that no such locale has."""
    file = house.folder / "Łukasz😀.toml"
    (house.folder / "pinsmith.toml").rename(file)
    return str(file)


@LOCALES
def test_what_a_locale_does_not_know_is_spelt(odd: str, encoding: str) -> None:
    """`codes create` would end before it shows the PIN that it made up."""
    code, told = run(encoding, "config", "check", "--config", odd)

    assert code == Exit.OK
    assert r"\u0141ukasz\U0001f600.toml is right" in told


@LOCALES
def test_json_can_be_read_in_any_locale(odd: str, encoding: str) -> None:
    """A program gets back what is meant."""
    Path(odd).write_text("[gateway]\n")

    code, told = run(encoding, "config", "check", "--json", "--config", odd)

    assert code == Exit.CONFIGURATION
    assert {one["file"] for one in json.loads(told)["mistakes"]} == {odd}


@pytest.mark.parametrize(
    "line",
    ["codes create front-door --name J\udcf6rg", "codes list --search J\udcf6rg", "locks show T\udcfcr"],
)
def test_what_is_typed_in_another_encoding_is_refused(house: House, pinsmith: Pinsmith, line: str) -> None:
    """At once: the daemon would not understand it, and so never answer."""
    done = pinsmith(*line.split())

    assert (done.code, house.asked) == (Exit.USAGE, [])
    assert "is not text in utf-8" in done.err


def test_files_may_be_called_anything(house: House, pinsmith: Pinsmith) -> None:
    """Their names are bytes."""
    file = house.folder / "J\udcf6rg.toml"
    (house.folder / "pinsmith.toml").rename(file)

    assert pinsmith("config", "check", "--config", str(file)).code == Exit.OK
