"""Settings every test shares."""

import os

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
    """Measure coverage by the fast tests alone: the others would take twice as long with it.

    In the whole suite a test on real processes waits for the machine that it shares with all others, and may
    fail by that once: it is run a second time, and the summary names it (RERUN). No other test has this.
    """
    for item in items:
        if item.get_closest_marker("slow"):
            item.add_marker(pytest.mark.no_cover)
        if _WHOLE and any(item.get_closest_marker(mark) for mark in _ON_PROCESSES):
            item.add_marker(pytest.mark.flaky(reruns=1))


def pytest_configure(config: pytest.Config) -> None:
    """Where the whole suite runs (make test), have it show what docs/parity.md promises."""
    if _WHOLE and not hasattr(config, "workerinput"):
        config.pluginmanager.register(Proof(named()), "parity")
