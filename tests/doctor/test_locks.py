"""What the database knows of locks that somebody should look at."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from gateway.doctor.finding import Severity
from gateway.domain.issues import Issue
from gateway.domain.lock import Capabilities, Device, Identity, Link, LockPolicy
from gateway.domain.store import Tx
from tests.doctor.bed import FRONT, Report, remember, report, settings
from tests.engine.build import code
from tests.mqtt.broker import free_port
from tests.storage.samples import store_everything

BACK = '[locks.back]\ndriver = "simulated"\n'
FINE = Device(
    device_id="front",
    policy=LockPolicy(name="front", driver="simulated"),
    capabilities=Capabilities(max_codes=10),
    battery=0.8,
)
OTHER = Identity(network="n", manufacturer="m", product="p", serial="1")
LONG_AGO = datetime.now(UTC) - timedelta(days=2)


async def look(folder: Path, *devices: Device, issues: tuple[Issue, ...] = (), rest: str = FRONT) -> Report:
    """Let the doctor look at a hub that remembers these locks."""
    await remember(
        folder,
        *(lambda tx, device=device: tx.save_device(device) for device in devices),
        lambda tx: tx.replace_issues("front", issues),
    )
    return await report(settings(folder, free_port(), rest=rest))


async def test_a_lock_in_order(tmp_path: Path) -> None:
    """Nothing stands against it."""
    assert "front" in (await look(tmp_path, FINE)).in_order


@pytest.mark.parametrize(
    ("changed", "kind", "cause", "remedy"),
    [
        ({"battery": 0.05}, "battery_empty", "used up", "Change them now"),
        ({"battery": 0.15}, "battery_low", "nearly used up", "within days"),
        (
            {"is_clock_right": False, "clock_off_by": timedelta(hours=-1)},
            "lock_clock_wrong",
            "another time zone",
            "(TZ)",
        ),
        (
            {
                "capabilities": Capabilities(max_codes=9, schedule_zone="Europe/Berlin"),
                "clock_unread": True,
            },
            "lock_clock_wrong",
            "lost power",
            "sets it again",
        ),
        (
            {"identity": OTHER, "seen_identity": replace(OTHER, serial="2")},
            "lock_replaced",
            "swapped or reset",
            "pinsmith locks replace front",
        ),
        (
            {"is_paired": False},
            "lock_not_paired",
            "never made or were forgotten",
            "pinsmith pair simulated front",
        ),
        ({"link": Link.UNREACHABLE, "link_since": LONG_AGO}, "lock_away", "out of range", "its batteries"),
        ({"held_for_restore": True}, "held_after_restore", "look at the plan", "restore --confirm"),
        ({"held_after_wipe": True}, "lock_wiped", "vanished at once", "pinsmith locks refill front"),
        (
            {"capabilities": Capabilities(max_codes=9, keypad=False)},
            "keypad_missing",
            "None is paired",
            "Pair the",
        ),
        (
            {"paused_until": datetime.now(UTC) + timedelta(hours=9)},
            "lock_paused",
            "Somebody",
            "locks resume front",
        ),
        ({"is_managed": False}, "lock_not_managed", "Somebody said so", "Nothing"),
        ({"capabilities": None}, "lock_never_seen", "never reached it", "start the daemon"),
    ],
)
async def test_what_is_remembered_is_told(
    tmp_path: Path, changed: dict[str, Any], kind: str, cause: str, remedy: str
) -> None:
    """Read from a real database, whether or not the daemon runs."""
    found = await look(tmp_path, replace(FINE, **changed))
    assert found.says(kind, cause, remedy).where == "front"


@pytest.mark.parametrize(
    ("changed", "code", "remedy", "severity"),
    [
        ({"keypad_off": "privacy"}, "privacy_mode", "Switch the keypad on", Severity.WARNING),
        ({}, "clock_step_held", "pinsmith clock trust", Severity.PROBLEM),
        ({"wiped_at": LONG_AGO}, "device_wiped", "All codes vanished", Severity.PROBLEM),
        ({"capabilities": None}, "clock_step_held", "pinsmith clock trust", Severity.PROBLEM),
    ],
)
async def test_what_stands_against_a_lock_is_told_in_the_words_of_the_catalogue(
    tmp_path: Path, changed: dict[str, Any], code: str, remedy: str, severity: Severity
) -> None:
    """Also what no check of its own looks for: no lock is in order while the hub has something against it."""
    issue = Issue(code=code, message="what the hub said of it")
    found = await look(tmp_path, replace(FINE, **changed), issues=(issue,))
    kind = "lock_error" if severity is Severity.PROBLEM else "lock_warning"
    told = found.says(kind, "what the hub said of it", remedy)
    assert (told.where, told.severity) == ("front", severity)
    assert told.what.startswith(f"{code}: ")
    assert "front" not in found.in_order


async def test_what_stands_against_codes_is_told_once_for_all_of_them(tmp_path: Path) -> None:
    """With every message that differs."""
    issues = tuple(
        Issue(code="failed_to_set_on_device", message=message, access_code_id=code_id)
        for code_id, message in (("a", "no answer"), ("b", "no answer."), ("c", "no room"))
    )
    found = await look(tmp_path, FINE, issues=issues)
    told = found.says("lock_error", "no answer; no room", "in range")
    assert told.what.startswith("failed_to_set_on_device on 3 codes: ")


@pytest.mark.parametrize(
    ("changed", "code", "kind"),
    [
        ({"battery": 0.15}, "low_battery", "battery_low"),
        ({"link": Link.UNREACHABLE, "link_since": datetime.now(UTC)}, "device_disconnected", "lock_away"),
        ({"capabilities": None}, "device_not_found", "lock_never_seen"),
    ],
)
async def test_what_a_check_of_its_own_says_is_not_said_twice(
    tmp_path: Path, changed: dict[str, Any], code: str, kind: str
) -> None:
    """Its words are better. A lock that went silent a minute ago is not in order either."""
    found = await look(tmp_path, replace(FINE, **changed), issues=(Issue(code=code, message="m"),))
    assert {one.id for one in found.findings if one.where == "front"} == {kind}


async def test_somebody_else_who_changes_codes_again_and_again(tmp_path: Path) -> None:
    """The daemon noted a second controller."""
    found = await look(tmp_path, FINE, issues=(Issue(code="third_party_integration_detected", message="m"),))
    found.says("two_controllers", "A second program manages it", "Let one program manage")


async def test_a_lock_that_left_the_configuration(tmp_path: Path) -> None:
    """Its codes may still open the door."""
    await remember(tmp_path, store_everything)
    found = await report(settings(tmp_path, free_port(), rest=BACK))
    told = found.says("lock_removed_from_configuration", "go on opening", "pinsmith locks forget front")
    assert told.where == "front"


async def test_a_lock_that_left_the_configuration_before_its_codes_came(tmp_path: Path) -> None:
    """It was renamed, say: nothing is on it, and its guests would stand outside."""

    def later(tx: Tx) -> None:
        tx.save_device(FINE)
        soon = datetime.now(UTC) + timedelta(days=20)
        tx.save_code(replace(code(), device_id="front", starts_at=soon))

    await remember(tmp_path, later)
    found = await report(settings(tmp_path, free_port(), rest=BACK))
    told = found.says("lock_removed_from_configuration", "none to come is set", "pinsmith locks forget front")
    assert told.where == "front"


async def test_a_lock_that_was_retired_and_left_the_configuration(tmp_path: Path) -> None:
    """As the documentation says: nothing is left to take off it, and nothing to put back."""
    gone = (Issue(code="removed_from_configuration", message="m"),)
    found = await look(tmp_path, replace(FINE, retiring=True), issues=gone, rest=BACK)
    told = found.says("lock_retired", "It was retired", "`pinsmith locks forget front`")
    assert (told.where, told.severity) == ("front", Severity.NOTE)
    assert {one.id for one in found.findings if one.where == "front"} == {"lock_retired"}


async def test_one_lock_in_two_tables(tmp_path: Path) -> None:
    """Two device ids with the same serial number undo each other's codes."""
    front = replace(FINE, identity=OTHER)
    found = await look(tmp_path, front, replace(front, device_id="back"), rest=FRONT + BACK)
    told = found.says("same_lock_twice", "undo each other's codes", "Delete one of the two tables")
    assert told.severity is Severity.PROBLEM


async def test_slots_that_the_lock_does_not_have(tmp_path: Path) -> None:
    """managed_slots was written for a larger lock."""
    known = replace(FINE, capabilities=Capabilities(max_codes=3, slots=("1", "2", "3")))
    found = await look(tmp_path, known, rest=FRONT + "managed_slots = [3, 4]\n")
    told = found.says("managed_slots_missing", "fewer slots than was thought", "pinsmith locks show front")
    assert told.what.endswith("have: 4")
