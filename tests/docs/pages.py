"""Reads pages of the documentation: their fenced blocks, and what in them differs from run to run."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
UUID = re.compile(r"(?<![0-9a-z])[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?![0-9a-z])")
PAGES = (
    *("README.md", "CHANGELOG.md", "systemd/README.md", "tests/zwave_bed/README.md"),
    *sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md")),
)
"""Everything that is written for people, by its path from the root of the project."""
_FENCE = re.compile(r"^( *)```([^\n]*)\n(.*?)^\1```$", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """One fenced block: the words behind the fence, and the text without the indentation of the fence."""

    kind: str
    about: str
    text: str
    line: int


def blocks(page: str) -> list[Block]:
    """Return the fenced blocks of a page, named by its path from the root of the project."""
    text = (ROOT / page).read_text(encoding="utf-8")
    found = []
    for match in _FENCE.finditer(text):
        indent, words, content = match.groups()
        kind, _, about = words.partition(" ")
        inside = "".join(line.removeprefix(indent) for line in content.splitlines(keepends=True))
        found.append(Block(kind, about, inside, text.count("\n", 0, match.start()) + 1))
    return found


def prose(page: str) -> str:
    """Return what a page says outside of its fenced blocks."""
    return _FENCE.sub("", (ROOT / page).read_text(encoding="utf-8"))


class Names:
    """Which id of a run stands for which id of the page."""

    def __init__(self) -> None:
        self._real: dict[str, str] = {}

    def learn(self, page: str, real: str) -> None:
        """Take the ids of two texts that are otherwise alike for each other's, in their order."""
        for shown, actual in zip(UUID.findall(page), UUID.findall(real), strict=False):
            self._real.setdefault(shown, actual)

    def put_in(self, text: str) -> str:
        """Replace the ids of the page by those of the run."""
        return UUID.sub(lambda found: self._real.get(found[0], found[0]), text)


def table(page: str, heading: str) -> Mapping[str, tuple[str, ...]]:
    """Return the rows of the first table under a heading: the cells by what the first has in backticks."""
    text = (ROOT / page).read_text(encoding="utf-8")
    part = re.split(rf"^#+ {re.escape(heading)}$", text, maxsplit=1, flags=re.MULTILINE)[1]
    found = re.search(r"(?:^\|.*\n)+", part, re.MULTILINE)
    assert found is not None, f"there is no table under {heading}"
    rows = [[cell.strip() for cell in line.strip("| \n").split(" | ")] for line in found[0].splitlines()[2:]]
    return {row[0].split("`")[1]: tuple(row[1:]) for row in rows}
