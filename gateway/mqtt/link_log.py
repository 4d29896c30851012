"""What the log says of the link to the broker: that it is away, why, and that it is back."""

import logging
from collections.abc import Callable

from gateway.domain.trouble import Trouble, about, lasted
from gateway.mqtt.link_state import LinkKind, LinkState

_log = logging.getLogger(__name__)
_ALARMS = frozenset({LinkKind.TAKEN_OVER})
"""A person has to act: two hubs under one name take commands from each other."""
_QUIET = frozenset({LinkKind.CONNECTING, LinkKind.NOT_STORED})
"""No trouble, or one that the database's own line tells."""
STEADY_S = 60.0
"""A connection after which it is believed that nobody takes over any more."""


class LinkLog:
    """Turns states of the link into lines: one when it breaks, one per further reason, one at its end."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """Time by `clock`: seconds that never go back."""
        self._clock = clock
        self._since: float | None = None
        self._told: set[LinkState] = set()
        self._failed = 0
        self._contested = Trouble(_log, "taken_over", clock, level=logging.ERROR)
        self._connected_at: float | None = None
        self._ever = False

    def changed(self, state: LinkState, failed: int) -> None:
        """Take a new state; `failed` attempts in a row brought no connection."""
        if state.kind is LinkKind.CONNECTED:
            self._back(state, failed)
        elif state.kind is LinkKind.STOPPED:
            _log.info("%s", state.message)
        elif state.kind in _ALARMS:
            self._connected_at = None
            self._contested.begins(state.message)
        elif state.kind in _QUIET:
            _log.debug("%s", state.message)
        else:
            self._away(state)

    def look(self) -> None:
        """Note, once a minute or so, that nobody takes over any more."""
        if self._connected_at is not None and self._clock() - self._connected_at >= STEADY_S:
            self._contested.ends("Nobody else uses the client id any more")

    def _away(self, state: LinkState) -> None:
        self._connected_at = None
        if self._since is None:
            self._since = self._clock()
        # Between two clients that push each other out every loss is the same trouble.
        known = state in self._told or self._contested.attempts > 0
        self._told.add(state)
        level = logging.DEBUG if known else logging.WARNING
        _log.log(level, "%s", state.message, extra=about(trouble="broker_away", state="begins"))

    def _back(self, state: LinkState, failed: int) -> None:
        now = self._connected_at = self._clock()
        if self._since is None:
            _log.log(logging.DEBUG if self._ever else logging.INFO, "%s", state.message)
        else:
            seconds, tries = now - self._since, f"{failed} failed attempt{'' if failed == 1 else 's'}"
            extra = about(
                trouble="broker_away", state="ends", attempt=failed or None, lasted_s=round(seconds)
            )
            level = logging.DEBUG if self._contested.attempts else logging.INFO
            words = f"{state.message.rstrip('.')} again, after {lasted(seconds)} and {tries}."
            _log.log(level, "%s", words, extra=extra)
        self._ever, self._since = True, None
        self._told.clear()
