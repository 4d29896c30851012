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

    def receive(self, stored: StoredEvent, *, up: bool) -> bool:
        """Take one event and acknowledge it, if the broker is up; repeats are counted."""
        if not up:
            return False
        if stored.seq in self._seen:
            self.repeats += 1
            return True
        self._seen.add(stored.seq)
        self.first.append(stored)
        self.new.append(stored)
        return True
