"""`pinsmith init`: the conversation as a whole."""

import os
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from gateway.cli.arguments import command
from gateway.cli.context import PLACES, Commands, Context
from gateway.cli.exits import Failure
from gateway.cli.output import show_json
from gateway.config import ConfigError, Settings, load
from gateway.config.errors import Unexpected
from gateway.config.settings import DATA_DIRECTORY
from gateway.config.values import time_zone

if TYPE_CHECKING:
    from gateway.cli.init.draft import Draft
    from gateway.cli.init.questions import Questions

_HERE, _SYSTEM = PLACES
_LOCALTIME = Path("/etc/localtime")


def add(commands: Commands) -> None:
    """Add this command."""
    parser = command(commands, "init", "write a first configuration by asking, and try what it is told")
    parser.set_defaults(do=_init)
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        help=f"file to write; else --config, or {_SYSTEM} as root and ./{_HERE} as anybody else",
    )
    parser.add_argument(
        "--replace", action="store_true", help="write a file that is there anew; the old one stays as .old"
    )
    parser.add_argument(
        "--stdin",
        action="store_true",
        help="read the answers from standard input, one line for each question; empty: the default",
    )


def _init(context: Context) -> None:
    # These load what looks at broker and radios.
    from gateway.cli.init.draft import text_of  # noqa: PLC0415 - see above
    from gateway.cli.init.questions import Questions  # noqa: PLC0415 - same
    from gateway.cli.init.writing import demand_room, write  # noqa: PLC0415 - same

    args = context.args
    file = _file(context)
    questions = Questions(context.terminal, from_stdin=args.stdin)
    demand_room(file, replace=args.replace)
    questions.say(
        f"This writes {file}. Enter takes what is in brackets; Ctrl-C ends it, and nothing is written."
    )
    try:
        draft, password = _interview(context, questions, file)
        content = text_of(draft)
        questions.heading(f"{file}, without its comments:")
        questions.list(line for line in content.splitlines() if line and not line.startswith("#"))
        wanted = questions.yes("Write it", default=True)
    except KeyboardInterrupt:
        context.terminal.warn("\nnothing was written")
        raise
    if not wanted:
        raise Failure("nothing was written")
    try:
        settings = write(file, content, password, lambda new: load(new, context.env), replace=args.replace)
    except ConfigError as error:
        wrong = "; ".join(f"{one.key}: {one.message}" for one in error.mistakes)
        raise Failure(
            f"these answers make no configuration that works ({wrong}); nothing was written"
        ) from None
    _tell(context, file, settings, draft)


def _file(context: Context) -> Path:
    given = context.args.out or context.args.config or context.env.get("PINSMITH_CONFIG")
    return Path(given) if given else (_SYSTEM if os.geteuid() == 0 else _HERE)


def _interview(context: Context, questions: "Questions", file: Path) -> "tuple[Draft, str | None]":
    """Ask everything; return the draft, and the password that is to be kept in a file beside it."""
    from gateway.cli.init.bluetooth import ask_heard, hear_locks  # noqa: PLC0415 - loads a radio library
    from gateway.cli.init.broker import ask_broker  # noqa: PLC0415 - same
    from gateway.cli.init.draft import Draft  # noqa: PLC0415 - same
    from gateway.cli.init.locks import read_id, slug  # noqa: PLC0415 - same
    from gateway.cli.init.zwave import ask_nodes, ask_server  # noqa: PLC0415 - same

    questions.heading("This hub")
    host = slug(socket.gethostname().partition(".")[0])
    gateway_id = questions.ask("Name of this hub in MQTT topics", host or "home", read_id)
    questions.say("Times that people type are local: with a wrong zone guests come in at wrong hours.")
    zone = questions.ask("Time zone", system_zone(context.env), lambda typed: time_zone(typed).key)
    data = questions.ask(
        "Folder for the database and its key",
        str(DATA_DIRECTORY) if file.absolute().parent == _SYSTEM.parent else "var",
        _folder,
    )
    broker = ask_broker(questions, gateway_id, file.absolute().parent, replace_files=context.args.replace)
    if broker.is_online:
        questions.say(
            f"A gateway called {gateway_id} is at this broker now. Two of one name throw each other out: "
            "unless it is this very hub, choose another name."
        )
        gateway_id = questions.ask("Name of this hub in MQTT topics", gateway_id, read_id)
    zwave = ask_server(questions)
    locks = list(ask_nodes(questions, zwave.nodes, ())) if zwave.nodes else []
    locks += ask_heard(questions, hear_locks(questions), [lock.id for lock in locks])
    gateway = {
        "id": gateway_id,
        "time_zone": zone,
        "data_directory": None if data == str(DATA_DIRECTORY) else data,
    }
    draft = Draft(gateway=gateway, mqtt=broker.table, zwave=zwave.table, locks=tuple(locks))
    return draft, broker.password


def _folder(typed: str) -> str:
    if not typed or "\0" in typed:
        raise Unexpected("expected a path; a relative one counts from the folder of the configuration")
    return str(Path(typed).expanduser())


def system_zone(env: Mapping[str, str], localtime: Path = _LOCALTIME) -> str:
    """Return the name of this machine's time zone; empty where it has none that people know by name."""
    linked = str(localtime.readlink()) if localtime.is_symlink() else ""
    for name in (env.get("TZ", "").removeprefix(":"), linked.partition("zoneinfo/")[2]):
        try:
            return time_zone(name).key
        except Unexpected:
            continue
    return ""


def _tell(context: Context, file: Path, settings: Settings, draft: "Draft") -> None:
    """Say what was written and what comes next."""
    from gateway.cli.init.writing import PASSWORD_FILE  # noqa: PLC0415 - see _init

    system = file.absolute() == _SYSTEM
    program = "pinsmith" if file.absolute() in {_SYSTEM, _HERE.absolute()} else f"pinsmith --config {file}"
    following = [
        f"{program} doctor",
        "systemctl enable --now pinsmith" if system else f"{program} run",
        *(f"{program} {lock.pair}" for lock in draft.locks if lock.pair is not None),
        f"{program} locks list",
    ]
    password = settings.mqtt.password_file is not None
    if context.args.json:
        show_json(
            context.terminal,
            {
                "file": str(file),
                "password_file": str(file.with_name(PASSWORD_FILE)) if password else None,
                "locks": [lock.id for lock in draft.locks],
                "next": following,
            },
        )
        return
    context.terminal.say(f"written: {file}" + (f" and, beside it, {PASSWORD_FILE}" if password else ""))
    context.terminal.say("next:")
    for line in following:
        context.terminal.say(f"  {line}")
