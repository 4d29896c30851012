"""Turns the settings of Home Assistant into what its publisher wants to know."""

from gateway.config import Settings
from gateway.config.locks import LOCK_SETTINGS
from gateway.daemon.description import installed_version
from gateway.mqtt.homeassistant import Wish
from gateway.mqtt.homeassistant_payloads import Discovery
from gateway.mqtt.topics import Topics


def discovery(settings: Settings, topics: Topics) -> Discovery:
    """Return where discovery goes and who speaks."""
    return Discovery(
        topics=topics,
        gateway_id=settings.gateway.id,
        version=installed_version(),
        prefix=settings.homeassistant.discovery_prefix,
        user=settings.homeassistant.user,
    )


def wanted(settings: Settings) -> Wish:
    """Return what is to be shown."""
    it = settings.homeassistant
    return Wish(
        enabled=it.enabled,
        status_topic=it.status_topic,
        arrival_notice=it.arrival_notice,
        publish_names=settings.mqtt.publish_names,
        drivers=tuple(LOCK_SETTINGS),
    )
