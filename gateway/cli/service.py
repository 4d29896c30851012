"""`pinsmith run` and `pinsmith config check`."""

from collections.abc import Iterable
from typing import Any

from gateway.cli.arguments import command, group
from gateway.cli.context import Commands, Context
from gateway.cli.exits import Exit
from gateway.cli.output import show_json
from gateway.config import ConfigError, Mistake, load


def add(commands: Commands) -> None:
    """Add these commands."""
    command(commands, "run", "run the gateway in the foreground").set_defaults(do=_run)
    config = group(commands, "config", "check the configuration")
    command(config, "check", "name everything that is wrong in the configuration file").set_defaults(
        do=_check
    )


def _run(context: Context) -> None:
    # Not as a command beside the service: it must have everything itself.
    settings = load(context.config_file(), context.env)
    # Drivers, storage and MQTT are loaded for this command only, the embedded broker only where it is wanted.
    if settings.mqtt.embedded_broker:
        from gateway.demo import run  # noqa: PLC0415 - see above
    else:
        from gateway.daemon import run  # noqa: PLC0415 - see above
    run(settings)


def _check(context: Context) -> Exit | None:
    file = context.config_file()
    try:
        settings = context.settings
    except ConfigError as error:
        if not context.args.json:
            raise
        show_json(context.terminal, {"mistakes": _as_json(error.mistakes), "warnings": []})
        return Exit.CONFIGURATION
    if not context.json({"mistakes": [], "warnings": _as_json(settings.unseen)}):
        for one in settings.unseen:
            context.terminal.warn(f"warning: {one}")
        locks = len(settings.policies)
        context.terminal.say(
            f"{file} is right: gateway {settings.gateway.id}, broker {settings.mqtt.url}, "
            f"{locks} lock{'' if locks == 1 else 's'}"
        )
    return None


def _as_json(mistakes: Iterable[Mistake]) -> list[dict[str, Any]]:
    return [
        {"file": str(one.file), "line": one.line, "key": one.key, "message": one.message} for one in mistakes
    ]
