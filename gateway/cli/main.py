"""Where the `pinsmith` command starts."""

import argparse
import io
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from gateway.cli import backup, codes, diagnostics, doctor, hub, keypad, locks, pairing, service, watch
from gateway.cli.arguments import Parser, demand_text, everywhere
from gateway.cli.context import Context
from gateway.cli.exits import MEANINGS, Exit, Failure, RefusedByDaemon
from gateway.cli.init import command as init
from gateway.cli.output import show_json
from gateway.cli.terminal import Terminal
from gateway.cli.users import Closed
from gateway.config import ConfigError
from gateway.domain.driver import DriverError
from gateway.domain.errors import CommandError
from gateway.domain.store import StorageFailed

_INTERRUPTED = 130
"""What shells take for "ended by Ctrl-C"."""


class _Version(argparse.Action):
    """Prints the version; looked up only when asked for, because that takes a while."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object, **__: object) -> None:
        """Print and leave."""
        from importlib.metadata import version  # noqa: PLC0415 - see above

        print(f"pinsmith {version('pinsmith')}")
        parser.exit()


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of all commands; each sets `do` to the function that carries it out."""
    parser = Parser(
        prog="pinsmith",
        description="Keeps the PIN codes on door locks as they should be.",
        epilog="exit codes:\n" + "\n".join(f"  {code.value}  {text}" for code, text in MEANINGS.items()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version")
    everywhere(parser, default=None)
    commands = parser.add_subparsers(required=True, metavar="COMMAND", title="commands")
    for module in (service, init, codes, locks, pairing, hub, watch, doctor, keypad, backup, diagnostics):
        module.add(commands)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Carry out one command and return its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A name that the locale does not know must not cost the rest of the answer, such as a new PIN.
            stream.reconfigure(errors="backslashreplace")
    args = make_parser().parse_args(argv)
    return carry_out(Context(args=args, terminal=Terminal()))


def carry_out(context: Context) -> int:
    """Carry out the command that was parsed; every failure that is foreseen becomes a message and a code."""
    try:
        return _done(context)
    except ConfigError as error:
        return _misconfigured(context, error)
    except RefusedByDaemon as error:
        return _failed(context, error.exit, {"type": error.type, "message": str(error)})
    except Failure as error:
        return _failed(context, error.exit, {"type": "failed", "message": str(error)})
    except CommandError as error:
        return _failed(context, Exit.REFUSED, {"type": error.type, "message": error.message})
    except DriverError as error:
        return _failed(context, Exit.REFUSED, {"type": "device_refused", "message": str(error)})
    except StorageFailed as error:
        return _failed(context, Exit.FAILED, {"type": "storage_failed", "message": str(error)})
    except BrokenPipeError:
        # Whoever read the answer has gone; writing the rest at exit would print a traceback.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.FAILED
    except KeyboardInterrupt:
        return _INTERRUPTED


def _done(context: Context) -> Exit:
    do: Callable[[Context], Exit | None] = context.args.do
    demand_text(context.args)
    try:
        return do(context) or Exit.OK
    except PermissionError as error:
        if not isinstance(error.filename, str):
            raise
        raise Closed(Path(error.filename)) from None


def _misconfigured(context: Context, error: ConfigError) -> Exit:
    if context.args.json:
        return _failed(context, Exit.CONFIGURATION, {"type": "wrong_configuration", "message": str(error)})
    # Each line begins with the name of the file, where editors look for it.
    context.terminal.warn(str(error))
    return Exit.CONFIGURATION


def _failed(context: Context, code: Exit, error: Mapping[str, str]) -> Exit:
    if context.args.json:
        show_json(context.terminal, {"error": error})
    else:
        context.terminal.warn(f"pinsmith: {error['message']}")
    return code


if __name__ == "__main__":
    sys.exit(main())
