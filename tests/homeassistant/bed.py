"""What the tests with a real Home Assistant share: the daemon beside it, and automations from blueprints."""

import os
from asyncio.subprocess import Process
from pathlib import Path
from typing import Any

import pytest

from tests.daemon import process
from tests.daemon.bed import Somebody, settings
from tests.homeassistant.house import House
from tests.mqtt.broker import eventually

INSTALLED = os.environ.get("PINSMITH_HOMEASSISTANT")
IN_A_HOUSE = [
    pytest.mark.slow,
    pytest.mark.mosquitto,
    pytest.mark.skipif(INSTALLED is None, reason="make test-homeassistant installs Home Assistant"),
]
DOCS = Path(__file__).parents[2] / "docs"
PASSWORDS = {"pinsmith": "p1", "homeassistant": "h1", "alice": "a1", "watcher": "w1"}
NOTICES = "user homeassistant\ntopic write notices/#\nuser watcher\ntopic read #\n"
LOCKS = """
[locks.front]
name = "Front door"
driver = "simulated"
[locks.back]
name = "Back door"
driver = "simulated"
managed_slots = ["20"]
"""
ON = "[mqtt.homeassistant]\nenabled = true"


def notice(topic: str) -> list[dict[str, Any]]:
    """Return the actions of an automation that tells its message on a topic."""
    return [{"action": "mqtt.publish", "data": {"topic": f"notices/{topic}", "payload": "{{ message }}"}}]


AUTOMATIONS = [
    {
        "id": "first-use",
        "use_blueprint": {
            "path": "pinsmith/code_first_used.yaml",
            "input": {
                "first_use": "event.pinsmith_front_first_use",
                "codes": "sensor.pinsmith_front_codes",
                "actions": notice("first-use"),
            },
        },
    },
    {
        "id": "at-risk",
        "use_blueprint": {
            "path": "pinsmith/arrival_at_risk.yaml",
            "input": {
                "arrival_at_risk": "binary_sensor.pinsmith_back_arrival_at_risk",
                "patience": {"seconds": 1},
                "actions": notice("at-risk"),
            },
        },
    },
]


class Hub:
    """The daemon as a process, with a configuration that may change between two runs."""

    def __init__(self, folder: Path, port: int) -> None:
        self._folder = folder
        self._port = port
        self._process: Process | None = None
        (folder / "password").write_text(PASSWORDS["pinsmith"])

    @property
    def locks(self) -> Path:
        """Where the simulated locks are."""
        return self._folder / "data" / "simulated"

    async def start(self, *, locks: str = LOCKS, homeassistant: str = ON) -> None:
        """Start it, after its end where it runs."""
        await self.stop()
        extra = f'username = "pinsmith"\npassword_file = "password"\npublish_names = true\n{homeassistant}'
        how = settings(self._folder, self._port, mqtt_extra=extra, locks=locks)
        self._process = await process.start(how.file, self._folder / "log")

    async def stop(self) -> None:
        """End it in order."""
        if self._process is not None:
            self._process.terminate()
            assert await process.ended(self._process) == 0
            self._process = None


def notices(watcher: Somebody, topic: str) -> list[str]:
    """Return what an automation told."""
    return [one.payload.decode() for one in watcher.heard if one.topic == f"notices/{topic}"]


def complaints(home: House) -> list[str]:
    """Return its errors, and its warnings about MQTT.

    But for one: a hub that ends right after it took a lock back does so again at its next start, and Home
    Assistant says that there is nothing left to be taken back.
    """
    lines = home.log().splitlines()
    about_mqtt = [line for line in lines if " WARNING " in line and "components.mqtt" in line]
    return [line for line in lines if " ERROR " in line] + [
        line for line in about_mqtt if "No device components to cleanup" not in line
    ]


async def create(alice: Somebody, watcher: Somebody, **parameters: str) -> str:
    """Create a code, wait until it is set and return its id."""
    answer = await alice.ask("access_codes/create", **parameters)
    assert answer["status"] == "ok", answer
    code_id: str = answer["data"]["access_code"]["access_code_id"]
    await eventually(
        lambda: any(
            event["event_type"] == "access_code.set_on_device" and event["access_code_id"] == code_id
            for event in watcher.events()
        )
    )
    return code_id
