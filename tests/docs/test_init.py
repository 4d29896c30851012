"""docs/command-line.md names the questions of `pinsmith init` as they are asked, in their order."""

import re
from pathlib import Path

import pytest

from tests.docs.pages import ROOT
from tests.init.person import alone, at_terminal

_PAGE = ROOT / "docs" / "command-line.md"
_SOURCES = ROOT / "gateway" / "cli" / "init"
_ROW = re.compile(r"^\| `([^`]+)` \|", re.MULTILINE)


def _questions() -> list[str]:
    page = _PAGE.read_text(encoding="utf-8")
    section = page.partition("## A first configuration\n")[2].partition("\n## ")[0]
    return [row.removesuffix(" …").removesuffix(" 10 s") for row in _ROW.findall(section)]


def test_they_are_asked_in_this_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As far as a machine without radios and broker is asked them."""
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={tmp_path}/no-bus")
    told = at_terminal(tmp_path / "pinsmith.toml", alone())
    places = [
        next((place for place, one in enumerate(told.asked) if question in one), None)
        for question in _questions()
    ]
    asked = [place for place in places if place is not None]
    assert len(asked) >= 7
    assert asked == sorted(asked)


def test_each_of_them_exists() -> None:
    """Those about locks too."""
    sources = "".join(file.read_text(encoding="utf-8") for file in _SOURCES.glob("*.py"))
    questions = _questions()
    assert len(questions) == 10
    assert [question for question in questions if question not in sources] == []
