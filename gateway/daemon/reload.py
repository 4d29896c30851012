"""Reads the configuration again while everything runs."""

import asyncio
import logging
import os
from typing import NoReturn

from gateway import logs
from gateway.config import ConfigError, LogSettings, Settings, load
from gateway.daemon.attendant import Attendant
from gateway.daemon.notify import Notifier
from gateway.daemon.wiring import Gateway
from gateway.domain.pulse import Beat
from gateway.mqtt.health import ConfigurationState

_log = logging.getLogger(__name__)


class Reloader:
    """Takes over what the file of the configuration says by now; one with mistakes changes nothing."""

    def __init__(
        self, gateway: Gateway, attendant: Attendant, notifier: Notifier, settings: Settings, beat: Beat
    ) -> None:
        """Have `gateway`, which began with `settings`, take it over, and tell the others of it.

        `beat` takes the signs of life.
        """
        self._beat = beat
        self._gateway = gateway
        self._attendant = attendant
        self._notifier = notifier
        self._file = settings.file
        self._logs = settings.logs

    async def run(self, asked: asyncio.Event) -> NoReturn:
        """Reload whenever `asked` is set, until cancelled."""
        while True:
            self._beat.idle()
            await asked.wait()
            asked.clear()
            # Locks whose driver is made anew end the operation in hand before.
            self._beat.on_radio()
            self._notifier.reloading()
            state = await self._reload()
            self._attendant.note = _note(state)
            self._attendant.show()
            self._notifier.ready()

    async def _reload(self) -> ConfigurationState:
        try:
            read = load(self._file, os.environ)
        except ConfigError as error:
            state = self._gateway.refuse(map(str, error.mistakes))
        else:
            state = await self._gateway.take_over(read, self._beat)
            if not state.mistakes:
                self._log_as(read.logs)
        for mistake in state.mistakes:
            _log.error("The configuration was not taken over: %s", mistake)
        if not state.mistakes:
            _log.info("The configuration was read again: %s", self._file)
        if state.restart_needed:
            _log.warning("These settings count only after a restart: %s", ", ".join(state.restart_needed))
        return state

    def _log_as(self, wanted: LogSettings) -> None:
        if wanted != self._logs:
            logs.set_up(os.environ, wanted)
            self._logs = wanted


def _note(state: ConfigurationState) -> str:
    if state.mistakes:
        more = f" (and {len(state.mistakes) - 1} more)" if len(state.mistakes) > 1 else ""
        return f"configuration refused: {state.mistakes[0]}{more}"
    return f"restart needed for {', '.join(state.restart_needed)}" if state.restart_needed else ""
