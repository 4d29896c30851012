"""Settings every test shares."""

import os
import sys
import threading
from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests.docs.parity import Proof, named

# Same examples on every run and machine: a red build is red again when it is looked into.
# No deadline, because a busy small machine is not a failure.
settings.register_profile("repeatable", derandomize=True, deadline=None, database=None)
settings.load_profile("repeatable")


_WHOLE = os.environ.get("PINSMITH_WHOLE_SUITE") == "1"
_ON_PROCESSES = ("slow", "mosquitto", "zwave_bed")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give tests on real processes a second chance.

    In the whole suite they wait for a machine that they share with all others, and may fail by that: such a
    test is run once more, and the summary names it (RERUN). No other test has this.
    """
    for item in items:
        if _WHOLE and any(item.get_closest_marker(mark) for mark in _ON_PROCESSES):
            item.add_marker(pytest.mark.flaky(reruns=1))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Measure coverage by the fast tests alone: the others would take three times as long with it.

    The `no_cover` of pytest-cov does nothing in the processes of xdist: two measurements run there, one above
    the other, and it stops the upper one.
    """
    if not item.get_closest_marker("slow"):
        return (yield)
    here, in_threads = sys.gettrace(), threading.gettrace()
    sys.settrace(None)
    threading.settrace(None)
    try:
        return (yield)
    finally:
        sys.settrace(here)
        threading.settrace(in_threads)


def pytest_configure(config: pytest.Config) -> None:
    """Where the whole suite runs (make test), have it show what docs/parity.md promises."""
    if _WHOLE and not hasattr(config, "workerinput"):
        config.pluginmanager.register(Proof(named()), "parity")
