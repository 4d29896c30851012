"""No link of the documentation leads nowhere, and its commands can be typed."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.cli.main import make_parser
from tests.docs.pages import ROOT, blocks

PAGES = ("README.md", "CHANGELOG.md", *(f"docs/{path.name}" for path in sorted((ROOT / "docs").glob("*.md"))))
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def _prose(page: Path) -> str:
    return re.sub(r"^ *```.*?^ *```$", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)


def _anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, made as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", _prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    """Relative links name files of the project, and anchors headings of the page they are on."""
    here = ROOT / page
    for target in _LINK.findall(_prose(here)):
        if target.startswith("https://"):
            continue
        file, _, anchor = target.partition("#")
        there = (here.parent / file).resolve() if file else here
        assert there.is_relative_to(ROOT), target
        assert there.exists(), target
        if anchor:
            assert anchor in _anchors(there), target


def _commands() -> Iterator[tuple[str, str]]:
    for page in PAGES:
        lines = [line for block in blocks(page) if block.kind == "sh" for line in block.text.splitlines()]
        for line in lines + re.findall(r"`(pinsmith [^`]+)`", _prose(ROOT / page)):
            command = re.search(r"(?:^|\| )(?:\.venv/bin/)?(pinsmith [^|\\]+)\\?$", line)
            if command is not None:
                yield page, command[1]


def _understood(words: list[str]) -> bool:
    try:
        make_parser().parse_args(words)
    except SystemExit as ended:
        return ended.code == 0
    return True


def test_commands_can_be_typed() -> None:
    """Every `pinsmith` command that a page shows is understood; prose may leave out lock and PIN."""
    found = list(_commands())
    assert len(found) > 30
    for page, command in found:
        words = ["5" if word == "N" else word.strip("[]") for word in shlex.split(command)[1:]]
        complete = (words, [*words, "LOCK"], [*words, "--pin"])
        assert "COMMAND" in words or any(map(_understood, complete)), f"{page}: {command}"
