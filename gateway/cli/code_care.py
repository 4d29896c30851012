"""More of `pinsmith codes`: what happened to a code, a way in when one does not work, and codes of others."""

import argparse
from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from gateway.cli.arguments import command, takes_device, takes_pin
from gateway.cli.context import Commands, Context
from gateway.cli.output import plain, show_fields
from gateway.cli.times import read_time, show_time

_ASKED = frozenset({"requested_mutations", "starts_at", "ends_at", "recurrence", "from", "to"})
"""What a command asked for: told in words."""
_QUIET = _ASKED | {"message", "revision", "slot", "description", "why", "reason"}
"""What the sentence says already."""
_MUTATIONS = {
    "updating_code": "another PIN",
    "updating_name": "another name",
    "updating_time_frame": "other times",
    "deleting": "its deletion",
}
_OPERATION = "internal.access_code."


def add(codes: Commands) -> None:
    """Add these commands to the group."""
    add_timeline(codes)

    pull = command(codes, "pull", "give out a backup code for a guest whose own code does not work")
    pull.set_defaults(do=_pull)
    _takes_code(pull)

    convert = command(codes, "convert", "take a code of somebody else on the lock into the gateway's hands")
    convert.set_defaults(do=_convert)
    _takes_code(convert)
    convert.add_argument("--name", help="what people call the code")
    takes_pin(convert, "its PIN, where the lock hides the digits")

    generate = command(codes, "generate", "propose a PIN that a lock would take; nothing is created")
    generate.set_defaults(do=_generate)
    takes_device(generate)
    generate.add_argument("--pin-length", type=int, metavar="N", help="how many digits")


def add_timeline(commands: Commands) -> None:
    """Add this command: to the group, and beside it for whoever is in a hurry."""
    timeline = command(commands, "timeline", "tell everything that happened to a code, in order")
    timeline.set_defaults(do=_timeline)
    _takes_code(timeline)
    timeline.add_argument("--since", metavar="TIME", help="from this time on")
    timeline.add_argument("--until", metavar="TIME", help="before this time")
    timeline.add_argument("--limit", type=int, metavar="N", help="the newest so many; 200 without it")


def _takes_code(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("code_id", metavar="ID", help="id of the access code")


def _timeline(context: Context) -> None:
    args = context.args
    answer = context.ask(
        "access_codes/get_timeline",
        access_code_id=args.code_id,
        after=args.since and read_time(args.since, context.zone),
        before=args.until and read_time(args.until, context.zone),
        limit=args.limit,
    )
    if context.json(answer):
        return
    for entry in answer.get("timeline_events", ()):
        when = show_time(entry.get("at"), context.zone)
        context.terminal.say(f"{when}  {_sentence(entry, context.zone)}")


def _sentence(entry: dict[str, Any], zone: ZoneInfo) -> str:
    """Say in one line what happened and who did it."""
    kind, actor = str(entry.get("kind", "")), str(entry.get("actor", ""))
    what = "radio" if kind.startswith(_OPERATION) else kind
    by = "" if actor == "hub" else f" [{actor}]"
    details = dict(entry.get("details") or {})
    changes = [
        f"{plain(change.get('property'))} {plain(change.get('from'))} to {plain(change.get('to'))}"
        for change in details.pop("changed_properties", ())
    ]
    shown = [
        f"{key}={plain(value)}"
        for key, value in details.items()
        if key not in _QUIET and value not in (None, False, [], {})
    ]
    more = ", ".join([*changes, *shown])
    said = ": ".join(filter(None, [str(entry.get("description", "")), _asked(details, zone)]))
    return plain(f"{what}{by}: {said}" + (f" ({more})" if more else ""))


def _asked(details: Mapping[str, Any], zone: ZoneInfo) -> str:
    """Say what a command asked for: when the code is to work, or what is to be different."""
    if "ends_at" in details:
        return _window(details, zone)
    asked = [str(one.get("mutation_code")) for one in details.get("requested_mutations", ())]
    words = ", ".join(_MUTATIONS.get(mutation, mutation) for mutation in asked)
    if "to" not in details:
        return words
    return f"{words}: {_window(details['to'], zone)}, before: {_window(details.get('from') or {}, zone)}"


def _window(dates: Mapping[str, Any], zone: ZoneInfo) -> str:
    starts_at, ends_at = (show_time(dates.get(name), zone) for name in ("starts_at", "ends_at"))
    begins = f"from {starts_at}" if starts_at else "at once"
    window = f"{begins} until {ends_at}" if ends_at else f"{begins}, without an end"
    it = dates.get("recurrence")
    return f"{window}, for {it['minutes']} min at each {it['cron']} ({it['time_zone']})" if it else window


def _pull(context: Context) -> None:
    answer = context.ask("access_codes/pull_backup_access_code", access_code_id=context.args.code_id)
    if context.json(answer):
        return
    backup = answer.get("backup_access_code") or {}
    zone = context.zone
    # The guest at the door needs it: that is what the command is for.
    show_fields(
        context.terminal,
        {
            "id": backup.get("access_code_id"),
            "lock": backup.get("device_id"),
            "PIN": backup.get("code"),
            "status": backup.get("status"),
            "until": show_time(backup.get("ends_at"), zone),
        },
    )


def _convert(context: Context) -> None:
    args = context.args
    typed = args.pin or args.pin_stdin
    pin = context.terminal.pin(from_stdin=args.pin_stdin, twice=True).reveal() if typed else None
    answer = context.ask(
        "access_codes/unmanaged/convert_to_managed", access_code_id=args.code_id, name=args.name, code=pin
    )
    code = answer.get("access_code") or {}
    if context.json(
        {key: code.get(key) for key in ("access_code_id", "device_id", "name", "slot", "status")}
    ):
        return
    context.terminal.say(f"{plain(code.get('name'))} in slot {plain(code.get('slot'))} is the gateway's now")


def _generate(context: Context) -> None:
    args = context.args
    answer = context.ask(
        "access_codes/generate_code", device_id=args.device, preferred_code_length=args.pin_length
    )
    if not context.json(answer):
        context.terminal.say(str((answer.get("generated_code") or {}).get("code", "")))
