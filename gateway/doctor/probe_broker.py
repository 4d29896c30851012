"""Does this broker take us: a short visit to it, under a client id of its own.

Nothing retained is written, and nothing that a hub would keep: what is sent to try a right goes out with QoS
0 and is dropped where nobody listens.
"""

import contextlib
import json
import ssl
import time
import uuid
from collections.abc import Callable
from typing import Any, Literal

import paho.mqtt.client as mqtt
from msgspec import Struct
from msgspec.structs import replace
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from gateway.config import MqttSettings
from gateway.doctor.probe_tls import Expiry, expiries, failure_of
from gateway.mqtt.link_settings import TlsSettings
from gateway.mqtt.tls import broker_context

type Version = Literal["5", "3.1.1"]
_ANSWER_S = 8.0
_ROUND_TRIP_S = 2.0
_DAEMON_S = 6.0
_NO_SUCH_VERSION = 0x84


class BrokerFacts(Struct, frozen=True, kw_only=True):
    """What the visit showed. What was not reached is None."""

    failure: str | None = None
    """Why no connection came about: one of the ids of `gateway.doctor.broker` without its `broker_`."""
    refusal: int | None = None
    """The broker's reason for turning us away, numbered as in MQTT 5."""
    other_version: Version | None = None
    """It turned us away, and takes us with this version."""
    expiry: Expiry = Expiry()
    state: str | None = None
    """What `bridge/state` says: "online" or "offline"."""
    health: dict[str, Any] | None = None
    """What `bridge/health` says, where we may read it."""
    info: dict[str, Any] | None = None
    may_read_requests: bool | None = None
    may_send_requests: bool | None = None
    may_read_answers: bool | None = None
    may_send_answers: bool | None = None
    daemon_answers: bool | None = None
    """A daemon that calls itself online answered a question; None: none calls itself so."""
    clock_trusted: bool = False
    """It answered that it knows the time."""


def probe_broker(settings: MqttSettings, root: str, client: str) -> BrokerFacts:
    """Visit the broker as the gateway's user; `client` is the level of request topics that is ours.

    Takes up to some ten seconds, and blocks.
    """
    facts = BrokerFacts()
    if settings.url.scheme == "mqtts":
        failure, expiry = expiries(settings)
        facts = replace(facts, expiry=expiry, failure=failure)
        if failure is not None:
            return facts
    visit = _Visit(settings, settings.version)
    failure, refusal = visit.enter()
    try:
        if failure is None and refusal is None:
            return _look_around(visit, root, client, facts)
    finally:
        visit.leave()
    facts = replace(facts, failure=failure, refusal=refusal)
    if failure == "closed" or refusal == _NO_SUCH_VERSION:
        other: Version = "3.1.1" if settings.version == "5" else "5"
        second = _Visit(settings, other)
        if second.enter() == (None, None):
            facts = replace(facts, other_version=other)
        second.leave()
    return facts


class _Visit:
    """One connection, worked by whoever waits on it."""

    def __init__(self, settings: MqttSettings, version: Version) -> None:
        self._settings = settings
        self.version = version
        self._client = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            client_id=f"pinsmith-doctor-{uuid.uuid4().hex[:12]}",
            clean_session=None if version == "5" else True,
            protocol=MQTTProtocolVersion.MQTTv5 if version == "5" else MQTTProtocolVersion.MQTTv311,
            reconnect_on_failure=False,
        )
        self._client.on_connect = lambda *heard: self._codes.append(heard[3].value)
        self._client.on_subscribe = lambda *heard: self._codes.extend(code.value for code in heard[3])
        self._client.on_message = lambda _c, _u, message: self.heard.append(
            (message.topic, bytes(message.payload))
        )
        self._codes: list[int] = []
        self.heard: list[tuple[str, bytes]] = []

    def enter(self) -> tuple[str | None, int | None]:
        """Connect; return why that failed, or the broker's reason for refusing."""
        settings = self._settings
        try:
            if settings.username is not None:
                self._client.username_pw_set(settings.username, settings.password())
            if settings.url.scheme == "mqtts":
                files = TlsSettings(settings.ca_file, settings.cert_file, settings.key_file)
                self._client.tls_set_context(broker_context(files))
            self._client.connect_timeout = 5.0
            self._client.connect(settings.url.host, settings.url.port, keepalive=60)
        except (OSError, ValueError) as error:
            return failure_of(error), None
        if not self.work(_ANSWER_S, lambda: bool(self._codes)):
            wants = settings.url.scheme == "mqtts" and settings.cert_file is None
            return ("wants_certificate" if wants else "closed"), None
        code = self._codes.pop()
        return None, code or None

    def leave(self) -> None:
        """Say goodbye."""
        with contextlib.suppress(OSError, ssl.SSLError):
            self._client.disconnect()
        # The callbacks hold this object, and it them: without this, its socket waits for the collector.
        self._client.on_connect = self._client.on_subscribe = self._client.on_message = None

    def subscribe(self, *topics: str) -> list[bool]:
        """Return of each topic whether the broker says that we may listen."""
        self._codes.clear()
        self._client.subscribe([(topic, 1) for topic in topics])
        self.work(_ANSWER_S, lambda: len(self._codes) >= len(topics))
        granted = [code < 0x80 for code in self._codes]  # noqa: PLR2004 - where MQTT's failures begin
        return granted + [False] * (len(topics) - len(granted))

    def publish(self, topic: str, payload: str = "{}") -> None:
        """Send something that nobody keeps."""
        properties = None
        if self.version == "5":
            properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]  # paho leaves it so
            properties.MessageExpiryInterval = 5
        self._client.publish(topic, payload, qos=0, properties=properties)

    def work(self, seconds: float, until: Callable[[], bool]) -> bool:
        """Read and write until something came about; False when it did not in time."""
        deadline = time.monotonic() + seconds
        while not until():
            if time.monotonic() >= deadline:
                return False
            if self._client.loop(timeout=0.1) is not MQTTErrorCode.MQTT_ERR_SUCCESS:
                return until()
        return True

    def payload(self, topic: str) -> dict[str, Any] | None:
        """Return the last JSON object heard under a topic."""
        for name, payload in reversed(self.heard):
            if name == topic:
                with contextlib.suppress(ValueError):
                    content = json.loads(payload)
                    return content if isinstance(content, dict) else None
        return None

    def has(self, topic: str) -> bool:
        """Say whether anything was heard under a topic."""
        return any(name == topic for name, _ in self.heard)


def _look_around(visit: _Visit, root: str, client: str, facts: BrokerFacts) -> BrokerFacts:
    mark = uuid.uuid4().hex
    asked, answered = f"{root}/request/{client}/clock/get", f"{root}/response/{client}/clock/get"
    trial_request, trial_answer = f"{root}/request/{client}", f"{root}/response/{client}/doctor"
    reads_answers, *_ = visit.subscribe(f"{root}/response/{client}/#", *_bridge(root))
    visit.publish(trial_answer, json.dumps({"transaction": mark}))
    heard = visit.work(_ROUND_TRIP_S, lambda: visit.has(trial_answer))
    state = visit.payload(f"{root}/bridge/state")
    facts = replace(
        facts,
        state=str(state.get("state")) if state else None,
        health=visit.payload(f"{root}/bridge/health"),
        info=visit.payload(f"{root}/bridge/info"),
        may_read_answers=heard and reads_answers,
        may_send_answers=heard,
    )
    if facts.state == "online":
        visit.publish(asked, json.dumps({"transaction": mark}))
        answers = visit.work(_DAEMON_S, lambda: visit.has(answered))
        return replace(
            facts,
            daemon_answers=answers,
            may_read_requests=True if answers else None,
            clock_trusted=_is_trusted(visit.payload(answered)),
        )
    # Without a verb it is no command; a daemon that starts in this moment drops it.
    [granted] = visit.subscribe(f"{root}/request/+/#")
    visit.publish(trial_request)
    came = visit.work(_ROUND_TRIP_S, lambda: visit.has(trial_request))
    return replace(facts, may_read_requests=came and granted, may_send_requests=came)


def _is_trusted(answer: dict[str, Any] | None) -> bool:
    """Say whether an answer to `clock/get` is that the time is known."""
    clock = ((answer or {}).get("data") or {}).get("clock") or {}
    return clock.get("trusted") is True


def _bridge(root: str) -> list[str]:
    return [f"{root}/bridge/{name}" for name in ("state", "health", "info")]
