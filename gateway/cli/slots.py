"""The map of a lock's slots, as a person at a terminal reads it."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import batched
from typing import Any

_SIGNS = {"managed": "#", "unmanaged": "o", "free": ".", "unread": "?"}
_KEEP_OUT = "-"
"""A free slot that the configuration keeps from the hub."""
_LEGEND = {
    "#": "a code of the gateway",
    "o": "somebody else's",
    ".": "free",
    _KEEP_OUT: "free, not for the gateway",
    "?": "not read yet",
}
_ROW = 20
_GROUP = 5


def map_lines(slots: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield the lines of the map, twenty slots in each, and what the signs in it mean.

    A lock that numbers its slots as it likes (Nuki) shows them all, but not at the place of their number.
    """
    signs = [_sign(slot) for slot in slots]
    names = [str(slot.get("slot")) for slot in slots]
    width = max((len(name) for name in names), default=0)
    for row, first in zip(batched(signs, _ROW), names[::_ROW], strict=False):
        groups = ("".join(group) for group in batched(row, _GROUP))
        yield f"{first:>{width}}  {' '.join(groups)}"
    if signs:
        yield "  ".join(f"{sign} {meaning}" for sign, meaning in _LEGEND.items() if sign in signs)
    astray = [
        name
        for name, sign, slot in zip(names, signs, slots, strict=True)
        if sign == _SIGNS["managed"] and not slot.get("is_usable")
    ]
    if astray:
        yield f"codes of the gateway in slots that are not for it: {', '.join(astray)}"


def _sign(slot: Mapping[str, Any]) -> str:
    sign = _SIGNS.get(str(slot.get("state")), "?")
    return _KEEP_OUT if sign == "." and not slot.get("is_usable") else sign


def inventory_line(device: Mapping[str, Any]) -> str | None:
    """Say how far the first reading of all slots has come; None when none is under way."""
    progress = device.get("inventory")
    if not progress:
        return None
    left = progress.get("seconds_left")
    more = "" if left is None else f", about {duration(left)} more"
    return f"reading its slots: {progress.get('slots_read')} of {progress.get('slots')}{more}"


def duration(seconds: float) -> str:
    """Return a span in the words of a person: the two largest units at most."""
    whole = max(int(seconds), 0)
    days, rest = divmod(whole, 86_400)
    hours, rest = divmod(rest, 3600)
    minutes, rest = divmod(rest, 60)
    if days:
        return f"{days} d {hours} h" if hours else f"{days} d"
    if hours:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{minutes} min" if minutes else f"{rest} s"
