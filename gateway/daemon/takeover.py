"""What another configuration means for a gateway that runs."""

from msgspec.structs import fields, replace

from gateway.config import Settings


def usable_now(runs: Settings, read: Settings) -> Settings:
    """Return `read`, but for what only a restart can change: there it is as `runs` has it."""
    kept = replace(read.gateway, id=runs.gateway.id, data_directory=runs.gateway.data_directory)
    return replace(read, gateway=kept, mqtt=runs.mqtt)


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
    found += [
        f"mqtt.{field.name}"
        for field in fields(read.mqtt)
        if getattr(runs.mqtt, field.name) != getattr(read.mqtt, field.name)
    ]
    return tuple(found)
