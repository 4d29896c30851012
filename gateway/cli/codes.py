"""`pinsmith codes`: the access codes."""

import argparse
from collections.abc import Mapping
from typing import Any

from gateway.cli import code_care
from gateway.cli.arguments import command, group, takes_device, takes_pin
from gateway.cli.context import Commands, Context
from gateway.cli.exits import UsageError
from gateway.cli.output import explain_troubles, plain, show_fields, show_table, troubles, without_pin
from gateway.cli.times import read_time, show_time

_TIME = 'time, "2026-12-24 15:00" in the gateway\'s zone or ISO 8601 with offset'
_UNSET = "none"


def add(commands: Commands) -> None:
    """Add the commands of this group."""
    codes = group(commands, "codes", "create, look at, change and delete access codes")

    create = command(codes, "create", "create an access code on a lock")
    create.set_defaults(do=_create)
    takes_device(create)
    create.add_argument("--name", help="what people call the code")
    takes_pin(create, "the PIN", otherwise="; without one the daemon makes it up and it is shown once")
    create.add_argument(
        "--pin-length", type=int, metavar="N", help="length of the PIN that the daemon makes up"
    )
    create.add_argument("--starts-at", metavar="TIME", help=f"works from this {_TIME}")
    create.add_argument("--ends-at", metavar="TIME", help=f"works until this {_TIME}")
    create.add_argument(
        "--allow-external-modification",
        action="store_const",
        const=True,
        help="leave alone what others change at the lock",
    )
    create.add_argument(
        "--no-native-scheduling",
        action="store_const",
        const=False,
        help="do not give the lock the schedule, even if it could keep it",
    )
    create.add_argument(
        "--every",
        metavar="CRON",
        help='works again and again: when each window opens, such as "0 9 * * 2" for Tuesdays at nine',
    )
    create.add_argument("--minutes", type=int, metavar="N", help="how long each window of --every is open")
    create.add_argument("--once", action="store_const", const=True, help="goes after its first use")
    _takes_show_pins(create)

    listing = command(codes, "list", "list access codes")
    listing.set_defaults(do=_list)
    takes_device(listing, optional=True)
    listing.add_argument("--unmanaged", action="store_true", help="list codes that others put on the locks")
    listing.add_argument(
        "--search",
        metavar="TEXT",
        help="only those with this in name or id; a PIN is looked for by: codes get --device LOCK --pin",
    )
    _takes_show_pins(listing)

    get = command(codes, "get", "show one access code, by its id or by lock and PIN")
    get.set_defaults(do=_get)
    get.add_argument("code_id", metavar="ID", nargs="?", help="id of the access code")
    get.add_argument("--device", metavar="LOCK", help="lock on which to look for a PIN")
    takes_pin(get, "the PIN to look for on that lock")
    _takes_show_pins(get)

    update = command(codes, "update", "change an access code")
    update.set_defaults(do=_update)
    update.add_argument("code_id", metavar="ID", help="id of the access code")
    update.add_argument("--name", help="what people call the code")
    takes_pin(update, "the new PIN")
    update.add_argument("--starts-at", metavar="TIME", help=f"works from this {_TIME}; none: from now on")
    update.add_argument("--ends-at", metavar="TIME", help=f"works until this {_TIME}; none: without end")
    update.add_argument("--ongoing", action="store_true", help="drop both times")
    update.add_argument(
        "--allow-external-modification",
        action=argparse.BooleanOptionalAction,
        help="whether to leave alone what others change at the lock",
    )
    _takes_show_pins(update)

    delete = command(codes, "delete", "delete an access code, and take it off its lock")
    delete.set_defaults(do=_delete)
    delete.add_argument("code_id", metavar="ID", help="id of the access code")
    delete.add_argument(
        "--force",
        action="store_const",
        const=True,
        help="forget it without the lock, which may go on opening to it: for locks that never answer again",
    )
    code_care.add(codes)
    code_care.add_timeline(commands)


def _takes_show_pins(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--show-pins", action="store_true", help="show PINs")


def _create(context: Context) -> None:
    args = context.args
    pin = _pin(context)
    if pin is not None and args.pin_length is not None:
        raise UsageError("--pin-length is for a PIN that the daemon makes up")
    if (args.every is None) != (args.minutes is None):
        raise UsageError("--every and --minutes belong together")
    answer = context.ask(
        "access_codes/create",
        device_id=args.device,
        name=args.name,
        code=pin,
        preferred_code_length=args.pin_length,
        starts_at=_time(context, args.starts_at),
        ends_at=_time(context, args.ends_at),
        is_external_modification_allowed=args.allow_external_modification,
        prefer_native_scheduling=args.no_native_scheduling,
        recurrence=None if args.every is None else {"cron": args.every, "minutes": args.minutes},
        is_one_time_use=args.once,
    )
    # A PIN that was made up has to reach somebody; one that was typed is known already.
    _show_one(context, answer, show_pin=pin is None or args.show_pins)


def _list(context: Context) -> None:
    args = context.args
    verb, name = (
        ("access_codes/unmanaged/list", "unmanaged_access_codes")
        if args.unmanaged
        else ("access_codes/list", "access_codes")
    )
    pages = context.pages(verb, device_id=args.device)
    codes: list[dict[str, Any]] = [
        code for page in pages for code in page.get(name) or [] if _fits(args.search, code)
    ]
    if context.json({name: codes if args.show_pins else [without_pin(code) for code in codes]}):
        return
    zone = context.zone
    show_table(
        context.terminal,
        ("id", "lock", "slot", "name", "status", "from", "until", "PIN", "trouble"),
        (
            (
                code.get("access_code_id"),
                code.get("device_id"),
                code.get("slot"),
                code.get("name"),
                code.get("status"),
                show_time(code.get("starts_at"), zone),
                show_time(code.get("ends_at"), zone),
                code.get("code") if args.show_pins else None,
                troubles(code),
            )
            for code in codes
        ),
    )


def _fits(text: str | None, code: Mapping[str, Any]) -> bool:
    """Say whether name or id holds a text, capitals left aside.

    The daemon's own search looks into PINs too, and arguments are seen by every user of the machine.
    """
    sought = (text or "").casefold()
    return any(sought in (code.get(field) or "").casefold() for field in ("name", "access_code_id"))


def _get(context: Context) -> None:
    args = context.args
    by_pin = args.pin or args.pin_stdin
    if bool(args.code_id) == bool(args.device) or bool(args.device) != by_pin:
        raise UsageError(
            "give either the id of the code, or --device LOCK together with --pin or --pin-stdin"
        )
    answer = context.ask(
        "access_codes/get",
        access_code_id=args.code_id,
        device_id=args.device,
        code=_pin(context, twice=False),
    )
    _show_one(context, answer, show_pin=args.show_pins)


def _update(context: Context) -> None:
    args = context.args
    if args.ongoing and (args.starts_at or args.ends_at):
        raise UsageError("--ongoing drops both times, so none can be given")
    changes: dict[str, object] = {
        "name": args.name,
        "code": _pin(context),
        "is_external_modification_allowed": args.allow_external_modification,
        "type": "ongoing" if args.ongoing else None,
        "starts_at": _time(context, args.starts_at),
        "ends_at": _time(context, args.ends_at),
    }
    changes = {key: value for key, value in changes.items() if value is not None}
    # Null means "no longer", so it must get through where a missing value means "as before".
    changes |= {key: None for key, value in changes.items() if value == _UNSET and key.endswith("_at")}
    if not changes:
        raise UsageError("nothing to change was given")
    answer = context.ask_daemon(
        context.settings, "access_codes/update", {"access_code_id": args.code_id, **changes}
    )
    _show_one(context, answer, show_pin=args.show_pins)


def _delete(context: Context) -> None:
    answer = context.ask("access_codes/delete", access_code_id=context.args.code_id, force=context.args.force)
    if context.json(answer):
        return
    for left in answer.get("left_behind") or ():
        context.terminal.say(
            f"forgotten; slot {plain(left.get('slot')) or 'unknown'} may still open the door"
        )
        return
    removing = answer.get("status") == "removing"
    context.terminal.say("being taken off the lock; it may still open the door" if removing else "deleted")


def _pin(context: Context, *, twice: bool = True) -> str | None:
    args = context.args
    if not (args.pin or args.pin_stdin):
        return None
    return context.terminal.pin(from_stdin=args.pin_stdin, twice=twice).reveal()


def _time(context: Context, text: str | None) -> str | None:
    return text if text is None or text == _UNSET else read_time(text, context.zone)


def _windows(code: Mapping[str, Any]) -> str | None:
    it = code.get("recurrence")
    return f"{it['cron']} for {it['minutes']} min, {it['time_zone']}" if it else None


def _masked(answer: Mapping[str, Any]) -> dict[str, Any]:
    code = answer.get("access_code")
    return dict(answer) if code is None else {**answer, "access_code": without_pin(code)}


def _show_one(context: Context, answer: Mapping[str, Any], *, show_pin: bool) -> None:
    if context.json(answer if show_pin else _masked(answer)):
        return
    code = answer.get("access_code") or {}
    zone = context.zone
    show_fields(
        context.terminal,
        {
            "id": code.get("access_code_id"),
            "lock": code.get("device_id"),
            "slot": code.get("slot"),
            "name": code.get("name"),
            "PIN": code.get("code") if show_pin else None,
            "status": code.get("status"),
            "evidence": code.get("evidence"),
            "from": show_time(code.get("starts_at"), zone),
            "until": show_time(code.get("ends_at"), zone),
            "every": _windows(code),
            "once": code.get("is_one_time_use") or None,
            "scheduled on lock": code.get("is_scheduled_on_device") or None,
            "others may change it": code.get("is_external_modification_allowed") or None,
            "pending": [entry.get("mutation_code", "") for entry in code.get("pending_mutations", ())],
        },
    )
    explain_troubles(context.terminal, code)
