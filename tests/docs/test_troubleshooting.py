"""docs/troubleshooting.md leaves out no error and no warning, and sends people to the right place."""

import re

import pytest

from gateway.domain.catalogue import CATALOGUE
from tests.docs.pages import ROOT, table

PAGE = "docs/troubleshooting.md"
TABLES = {heading: table(PAGE, heading) for heading in ("Errors of a code", "Errors of a lock", "Warnings")}
ROWS = {code: row for rows in TABLES.values() for code, row in rows.items()}


def test_every_error_and_warning_has_its_row() -> None:
    """Once, in the table of its kind."""
    levels = {
        code: "warning" if heading == "Warnings" else "error"
        for heading, rows in TABLES.items()
        for code in rows
    }
    assert levels == {code: kind.level for code, kind in CATALOGUE.items()}
    assert sum(map(len, TABLES.values())) == len(CATALOGUE)


@pytest.mark.parametrize("code", CATALOGUE)
def test_a_row_says_what_is_seen_and_why_and_what_to_do_first(code: str) -> None:
    """None of the three may lack."""
    assert len(ROWS[code]) == 3
    assert all(len(cell) > 5 for cell in ROWS[code])


@pytest.mark.parametrize("code", CATALOGUE)
def test_a_code_links_to_what_the_program_says_of_it(code: str) -> None:
    """The page of errors is made from the code: there is the whole of it."""
    text = (ROOT / PAGE).read_text(encoding="utf-8")
    assert re.search(rf"^\| \[`{code}`\]\(errors\.md#{code}\) \|", text, re.MULTILINE)


def test_doctor_comes_first() -> None:
    """It changes nothing and names remedies; the rest of the page is for what it cannot see."""
    text = (ROOT / PAGE).read_text(encoding="utf-8")
    order = (
        "pinsmith doctor",
        "pinsmith watch",
        "pinsmith codes timeline",
        "journalctl",
        "pinsmith diagnostics",
    )
    places = [text.index(what) for what in order]
    assert places == sorted(places)
