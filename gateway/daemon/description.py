"""What the daemon says about itself at the start: one line in the log, and `bridge/info`."""

from importlib.metadata import PackageNotFoundError, version
from typing import Any

from gateway.config import Settings
from gateway.mqtt.topics import CLIENT


def start_line(settings: Settings) -> str:
    """Return the line that opens the log."""
    locks = ", ".join(f"{name} ({policy.driver})" for name, policy in settings.policies.items()) or "none"
    return (
        f"pinsmith {installed_version()}, gateway {settings.gateway.id}; locks: {locks}; "
        f"broker {settings.mqtt.url}, topics below {settings.topic_root}"
    )


def bridge_info(settings: Settings) -> dict[str, Any]:
    """Return the content of `bridge/info`: what does not change while the daemon runs."""
    return {
        "gateway_id": settings.gateway.id,
        "version": installed_version(),
        "time_zone": settings.gateway.time_zone.key,
        "drivers": sorted({policy.driver for policy in settings.policies.values()}),
        "device_ids": sorted(settings.policies),
        "max_payload_bytes": settings.mqtt.max_payload_bytes,
        "warnings": _warnings(settings),
    }


def installed_version() -> str:
    """Return the version of the distribution; "unknown" in a source tree that was never installed."""
    try:
        return version("pinsmith")
    except PackageNotFoundError:
        return "unknown"


def _warnings(settings: Settings) -> list[str]:
    """Return what the configuration allows and better would not."""
    mqtt = settings.mqtt
    found = {
        "The broker is reached unencrypted over the network: PINs can be read on the way.": (
            mqtt.url.scheme == "mqtt" and not mqtt.url.loopback
        ),
        "The embedded broker has no passwords and forgets everything at the end: for a first look only.": (
            mqtt.embedded_broker
        ),
        "mqtt.username is no name of a client: an access list by user name does not fit the command.": (
            mqtt.username is not None and CLIENT.fullmatch(mqtt.username) is None
        ),
        "The clock is believed without synchronisation: windows open and close by it.": (
            settings.clock.untrusted_policy == "run"
        ),
    }
    return [warning for warning, holds in found.items() if holds]
