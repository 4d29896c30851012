"""`pinsmith watch`: the hub as it lives, on a terminal."""

import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Protocol

from gateway.cli.arguments import command
from gateway.cli.asking import pages
from gateway.cli.context import Commands, Context
from gateway.cli.exits import NoDaemon, UsageError
from gateway.cli.output import PIPE_WIDTH, without_pin
from gateway.cli.picture import Facts, picture

if TYPE_CHECKING:
    from rich.console import Console

_REFRESH_S = 5.0
"""Deadlines come nearer although nothing happens."""
_GATHER_S = 0.3
"""Events come in bunches: one picture for all of them."""
_AGAIN_S = 3.0
"""Pause before the next try when the daemon does not answer."""
_EVENTS = 50
_PAGE = 60
"""Lines of a picture that is printed once, besides those of the codes."""


class Daemon(Protocol):
    """What a picture needs of the line to the daemon."""

    def ask(self, verb: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Send one command and return the `data` of its answer."""
        ...


def add(commands: Commands) -> None:
    """Add this command."""
    watch = command(
        commands, "watch", "show locks, codes, what is being done, what comes next and what happens"
    )
    watch.set_defaults(do=_watch)
    watch.add_argument("--once", action="store_true", help="print one picture and end")


def gather(daemon: Daemon, gateway_id: str, events: Iterable[dict[str, Any]], names: dict[str, str]) -> Facts:
    """Ask for everything that is on the picture. `names` keeps what codes were called."""
    devices = daemon.ask("devices/list", {}).get("devices") or []
    codes = [
        without_pin(code)
        for page in pages(daemon.ask, "access_codes/list", {})
        for code in page.get("access_codes") or []
    ]
    names.update({str(code.get("access_code_id")): str(code["name"]) for code in codes if code.get("name")})
    plans = daemon.ask("plan/get", {}).get("plans") or []
    return Facts(
        gateway_id=gateway_id, devices=devices, codes=codes, plans=plans, events=list(events), names=names
    )


def _watch(context: Context) -> None:
    if context.args.once or context.args.json:
        _once(context)
    elif context.terminal.stdout.isatty():
        _live(context)
    else:
        raise UsageError("watch needs a terminal; --once prints one picture")


def _once(context: Context) -> None:
    with context.open_line(context.settings, None) as daemon:
        facts = gather(daemon, context.settings.gateway.id, _past(daemon), {})
    shown = {
        "devices": facts.devices,
        "access_codes": facts.codes,
        "plans": facts.plans,
        "events": facts.events,
    }
    if not context.json(shown):
        console = _console(context)
        console.print(picture(facts, context.now(), context.zone, len(facts.codes) * 2 + _PAGE))


def _live(context: Context) -> None:
    """Show what happens until interrupted; a daemon that is away is waited for."""
    from rich.live import Live  # noqa: PLC0415 - costs a fifth of a second on a small hub

    console = _console(context)
    names: dict[str, str] = {}
    with suppress(KeyboardInterrupt), Live(console=console, screen=True, auto_refresh=False) as live:

        def show(facts: Facts) -> None:
            live.update(picture(facts, context.now(), context.zone, console.height), refresh=True)

        while True:
            try:
                _follow(context, names, show)
            except NoDaemon as error:
                show(Facts(gateway_id=context.settings.gateway.id, absent=str(error)))
                time.sleep(_AGAIN_S)


def _follow(context: Context, names: dict[str, str], show: Callable[[Facts], None]) -> None:
    """Show a new picture whenever something happened, until the daemon goes away."""
    with context.open_line(context.settings, "+") as daemon:
        events = deque(_past(daemon), maxlen=_EVENTS)
        while True:
            show(gather(daemon, context.settings.gateway.id, events, names))
            for event in daemon.events(_REFRESH_S):
                events.append(event)
                events.extend(daemon.events(_GATHER_S))
                break


def _past(daemon: Daemon) -> list[dict[str, Any]]:
    return daemon.ask("events/list", {"limit": _EVENTS}).get("events") or []


def _console(context: Context) -> "Console":
    from rich.console import Console  # noqa: PLC0415 - see above

    out = context.terminal.stdout
    return Console(file=out, width=None if out.isatty() else PIPE_WIDTH, highlight=False)
