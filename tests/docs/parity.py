"""docs/parity.md as data: what is listed there, which tests show it, and which of those did not pass."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

import pytest

from tests.docs.pages import ROOT

PAGE = "docs/parity.md"
_ROW = re.compile(r"^\| (?P<item>.+?) \| (?P<here>.*?) \| (?P<shown>.+?) \|$")
_HEADING = re.compile(r"^\| \S.* \| here \| shown by \|$")


@dataclass(frozen=True)
class Row:
    """One line of the tables: what the reference has, what is done about it, and the tests that show it."""

    item: str
    here: str
    tests: tuple[str, ...]


def rows() -> list[Row]:
    """Return every row of every table of the page."""
    found = []
    for line in (ROOT / PAGE).read_text(encoding="utf-8").splitlines():
        match = _ROW.match(line)
        if match is None or _HEADING.match(line) or set(match["item"]) == {"-"}:
            assert not line.startswith("|") or _HEADING.match(line) or set(line) <= set("|-"), line
            continue
        found.append(Row(match["item"], match["here"], tuple(re.findall(r"`([^`]+)`", match["shown"]))))
    return found


def named() -> set[str]:
    """Return the tests of the page, as node ids without parameters."""
    return {test for row in rows() for test in row.tests}


def unproven(tests: Iterable[str], passed: Iterable[str]) -> list[str]:
    """Return those tests of which no case passed; `passed` are node ids with parameters."""
    proven = {node_id.partition("[")[0] for node_id in passed}
    return sorted(set(tests) - proven)


class Proof:
    """Watches a run of the whole suite, and fails it if a test of the page did not run and pass.

    Under xdist this is the controller, which gets the reports of all workers.
    """

    def __init__(self, tests: Iterable[str]) -> None:
        self._tests = frozenset(tests)
        self._passed: set[str] = set()
        self.lacking: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Remember what passed."""
        if report.when == "call" and report.passed:
            self._passed.add(report.nodeid)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Fail the run where the page promises more than was shown."""
        self.lacking = unproven(self._tests, self._passed)
        if self.lacking and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Name them."""
        if self.lacking:
            terminalreporter.section(f"{PAGE} names tests that did not pass in this run", red=True)
            for test in self.lacking:
                terminalreporter.line(test)
