"""Asks a running daemon over MQTT: one request, one response."""

import getpass
import json
import re
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from gateway.cli.broker import ANSWER_WITHIN, connected, not_running
from gateway.cli.exits import RefusedByDaemon
from gateway.config import Settings

_RETAINED_WITHIN = 5.0
"""Seconds. What is retained comes at once, or is not there."""


def client_name(settings: Settings) -> str:
    """Return the level of request and response topics that is ours.

    With a user at the broker it is that user, because access lists go by it.
    """
    if settings.mqtt.username is not None:
        return settings.mqtt.username
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        # A user id without a name, as in containers.
        user = "unknown"
    return "cli-" + re.sub(r"[^A-Za-z0-9_-]", "_", user)


def ask(settings: Settings, verb: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Send one command and return the `data` of its answer.

    Raises:
        NoDaemon: broker or daemon did not answer in time.
        RefusedByDaemon: the daemon answered with an error.
    """
    transaction = str(uuid.uuid4())
    client = client_name(settings)
    body = {"transaction": transaction, **parameters}
    if settings.mqtt.version != "5":
        # MQTT 5 lets the broker drop a late command; here only the daemon can, by its own clock, which may
        # differ a little from ours.
        expiry = datetime.now(UTC) + timedelta(seconds=ANSWER_WITHIN + 45)
        body["expires_at"] = expiry.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    root = settings.topic_root
    with connected(settings) as broker:
        broker.subscribe(f"{root}/response/{client}/{verb}", f"{root}/bridge/state")
        broker.publish(f"{root}/request/{client}/{verb}", json.dumps(body))
        for topic, message in broker.messages(ANSWER_WITHIN):
            if topic.endswith("/bridge/state") and message.get("state") == "offline":
                break
            if message.get("transaction") == transaction:
                return _data(message)
    raise not_running(settings)


@contextmanager
def watch(settings: Settings, device_id: str, seconds: float) -> Iterator[Iterator[dict[str, Any]]]:
    """Listen to the events of one lock; what was told before entering is not among them.

    Raises NoDaemon where the broker does not let us listen, and while iterating when the daemon goes away.
    """
    root = settings.topic_root
    with connected(settings) as broker:
        broker.subscribe(f"{root}/event/{device_id}/+", f"{root}/bridge/state")
        yield _events(settings, broker.messages(seconds))


def standing(settings: Settings) -> dict[str, Any]:
    """Return what stands below `bridge/`, by name; what the broker does not let us read is missing.

    Raises NoDaemon where there is no broker.
    """
    below = f"{settings.topic_root}/bridge/"
    found: dict[str, Any] = {}
    with connected(settings) as broker:
        broker.subscribe(f"{below}+")
        for topic, content in broker.messages(_RETAINED_WITHIN):
            found[topic.removeprefix(below)] = content
            if found.keys() >= {"state", "info", "health"}:
                break
    return found


def _events(settings: Settings, messages: Iterator[tuple[str, dict[str, Any]]]) -> Iterator[dict[str, Any]]:
    for topic, message in messages:
        if not topic.endswith("/bridge/state"):
            yield message
        elif message.get("state") == "offline":
            raise not_running(settings)


def _data(answer: Mapping[str, Any]) -> dict[str, Any]:
    if answer.get("status") == "ok":
        return dict(answer.get("data") or {})
    error = answer.get("error") or {}
    raise RefusedByDaemon(
        str(error.get("type", "error")), str(error.get("message", "refused without reason"))
    )
