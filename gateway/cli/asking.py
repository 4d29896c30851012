"""Asks a running daemon over MQTT, and hears its events."""

import getpass
import json
import re
import uuid
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from gateway.cli.broker import ANSWER_WITHIN, Broker, connected, not_running
from gateway.cli.exits import RefusedByDaemon
from gateway.config import Settings
from gateway.mqtt.topics import CLIENT

_MOST_KEPT = 1000
"""Events kept for who is busy asking; older ones are in `events/list`."""
_PAGE = 100
"""Codes in a page, of some 900 bytes each: there are brokers that take 128 KiB at most, such as AWS IoT."""
_PAGES = 500
"""Most pages that are asked for."""
_RETAINED_WITHIN = 5.0
"""Seconds. What is retained comes at once, or is not there."""


def client_name(username: str | None) -> str:
    """Return the level of request and response topics that is ours.

    With a user at the broker it is that user, because access lists go by it; where the user's name cannot be
    a client's, as with a mail address, what comes nearest to it.
    """
    user = username
    if user is None:
        try:
            user = getpass.getuser()
        except (KeyError, OSError):
            # A user id without a name, as in containers.
            user = "unknown"
    elif CLIENT.fullmatch(user):
        return user
    return "cli-" + re.sub(r"[^A-Za-z0-9_-]", "_", user)[:60]


class Line:
    """A connection to the daemon that may stay open: questions with answers, and events in between."""

    def __init__(self, settings: Settings, broker: Broker) -> None:
        """Speak over a connected broker that listens to answers already."""
        self._settings = settings
        self._broker = broker
        self._client = client_name(settings.mqtt.username)
        self._heard: deque[dict[str, Any]] = deque(maxlen=_MOST_KEPT)

    def ask(self, verb: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Send one command and return the `data` of its answer; events heard meanwhile are kept.

        Raises:
            NoDaemon: broker or daemon did not answer in time.
            RefusedByDaemon: the daemon answered with an error.
        """
        transaction = str(uuid.uuid4())
        body = {"transaction": transaction, **parameters}
        if self._settings.mqtt.version != "5":
            # MQTT 5 lets the broker drop a late command; here only the daemon can, by its own clock, which
            # may differ a little from ours.
            expiry = datetime.now(UTC) + timedelta(seconds=ANSWER_WITHIN + 45)
            body["expires_at"] = expiry.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        self._broker.publish(f"{self._settings.topic_root}/request/{self._client}/{verb}", json.dumps(body))
        for event, message in self._messages(ANSWER_WITHIN):
            if event:
                self._heard.append(message)
            elif message.get("transaction") == transaction:
                return _data(message)
        raise not_running(self._settings)

    def events(self, seconds: float | None) -> Iterator[dict[str, Any]]:
        """Yield events as they come, those kept first; end after `seconds`, or never.

        Raises NoDaemon when the daemon goes away.
        """
        while self._heard:
            yield self._heard.popleft()
        for event, message in self._messages(seconds):
            if event:
                yield message

    def _messages(self, seconds: float | None) -> Iterator[tuple[bool, dict[str, Any]]]:
        """Yield messages, each with whether it is an event."""
        root = self._settings.topic_root
        for topic, message in self._broker.messages(seconds):
            if topic != f"{root}/bridge/state":
                yield topic.startswith(f"{root}/event/"), message
            elif message.get("state") == "offline":
                raise not_running(self._settings)


@contextmanager
def line(settings: Settings, events_of: str | None = None) -> Iterator[Line]:
    """Keep a line open for as long as the block runs.

    `events_of` is a lock, or `+` for all; what was told before entering is not heard.
    """
    root = settings.topic_root
    with connected(settings) as broker:
        broker.subscribe(f"{root}/response/{client_name(settings.mqtt.username)}/#", f"{root}/bridge/state")
        if events_of is not None:
            broker.subscribe(f"{root}/event/{events_of}/+")
        yield Line(settings, broker)


def ask(settings: Settings, verb: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Send one command and return the `data` of its answer. Raises as `Line.ask` does."""
    with line(settings) as daemon:
        return daemon.ask(verb, parameters)


def pages(
    ask_daemon: Callable[[str, Mapping[str, Any]], dict[str, Any]], verb: str, parameters: Mapping[str, Any]
) -> Iterator[dict[str, Any]]:
    """Yield the answers to a command that lists in pages, one after the other."""
    asked = {**parameters, "limit": _PAGE}
    for _ in range(_PAGES):
        page = ask_daemon(verb, asked)
        yield page
        asked["page_cursor"] = (page.get("pagination") or {}).get("next_page_cursor")
        if asked["page_cursor"] is None:
            return


@contextmanager
def watch(settings: Settings, device_id: str, seconds: float) -> Iterator[Iterator[dict[str, Any]]]:
    """Listen to the events of one lock; what was told before entering is not among them.

    Raises NoDaemon where the broker does not let us listen, and while iterating when the daemon goes away.
    """
    with line(settings, device_id) as daemon:
        yield daemon.events(seconds)


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


def _data(answer: Mapping[str, Any]) -> dict[str, Any]:
    if answer.get("status") == "ok":
        return dict(answer.get("data") or {})
    error = answer.get("error") or {}
    raise RefusedByDaemon(
        str(error.get("type", "error")), str(error.get("message", "refused without reason"))
    )
