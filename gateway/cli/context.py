"""What every command gets: what was typed, the configuration, the terminal and the way to the daemon."""

import argparse
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property, partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from gateway.cli.asking import Line, ask, line, pages, standing, watch
from gateway.cli.exits import Exit, Failure
from gateway.cli.nearby import why_not
from gateway.cli.output import show_json
from gateway.cli.terminal import Terminal
from gateway.cli.users import Closed, demand_open
from gateway.config import Settings, load
from gateway.config.credentials import OF_SERVICE

type Commands = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001 - has no public name
"""Where a group adds its commands."""
type Watch = Callable[[Settings, str, float], AbstractContextManager[Iterator[dict[str, Any]]]]
"""Listens to the events of a lock (settings, device id, seconds at most), from the moment it is entered."""
type Ask = Callable[[Settings, str, Mapping[str, Any]], dict[str, Any]]
"""Sends a command (verb, parameters) to the daemon and returns the `data` of the answer."""
type OpenLine = Callable[[Settings, str | None], AbstractContextManager[Line]]
"""Keeps a connection to the daemon open, and hears the events of a lock or of all (`+`)."""

PLACES = (Path("pinsmith.toml"), Path("/etc/pinsmith/config.toml"))
"""Where the configuration is looked for, after --config and PINSMITH_CONFIG."""


class NoConfiguration(Failure):
    """There is no configuration file in any of the usual places, or none that this user may read."""

    exit = Exit.CONFIGURATION


@dataclass(kw_only=True)
class Context:
    """One run of the command."""

    args: argparse.Namespace
    terminal: Terminal
    env: Mapping[str, str] = field(default_factory=lambda: os.environ)
    service_credentials: Path = OF_SERVICE
    ask_daemon: Ask = ask
    watch_daemon: Watch = watch
    open_line: OpenLine = line
    standing: Callable[[Settings], dict[str, Any]] = standing
    """Reads what the daemon keeps published about itself, by the name below `bridge/`."""
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    @cached_property
    def settings(self) -> Settings:
        """Read the configuration when it is first needed."""
        return load(self.config_file(), self.env, service=self.service_credentials)

    @property
    def zone(self) -> ZoneInfo:
        """Return the zone of local times."""
        return self.settings.gateway.time_zone

    def config_file(self) -> Path:
        """Return the configuration file to use."""
        given = self.args.config or self.env.get("PINSMITH_CONFIG")
        closed: Closed | None = None
        for place in [Path(given)] if given else PLACES:
            try:
                there = demand_open(place)
            except Closed as error:
                # As the folder that somebody stands in under `sudo -u`: the next place may be open.
                closed = error
                continue
            if given or (there and (place.is_absolute() or self._counts_here)):
                return place
        if closed is not None:
            raise NoConfiguration(str(closed))
        tried = ", ".join(map(str, PLACES))
        raise NoConfiguration(
            f"no configuration: looked for {tried}; `pinsmith init` writes one, --config names another file"
        )

    @cached_property
    def _counts_here(self) -> bool:
        """Say whether the file in the current folder counts; where not, that is told, once."""
        here = f"./{PLACES[0]}"
        why = why_not(PLACES[0])
        if why is not None:
            self.terminal.warn(
                f"pinsmith: {here} is passed over: {why}; --config {here} takes it all the same"
            )
        return why is None

    def ask(self, verb: str, **parameters: object) -> dict[str, Any]:
        """Send a command; parameters that are None are left out."""
        return self.ask_daemon(self.settings, verb, _given(parameters))

    def pages(self, verb: str, **parameters: object) -> Iterator[dict[str, Any]]:
        """Send a command that lists in pages, and yield the answers; otherwise as `ask`."""
        return pages(partial(self.ask_daemon, self.settings), verb, _given(parameters))

    def json(self, data: object) -> bool:
        """Print data where JSON was asked for; say whether it was."""
        if self.args.json:
            show_json(self.terminal, data)
        return bool(self.args.json)


def _given(parameters: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in parameters.items() if value is not None}
