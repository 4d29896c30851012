"""Which messages the connection broke over, again and again."""

from gateway.mqtt.link_connection import Incoming

MOST_BREAKS = 2
"""One break happens, two in a row over one message are hardly chance; a third would look like a takeover."""
_MOST_REMEMBERED = 20
"""As many as are on their way at once: others than these do not come again before one of them."""


class Breakers:
    """Counts, by message, how often in a row the connection broke while it was handled.

    Whatever it is about the message or its answer that a broker (or something on the way to it) ends the
    connection over: not acknowledged, it comes again and breaks the next one, and no other command is
    served any more. It is known by its content, because brokers need not send again in the same order.
    """

    def __init__(self) -> None:
        self._breaks: dict[Incoming, int] = {}

    def broke(self, message: Incoming) -> None:
        """Note that the connection ended while this was handled."""
        self._breaks[message] = self._breaks.pop(message, 0) + 1
        if len(self._breaks) > _MOST_REMEMBERED:
            del self._breaks[next(iter(self._breaks))]

    def settled(self, message: Incoming) -> None:
        """Forget a message that need not come again."""
        self._breaks.pop(message, None)

    def answered_shortly(self, message: Incoming) -> None:
        """Give it one more chance, should the same be sent again: it may have been bad luck."""
        self._breaks[message] = MOST_BREAKS - 1

    def given_up(self, message: Incoming) -> bool:
        """Say whether this broke so many connections that it must not be answered in full again."""
        return self._breaks.get(message, 0) >= MOST_BREAKS
