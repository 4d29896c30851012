"""A connection of the command to the broker, short-lived and without a thread of its own."""

import contextlib
import json
import ssl
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from gateway.cli.exits import NoDaemon
from gateway.config import Settings
from gateway.mqtt.link_settings import TlsSettings
from gateway.mqtt.tls import broker_context

ANSWER_WITHIN = 15.0
"""Seconds that the daemon has to answer. It answers from its database, not from locks, so it is quick."""
_BROKER_WITHIN = 10.0
_WITHOUT = (
    " without a password: mqtt.password_file names none, and where systemd gives it to the service, only "
    "root sees it, while the service runs: use sudo"
)
_NO_SUBSCRIBER = 0x10
"""MQTT 5 reason code: nobody listens to the topic."""


def not_running(settings: Settings) -> NoDaemon:
    """Return what to say when nobody answers a command."""
    return NoDaemon(
        "the daemon does not answer: is it running (systemctl status pinsmith) and connected to "
        f"the broker {settings.mqtt.url}?"
    )


class Broker:
    """A connection to the broker, worked by whoever waits on it: no thread of its own."""

    def __init__(self, settings: Settings) -> None:
        """Prepare; `connected` connects."""
        self._settings = settings
        self._v5 = settings.mqtt.version == "5"
        self._client = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            client_id=f"pinsmith-cli-{uuid.uuid4().hex[:12]}",
            clean_session=None if self._v5 else True,
            protocol=MQTTProtocolVersion.MQTTv5 if self._v5 else MQTTProtocolVersion.MQTTv311,
            reconnect_on_failure=False,
        )
        self._client.on_connect = lambda *heard: self._answered(heard[3])
        self._client.on_subscribe = lambda *heard: self._answered(*heard[3])
        self._client.on_publish = lambda *heard: self._answered(heard[3])
        self._client.on_message = self._heard
        self._answers: list[ReasonCode] = []
        self._inbox: list[tuple[str, dict[str, Any]]] = []

    def connect(self) -> None:
        """Connect and log in."""
        mqtt_settings = self._settings.mqtt
        url = mqtt_settings.url
        if self._settings.unseen:
            raise NoDaemon(f"the broker {url} cannot be asked: {self._settings.unseen[0]}")
        try:
            if mqtt_settings.username is not None:
                self._client.username_pw_set(mqtt_settings.username, mqtt_settings.password())
            if url.scheme == "mqtts":
                files = TlsSettings(mqtt_settings.ca_file, mqtt_settings.cert_file, mqtt_settings.key_file)
                self._client.tls_set_context(broker_context(files))
            self._client.connect(url.host, url.port, keepalive=60)
        except (OSError, ValueError) as error:
            # OSError covers resolver, sockets and TLS.
            raise NoDaemon(f"the broker {url} cannot be reached: {_reason(error)}") from None
        lacks = mqtt_settings.username is not None and mqtt_settings.password_file is None
        self._wait(f"the broker {url} does not let us in{_WITHOUT if lacks else ''}")

    def subscribe(self, topic: str, *optional: str) -> None:
        """Listen to a topic, and to others where the broker allows it."""
        self._client.subscribe([(one, 1) for one in (topic, *optional)])
        self._wait(
            f"the broker does not let us read {topic}: its access list must allow "
            "response/<user>/# and event/#"
        )

    def publish(self, topic: str, payload: str) -> None:
        """Send, and wait until the broker has it."""
        properties = None
        if self._v5:
            properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]  # paho leaves it so
            # Nobody waits for the answer any longer, so a daemon that comes back later must not act on it.
            properties.MessageExpiryInterval = int(ANSWER_WITHIN)
        self._client.publish(topic, payload, qos=1, properties=properties)
        answers = self._wait(
            "the broker does not let us send commands: its access list must allow request/<user>/#"
        )
        if any(answer.value == _NO_SUBSCRIBER for answer in answers):
            raise not_running(self._settings)

    def messages(self, seconds: float | None) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield messages (JSON objects only) as they come; end after `seconds`, or never."""
        deadline = None if seconds is None else time.monotonic() + seconds
        while True:
            while self._inbox:
                yield self._inbox.pop(0)
            if not self._work(deadline):
                return

    def close(self) -> None:
        """Leave the broker."""
        self._client.disconnect()

    def _heard(self, _client: object, _userdata: object, message: mqtt.MQTTMessage) -> None:
        with contextlib.suppress(ValueError):
            content = json.loads(message.payload)
            if isinstance(content, dict):
                self._inbox.append((message.topic, content))

    def _answered(self, *codes: ReasonCode) -> None:
        self._answers.extend(codes)

    def _wait(self, refused: str) -> list[ReasonCode]:
        """Wait for the broker's answer to what was just sent."""
        url = self._settings.mqtt.url
        deadline = time.monotonic() + _BROKER_WITHIN
        while not self._answers:
            if not self._work(deadline):
                raise NoDaemon(f"the broker {url} does not answer")
        answers, self._answers = self._answers, []
        if answers[0].is_failure:
            raise NoDaemon(f"{refused} ({answers[0]})")
        return answers

    def _work(self, deadline: float | None) -> bool:
        """Let the client read and write for a moment; False when the time is over."""
        if deadline is not None and time.monotonic() >= deadline:
            return False
        if self._client.loop(timeout=0.2) is not MQTTErrorCode.MQTT_ERR_SUCCESS and not self._answers:
            raise NoDaemon(f"the broker {self._settings.mqtt.url} closed the connection")
        return True


@contextmanager
def connected(settings: Settings) -> Iterator[Broker]:
    """Connect to the broker for as long as the block runs."""
    broker = Broker(settings)
    broker.connect()
    try:
        yield broker
    finally:
        broker.close()


def _reason(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not believed ({error.verify_message}); see mqtt.ca_file"
    if isinstance(error, ssl.SSLError):
        return "no encrypted connection could be agreed on"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return "no connection"
