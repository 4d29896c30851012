"""The example and the page name every setting, and the example is a configuration that works."""

import re
from pathlib import Path

import msgspec
import pytest

from drivers.ble.nuki.settings import NukiLockSettings
from drivers.ble.settings import BleSettings
from drivers.ble.ttlock.settings import TTLockSettings
from drivers.ble.yale.settings import YaleLockSettings
from drivers.simulated.settings import SimulatedLockSettings, SimulatedSettings
from drivers.zwave.settings import ZwaveLockSettings, ZwaveSettings
from gateway.config import (
    ClockSettings,
    GatewaySettings,
    HomeAssistantSettings,
    LogSettings,
    MqttSettings,
    load,
)
from gateway.config.locks import FROM_DRIVER
from gateway.domain.lock import LockPolicy
from gateway.domain.timing import Timing

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "config.example.toml"
PAGE = ROOT / "docs" / "configuration.md"

SECTIONS: dict[str, tuple[type[msgspec.Struct], ...]] = {
    "gateway": (GatewaySettings,),
    "mqtt": (MqttSettings,),
    "mqtt.homeassistant": (HomeAssistantSettings,),
    "timing": (Timing,),
    "clock": (ClockSettings,),
    "logs": (LogSettings,),
    "drivers.simulated": (SimulatedSettings,),
    "drivers.zwave": (ZwaveSettings,),
    "drivers.ble": (BleSettings,),
    "locks": (
        LockPolicy,
        SimulatedLockSettings,
        ZwaveLockSettings,
        NukiLockSettings,
        YaleLockSettings,
        TTLockSettings,
    ),
}


def keys(section: str) -> set[str]:
    """Every key that the settings types know in a section."""
    return {field.name for kind in SECTIONS[section] for field in msgspec.structs.fields(kind)} - FROM_DRIVER


def shown(section: str) -> set[str]:
    """Every key that the example shows in a section, set or with # in front."""
    found: set[str] = set()
    here = ""
    for line in EXAMPLE.read_text(encoding="utf-8").splitlines():
        if header := re.match(r"(?:# )?\[([\w.-]+)\]$", line):
            here = header[1]
        elif (key := re.match(r"(?:# )?(\w+) = ", line)) and section == _section(here):
            found.add(key[1])
    return found


def _section(table: str) -> str:
    """The section that a table of the file belongs to: that of all locks for `locks.front-door`."""
    return table if table in SECTIONS else table.partition(".")[0]


def documented(section: str) -> dict[str, str]:
    """The keys of a section's table on the page, with the default given there."""
    page = PAGE.read_text(encoding="utf-8")
    part = re.split(r"^## ", page, flags=re.MULTILINE)
    [text] = [text for text in part if text.startswith((f"`[{section}]`", f"`[{section}.<"))]
    return dict(re.findall(r"^\| `(\w+)` \| (.*?) \|", text, flags=re.MULTILINE))


@pytest.mark.parametrize("section", SECTIONS)
def test_the_example_shows_every_key(section: str) -> None:
    """Nobody has to read code to learn what can be set."""
    assert shown(section) == keys(section)


@pytest.mark.parametrize("section", SECTIONS)
def test_the_page_explains_every_key(section: str) -> None:
    """A key that is new appears on the page in the same change."""
    assert set(documented(section)) == keys(section)


def test_the_page_gives_the_defaults_of_the_code() -> None:
    """A default that changes in the code changes on the page."""
    units = {86_400: "d", 3_600: "h", 60: "m", 1: "s"}
    for field in msgspec.structs.fields(Timing):
        given = documented("timing")[field.name].strip("`")
        if field.name == "reads_per_hour":
            assert int(given) == field.default
        else:
            seconds = field.default.total_seconds()
            texts = {f'"{seconds / size:g}{unit}"' for size, unit in units.items()}
            assert given in texts, field.name
    for section in (
        "mqtt",
        "mqtt.homeassistant",
        "clock",
        "logs",
        "drivers.simulated",
        "drivers.zwave",
        "drivers.ble",
    ):
        for kind in SECTIONS[section]:
            for field in msgspec.structs.fields(kind):
                if isinstance(field.default, bool | int | float | str):
                    written = msgspec.json.encode(field.default).decode()
                    assert documented(section)[field.name] == f"`{written}`", field.name


def test_the_example_starts_a_gateway_without_anything_else() -> None:
    """Its broker is its own, on loopback, and its locks are simulated: one that can be read, one masked."""
    settings = load(EXAMPLE, {})

    assert settings.mqtt.embedded_broker
    assert settings.mqtt.url.loopback
    assert settings.gateway.data_directory == ROOT / "var"
    assert {name: lock.model for name, lock in settings.simulated_locks.items()} == {
        "front-door": "readable",
        "garden-gate": "masked",
    }
    assert settings.zwave_locks == {}


def test_a_key_of_a_lock_belongs_to_one_reader_only() -> None:
    """Policy and driver settings share one table, so no driver may use a key of the policy."""
    policy = {field.name for field in msgspec.structs.fields(LockPolicy)}
    drivers = {field.name for kind in SECTIONS["locks"][1:] for field in msgspec.structs.fields(kind)}

    assert policy & drivers == set()
