"""`pinsmith locks`: the locks, and what an operator can decide about them."""

from collections.abc import Mapping
from typing import Any

from gateway.cli.arguments import command, group, takes_device
from gateway.cli.context import Commands, Context
from gateway.cli.output import explain_troubles, plain, show_fields, show_table, troubles
from gateway.cli.slots import inventory_line, map_lines
from gateway.cli.times import show_time

_SIMPLE = {
    "resume": "go on with a lock that was paused",
    "sync": "read what is on a lock now",
    "refill": "write all codes again to a lock that was found wiped",
}
_FOR_GOOD = {
    "remove-guest-codes": (
        "delete now every code of a lock that ends, recurs or is for one use",
        "Delete all codes of guests on {lock} now?",
    ),
    "retire": (
        "take all codes of the gateway off a lock, because it will be given away",
        "Take every code that the gateway put on {lock} off it?",
    ),
    "forget": (
        "forget a lock and its codes without touching it",
        "Forget {lock} and its codes? PINs that are on it will go on working.",
    ),
    "replace": (
        "accept that another lock is in the place of the known one; a Bluetooth lock is paired before",
        "Is it right that {lock} is another lock now? All its codes will be written to the new one.",
    ),
}


def add(commands: Commands) -> None:
    """Add the commands of this group."""
    locks = group(commands, "locks", "look at locks, pause, retire and replace them")
    command(locks, "list", "list the locks").set_defaults(do=_list)
    show = command(locks, "show", "show one lock")
    show.set_defaults(do=_show)
    takes_device(show)
    pause = command(locks, "pause", "write nothing to a lock, and remove nothing, for a while")
    pause.set_defaults(do=_pause)
    takes_device(pause)
    pause.add_argument("--minutes", type=int, metavar="N", help="how long, 1 to 1440; an hour without it")
    backups = command(locks, "backups", "keep backup codes ready on a lock, or no longer")
    backups.set_defaults(do=_backups)
    takes_device(backups)
    backups.add_argument("wish", choices=["on", "off"], help="whether to keep them")
    for verb, explained in _SIMPLE.items():
        parser = command(locks, verb, explained)
        parser.set_defaults(do=_decide, verb=verb)
        takes_device(parser)
    for verb, (explained, _) in _FOR_GOOD.items():
        parser = command(locks, verb, explained)
        parser.set_defaults(do=_decide_for_good, verb=verb)
        takes_device(parser)
        parser.add_argument("--yes", action="store_true", help="do not ask")


def _list(context: Context) -> None:
    answer = context.ask("devices/list")
    if context.json(answer):
        return
    show_table(
        context.terminal,
        ("id", "name", "driver", "online", "battery", "codes", "on lock", "free slots", "trouble"),
        (
            (
                device.get("device_id"),
                device.get("name"),
                device.get("driver"),
                _properties(device).get("online"),
                _battery(device),
                _counts(device).get("access_codes"),
                _counts(device).get("on_lock"),
                _counts(device).get("slots_free"),
                troubles(device),
            )
            for device in answer.get("devices", ())
        ),
    )


def _show(context: Context) -> None:
    answer = context.ask("devices/get", device_id=context.args.device)
    if context.json(answer):
        return
    device = answer.get("device") or {}
    nested = {"properties", "counts", "errors", "warnings", "inventory"}
    fields = {name: value for name, value in device.items() if name not in nested}
    fields |= _properties(device) | {"battery": _battery(device)} | _radio(device)
    fields |= {f"{name} (number)": value for name, value in _counts(device).items()}
    for name in ("paused_until", "online_since"):
        fields[name] = show_time(fields.get(name), context.zone)
    fields["inventory"] = inventory_line(device)
    show_fields(context.terminal, fields)
    for line in map_lines(answer.get("slots") or ()):
        context.terminal.say(line)
    explain_troubles(context.terminal, device)


def _pause(context: Context) -> None:
    args = context.args
    _done(context, context.ask("devices/pause", device_id=args.device, minutes=args.minutes))


def _backups(context: Context) -> None:
    args = context.args
    _done(
        context,
        context.ask(
            "devices/update", device_id=args.device, backup_access_code_pool_enabled=args.wish == "on"
        ),
    )


def _decide(context: Context) -> None:
    verb = context.args.verb.replace("-", "_")
    _done(context, context.ask(f"devices/{verb}", device_id=context.args.device))


def _decide_for_good(context: Context) -> None:
    args = context.args
    if not args.yes:
        _, question = _FOR_GOOD[args.verb]
        context.terminal.confirm(question.format(lock=args.device))
    _decide(context)


def _done(context: Context, answer: Mapping[str, Any]) -> None:
    if context.json(answer):
        return
    left = answer.get("left_behind")
    if isinstance(left, list) and left:
        slots = ", ".join(plain(entry.get("slot")) or "unknown" for entry in left)
        context.terminal.say(f"PINs may still open the door; slots: {slots}")
    else:
        context.terminal.say("accepted; `pinsmith locks show` and `pinsmith plan` tell what follows")


def _properties(device: Mapping[str, Any]) -> dict[str, Any]:
    return device.get("properties") or {}


def _counts(device: Mapping[str, Any]) -> dict[str, Any]:
    return device.get("counts") or {}


def _radio(device: Mapping[str, Any]) -> dict[str, str | None]:
    """Return how well the lock is reached, in place of the figures."""
    radio = _properties(device).get("radio")
    if not radio:
        return {"radio": None}
    signal = "not heard yet" if radio.get("rssi") is None else f"{radio['rssi']} dBm"
    counted = f"{radio.get('connections_succeeded')} of {radio.get('connections_tried')}"
    return {"radio": f"{signal}; connections that came about: {counted}"}


def _battery(device: Mapping[str, Any]) -> str | None:
    level = (_properties(device).get("battery") or {}).get("level")
    return None if level is None else f"{level:.0%}"
