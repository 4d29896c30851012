"""Events about the hub itself rather than one of its locks."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from gateway.domain.events import Event


class OwnEvents:
    """Makes events that carry the gateway's id in the place of a lock's."""

    def __init__(self, gateway_id: str, now: Callable[[], datetime], new_id: Callable[[], str]) -> None:
        """Date events by `now` and name them by `new_id`."""
        self._gateway_id = gateway_id
        self._now = now
        self._new_id = new_id

    def make(self, event_type: str, **payload: Any) -> Event:  # noqa: ANN401 - JSON
        """Return an event that happened now."""
        now = self._now()
        return Event(
            event_id=self._new_id(),
            event_type=event_type,
            device_id=self._gateway_id,
            occurred_at=now,
            created_at=now,
            payload=payload,
        )
