"""`pinsmith pair` and `unpair`: makes hub and Bluetooth lock known to each other, with a person at the door.

Secrets are asked for without showing them, or read from standard input; they are never arguments.
"""

import argparse
from collections.abc import Mapping
from typing import Any

from gateway.cli.arguments import command, group, takes_device
from gateway.cli.context import Commands, Context
from gateway.cli.exits import Failure, UsageError
from gateway.cli.output import plain, show_json
from gateway.cli.slots import duration

_PATIENCE_S = 960.0
"""Longer than the daemon goes on trying."""
_ENDS = {"device.paired", "device.unpaired", "device.pairing_failed"}
_NUKI = {"security_pin": "security PIN of the lock"}
_YALE = {"key": "offline key of the lock (32 hexadecimal digits)"}
_TTLOCK = {
    "aes_key": "AES key of the lock",
    "admin_ps": "admin number of the lock (adminPs)",
    "unlock_key": "unlock key of the lock (unlockKey)",
}
_ADMIN_PASSCODE = {"admin_passcode": "administrator's code of the keypad"}
_TTLOCK_NUMBERS = ("lock_flag_pos", "uid", "group_id", "org_id")


def add(commands: Commands) -> None:
    """Add these commands."""
    families = group(commands, "pair", "pair with a Bluetooth lock: asks for what is needed, then guides")
    nuki = _family(families, "nuki", "pair with a Nuki; asks for its security PIN")
    _takes_address(nuki, "of the lock, where several are in pairing mode")
    nuki.add_argument(
        "--keep-keys", action="store_true", help="only take another security PIN; the lock stays paired"
    )
    yale = _family(families, "yale", "pair with a Yale or August lock; asks for its offline key")
    yale.add_argument(
        "--key-slot", required=True, metavar="N", help="number of that key in the lock; no secret"
    )
    ttlock = _family(families, "ttlock", "take over a TTLock: one that is new or reset, or by its keys")
    _takes_address(ttlock, "of the lock; needed with --keys")
    ttlock.add_argument(
        "--keys", action="store_true", help="ask for the keys of a lock in use, which keeps its codes"
    )
    ttlock.add_argument(
        "--admin-passcode",
        action="store_true",
        help="with --keys: also ask for the administrator's code of its keypad, which no guest may get",
    )
    for name in _TTLOCK_NUMBERS:
        ttlock.add_argument(
            f"--{name.replace('_', '-')}", metavar="N", help="a number that comes with the keys; no secret"
        )
    unpair = command(commands, "unpair", "forget the keys of a Bluetooth lock")
    unpair.set_defaults(do=_unpair)
    takes_device(unpair)
    unpair.add_argument("--yes", action="store_true", help="do not ask")


def _family(families: Commands, name: str, explained: str) -> argparse.ArgumentParser:
    parser = command(families, name, explained)
    parser.set_defaults(do=_pair, family=name)
    takes_device(parser)
    parser.add_argument(
        "--stdin",
        action="store_true",
        help="read what would be asked from standard input, one line for each question",
    )
    return parser


def _takes_address(parser: argparse.ArgumentParser, explained: str) -> None:
    parser.add_argument("--address", metavar="AA:BB:CC:DD:EE:FF", help=f"Bluetooth address {explained}")


def _pair(context: Context) -> None:
    args = context.args
    policy = context.settings.policies.get(args.device)
    if policy is None:
        raise UsageError(f"there is no lock {args.device} in the configuration: add [locks.{args.device}]")
    if policy.driver != args.family:
        raise UsageError(
            f'{args.device} has driver = "{policy.driver}", so it is not paired as {args.family}'
        )
    given = {"nuki": _of_nuki, "yale": _of_yale, "ttlock": _of_ttlock}[args.family](context)
    _follow(context, "devices/pair", given=given)
    if not args.json:
        context.terminal.say(f"paired; `pinsmith locks show {args.device}` tells what the hub finds on it")


def _of_nuki(context: Context) -> dict[str, str]:
    args = context.args
    given = _asked(context, _NUKI)
    if args.keep_keys:
        given["keep_keys"] = "yes"
    return given | _address(args)


def _of_yale(context: Context) -> dict[str, str]:
    return _asked(context, _YALE) | {"key_slot": context.args.key_slot}


def _of_ttlock(context: Context) -> dict[str, str]:
    args = context.args
    numbers = {name: getattr(args, name) for name in _TTLOCK_NUMBERS if getattr(args, name) is not None}
    if not args.keys:
        if numbers or args.admin_passcode:
            raise UsageError("this belongs to the keys of a lock in use: add --keys")
        return _address(args)
    if args.address is None:
        raise UsageError("--keys needs --address: the keys are those of one lock")
    questions = _TTLOCK | (_ADMIN_PASSCODE if args.admin_passcode else {})
    return _asked(context, questions) | numbers | _address(args)


def _asked(context: Context, questions: Mapping[str, str]) -> dict[str, str]:
    return {
        name: context.terminal.secret(what, from_stdin=context.args.stdin) for name, what in questions.items()
    }


def _address(args: argparse.Namespace) -> dict[str, str]:
    return {} if args.address is None else {"address": args.address}


def _unpair(context: Context) -> None:
    args = context.args
    if not args.yes:
        context.terminal.confirm(
            f"Forget the keys of {args.device}? PINs that are on it go on working, out of the hub's reach."
        )
    _follow(context, "devices/unpair")
    if not args.json:
        context.terminal.say(
            "the hub has no keys of this lock any more; delete the hub in the lock's app too"
        )


def _follow(context: Context, verb: str, **parameters: object) -> None:
    """Begin, and print what is told until it has ended. Raises Failure where it did not come about."""
    args = context.args
    # Listening begins before, so that nothing is told in between.
    with context.watch_daemon(context.settings, args.device, _PATIENCE_S) as events:
        begun = context.ask(verb, device_id=args.device, **parameters)
        attempt_id = (begun.get("action_attempt") or {}).get("action_attempt_id")
        for event in events:
            if event.get("action_attempt_id") == attempt_id and _has_ended(context, event):
                return
    raise Failure("the daemon has not said how it ended; `pinsmith events` may")


def _has_ended(context: Context, event: Mapping[str, Any]) -> bool:
    kind, message = event.get("event_type"), plain(event.get("message"))
    if kind == "device.pairing_failed":
        raise Failure(message)
    if context.args.json:
        show_json(context.terminal, dict(event))
    elif message:
        left = event.get("seconds_left")
        context.terminal.say(message if left is None else f"{message} ({duration(left)} left)")
    return kind in _ENDS
