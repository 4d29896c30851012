"""Prints what this Home Assistant demands of discovery, as JSON: run with the Python that has it installed.

demands.json holds the answer of the version in build.sh, so that the quick tests need no Home Assistant.
"""

import json
import sys
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import voluptuous as vol
from homeassistant.components.binary_sensor import BinarySensorDeviceClass
from homeassistant.components.event import EventDeviceClass
from homeassistant.components.mqtt import schemas
from homeassistant.components.sensor import SensorDeviceClass, SensorStateClass

PLATFORMS = ("binary_sensor", "button", "event", "sensor")


def parts(schema: object) -> Iterator[Any]:
    """Go through all mappings that a schema is made of."""
    if isinstance(schema, dict):
        yield schema
    elif isinstance(schema, vol.Schema):
        yield from parts(schema.schema)
    elif isinstance(schema, vol.All | vol.Any):
        for one in schema.validators:
            yield from parts(one)


def keys(schema: object) -> dict[str, list[str]]:
    """Return the keys that must and those that may be there."""
    must: set[str] = set()
    may: set[str] = set()
    for one in parts(schema):
        for key in one:
            (must if isinstance(key, vol.Required) else may).add(str(getattr(key, "schema", key)))
    return {"must": sorted(must), "may": sorted(may - must)}


def main() -> None:
    """Print it."""
    found = {
        "device_discovery": keys(schemas.DEVICE_DISCOVERY_SCHEMA),
        "device": keys(schemas.MQTT_ENTITY_DEVICE_INFO_SCHEMA),
        "origin": keys(schemas.MQTT_ORIGIN_INFO_SCHEMA),
        "platforms": {
            name: keys(import_module(f"homeassistant.components.mqtt.{name}").DISCOVERY_SCHEMA)
            for name in PLATFORMS
        },
        "device_classes": {
            "binary_sensor": sorted(BinarySensorDeviceClass),
            "event": sorted(EventDeviceClass),
            "sensor": sorted(SensorDeviceClass),
        },
        "state_classes": sorted(SensorStateClass),
    }
    json.dump(found, sys.stdout, indent=1)
    sys.stdout.write("\n")


main()
