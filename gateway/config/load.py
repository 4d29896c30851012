"""Reads the configuration file."""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from drivers.ble.settings import BleSettings
from drivers.simulated.settings import SimulatedSettings
from drivers.zwave.settings import ZwaveSettings
from gateway.config import checks, credentials, values
from gateway.config.errors import ConfigError, Mistake
from gateway.config.locks import read_locks
from gateway.config.reader import Reader
from gateway.config.settings import (
    ClockSettings,
    GatewaySettings,
    HomeAssistantSettings,
    LogSettings,
    MqttSettings,
    Settings,
)
from gateway.domain.timing import Timing

_SECTIONS = ("gateway", "mqtt", "timing", "clock", "logs", "drivers", "locks")
_DRIVERS = ("simulated", "zwave", "ble")
"""The tables below `[drivers]`: three families of locks share the Bluetooth adapter."""
_TOML_PLACE = re.compile(r"\(at line (\d+), column \d+\)$")


def load(path: Path, env: Mapping[str, str], *, service: Path | None = None) -> Settings:
    """Read the file at `path`; of the environment only CREDENTIALS_DIRECTORY counts.

    A command that runs beside the service gives in `service` where systemd puts the service's credentials.
    They count where the file names none; one that is not seen is no mistake then, but is in `unseen`.

    Raises ConfigError with every mistake of the file; a file that it names and that cannot be read is one.
    """
    text, document = _document(path)
    reader = Reader(path, text)
    reader.known(document, _SECTIONS)
    below = values.path_below(path.absolute().parent)
    gateway = reader.section(
        GatewaySettings, document, "gateway", {"time_zone": values.time_zone, "data_directory": below}
    )
    homeassistant = _homeassistant(reader, document)
    mqtt = reader.section(
        MqttSettings,
        document,
        "mqtt",
        {"url": values.broker_url, "root": values.topic_root, "username": values.username}
        | dict.fromkeys(("password_file", "ca_file", "cert_file", "key_file"), below),
    )
    timing = reader.section(Timing, document, "timing")
    clock = reader.section(ClockSettings, document, "clock")
    logs = reader.section(LogSettings, document, "logs")
    drivers = reader.table(document, "drivers") or {}
    reader.known(drivers, _DRIVERS, "drivers")
    zwave = reader.section(ZwaveSettings, drivers, "drivers.zwave")
    simulated = reader.section(SimulatedSettings, drivers, "drivers.simulated")
    ble = reader.section(BleSettings, drivers, "drivers.ble")
    locks = read_locks(reader, reader.table(document, "locks") or {})

    checks.locks(reader, locks)
    if timing:
        checks.timing(reader, timing)
    if mqtt:
        mqtt = checks.broker(reader, mqtt, document["mqtt"], credentials.of(env, service))
    if reader.mistakes or not (
        gateway and mqtt and timing and clock and logs and homeassistant and zwave and simulated and ble
    ):
        raise ConfigError(reader.mistakes)
    return Settings(
        file=path.absolute(),
        unseen=tuple(reader.unseen),
        gateway=gateway,
        mqtt=mqtt,
        homeassistant=homeassistant,
        timing=timing,
        clock=clock,
        logs=logs,
        policies=locks.policies,
        zwave=zwave,
        zwave_locks=locks.zwave,
        simulated=simulated,
        simulated_locks=locks.simulated,
        ble=ble,
        nuki_locks=locks.nuki,
        yale_locks=locks.yale,
        ttlock_locks=locks.ttlock,
    )


def _homeassistant(reader: Reader, document: dict[str, Any]) -> HomeAssistantSettings | None:
    """Read `[mqtt.homeassistant]` and take it out of `[mqtt]`, whose other keys are settings of the link."""
    mqtt = document.get("mqtt")
    if not isinstance(mqtt, dict):
        return HomeAssistantSettings()
    found = reader.section(
        HomeAssistantSettings,
        mqtt,
        "mqtt.homeassistant",
        {"discovery_prefix": values.topic_root, "status_topic": values.topic_root},
    )
    mqtt.pop("homeassistant", None)
    return found


def _document(path: Path) -> tuple[str, dict[str, Any]]:
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        message = f"cannot be read: {error.strerror or 'input or output failed'}"
        raise ConfigError([Mistake(file=path, key="", message=message)]) from None
    except UnicodeDecodeError:
        raise ConfigError([Mistake(file=path, key="", message="expected UTF-8 text")]) from None
    try:
        return text, tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        # Only the place is taken over, because the reader's own words can hold parts of the line.
        place = _TOML_PLACE.search(str(error))
        line = int(place[1]) if place else len(text.splitlines())
        message = "not valid TOML here: a key twice, a missing quote or bracket, or a value without quotes"
        raise ConfigError([Mistake(file=path, key="", message=message, line=line)]) from None
    except (ValueError, RecursionError):
        message = "nested too deeply, or a number too long to be read"
        raise ConfigError([Mistake(file=path, key="", message=message)]) from None
