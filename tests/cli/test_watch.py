"""The live picture of the hub."""

import io
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from rich.console import Console

from gateway.cli.exits import Exit
from gateway.cli.picture import Facts, picture
from tests.cli.conftest import NOW, House, Pinsmith
from tests.cli.samples import CODE, DEVICE, EVENT, PINS, PLAN

BERLIN = ZoneInfo("Europe/Berlin")
CALM: dict[str, Any] = DEVICE | {"is_paused": False, "warnings": [], "inventory": None}
QUIET: dict[str, Any] = {"device_id": "front-door", "gate": "open", "steps": [], "coming": [], "issues": []}


def shown(*, height: int = 40, **facts: Any) -> list[str]:  # noqa: ANN401 - fields of Facts
    """Return the lines of a picture, with runs of blanks made one."""
    out = io.StringIO()
    console = Console(file=out, width=200, highlight=False)
    console.print(picture(Facts(gateway_id="home", **facts), NOW, BERLIN, height))
    return [" ".join(line.split()) for line in out.getvalue().splitlines()]


def doing(device: Mapping[str, Any], plan: Mapping[str, Any] = QUIET) -> str:
    """Return what the picture says that a lock does now."""
    [row] = [line for line in shown(devices=[device], plans=[plan]) if line.startswith("Front door")]
    return row.removeprefix("Front door 42% 1 of 2 on it 3 ")


class TestLocks:
    """One line for each, with what goes on there."""

    @pytest.mark.parametrize(
        ("changes", "words"),
        [
            ({}, "as it should be"),
            ({"properties": DEVICE["properties"] | {"online": False}}, "does not answer"),
            ({"is_paused": True}, "paused"),
            ({"is_waiting_for_touch": True}, "waits for a touch at the door"),
            (
                {"inventory": {"slots_read": 20, "slots": 250, "seconds_left": 460}},
                "reading its slots: 20 of 250, about 7 min more",
            ),
            ({"warnings": [{"warning_code": "low_battery"}]}, "low_battery"),
        ],
    )
    def test_what_goes_on(self, changes: dict[str, Any], words: str) -> None:
        """The worst that is known of it."""
        assert doing(CALM | changes) == words

    @pytest.mark.parametrize(
        ("event_type", "words"),
        [
            ("device.pairing_progress", "pairing: hold the button (1 min left)"),
            ("device.paired", "does not answer"),
            ("device.pairing_failed", "does not answer"),
        ],
    )
    def test_what_there_is_to_do_at_the_door_to_pair_it(self, event_type: str, words: str) -> None:
        """As long as it goes on; other events in between do not end it."""
        away = DEVICE | {"properties": DEVICE["properties"] | {"online": False}}
        began = {
            "event_type": "device.pairing_progress",
            "device_id": "front-door",
            "occurred_at": (NOW - timedelta(seconds=30)).isoformat(),
            "message": "hold the button",
            "seconds_left": 120,
        }
        events = [began, began | {"event_type": event_type}, EVENT]
        [row] = [line for line in shown(devices=[away], events=events) if line.startswith("Front door")]
        assert words in row

    def test_a_step_is_told_with_its_reason(self) -> None:
        """What is on the air now."""
        assert doing(CALM, PLAN | {"gate": "open"}) == "write: its window starts in 30 min"

    def test_a_lock_that_is_left_alone_says_why(self) -> None:
        """The planner's gate, in words."""
        assert doing(CALM, PLAN) == "backing off"


class TestCodes:
    """Those first that somebody must look at."""

    @staticmethod
    def code(number: int, **changes: Any) -> dict[str, Any]:  # noqa: ANN401 - fields of a code
        """Return a code that is as it should be."""
        fine = {"errors": [], "warnings": [], "status": "set", "name": f"Guest {number}"}
        return CODE | {"access_code_id": f"c{number}"} | fine | changes

    def rows(self, *codes: dict[str, Any], height: int = 40) -> list[str]:
        """Return the first words of the lines about codes."""
        lines = shown(codes=codes, devices=[CALM], height=height)
        return [line for line in lines if line.startswith(("Guest", "and "))]

    def test_trouble_first_then_work_then_what_ends_soonest(self) -> None:
        """Whatever their order was."""
        soon, late = "2026-11-21T10:00:00.000Z", "2026-12-30T10:00:00.000Z"
        rows = self.rows(
            self.code(1, ends_at=late),
            self.code(2, ends_at=soon),
            self.code(3, status="setting"),
            self.code(4, errors=CODE["errors"]),
            self.code(5, ends_at=None),
        )
        assert [row.split()[1] for row in rows] == ["4", "3", "2", "1", "5"]
        assert rows[0].endswith("device_disconnected")

    def test_what_does_not_fit_is_counted(self) -> None:
        """Nothing vanishes in silence."""
        rows = self.rows(*(self.code(number) for number in range(100)), height=24)
        named = len(rows) - 1
        assert 0 < named < 20
        assert rows[-1] == f"and {100 - named} more"

    def test_times_are_those_of_the_house(self) -> None:
        """Fourteen hours UTC are fifteen in Berlin."""
        [row] = self.rows(self.code(1))
        assert "Thu 24 Dec 15:00 Sun 27 Dec 11:00" in row


class TestWhatComesAndWhatHappened:
    """Deadlines of all locks in one order, and the newest events."""

    def test_deadlines_in_order_with_the_time_until_then(self) -> None:
        """And what people call the code."""

        def coming(at: datetime, action: str) -> dict[str, Any]:
            return {"at": at.isoformat(), "action": action, "access_code_id": "c0de-1", "why": ""}

        later = QUIET | {"device_id": "back-door", "coming": [coming(NOW + timedelta(minutes=5), "remove")]}
        sooner = QUIET | {"coming": [coming(NOW + timedelta(hours=3), "write")]}
        lines = shown(plans=[sooner, later], names={"c0de-1": "Anna"})
        start = lines.index("next")
        assert lines[start + 1 : start + 3] == [
            "Fri 20 Nov 13:05 in 5 min remove Anna on back-door",
            "Fri 20 Nov 16:00 in 3 h write Anna on front-door",
        ]

    def test_events_are_sentences(self) -> None:
        """With the name of the code, and what changed."""
        change = {"property": "status", "from": "setting", "to": "set"}
        changed = EVENT | {"event_type": "access_code.changed", "changed_properties": [change]}
        lines = shown(events=[EVENT, changed], names={"c0de-1": "Anna"})
        assert lines[-2:] == [
            "13:00:01 front-door: access_code.set_on_device Anna",
            "13:00:01 front-door: access_code.changed Anna (setting to set)",
        ]

    def test_names_cannot_steer_the_terminal(self) -> None:
        """Neither by control characters nor by rich's markup."""
        evil = {"c0de-1": "\x1b[2J[bold]Anna[/bold]"}
        assert shown(events=[EVENT], names=evil)[-1].endswith("set_on_device \ufffd[2J[bold]Anna[/bold]")

    def test_a_daemon_that_is_away_is_all_that_is_shown(self) -> None:
        """Old facts would be taken for new ones."""
        assert shown(absent="the daemon does not answer")[1:] == ["the daemon does not answer"]


@pytest.fixture
def full(house: House) -> House:
    """A daemon with something to show."""
    house.answers |= {
        "devices/list": {"devices": [CALM]},
        "access_codes/list": {"access_codes": [CODE]},
        "plan/get": {"plans": [QUIET]},
        "events/list": {"events": [EVENT]},
    }
    return house


class TestCommand:
    """How it is asked for."""

    @pytest.mark.usefixtures("full")
    def test_one_picture_is_printed_for_who_has_no_terminal(self, pinsmith: Pinsmith) -> None:
        """Without a PIN in it."""
        done = pinsmith("watch", "--once")
        assert (done.code, done.err) == (Exit.OK, "")
        assert any(line.startswith("Anna Front door setting") for line in done.lines)
        assert not any(pin in done.out for pin in PINS)

    @pytest.mark.usefixtures("full")
    def test_programs_get_the_facts(self, pinsmith: Pinsmith) -> None:
        """In JSON, without PINs either."""
        done = pinsmith("--json", "watch")
        assert json.loads(done.out).keys() == {"devices", "access_codes", "plans", "events"}
        assert not any(pin in done.out for pin in PINS)

    def test_a_live_picture_needs_a_terminal(self, full: House, pinsmith: Pinsmith) -> None:
        """What else to do is said."""
        done = pinsmith("watch")
        assert (done.code, done.err) == (
            Exit.USAGE,
            "pinsmith: watch needs a terminal; --once prints one picture\n",
        )
        assert full.asked == []
