"""Parts of command lines that several commands share."""

import argparse
import re
import sys
from pathlib import Path
from typing import NoReturn

from gateway.cli.context import Commands
from gateway.cli.exits import UsageError

_QUOTES_INPUT = re.compile(r"(ignored explicit argument|unrecognized arguments).*", re.DOTALL)


class Parser(argparse.ArgumentParser):
    """An argument parser that does not repeat what may be a PIN typed in the wrong place."""

    def error(self, message: str) -> NoReturn:
        """Explain and exit with code 2."""
        super().error(
            _QUOTES_INPUT.sub(
                "more was typed than this command takes. PINs are never typed as arguments, where other "
                "users could see them: --pin asks for one",
                message,
            )
        )


def demand_text(args: argparse.Namespace) -> None:
    """Raise UsageError where an argument is not text, such as a name in Latin-1 on a machine with UTF-8.

    The daemon could not read the command, and so would not answer. Files (as `Path`) may be called anything.
    """
    texts = {name: given for name, given in vars(args).items() if isinstance(given, str)}
    for name, text in texts.items():
        try:
            text.encode()
        except UnicodeEncodeError:
            encoding = sys.getfilesystemencoding()
            raise UsageError(
                f"{name.replace('_', ' ')}: what was typed is not text in {encoding}; set terminal or script "
                "to that encoding"
            ) from None


def everywhere(parser: argparse.ArgumentParser, *, default: object) -> None:
    """Add what every command takes; below the top, `default` must not undo what stands before the command."""
    parser.add_argument(
        "--config", type=Path, default=default, metavar="FILE", help="configuration file to use"
    )
    parser.add_argument(
        "--json",
        action="store_true",
        default=False if default is None else default,
        help="answer in JSON, for programs",
    )


def command(commands: Commands, name: str, explained: str) -> argparse.ArgumentParser:
    """Add one command; `explained` is its line in the list and its help."""
    parser = commands.add_parser(
        name, help=explained, description=explained[0].upper() + explained[1:] + ".", allow_abbrev=False
    )
    everywhere(parser, default=argparse.SUPPRESS)
    return parser


def group(commands: Commands, name: str, explained: str) -> Commands:
    """Add a group of commands, such as `codes`."""
    parser = commands.add_parser(name, help=explained, description=explained[0].upper() + explained[1:] + ".")
    return parser.add_subparsers(required=True, metavar="COMMAND", title="commands")


def takes_device(parser: argparse.ArgumentParser, *, optional: bool = False) -> None:
    """Let the command name a lock."""
    parser.add_argument(
        "device", metavar="LOCK", nargs="?" if optional else None, help="id of the lock, as in [locks.<id>]"
    )


def takes_pin(
    parser: argparse.ArgumentParser, explained: str, *, otherwise: str = "", required: bool = False
) -> None:
    """Let the command ask for a PIN or read one; `otherwise` says what happens without."""
    pin = parser.add_mutually_exclusive_group(required=required)
    pin.add_argument("--pin", action="store_true", help=f"ask for {explained}{otherwise}")
    pin.add_argument(
        "--pin-stdin", action="store_true", help=f"read {explained} from the first line of standard input"
    )


def takes_passphrase(parser: argparse.ArgumentParser) -> None:
    """Let the command read a passphrase from a file."""
    parser.add_argument(
        "--passphrase-file", type=Path, metavar="FILE", help="read the passphrase from a file and do not ask"
    )
