"""How the daemon's answers look to people and to programs."""

import json
from typing import Any

import pytest

from tests.cli.conftest import House, Pinsmith
from tests.cli.samples import CODE, DEVICE, EVENT, PLAN, UNMANAGED


def test_codes_are_a_table_in_the_zone_of_the_house(house: House, pinsmith: Pinsmith) -> None:
    """People plan in local time; what is wrong stands in the row."""
    house.answers["access_codes/list"] = {"access_codes": [CODE]}

    header, _, row = pinsmith("codes", "list").lines

    assert header == "id lock slot name status from until trouble"
    assert row == (
        "c0de-1 front-door 20 Anna setting 2026-12-24 15:00 CET 2026-12-27 11:00:30 CET "
        "device_disconnected, delay_in_setting_on_device"
    )


def test_columns_without_content_are_left_out(house: House, pinsmith: Pinsmith) -> None:
    """A table of ongoing codes needs no columns for times."""
    house.answers["access_codes/unmanaged/list"] = {"unmanaged_access_codes": [UNMANAGED]}

    header, _, row = pinsmith("codes", "list", "--unmanaged").lines

    assert (header, row) == ("id lock slot status", "foreign-1 front-door 3 set")


@pytest.mark.parametrize(
    ("line", "verb", "name"),
    [
        ("codes list", "access_codes/list", "access_codes"),
        ("codes list --unmanaged", "access_codes/unmanaged/list", "unmanaged_access_codes"),
        ("watch --once", "access_codes/list", "access_codes"),
    ],
)
def test_codes_are_listed_to_the_last_page(
    house: House, pinsmith: Pinsmith, line: str, verb: str, name: str
) -> None:
    """Asked for in pages that any broker takes; who looks for a guest looks for all of them."""
    house.answers[verb] = {name: [CODE], "pagination": {"has_next_page": True, "next_page_cursor": "c2"}}
    last = CODE | {"access_code_id": "c0de-2"}
    house.answers[f"{verb} c2"] = {name: [last], "pagination": {"has_next_page": False}}

    listed = json.loads(pinsmith(*line.split(), "--json").out)[name]

    assert [code["access_code_id"] for code in listed] == [CODE["access_code_id"], "c0de-2"]
    asked = [(one["limit"], one.get("page_cursor")) for asked, one in house.asked if asked == verb]
    assert asked == [(100, None), (100, "c2")]


@pytest.mark.parametrize(
    ("text", "found"),
    [("ANN", ["c0de-1"]), ("c0de", ["c0de-1", "c0de-2"]), ("c0DE-2", ["c0de-2"]), (CODE["code"], [])],
)
def test_codes_are_searched_by_name_and_id(
    house: House, pinsmith: Pinsmith, text: str, found: list[str]
) -> None:
    """Not by PIN: what is typed here is seen by every user of the machine, so no PIN shall lead anywhere."""
    nameless = CODE | {"access_code_id": "c0de-2", "name": None}
    house.answers["access_codes/list"] = {"access_codes": [CODE, nameless]}

    listed = json.loads(pinsmith("codes", "list", "--search", text, "--json").out)["access_codes"]

    assert [code["access_code_id"] for code in listed] == found
    assert house.asked == [("access_codes/list", {"limit": 100})]


def test_one_code_comes_with_what_is_wrong_and_what_to_do(house: House, pinsmith: Pinsmith) -> None:
    """The remedy is what a person needs at the door."""
    house.answers["access_codes/get"] = {"access_code": CODE}

    assert pinsmith("codes", "get", "c0de-1").lines == [
        "id c0de-1",
        "lock front-door",
        "slot 20",
        "name Anna",
        "status setting",
        "evidence sent",
        "from 2026-12-24 15:00 CET",
        "until 2026-12-27 11:00:30 CET",
        "pending updating_code, creating",
        "error: device_disconnected: the lock does not answer",
        "Check the lock's batteries.",
        "warning: delay_in_setting_on_device: not on the lock after 15 min",
        "The hub keeps trying.",
    ]


@pytest.mark.parametrize(
    ("status", "said"),
    [("removing", "being taken off the lock; it may still open the door"), ("deleted", "deleted")],
)
def test_deleting_says_whether_the_code_may_still_work(
    house: House, pinsmith: Pinsmith, status: str, said: str
) -> None:
    """Deleted in the database is not yet gone from the lock."""
    house.answers["access_codes/delete"] = {"access_code_id": "c1", "status": status}

    assert pinsmith("codes", "delete", "c1").lines == [said]


def test_locks_are_a_table(house: House, pinsmith: Pinsmith) -> None:
    """Battery and room are what is looked for most."""
    house.answers["devices/list"] = {"devices": [DEVICE]}

    header, _, row = pinsmith("locks", "list").lines

    assert header == "id name driver online battery codes on lock free slots trouble"
    assert row == "front-door Front door simulated yes 42% 2 1 3 device_paused"


def test_one_lock_comes_with_all_that_is_known(house: House, pinsmith: Pinsmith) -> None:
    """Fields that a newer daemon adds are shown too."""
    house.answers["devices/get"] = {"device": DEVICE | {"newer_field": "x"}}

    lines = pinsmith("locks", "show", "front-door").lines

    assert set(lines) >= {
        "name Front door",
        "battery 42%",
        "supported_code_lengths 4, 6",
        "code_constraints no_zeros",
        "paused_until 2026-11-20 14:00 CET",
        "on_lock (number) 1",
        "newer_field x",
    }
    assert lines[-2:] == [
        "warning: device_paused: paused until 13:00",
        "Nothing is written until pinsmith locks resume.",
    ]


@pytest.mark.parametrize(
    ("rssi", "line"),
    [
        (-67, "radio -67 dBm; connections that came about: 11 of 12"),
        (None, "radio not heard yet; connections that came about: 11 of 12"),
    ],
)
def test_how_well_a_lock_is_reached_is_one_line(
    house: House, pinsmith: Pinsmith, rssi: int | None, line: str
) -> None:
    """Where its driver tells."""
    radio = {"rssi": rssi, "connections_tried": 12, "connections_succeeded": 11}
    house.answers["devices/get"] = {"device": DEVICE | {"properties": {"radio": radio}}}

    assert line in pinsmith("locks", "show", "front-door").lines


def test_forgetting_a_lock_names_the_slots_that_may_still_open(house: House, pinsmith: Pinsmith) -> None:
    """Nobody will remove them any more."""
    left = [{"access_code_id": "c1", "slot": "4"}, {"access_code_id": "c2", "slot": None}]
    house.answers["devices/forget"] = {"device_id": "front-door", "left_behind": left}

    assert pinsmith("locks", "forget", "front-door", "--yes").lines == [
        "PINs may still open the door; slots: 4, unknown"
    ]


def test_events_are_a_table(house: House, pinsmith: Pinsmith) -> None:
    """The envelope has columns, what is particular stands under details."""
    house.answers["events/list"] = {"events": [EVENT]}

    assert pinsmith("events").lines[-1] == (
        "2026-11-20 13:00:01 CET front-door access_code.set_on_device c0de-1 slot=20"
    )


def test_a_plan_says_what_why_and_at_what_cost(house: House, pinsmith: Pinsmith) -> None:
    """One paragraph for each lock."""
    idle: dict[str, Any] = {
        "device_id": "back-door",
        "gate": "open",
        "steps": [],
        "issues": [],
        "next_wake": None,
    }
    later = {
        "at": "2026-11-20T12:30:00.000Z",
        "action": "write",
        "access_code_id": "c0de-1",
        "why": "it is enabled at its start",
        "radio_commands": 2,
    }
    house.answers["plan/get"] = {"plans": [PLAN | {"coming": [later]}, idle]}

    lines = pinsmith("plan").lines

    assert lines[0] == "front-door: backing off, next look 2026-11-20 13:30 CET"
    assert lines[1] == "action slot access code radio commands why"
    assert lines[3:] == [
        "write 20 c0de-1 3 its window starts in 30 min",
        "probe 1 audit is due",
        "2026-11-20 13:30 CET: write c0de-1, it is enabled at its start (radio commands: 2)",
        "device_disconnected: the lock does not answer",
        "back-door: nothing further is due",
    ]


def test_the_clock_is_told_in_local_time(house: House, pinsmith: Pinsmith) -> None:
    """A wrong clock is seen by comparing it with the one on the wall."""
    house.answers["clock/get"] = {
        "clock": {"now": "2026-11-20T12:00:00.000Z", "trusted": False, "floor": None, "policy": "hold"}
    }

    assert pinsmith("clock").lines == ["now 2026-11-20 13:00 CET", "trusted no", "policy hold"]


@pytest.mark.parametrize(
    ("line", "verb", "answer"),
    [
        ("locks list", "devices/list", {"devices": [DEVICE]}),
        ("events", "events/list", {"events": [EVENT]}),
        ("plan", "plan/get", {"plans": [PLAN]}),
        ("codes list --show-pins", "access_codes/list", {"access_codes": [CODE]}),
    ],
)
def test_json_is_the_answer_as_it_came(
    house: House, pinsmith: Pinsmith, line: str, verb: str, answer: dict[str, Any]
) -> None:
    """Programs get UTC and every field."""
    house.answers[verb] = answer

    assert json.loads(pinsmith(*line.split(), "--json").out) == answer


def test_a_name_cannot_steer_the_terminal(house: House, pinsmith: Pinsmith) -> None:
    """Names come from outside: neither escape sequences nor markup of the table take effect."""
    name = "\x1b[2J[red]Anna[/red]\nBen"
    house.answers["access_codes/list"] = {"access_codes": [CODE | {"name": name}]}
    house.answers["access_codes/get"] = {"access_code": CODE | {"name": name}}

    for line in ("codes list", "codes get c0de-1"):
        out = pinsmith(*line.split()).out
        assert "\x1b" not in out
        assert "\ufffd[2J[red]Anna[/red]\ufffdBen" in out
