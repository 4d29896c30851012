"""What another configuration means for a gateway that runs."""

from msgspec import Struct
from msgspec.structs import fields, replace

from gateway.config import Settings


def usable_now(runs: Settings, read: Settings) -> Settings:
    """Return `read`, but for what only a restart can change: there it is as `runs` has it."""
    kept = replace(read.gateway, id=runs.gateway.id, data_directory=runs.gateway.data_directory)
    return replace(read, gateway=kept, mqtt=runs.mqtt, homeassistant=runs.homeassistant)


def restart_needed(runs: Settings, read: Settings) -> tuple[str, ...]:
    """Return the settings in `read` that count only after a restart, as dotted keys.

    Who the hub is, where its memory is and how it reaches the broker hang together: clients and the broker's
    session know it by them.
    """
    found = [
        f"gateway.{name}"
        for name in ("id", "data_directory")
        if getattr(runs.gateway, name) != getattr(read.gateway, name)
    ]
    found += _changed("mqtt", runs.mqtt, read.mqtt)
    found += _changed("mqtt.homeassistant", runs.homeassistant, read.homeassistant)
    return tuple(found)


def _changed(section: str, runs: Struct, read: Struct) -> list[str]:
    names = (field.name for field in fields(read))
    return [f"{section}.{name}" for name in names if getattr(runs, name) != getattr(read, name)]
