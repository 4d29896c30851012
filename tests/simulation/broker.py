"""The broker as the watchers see it: which events arrived, in which order."""

from datetime import datetime

import msgspec


class Arrived(msgspec.Struct, frozen=True):
    """What a subscriber reads in an event."""

    seq: int
    event_id: str
    event_type: str
    device_id: str
    access_code_id: str | None
    occurred_at: datetime
    events_dropped: int = 0


class SimBroker:
    """Keeps first arrivals."""

    def __init__(self) -> None:
        """Begin empty."""
        self._seen: dict[int, str] = {}
        self.numbered_twice = 0
        self.repeats = 0
        self.new: list[tuple[Arrived, str]] = []
        """Events that came since a watcher looked last, and the whole of each."""

    def receive(self, payload: bytes) -> None:
        """Take one event; repeats are counted."""
        event = msgspec.json.decode(payload, type=Arrived)
        if event.seq in self._seen:
            self.repeats += 1
            self.numbered_twice += self._seen[event.seq] != event.event_id
            return
        self._seen[event.seq] = event.event_id
        self.new.append((event, payload.decode()))
