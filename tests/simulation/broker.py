"""The broker as the watchers see it: which events arrived, in which order."""

from gateway.domain.events import StoredEvent


class SimBroker:
    """Keeps first arrivals."""

    def __init__(self) -> None:
        """Begin empty."""
        self.first: list[StoredEvent] = []
        self._seen: set[int] = set()
        self.repeats = 0
        self.new: list[StoredEvent] = []

    def receive(self, stored: StoredEvent) -> None:
        """Take one event; repeats are counted."""
        if stored.seq in self._seen:
            self.repeats += 1
            return
        self._seen.add(stored.seq)
        self.first.append(stored)
        self.new.append(stored)
