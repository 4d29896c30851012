"""Turns the settings of the broker into those of the link."""

from gateway.config import MqttSettings
from gateway.mqtt.link_settings import LinkSettings, TlsSettings, Will
from gateway.mqtt.publisher import OFFLINE
from gateway.mqtt.topics import Topics


def link_settings(mqtt: MqttSettings, gateway_id: str, topics: Topics) -> LinkSettings:
    """Return what the link must know; it reads the password itself, as it does certificates.

    The client id is fixed, because the broker keeps commands for it while the hub is away.
    """
    encrypted = mqtt.url.scheme == "mqtts"
    return LinkSettings(
        host=mqtt.url.host,
        port=mqtt.url.port,
        client_id=f"pinsmith-{gateway_id}",
        will=Will(topics.bridge_state, OFFLINE),
        tls=TlsSettings(mqtt.ca_file, mqtt.cert_file, mqtt.key_file) if encrypted else None,
        username=mqtt.username,
        password=mqtt.password,
        version=mqtt.version,
        max_payload_bytes=mqtt.max_payload_bytes,
    )
