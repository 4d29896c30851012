"""`pinsmith events`, `plan` and `clock`: what happened, what will be done and what time it is."""

from collections.abc import Mapping
from typing import Any

from gateway.cli.arguments import command, takes_device
from gateway.cli.broker import connected
from gateway.cli.context import Commands, Context
from gateway.cli.exits import UsageError
from gateway.cli.output import plain, show_fields, show_json, show_table
from gateway.cli.times import read_time, show_time

_ENVELOPE = {
    "event_id",
    "seq",
    "event_type",
    "device_id",
    "access_code_id",
    "occurred_at",
    "created_at",
    "gateway_id",
}


def add(commands: Commands) -> None:
    """Add these commands."""
    events = command(commands, "events", "list what happened, or follow what happens")
    events.set_defaults(do=_events)
    events.add_argument("--since", metavar="TIME", help="from this time on")
    events.add_argument("--until", metavar="TIME", help="before this time")
    events.add_argument("--device", metavar="LOCK", help="only of this lock")
    events.add_argument("--code", metavar="ID", help="only of this access code")
    events.add_argument("--limit", type=int, metavar="N", help="at most so many")
    events.add_argument(
        "--follow", action="store_true", help="print events as they come, until interrupted with Ctrl-C"
    )
    plan = command(commands, "plan", "show what the daemon is going to do on the locks, and why")
    plan.set_defaults(do=_plan)
    takes_device(plan, optional=True)
    clock = command(commands, "clock", "show what the daemon thinks of its clock, or vouch for it")
    clock.set_defaults(do=_clock)
    clock.add_argument(
        "trust", nargs="?", choices=["trust"], help="say that the time is right, and let removals go on"
    )


def _events(context: Context) -> None:
    args = context.args
    if args.follow:
        if args.since or args.until or args.limit or args.code:
            raise UsageError("--follow takes only --device")
        _follow(context)
        return
    answer = context.ask(
        "events/list",
        since=args.since and read_time(args.since, context.zone),
        until=args.until and read_time(args.until, context.zone),
        device_id=args.device,
        access_code_id=args.code,
        limit=args.limit,
    )
    if context.json(answer):
        return
    show_table(
        context.terminal,
        ("time", "lock", "event", "access code", "details"),
        (_event_row(context, event) for event in answer.get("events", ())),
    )


def _follow(context: Context) -> None:
    settings, device = context.settings, context.args.device or "+"
    with connected(settings) as broker:
        broker.subscribe(f"{settings.topic_root}/event/{device}/+")
        context.terminal.warn("following events; Ctrl-C ends")
        try:
            for _, event in broker.messages(None):
                if context.args.json:
                    show_json(context.terminal, event)
                else:
                    context.terminal.say("  ".join(filter(None, map(plain, _event_row(context, event)))))
        except KeyboardInterrupt:
            return


def _event_row(context: Context, event: dict[str, Any]) -> tuple[object, ...]:
    details = {
        key: value for key, value in event.items() if key not in _ENVELOPE and value not in (None, {}, [])
    }
    return (
        show_time(event.get("occurred_at"), context.zone),
        event.get("device_id"),
        event.get("event_type"),
        event.get("access_code_id"),
        ", ".join(f"{key}={plain(value)}" for key, value in details.items()),
    )


def _plan(context: Context) -> None:
    answer = context.ask("plan/get", device_id=context.args.device)
    if not context.json(answer):
        show_plans(context, answer)


def show_plans(context: Context, answer: Mapping[str, Any]) -> None:
    """Print the answer to `plan/get` for people."""
    say = context.terminal.say
    for plan in answer.get("plans", ()):
        wake = show_time(plan.get("next_wake"), context.zone)
        gate = plan.get("gate")
        say(
            f"{plain(plan.get('device_id'))}: "
            + (f"{plain(gate).replace('_', ' ')}, " if gate not in {None, "open"} else "")
            + (f"next look {wake}" if wake else "nothing further is due")
        )
        if plan.get("steps"):
            show_table(
                context.terminal,
                ("action", "slot", "access code", "radio commands", "why"),
                (
                    tuple(
                        step.get(key) for key in ("action", "slot", "access_code_id", "radio_commands", "why")
                    )
                    for step in plan["steps"]
                ),
            )
        for step in plan.get("coming", ()):
            at, code_id = show_time(step.get("at"), context.zone), plain(step.get("access_code_id"))
            cost = f"radio commands: {plain(step.get('radio_commands'))}"
            say(f"  {at}: {plain(step.get('action'))} {code_id}, {plain(step.get('why'))} ({cost})")
        for issue in plan.get("issues", ()):
            of = f" ({plain(issue['access_code_id'])})" if issue.get("access_code_id") else ""
            code = issue.get("error_code") or issue.get("warning_code") or issue.get("code")
            say(f"  {plain(code)}{of}: {plain(issue.get('message'))}")


def _clock(context: Context) -> None:
    answer = context.ask("clock/trust" if context.args.trust else "clock/get")
    if context.json(answer):
        return
    clock = answer.get("clock") or {}
    show_fields(
        context.terminal,
        {
            name: show_time(value, context.zone) if name in {"now", "floor"} else value
            for name, value in clock.items()
        },
    )
    if context.args.trust and not clock:
        context.terminal.say("the time counts as right")
