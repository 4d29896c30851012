"""Takes commands in: executes, answers, and only then lets the broker forget them (rule 7)."""

import contextlib
import logging
from collections.abc import Callable

import msgspec

from gateway.domain.errors import AnswerNotDelivered, CommandError, InvalidInput
from gateway.domain.store import LastingFailure, StorageFailed, Store
from gateway.domain.trouble import Trouble
from gateway.engine.commands.desk import CommandDesk
from gateway.mqtt.health import Health
from gateway.mqtt.link import Link
from gateway.mqtt.link_connection import Incoming
from gateway.mqtt.link_errors import LinkDown, LinkError, MessageTooLarge, NotStored
from gateway.mqtt.own_events import OwnEvents
from gateway.mqtt.topics import Request, Topics

_log = logging.getLogger(__name__)
REPLIES_PER_CLIENT = 100_000
"""Most that are remembered, of about a kilobyte each: one command every six seconds for a week.

An automation that runs in a circle would fill the disk long before its replies are too old.
"""
_MOST_CLIENTS = 100
"""Clients whose answers are refused and that are told of: a broker may be asked under any number of names."""


class Intake:
    """The link's handler: one message at a time, in the order of arrival."""

    def __init__(
        self,
        link: Link,
        desk: CommandDesk,
        store: Store,
        topics: Topics,
        health: Health,
        *,
        own_events: OwnEvents,
        max_payload_bytes: int,
        clock: Callable[[], float],
    ) -> None:
        """Answer over `link`; `max_payload_bytes` is what the link was told, for the words of the answer.

        `clock` returns seconds that never go back.
        """
        self._link = link
        self._desk = desk
        self._store = store
        self._topics = topics
        self._health = health
        self._own_events = own_events
        self._max_payload_bytes = max_payload_bytes
        self._clock = clock
        self._unanswered: dict[str, _Unanswered] = {}

    async def handle(self, message: Incoming) -> None:
        """Carry out one command and answer it; durable on return.

        An answer that does not get through is not kept for later: the client repeats its command and is
        answered from memory. Raises NotStored when the database failed and nothing happened.
        """
        if message.unreadable:
            self._health.count("unreadable_messages")
            return
        request = self._topics.request(message.topic)
        if message.retain and (message.payload or message.payload_too_large):
            await self._refuse_retained(message, request)
        elif request is None:
            self._health.count("malformed_topics")
        elif message.payload_too_large:
            self._health.count("oversize_commands")
            await self._answer(request, message, self._desk.too_large(self._max_payload_bytes))
        elif not message.payload:
            # Clearing a retained command, whoever does it, comes by here as an empty message.
            self._health.count("empty_commands")
        elif message.unanswerable:
            instead = _not_delivered(message, "broke the connection each time")
            words = "The connection breaks over the answers to %s: they may be too large"
            # How large is not known; what is sent instead gets through without anything being right again.
            self._refused(request, words, size=len(instead) + 1)
            await self._answer(request, message, instead)
        else:
            await self._answer(request, message, await self._execute(request, message.payload))

    async def trim(self) -> None:
        """Forget the oldest replies of clients with too many. Raises StorageFailed."""
        dropped = await self._store.run(lambda tx: tx.trim_replies(REPLIES_PER_CLIENT))
        self._health.count("replies_dropped", dropped)

    async def _execute(self, request: Request, payload: bytes) -> bytes:
        try:
            answer = await self._desk.execute(request.client, request.verb, payload)
        except StorageFailed as error:
            self._health.storage_failed(error)
            raise NotStored from None
        return answer

    async def _answer(self, request: Request, message: Incoming, answer: bytes) -> None:
        topic = self._topics.response(request, message.response_topic)
        try:
            await self._link.publish(topic, answer, correlation_data=message.correlation_data)
        except LinkDown:
            self._health.count("answers_lost")
        except MessageTooLarge:
            words = "The broker takes no answers as large as one to %s"
            self._refused(request, words, size=len(answer))
            # What does not even take this cannot be answered at all.
            with contextlib.suppress(LinkError):
                short = _not_delivered(message, "is larger than the broker takes")
                await self._link.publish(topic, short, correlation_data=message.correlation_data)
        except LinkError:
            self._refused(request, "The broker refuses the answers to %s: check its access list")
        else:
            self._got_through(request, size=len(answer))

    def _refused(self, request: Request, words: str, *, size: int = 0) -> None:
        """Count it, and say it once per client, not once per command; `size` is that of one too large."""
        self._health.count("answers_refused")
        unanswered = self._unanswered.get(request.client)
        if unanswered is None:
            if len(self._unanswered) >= _MOST_CLIENTS:
                return
            unanswered = self._unanswered[request.client] = _Unanswered(request.client, self._clock)
        unanswered.size = max(unanswered.size, size)
        unanswered.trouble.begins(words % request.client)

    def _got_through(self, request: Request, *, size: int) -> None:
        """Say that a client is answered again; where answers were too large, one as large must show it."""
        unanswered = self._unanswered.get(request.client)
        if unanswered is not None and size >= unanswered.size:
            unanswered.trouble.ends(f"Answers to {request.client} get through again")
            del self._unanswered[request.client]

    async def _refuse_retained(self, message: Incoming, request: Request | None) -> None:
        """Clear a retained command on the broker, say so to its sender and in an event.

        Executed, it would come again with every connection, long after anybody wanted it.
        """
        self._health.count("retained_commands")
        if request is not None:
            await self._tell_retained(request)
            await self._answer(request, message, _retained_refusal(message.payload))
        try:
            await self._link.publish(message.topic, b"", retain=True)
        except (LinkError, ValueError):
            # It comes again with the next connection. ValueError: a topic that only a broken broker sends.
            self._health.count("retained_commands_not_cleared")

    async def _tell_retained(self, request: Request) -> None:
        event = self._own_events.make("gateway.retained_command", client=request.client, verb=request.verb)
        try:
            await self._store.run(lambda tx: tx.emit(event))
        except LastingFailure:
            self._health.count("retained_commands_not_told")
        except StorageFailed as error:
            self._health.storage_failed(error)
            raise NotStored from None


class _Unanswered:
    """A client whose answers do not get through."""

    def __init__(self, client: str, clock: Callable[[], float]) -> None:
        # As a field too, by which a report for others takes the name out of the words.
        self.trouble = Trouble(_log, "answers_refused", clock, client=client)
        self.size = 0
        """Bytes of the largest answer that the broker did not take for its size."""


class _Envelope(msgspec.Struct):
    transaction: str | None = None


def _retained_refusal(payload: bytes) -> bytes:
    return _refusal(
        payload, InvalidInput("a command must not be retained; send it again without the retain flag")
    )


def _not_delivered(message: Incoming, why: str) -> bytes:
    words = (
        f"the command was carried out or refused, but its answer {why}: where it lists something, ask for "
        "less at a time with limit (and page_cursor); else look at what became of it, or send the same again"
    )
    return _refusal(message.payload, AnswerNotDelivered(words))


def _refusal(payload: bytes, error: CommandError) -> bytes:
    try:
        transaction = msgspec.json.decode(payload, type=_Envelope).transaction
    except (msgspec.MsgspecError, ValueError, RecursionError):
        transaction = None
    told = {"type": error.type, "message": error.message, "data": error.data}
    return msgspec.json.encode({"transaction": transaction, "status": "error", "data": None, "error": told})
