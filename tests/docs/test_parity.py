"""docs/parity.md leaves nothing out, and every test that it names exists and runs."""

import ast
import re
from functools import cache
from types import SimpleNamespace
from typing import cast

import pytest

from gateway.domain.catalogue import CATALOGUE
from gateway.domain.events import EVENTS
from gateway.engine import wire
from gateway.engine.commands.desk import VERBS
from tests.docs.pages import ROOT
from tests.docs.parity import PAGE, Proof, Row, named, rows, unproven

REASONS = ("not here", "missing")
FEATURES = [f"F{number}" for number in range(1, 49)]
_NEVER = {"skip", "xfail"}


@cache
def _tests(path: str) -> dict[str, bool]:
    """Return the tests of a file by their name in it, each with whether it may run at all."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    found = {}
    off = any(isinstance(node, ast.Assign) and _never(node.value) for node in tree.body)
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            found[node.name] = not (off or any(map(_never, node.decorator_list)))
        elif isinstance(node, ast.ClassDef):
            class_off = off or any(map(_never, node.decorator_list))
            for method in node.body:
                if isinstance(method, ast.FunctionDef | ast.AsyncFunctionDef):
                    runs = not (class_off or any(map(_never, method.decorator_list)))
                    found[f"{node.name}::{method.name}"] = runs
    return found


def _never(expression: ast.expr) -> bool:
    """Say whether a mark keeps a test from running, or from counting."""
    marks = (node for node in ast.walk(expression) if isinstance(node, ast.Attribute))
    return any(
        mark.attr in _NEVER and isinstance(mark.value, ast.Attribute) and mark.value.attr == "mark"
        for mark in marks
    )


def _words() -> set[str]:
    """Return every name in backticks in the first column; properties of a lock without their prefix."""
    listed = {name for row in rows() for name in re.findall(r"`([^`]+)`", row.item)}
    return {name.removeprefix("properties.") for name in listed}


@pytest.mark.parametrize("test", sorted(named()))
def test_a_named_test_exists_and_may_run(test: str) -> None:
    """Found in its file by name; neither skipped nor expected to fail."""
    path, _, name = test.partition("::")
    assert (ROOT / path).is_file(), f"there is no {path}"
    assert _tests(path).get(name), f"there is no such test, or it never runs: {test}"


def test_every_row_has_a_test_or_a_reason() -> None:
    """A row without either would be a claim that nobody can check."""
    assert [row.item for row in rows() if not row.tests and not row.here.startswith(REASONS)] == []
    assert len(rows()) > 250


@pytest.mark.parametrize(
    "names",
    [
        wire.AccessCode.__struct_fields__,
        wire.UnmanagedAccessCode.__struct_fields__,
        wire.Device.__struct_fields__,
        wire.DeviceProperties.__struct_fields__,
        tuple(VERBS),
        tuple(EVENTS),
        tuple(CATALOGUE),
    ],
    ids=["access code", "code of others", "lock", "properties of a lock", "verbs", "events", "catalogue"],
)
def test_nothing_of_the_product_is_left_out(names: tuple[str, ...]) -> None:
    """Whatever is new needs a row."""
    listed = _words() | {"properties"}
    assert [name for name in names if name not in listed] == []


def test_every_parameter_is_listed() -> None:
    """Those of the commands that the reference has; ids and Pinsmith's own commands speak for themselves."""
    ours = {"include_ongoing", "minutes", "force", "event_id", "action_attempt_id", "access_code_id"}
    ours |= {"between", "since", "until", "event_type", "event_types", "after_seq", "after", "before"}
    known = {field for verb in VERBS.values() for field in verb.params.__struct_fields__}
    assert sorted(known - ours - _words()) == []


def test_every_feature_has_its_row() -> None:
    """From the first to the last, in order."""
    assert [row.item.split()[0] for row in rows() if re.match(r"F\d+ ", row.item)] == FEATURES


def test_every_contradiction_of_the_sources_is_decided() -> None:
    """Each with what Pinsmith does; the page of decisions numbers them."""
    text = (ROOT / "docs/decisions.md").read_text(encoding="utf-8")
    part = text.split("## Where the sources contradict one another")[1]
    numbers = re.findall(r"^(\d+)\. \*\*.+", part, re.MULTILINE)
    assert numbers == [str(number) for number in range(1, 25)]


def test_an_item_is_listed_once_per_table() -> None:
    """Two rows for one thing would soon differ."""
    text = (ROOT / PAGE).read_text(encoding="utf-8")
    for part in text.split("\n## ")[1:]:
        items = re.findall(r"^\| (.+?) \| ", part, re.MULTILINE)
        assert len(items) == len(set(items)), part.splitlines()[0]


class TestProof:
    """A run of the whole suite fails if a test of the page did not pass in it."""

    A, B = "tests/test_a.py::test_one", "tests/test_b.py::TestTwo::test_three"

    def run(self, *reports: tuple[str, str, str]) -> tuple[list[str], int]:
        """Return what was lacking after these reports, and how the run ended."""
        proof = Proof([self.A, self.B])
        for node_id, when, outcome in reports:
            report = SimpleNamespace(nodeid=node_id, when=when, passed=outcome == "passed")
            proof.pytest_runtest_logreport(cast("pytest.TestReport", report))
        session = SimpleNamespace(exitstatus=pytest.ExitCode.OK)
        proof.pytest_sessionfinish(cast("pytest.Session", session))
        return proof.lacking, session.exitstatus

    def test_one_case_of_each_is_enough(self) -> None:
        """Parameters do not matter."""
        reports = (f"{self.A}[x::y]", "call", "passed"), (self.B, "call", "passed")
        assert self.run(*reports) == ([], pytest.ExitCode.OK)

    @pytest.mark.parametrize(
        ("when", "outcome"), [("setup", "passed"), ("call", "failed"), ("call", "skipped")]
    )
    def test_what_did_not_pass_proves_nothing(self, when: str, outcome: str) -> None:
        """Set up, failed or skipped."""
        reports = (self.A, "call", "passed"), (self.B, when, outcome)
        assert self.run(*reports) == ([self.B], pytest.ExitCode.TESTS_FAILED)

    def test_a_row_names_tests_by_their_node_ids(self) -> None:
        """As pytest prints them, without parameters."""
        assert all(re.fullmatch(r"tests/[\w/]+\.py(::\w+){1,2}", test) for test in named())
        assert unproven(named(), named()) == []
        assert isinstance(rows()[0], Row)
