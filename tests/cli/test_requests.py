"""What each command line asks the daemon for."""

import pytest

from gateway.cli.exits import Exit
from tests.cli.conftest import House, Keys, Pinsmith

REQUESTS = [
    ("codes create front-door", "access_codes/create", {"device_id": "front-door"}),
    (
        (
            "codes create front-door --name Anna --pin-length 6 --starts-at 2026-12-24T15:00 "
            "--ends-at 2026-12-27T10:00:00Z --allow-external-modification --no-native-scheduling"
        ),
        "access_codes/create",
        {
            "device_id": "front-door",
            "name": "Anna",
            "preferred_code_length": 6,
            "starts_at": "2026-12-24T14:00:00.000Z",
            "ends_at": "2026-12-27T10:00:00.000Z",
            "is_external_modification_allowed": True,
            "prefer_native_scheduling": False,
        },
    ),
    ("codes list", "access_codes/list", {"limit": 100}),
    ("codes list front-door", "access_codes/list", {"device_id": "front-door", "limit": 100}),
    ("codes list --unmanaged", "access_codes/unmanaged/list", {"limit": 100}),
    ("codes get c1", "access_codes/get", {"access_code_id": "c1"}),
    ("codes update c1 --name Ben", "access_codes/update", {"access_code_id": "c1", "name": "Ben"}),
    ("codes update c1 --ongoing", "access_codes/update", {"access_code_id": "c1", "type": "ongoing"}),
    (
        "codes update c1 --starts-at none --ends-at 2026-12-27T10:00:00Z",
        "access_codes/update",
        {"access_code_id": "c1", "starts_at": None, "ends_at": "2026-12-27T10:00:00.000Z"},
    ),
    (
        "codes update c1 --no-allow-external-modification",
        "access_codes/update",
        {"access_code_id": "c1", "is_external_modification_allowed": False},
    ),
    ("codes delete c1", "access_codes/delete", {"access_code_id": "c1"}),
    ("codes timeline c1", "access_codes/get_timeline", {"access_code_id": "c1"}),
    ("timeline c1 --limit 5", "access_codes/get_timeline", {"access_code_id": "c1", "limit": 5}),
    (
        "codes timeline c1 --since 2026-11-20T00:00 --until 2026-11-21T00:00",
        "access_codes/get_timeline",
        {
            "access_code_id": "c1",
            "after": "2026-11-19T23:00:00.000Z",
            "before": "2026-11-20T23:00:00.000Z",
        },
    ),
    ("locks list", "devices/list", {}),
    ("locks show front-door", "devices/get", {"device_id": "front-door"}),
    ("locks pause front-door", "devices/pause", {"device_id": "front-door"}),
    (
        "locks pause front-door --minutes 20",
        "devices/pause",
        {"device_id": "front-door", "minutes": 20},
    ),
    ("locks resume front-door", "devices/resume", {"device_id": "front-door"}),
    ("locks sync front-door", "devices/sync", {"device_id": "front-door"}),
    ("locks refill front-door", "devices/refill", {"device_id": "front-door"}),
    ("locks retire front-door --yes", "devices/retire", {"device_id": "front-door"}),
    ("locks forget front-door --yes", "devices/forget", {"device_id": "front-door"}),
    ("locks replace front-door --yes", "devices/replace", {"device_id": "front-door"}),
    ("events", "events/list", {}),
    (
        "events --since 2026-11-20T00:00 --until 2026-11-21T00:00 --device front-door --code c1 --limit 5",
        "events/list",
        {
            "since": "2026-11-19T23:00:00.000Z",
            "until": "2026-11-20T23:00:00.000Z",
            "device_id": "front-door",
            "access_code_id": "c1",
            "limit": 5,
        },
    ),
    ("plan", "plan/get", {}),
    ("plan front-door", "plan/get", {"device_id": "front-door"}),
    ("clock", "clock/get", {}),
    ("clock trust", "clock/trust", {}),
    ("restore --confirm --yes", "restore/confirm", {}),
]


@pytest.mark.parametrize(("line", "verb", "parameters"), REQUESTS)
def test_a_command_line_becomes_one_request(
    house: House, pinsmith: Pinsmith, line: str, verb: str, parameters: dict[str, object]
) -> None:
    """What was not typed is not sent, so that the daemon's defaults count."""
    done = pinsmith(*line.split())

    assert done.code == Exit.OK
    assert house.asked == [(verb, parameters)]


@pytest.mark.parametrize(
    "line",
    [
        "codes get",
        "codes get c1 --device front-door --pin",
        "codes get --device front-door",
        "codes get c1 --pin",
        "codes update c1",
        "codes update c1 --ongoing --ends-at 2026-12-27T10:00:00Z",
        "codes create front-door --pin --pin-length 6",
        "codes create front-door --starts-at tomorrow",
        "events --follow --since 2026-11-20T00:00",
        "restore",
        "restore backup.pinsmith --confirm",
        "locks forget front-door",
    ],
)
def test_what_cannot_be_meant_is_not_sent(house: House, pinsmith: Pinsmith, line: str) -> None:
    """The daemon is not bothered, and the exit code says that the command line is to blame."""
    done = pinsmith(*line.split(), typed=("1234", "1234"))

    assert done.code == Exit.USAGE
    assert done.err.startswith("pinsmith: ")
    assert house.asked == []


@pytest.mark.parametrize(("typed", "sent"), [("y\n", 1), ("yes\n", 1), ("n\n", 0), ("\n", 0), ("", 0)])
def test_what_cannot_be_undone_is_asked_first(
    house: House, pinsmith: Pinsmith, typed: str, sent: int
) -> None:
    """Enter alone does nothing."""
    done = pinsmith("locks", "forget", "front-door", stdin=Keys(typed))

    assert "PINs that are on it will go on working" in done.err
    assert len(house.asked) == sent
    assert done.code == (Exit.OK if sent else Exit.FAILED)


def test_options_for_everything_stand_before_or_after_the_command(house: House, pinsmith: Pinsmith) -> None:
    """Nobody has to remember where --json goes."""
    before = pinsmith("--json", "clock")
    after = pinsmith("clock", "--json")

    assert before.out == after.out == "{}\n"
    assert len(house.asked) == 2
