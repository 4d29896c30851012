"""No link of the documentation leads nowhere, and every page can be found."""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.pages import PAGES, ROOT, prose

_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def _links(page: str) -> Iterator[tuple[Path, str]]:
    """Return files and anchors that a page links to; addresses elsewhere are not looked at."""
    for target in _LINK.findall(prose(page)):
        if not target.startswith("https://"):
            file, _, anchor = target.partition("#")
            yield ((ROOT / page).parent / file).resolve() if file else ROOT / page, anchor


def _anchors(page: str) -> set[str]:
    """Return the anchors of a page's headings, made as GitHub makes them: the second of a name ends in -1."""
    seen: Counter[str] = Counter()
    found = set()
    for heading in re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE):
        shown = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        name = re.sub(r"[^\w\- ]", "", shown.lower()).replace(" ", "-")
        found.add(f"{name}-{seen[name]}" if seen[name] else name)
        seen[name] += 1
    return found


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    """To files of the project, and to headings of the page they are on."""
    for there, anchor in _links(page):
        assert there.is_relative_to(ROOT), there
        assert there.exists(), there
        if anchor:
            assert anchor in _anchors(str(there.relative_to(ROOT))), f"{there}#{anchor}"


def test_every_page_is_reached_from_the_readme() -> None:
    """By links alone, however many; a page that nobody can find is not read."""
    reached, waiting = {"README.md"}, ["README.md"]
    while waiting:
        for there, _ in _links(waiting.pop()):
            page = str(there.relative_to(ROOT))
            if page in PAGES and page not in reached:
                reached.add(page)
                waiting.append(page)
    assert reached == set(PAGES)


def test_no_page_is_forgotten() -> None:
    """Whatever ends in .md and is not a package's belongs to the pages."""
    skipped = {".venv", "node_modules", "build", ".bootstrap", ".pytest_cache"}
    files = {path.relative_to(ROOT) for path in ROOT.rglob("*.md")}
    assert {str(file) for file in files if not skipped & set(file.parts)} == set(PAGES)
