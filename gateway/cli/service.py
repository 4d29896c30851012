"""`pinsmith run` and `pinsmith config check`."""

import resource
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from gateway.cli.arguments import command, group
from gateway.cli.context import Commands, Context
from gateway.cli.exits import Exit
from gateway.cli.output import show_json
from gateway.cli.users import demand_open, demand_owner
from gateway.config import ConfigError, Mistake, left_out, load
from gateway.domain.store import StorageFailed


def add(commands: Commands) -> None:
    """Add these commands."""
    command(commands, "run", "run the gateway in the foreground").set_defaults(do=_run)
    config = group(commands, "config", "check the configuration")
    command(config, "check", "name everything that is wrong in the configuration file").set_defaults(
        do=_check
    )


def _run(context: Context) -> None:
    _forbid_core_dumps()
    # Not as a command beside the service: it must have everything itself.
    settings = load(context.config_file(), context.env)
    demand_open(settings.gateway.data_directory)
    demand_owner(settings.gateway.data_directory, context.args.config, "run")
    # Drivers, storage and MQTT are loaded for this command only, the embedded broker only where it is wanted.
    if settings.mqtt.embedded_broker:
        from gateway.demo import run  # noqa: PLC0415 - see above
    else:
        from gateway.daemon import run  # noqa: PLC0415 - see above
    run(settings)


def _forbid_core_dumps() -> None:
    """Have a crash write no memory to a file: PINs and keys are in it. The unit of systemd asks for it too.

    0 stops only files (core(5)). 1 byte is too little for one, and the kernel then pipes none to a program.
    PR_SET_DUMPABLE would do as well, but takes /proc and debuggers from the daemon's own user.
    """
    # Where no dump was allowed at all, that stays.
    with suppress(ValueError):
        resource.setrlimit(resource.RLIMIT_CORE, (1, 1))


def _check(context: Context) -> Exit | None:
    file = context.config_file()
    try:
        settings = context.settings
        warnings = [*settings.unseen, *_look_for_left_out(context)]
    except ConfigError as error:
        if not context.args.json:
            raise
        show_json(context.terminal, {"mistakes": _as_json(error.mistakes), "warnings": []})
        return Exit.CONFIGURATION
    if not context.json({"mistakes": [], "warnings": _as_json(warnings)}):
        for one in warnings:
            context.terminal.warn(f"warning: {one}")
        locks = len(settings.policies)
        context.terminal.say(
            f"{file} is right: gateway {settings.gateway.id}, broker {settings.mqtt.url}, "
            f"{locks} lock{'' if locks == 1 else 's'}"
        )
    return None


def _look_for_left_out(context: Context) -> list[Mistake]:
    """Return a warning where the database cannot be read, as by a user other than the service's.

    Raises ConfigError where the file lacks locks that have codes.
    """
    from storage.data_dir import DATABASE  # noqa: PLC0415 - cryptography is slow to load
    from storage.keys import existing_key  # noqa: PLC0415 - same
    from storage.looking import look  # noqa: PLC0415 - same

    settings, folder = context.settings, context.settings.gateway.data_directory
    named = context.env.get("CREDENTIALS_DIRECTORY")
    try:
        (folder / DATABASE).stat()
        key = existing_key(folder, Path(named) if named else context.service_credentials)
        missing = look(folder, key, lambda tx: left_out(settings, tx, context.now()))
    except FileNotFoundError:
        return []
    except (OSError, StorageFailed) as error:
        why = error.strerror if isinstance(error, OSError) else error
        message = f"cannot be looked into for codes on locks that are missing here: {why}"
        return [Mistake(file=settings.file, key="gateway.data_directory", message=message)]
    if missing:
        raise ConfigError(missing)
    return []


def _as_json(mistakes: Iterable[Mistake]) -> list[dict[str, Any]]:
    return [
        {"file": str(one.file), "line": one.line, "key": one.key, "message": one.message} for one in mistakes
    ]
