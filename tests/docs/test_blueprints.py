"""The blueprints for Home Assistant are whole, and the automations on the page fit them.

What Home Assistant itself makes of them `make test-homeassistant` shows.
"""

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.docs.pages import ROOT, blocks

PAGE = "docs/home-assistant.md"
FOLDER = ROOT / "docs" / "blueprints"
BLUEPRINTS = sorted(FOLDER.glob("*.yaml"))


class Input(str):
    """The name behind `!input`."""

    __slots__ = ()


class Loader(yaml.SafeLoader):  # type: ignore[misc]  # PyYAML ships no types
    """Reads YAML with the one tag that blueprints have of their own."""


Loader.add_constructor("!input", lambda loader, node: Input(loader.construct_scalar(node)))


def read(text: str) -> dict[str, Any]:
    """Return what a text holds; fails with the place where it is no YAML."""
    found: dict[str, Any] = Loader(text).get_single_data()
    return found


def used(value: object) -> set[str]:
    """Return the inputs that a part of a blueprint asks for."""
    match value:
        case Input():
            return {str(value)}
        case dict():
            return used(list(value.values()))
        case list():
            return {name for one in value for name in used(one)}
    return set()


@pytest.mark.parametrize("file", BLUEPRINTS, ids=lambda file: file.name)
def test_a_blueprint_asks_for_what_it_uses_and_for_nothing_else(file: Path) -> None:
    """An input that is misspelt in one of its places would stop the automation, or count for nothing."""
    whole = read(file.read_text(encoding="utf-8"))
    about = whole.pop("blueprint")
    assert about["domain"] == "automation"
    assert whole.keys() >= {"triggers", "actions"}
    assert all("name" in one and "selector" in one for one in about["input"].values())
    assert used(whole) == set(about["input"])


def test_the_automations_on_the_page_give_what_the_blueprints_ask_for() -> None:
    """Every one that there is is shown, with all that has no default."""
    [shown] = [block for block in blocks(PAGE) if block.kind == "yaml"]
    names = set()
    for automation in read(shown.text)["automation"]:
        file = FOLDER / Path(automation["use_blueprint"]["path"]).name
        asked = read(file.read_text(encoding="utf-8"))["blueprint"]["input"]
        given = set(automation["use_blueprint"]["input"])
        assert {name for name, one in asked.items() if "default" not in one} <= given <= set(asked)
        names.add(file)
    assert names == set(BLUEPRINTS)
