"""docs/doctor.md says what the code says, and everything on it was produced in a test."""

import re
import string

from gateway.doctor.catalogue import SUBJECTS
from scripts import make_doctor_page
from tests.docs.pages import ROOT

KINDS = [kind for kinds in SUBJECTS.values() for kind in kinds]
NOT_PRODUCED = {
    "broker_silent": "a machine that swallows packets",
    "broker_unreachable": "a machine without a network",
    "broker_certificate_not_yet_valid": "a machine whose clock is behind",
    "broker_refuses": "a broker with reasons of its own",
    "daemon_not_at_broker": "a daemon with another configuration",
    "events_waiting": "thousands of events",
    "daemon_storage_trouble": "a daemon on a failing disk",
    "database_unreadable": "a disk that does not answer",
    "zwave_name_not_found": "as the broker's",
    "zwave_no_tls": "a proxy with a bad certificate",
    "zwave_silent": "a machine that swallows packets",
    "bluetooth_silent": "a BlueZ that hangs",
    "lock_never_heard": "figures of a daemon, like those that are tried",
    "lock_driver_says": "words of a running driver",
}
"""What no test produces yet, and what that would take."""


def test_the_page_is_made_from_the_tables_in_the_code() -> None:
    """To make it: python -m scripts.make_doctor_page."""
    assert make_doctor_page.PAGE.read_text(encoding="utf-8") == make_doctor_page.page()


def test_every_id_is_one_of_a_kind() -> None:
    """Programs go by it."""
    ids = [kind.id for kind in KINDS]
    assert len(ids) == len(set(ids))
    assert all(re.fullmatch(r"[a-z][a-z0-9_]+", one) for one in ids)


def test_every_finding_says_why_and_what_to_do() -> None:
    """In sentences, and with the same places as what was found."""
    for kind in KINDS:
        assert kind.cause, kind.id
        assert kind.cause.endswith("."), kind.id
        assert kind.remedy, kind.id
        assert not kind.what.endswith("."), kind.id
        for text in (kind.what, kind.cause, kind.remedy):
            assert all(name is None or name.isidentifier() for _, name, *_ in string.Formatter().parse(text))


def test_every_finding_was_produced_in_a_test() -> None:
    """Those that were not are named, with the reason."""
    tests = "".join(
        file.read_text(encoding="utf-8") for file in (ROOT / "tests" / "doctor").glob("test_*.py")
    )
    missing = {kind.id for kind in KINDS if f'"{kind.id}"' not in tests}
    assert missing == set(NOT_PRODUCED)
