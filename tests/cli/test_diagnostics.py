"""A file for a bug report: it holds what helps, and no secret and no name at any depth."""

import asyncio
import io
import json
import logging
import os
import stat
import tarfile
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from drivers.simulated import keypad
from gateway.cli.context import Context
from gateway.cli.init.locks import slug
from gateway.cli.main import carry_out, make_parser
from gateway.cli.report.scrub import Scrub
from gateway.cli.terminal import Terminal
from gateway.domain.pin import Pin
from gateway.logs import Objects
from tests.cli.conftest import House, Pinsmith
from tests.daemon.bed import running, settings, somebody
from tests.e2e.secrecy import found as shapes_of
from tests.mqtt.broker import Broker, eventually

PIN, OTHER_PIN, OUTSIDE_PIN = "471134", "90817263", "55667788"
GUEST, OUTSIDE_GUEST, LOCK_NAME = "Ottilie Brandäpfel", "Wachtmeister Krause", "Omas Gartentor"
PASSWORD, USER = "correct horse battery", "hubertus"
LOCKS = f"""
[locks.front]
driver = "simulated"
model = "chooser"
name = "{LOCK_NAME}"
[locks.attic]
driver = "simulated"
"""
PARTS = {"about", "configuration", "hub", "locks", "codes", "plan", "events", "doctor", "database", "log"}


def members(archive: Path) -> dict[str, Any]:
    """Return every part by its name, as JSON."""
    with tarfile.open(archive) as packed:
        return {
            Path(member.name).stem: json.load(packed.extractfile(member) or io.BytesIO())
            for member in packed.getmembers()
        }


def leaves(value: object) -> Iterator[str]:
    """Every key and every value, at any depth."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield name
            yield from leaves(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from leaves(inner)
    else:
        yield str(value)


def free_of_secrets(archive: Path, *secrets: str) -> dict[str, Any]:
    """Fail where one of the secrets is in any part in any shape; return the parts."""
    parts = members(archive)
    assert set(parts) == PARTS
    with tarfile.open(archive) as packed:
        raw = b"".join((packed.extractfile(one) or io.BytesIO()).read() for one in packed.getmembers())
    said = [leaf.lower() for leaf in leaves(parts)]
    for secret in secrets:
        assert secret.encode() not in raw
        assert not [leaf for leaf in said if secret.lower() in leaf], secret
        if secret.isdigit():
            assert shapes_of(secret, raw) == []
    return parts


def journal(folder: Path, monkeypatch: pytest.MonkeyPatch, *entries: dict[str, Any]) -> None:
    """Put a `journalctl` before the real one that prints these entries."""
    (folder / "entries").write_text("".join(json.dumps(entry) + "\n" for entry in entries))
    command = folder / "bin" / "journalctl"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\ntest "$1 $2" = "-u pinsmith" && cat "{folder}/entries"\n')
    command.chmod(0o755)
    monkeypatch.setenv("PATH", f"{command.parent}:{os.environ['PATH']}")


def line(message: str, **fields: str) -> dict[str, Any]:
    """Return an entry of our own logging."""
    own = {"PINSMITH_LOGGER": "gateway.events", "PRIORITY": "6", "__REALTIME_TIMESTAMP": "1795435200123456"}
    return own | {"MESSAGE": message} | fields


def make(config: Path, out: Path) -> int:
    """Run the command as a person would, with the real daemon and broker."""
    args = make_parser().parse_args(["--config", str(config), "diagnostics", "--out", str(out)])
    terminal = Terminal(stdin=io.StringIO(), stdout=io.StringIO(), stderr=io.StringIO())
    return carry_out(Context(args=args, terminal=terminal, env={}))


@pytest.mark.mosquitto
@pytest.mark.slow
async def test_a_running_hub_hands_on_what_helps_and_no_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Real daemon, broker and database; PINs, names, passwords and keys are planted wherever they fit."""
    password = tmp_path / "mqtt-password"
    password.write_text(f"{PASSWORD}\n")
    code_id = str(uuid.uuid4())
    journal(
        tmp_path,
        monkeypatch,
        line(f"front {code_id}: low_battery", PINSMITH_LOCK="front", PINSMITH_CODE=code_id),
        line(f"mqtt://{USER}:{PASSWORD}@broker.example:1883 for {GUEST} with {PIN}, {OTHER_PIN}"),
        line(f"Traceback: {GUEST} {PIN}", PINSMITH_LOGGER="zwave_js_server"),
        {"MESSAGE": f"ValueError: {PIN} of {OUTSIDE_GUEST}", "SYSLOG_IDENTIFIER": "pinsmith"},
        {"MESSAGE": [1, 2, 3], "PINSMITH_LOCK": GUEST, "PINSMITH_EVENT": PIN, "PINSMITH_TROUBLE": GUEST},
    )
    extra = f'username = "{USER}"\npassword_file = "{password}"\n'
    async with Broker(tmp_path, passwords={USER: PASSWORD, "app": "app"}) as broker:
        how = settings(tmp_path, broker.port, mqtt_extra=extra, locks=LOCKS)
        folder = how.gateway.data_directory / "simulated"
        async with somebody(broker.port, user="app", password="app") as app, running(how, app):
            ours = await app.create(PIN, name=GUEST, common_code_key=GUEST)
            await app.ask("access_codes/create", device_id="attic", code=OTHER_PIN, name=f"for {GUEST}")
            await app.ask("access_codes/update", access_code_id=ours, name=OUTSIDE_GUEST)
            keypad.set_code(folder, "attic", "3", Pin(OUTSIDE_PIN), at=datetime.now(UTC))
            await app.ask("devices/sync", device_id="attic")
            await eventually(lambda: "access_code.unmanaged.created" in app.event_types())
            code = await asyncio.to_thread(make, how.file, tmp_path / "report.tar.gz")
        key = (how.gateway.data_directory / "key").read_text().strip()
    assert code == 0
    parts = free_of_secrets(
        tmp_path / "report.tar.gz",
        *(PIN, OTHER_PIN, OUTSIDE_PIN, GUEST, OUTSIDE_GUEST, "Ottilie", "Krause", LOCK_NAME),
        *(PASSWORD, USER, key, "broker.example", str(tmp_path)),
    )
    [ours_there] = [c for c in codes_of(parts) if c["access_code_id"] == ours]
    assert ours_there["device_id"] == "front"
    assert ours_there["status"] in {"set", "setting"}
    assert {lock["device_id"] for lock in parts["locks"]["devices/list"]["devices"]} == {"front", "attic"}
    assert parts["hub"]["bridge/health"]["mqtt"]["state"] == "connected"
    assert {event["event_type"] for event in parts["events"]["events/list"]["events"]} >= {
        "access_code.set_on_device",
        "access_code.unmanaged.created",
    }
    assert parts["plan"]["plan/get"]["plans"]
    assert {found["severity"] for found in parts["doctor"]} >= {"ok"}
    assert {found["where"] for found in parts["doctor"]} >= {"broker"}
    assert parts["database"]["sound"] is True
    assert parts["database"]["rows"]["access_code"] == 2
    assert parts["log"][0] == {
        "time": "2026-11-23T12:00:00.123Z",
        "priority": 6,
        "logger": "gateway.events",
        "lock": "front",
        "code": code_id,
        "message": f"front {code_id}: low_battery",
    }
    assert ["left out" in entry["message"] for entry in parts["log"]] == [False, False, True, True, True]


def codes_of(parts: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the codes of the gateway."""
    return [code for page in parts["codes"]["access_codes/list"] for code in page["access_codes"]]


def test_it_is_made_without_a_daemon_and_says_what_is_in_it_first(house: House, pinsmith: Pinsmith) -> None:
    """For its owner alone; what only the daemon knows is missing, and that is said."""
    target = house.folder / "report.tar.gz"
    done = pinsmith("diagnostics", "--out", str(target))
    assert done.code == 0
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    announced = {words.split()[0] for words in done.err.splitlines() if words.startswith("  ")}
    assert announced == PARTS
    assert str(target) in done.out
    parts = free_of_secrets(target)
    assert parts["configuration"]["mqtt"]["url"] == {"scheme": "mqtt", "host": "loopback", "port": 1}
    assert parts["configuration"]["locks"]["back-door"]["driver"]["node"] == 7
    assert parts["configuration"]["homeassistant"] == {
        "enabled": False,
        "discovery_prefix": "set",
        "status_topic": "set",
        "user": "set",
        "arrival_notice": "3600s",
    }
    assert parts["about"]["python"]


def test_lines_of_ours_are_told_from_others_in_json_too(
    house: House, pinsmith: Pinsmith, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With `logs.format = "json"` the journal has whole objects as messages, and knows none of our fields."""
    code_id = str(uuid.uuid4())

    def written(logger: str, message: str, **fields: object) -> dict[str, Any]:
        record = logging.makeLogRecord({"name": logger, "msg": message, "levelname": "WARNING"} | fields)
        return {"MESSAGE": Objects().format(record), "PRIORITY": "6", "SYSLOG_IDENTIFIER": "pinsmith"}

    journal(
        house.folder,
        monkeypatch,
        written(
            "gateway.events", f"front-door: low_battery {PIN}", lock="front-door", code=code_id, attempt=3
        ),
        written("bleak", f"sent {PIN}"),
        {"MESSAGE": f'{{"logger": ["gateway"], "message": "{PIN}"}}'},
    )
    target = house.folder / "report.tar.gz"
    assert pinsmith("diagnostics", "--out", str(target)).code == 0
    ours, *others = free_of_secrets(target, PIN)["log"]
    assert ours == {
        "time": None,
        "priority": 4,
        "logger": "gateway.events",
        "lock": "front-door",
        "code": code_id,
        "attempt": "3",
        "message": "front-door: low_battery [digits]",
    }
    assert ["left out" in entry["message"] for entry in others] == [True, True]


def test_a_file_that_is_there_is_left_alone(house: House, pinsmith: Pinsmith) -> None:
    """Somebody may have meant another one."""
    target = house.folder / "report.tar.gz"
    target.write_text("mine")
    assert pinsmith("diagnostics", "--out", str(target)).code == 1
    assert target.read_text() == "mine"


def test_a_broken_configuration_is_part_of_the_report(house: House, pinsmith: Pinsmith) -> None:
    """Its mistakes by key, without the values; that may be why it is made."""
    (house.folder / "pinsmith.toml").write_text(
        f'[gateway]\nid = "{GUEST} {PIN}"\n[mqtt]\nurl = "{PASSWORD}"\n'
    )
    target = house.folder / "report.tar.gz"
    assert pinsmith("diagnostics", "--out", str(target)).code == 0
    parts = free_of_secrets(target, GUEST, PIN, PASSWORD)
    assert {mistake["key"] for mistake in parts["configuration"]["mistakes"]} >= {"gateway.id", "mqtt.url"}


@pytest.mark.parametrize(
    "machine", ["Kruegers-Laptop.fritz.box", "Kruegers-Laptop-in-the-Attic-of-the-House"]
)
def test_a_hub_that_is_called_after_its_machine_goes_without_its_name(
    house: House, pinsmith: Pinsmith, monkeypatch: pytest.MonkeyPatch, machine: str
) -> None:
    """`pinsmith init` proposes that name, as far as it fits."""
    monkeypatch.setattr("platform.node", lambda: machine)
    hub = slug(machine.partition(".")[0])
    file = house.folder / "pinsmith.toml"
    file.write_text(file.read_text().replace('id = "home"', f'id = "{hub}"'))
    house.answers = {"events/list": {"events": [{"device_id": hub, "message": f"{hub} was started"}]}}
    target = house.folder / "report.tar.gz"
    assert pinsmith("diagnostics", "--out", str(target)).code == 0
    parts = free_of_secrets(target, "kruegers")
    assert parts["configuration"]["gateway"]["id"] == "[hidden]"


def test_what_a_hostile_daemon_answers_is_let_through_by_field(house: House, pinsmith: Pinsmith) -> None:
    """Fields that nobody knows are dropped, and texts in known ones are scrubbed, at any depth."""
    nasty = f"{GUEST} typed {PIN} at mqtts://{USER}:{PASSWORD}@10.0.0.7/x, AA:BB:CC:DD:EE:FF, {'ab12' * 8}"
    house.answers = {
        "access_codes/list": {
            "access_codes": [
                {"code": PIN, "name": GUEST, "errors": [{"error_code": "low", "message": nasty}], "x": nasty},
                {
                    "code": {"deep": PIN},
                    "access_code_id": nasty,
                    "pending_mutations": [{"to": {"code": PIN}}],
                },
            ]
        },
        "devices/list": {
            "devices": [{"name": LOCK_NAME, "properties": {"model": PIN, "serial_number": "S1"}}]
        },
        "events/list": {"events": [{"client": USER, "message": nasty, "payload": {"code": PIN}, PIN: PIN}]},
        "plan/get": {
            "plans": [{"steps": [{"why": nasty}], "issues": [{"code": PIN}, {"code": "low_battery"}]}]
        },
        "clock/get": {"clock": {"now": "2026-11-20T12:00:00.000Z", "floor": nasty}},
    }
    target = house.folder / "report.tar.gz"
    assert pinsmith("diagnostics", "--out", str(target)).code == 0
    secrets = (PIN, GUEST, LOCK_NAME, USER, PASSWORD, "10.0.0.7", "AA:BB:CC", "ab12ab12")
    parts = free_of_secrets(target, *secrets)
    assert parts["plan"]["plan/get"]["plans"][0]["issues"] == [{}, {"code": "low_battery"}]
    assert parts["hub"]["clock/get"]["clock"]["now"] == "2026-11-20T12:00:00.000Z"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("typed 4711 twice", "typed [digits] twice"),
        ("4 7 1 1", "[digits]"),
        ("[4, 7, 1, 1]", "[[digits]]"),
        ("trying again in 60 s, 3 of 20", "trying again in 60 s, 3 of 20"),
        ("wss://me:secret@example.org:3000/x", "wss://[host]/x"),
        ("at 2026-11-20T12:00:00.123Z", "at 2026-11-20T12:00:00.123Z"),
        ("ValueError in run, engine/worker.py:1042", "ValueError in run, engine/worker.py:1042"),
        ("password=hunter2 next", "password=[hidden] next"),
        ("heard AA:BB:CC:DD:EE:FF", "heard [address]"),
        ("from fe80::1:2:3 and 192.168.1.20", "from [address] and [address]"),
        (r"b'\x12\x34\x56\x78\x9a\xbc\xde\xf0'", "b'[key]'"),
        ("q83vEjRWeJq83vEjRWeJqw==", "[key]"),
        ("/home/anna/pinsmith", "/home/[user]/pinsmith"),
        ("the lock is busy", "the lock is busy"),
        ("door-4711-east is away", "door-4711-east is away"),
        ("BO is here", "[hidden] is here"),
        ("the box of Bob", "the box of Bob"),
    ],
)
def test_a_text_loses_what_looks_like_a_secret_and_little_else(text: str, shown: str) -> None:
    """Also where nobody knows the secret; ids, times and places stay."""
    assert Scrub(names=["Bo"], keep=["door-4711-east"]).text(text) == shown
