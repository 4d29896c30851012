"""One picture of the hub: its locks, its codes, what comes next and what happened. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from gateway.cli.output import plain, troubles
from gateway.cli.slots import duration, inventory_line

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table
    from rich.text import Text

_MOST_COMING = 6
_HEADINGS = 4
_STYLES = {
    "set": "green",
    "setting": "yellow",
    "removing": "yellow",
    "unknown": "red",
    "unset": "dim",
}


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What the daemon answered, newest event last. `absent`: why it does not answer."""

    gateway_id: str
    devices: Sequence[Mapping[str, Any]] = ()
    codes: Sequence[Mapping[str, Any]] = ()
    plans: Sequence[Mapping[str, Any]] = ()
    events: Sequence[Mapping[str, Any]] = ()
    absent: str | None = None
    names: Mapping[str, str] = field(default_factory=dict)
    """Names of codes that are gone by now, for the events that tell of them."""


def picture(facts: Facts, now: datetime, zone: ZoneInfo, height: int) -> "RenderableType":
    """Return the picture for a terminal of `height` lines; what does not fit is counted."""
    from rich.console import Group  # noqa: PLC0415 - costs a fifth of a second on a small hub

    head = _line(f"Pinsmith {facts.gateway_id}   {now.astimezone(zone):%Y-%m-%d %H:%M:%S %Z}", "bold")
    if facts.absent is not None:
        return Group(head, _line(facts.absent, "red"))
    room = max(height - len(facts.devices) - _HEADINGS - 3, 9)
    coming = _coming(facts, now, zone)
    happened = max((room - len(coming)) // 2, 3)
    codes = max(room - len(coming) - happened, 3)
    return Group(
        head,
        _locks(facts, now),
        _codes(facts, zone, codes),
        *([_line("next", "bold"), *coming] if coming else []),
        _line("happened", "bold"),
        *(_line(_sentence(event, facts, zone)) for event in facts.events[-happened:]),
    )


def _line(text: str, style: str = "") -> "Text":
    from rich.text import Text  # noqa: PLC0415 - see above

    # As Text, because a name may look like rich's markup.
    return Text(plain(text), style=style, no_wrap=True, overflow="ellipsis")


def _table(*columns: str) -> "Table":
    from rich import box  # noqa: PLC0415 - see above
    from rich.table import Table  # noqa: PLC0415

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, expand=True)
    for column in columns:
        table.add_column(column, no_wrap=True, overflow="ellipsis")
    return table


def _locks(facts: Facts, now: datetime) -> "Table":
    table = _table("lock", "battery", "codes", "free", "now")
    pairing = _pairing(facts, now)
    plans = {str(plan.get("device_id")): plan for plan in facts.plans}
    for device in facts.devices:
        counts = device.get("counts") or {}
        battery = ((device.get("properties") or {}).get("battery") or {}).get("level")
        device_id = str(device.get("device_id"))
        if device_id in pairing:
            doing, style = pairing[device_id], "yellow"
        else:
            doing, style = _doing(device, plans.get(device_id) or {})
        table.add_row(
            _line(str(device.get("name"))),
            _line("" if battery is None else f"{battery:.0%}"),
            _line(f"{counts.get('on_lock')} of {counts.get('access_codes')} on it"),
            _line(plain(counts.get("slots_free"))),
            _line(doing, style),
        )
    return table


def _pairing(facts: Facts, now: datetime) -> dict[str, str]:
    """Return, by device id, what there is to do at doors whose locks are being paired."""
    last = {str(event.get("device_id")): event for event in facts.events if _about_pairing(event)}
    found = {}
    for device_id, event in last.items():
        if event.get("event_type") == "device.pairing_progress":
            at, left = _time(event.get("occurred_at")), event.get("seconds_left")
            seconds = None if at is None or left is None else left - (now - at).total_seconds()
            ends = "" if seconds is None else f" ({duration(seconds)} left)"
            found[device_id] = f"pairing: {plain(event.get('message'))}{ends}"
    return found


def _about_pairing(event: Mapping[str, Any]) -> bool:
    return str(event.get("event_type")).startswith(("device.pair", "device.unpair"))


def _doing(device: Mapping[str, Any], plan: Mapping[str, Any]) -> tuple[str, str]:
    """Say what goes on with a lock, worst first."""
    if not (device.get("properties") or {}).get("online"):
        return _with_troubles("does not answer", device), "red"
    if device.get("is_paused"):
        return "paused", "yellow"
    reading = inventory_line(device)
    if reading is not None:
        return reading, "yellow"
    if device.get("is_waiting_for_touch"):
        return "waits for a touch at the door", "yellow"
    if plan.get("gate") not in {None, "open"}:
        return _with_troubles(str(plan["gate"]).replace("_", " "), device), "yellow"
    for step in plan.get("steps") or ():
        return f"{plain(step.get('action'))}: {plain(step.get('why'))}", "yellow"
    found = troubles(device)
    return (", ".join(found), "red") if found else ("as it should be", "green")


def _with_troubles(words: str, device: Mapping[str, Any]) -> str:
    found = troubles(device)
    return f"{words} ({', '.join(found)})" if found else words


def _codes(facts: Facts, zone: ZoneInfo, most: int) -> "Table":
    table = _table("code", "lock", "status", "from", "until", "trouble")
    names = {str(device.get("device_id")): plain(device.get("name")) for device in facts.devices}
    ordered = sorted(facts.codes, key=_urgency)
    for code in ordered[:most]:
        status = str(code.get("status"))
        found = ", ".join(troubles(code))
        table.add_row(
            _line(plain(code.get("name") or code.get("access_code_id"))),
            _line(names.get(str(code.get("device_id")), plain(code.get("device_id")))),
            _line(status, _STYLES.get(status, "")),
            _line(_short(code.get("starts_at"), zone)),
            _line(_short(code.get("ends_at"), zone)),
            _line(found, "red" if code.get("errors") else "yellow"),
        )
    if len(ordered) > most:
        table.add_row(_line(f"and {len(ordered) - most} more", "dim"))
    return table


def _urgency(code: Mapping[str, Any]) -> tuple[bool, bool, str, str]:
    """Put trouble first, then what is being done, then what ends soonest."""
    busy = code.get("status") in {"setting", "removing", "unknown"}
    ends = str(code.get("starts_at") if code.get("status") == "unset" else code.get("ends_at") or "~")
    return not code.get("errors"), not busy, ends, str(code.get("access_code_id"))


def _coming(facts: Facts, now: datetime, zone: ZoneInfo) -> list["Text"]:
    """Return the next deadlines of all locks."""
    steps = [(step, plan) for plan in facts.plans for step in plan.get("coming") or ()]
    steps.sort(key=lambda found: str(found[0].get("at")))
    return [
        _line(
            f"  {_short(step.get('at'), zone)}  {_in(step.get('at'), now)}  "
            f"{plain(step.get('action'))} {_named(step.get('access_code_id'), facts)} "
            f"on {plain(plan.get('device_id'))}"
        )
        for step, plan in steps[:_MOST_COMING]
    ]


def _in(text: object, now: datetime) -> str:
    at = _time(text)
    return "" if at is None else f"in {duration((at - now).total_seconds()):<10}"


def _short(text: object, zone: ZoneInfo) -> str:
    at = _time(text)
    return "" if at is None else f"{at.astimezone(zone):%a %d %b %H:%M}"


def _time(text: object) -> datetime | None:
    try:
        return datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None


def _named(code_id: object, facts: Facts) -> str:
    """Return what people call a code."""
    return facts.names.get(str(code_id)) or plain(code_id)


def _sentence(event: Mapping[str, Any], facts: Facts, zone: ZoneInfo) -> str:
    at = _time(event.get("occurred_at"))
    when = "" if at is None else f"{at.astimezone(zone):%H:%M:%S}"
    about = [_named(event["access_code_id"], facts)] if event.get("access_code_id") else []
    changes: Iterable[Mapping[str, Any]] = event.get("changed_properties") or ()
    said = [f"{plain(one.get('from'))} to {plain(one.get('to'))}" for one in changes]
    said += [plain(event["message"])] if event.get("message") else []
    words = " ".join([plain(event.get("event_type")), *about])
    return f"  {when}  {plain(event.get('device_id'))}: {words}" + (f" ({', '.join(said)})" if said else "")
