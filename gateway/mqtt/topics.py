"""Names of all topics, and what can be read from the topic of a request.

Everything is below one root, by default `pinsmith/<gateway id>`.
"""

import re

from msgspec import Struct

CLIENT = re.compile(r"[A-Za-z0-9_-]{1,64}")
"""What a client may be called."""
_VERB = re.compile(r"[a-z0-9_]{1,64}(/[a-z0-9_]{1,64}){0,3}")
_WILDCARD = re.compile(r"[+#]")
_MOST_LEVELS = 8
"""Levels of a response topic below the client's own. Over too many brokers end the connection."""
_LONGEST_RESPONSE_TOPIC = 256
"""In bytes, as AWS IoT has it; other brokers take more."""


class Request(Struct, frozen=True):
    """Who asks, and for what: `request/<client>/<verb>`, where the verb has slashes of its own."""

    client: str
    verb: str


class Topics:
    """The topics of one gateway."""

    def __init__(self, root: str) -> None:
        """Take the first levels of every topic, without a slash at the end."""
        self.root = root
        self.requests = f"{root}/request/+/#"
        """The filter that matches every command."""
        self.bridge_state = f"{root}/bridge/state"
        self.bridge_info = f"{root}/bridge/info"
        self.bridge_health = f"{root}/bridge/health"

    def below(self, path: str) -> str:
        """Return the topic at `path` below the root."""
        return f"{self.root}/{path}"

    def event(self, device_id: str, event_type: str) -> str:
        """Return where an event is told."""
        return f"{self.root}/event/{device_id}/{event_type}"

    def request(self, topic: str) -> Request | None:
        """Read the topic of a command; None if client or verb cannot be one.

        A client is 1 to 64 of letters, digits, `_` and `-`: whoever answers must not be led to other topics.
        """
        prefix = f"{self.root}/request/"
        client, _, verb = topic.removeprefix(prefix).partition("/")
        if not topic.startswith(prefix) or not CLIENT.fullmatch(client) or not _VERB.fullmatch(verb):
            return None
        return Request(client, verb)

    def response(self, request: Request, wanted: str | None) -> str:
        """Return where to answer.

        `wanted` is the MQTT 5 response topic. It counts only below the client's own response topics, because
        whoever could choose freely would have PINs sent to where others read. Nor may it be of a kind over
        which a broker ends the connection: too long, too deep, or with characters that cannot be seen.
        """
        own = f"{self.root}/response/{request.client}/"
        below = (wanted or "").removeprefix(own)
        fits = (
            wanted not in {None, own, below}
            and not _WILDCARD.search(below)
            and below.isprintable()
            and below.count("/") < _MOST_LEVELS
            and len((own + below).encode()) <= _LONGEST_RESPONSE_TOPIC
        )
        return own + (below if fits else request.verb)
