"""Reads the values that TOML has no type for. Each function raises `Unexpected` for what does not fit."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal, cast
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from gateway.config.errors import Unexpected
from gateway.config.settings import BrokerUrl
from gateway.domain.lock import LockPolicy

type Convert = Callable[[Any], object]
"""Turns a TOML value into a typed one, or raises `Unexpected`."""

_DURATION = re.compile(r"(\d{1,6})([smhd])")
_DURATION_FORM = 'expected a duration: a whole number with s, m, h or d, such as "30m"'
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_LONGEST = timedelta(days=3650)

_DEFAULT_PORTS = {"mqtt": 1883, "mqtts": 8883}
_ROOT = re.compile(r"(?!\$)[^+#/\s\x00-\x1f]+(/[^+#/\s\x00-\x1f]+)*")
_USERNAME = re.compile(r"[^+#/\s\x00-\x1f]+")
_SLOT = re.compile(r"[A-Za-z0-9_-]{1,32}")
_RANGE = re.compile(r"(\d{1,4})-(\d{1,4})")
_SLOTS = 'a list of slots, each once: numbers from 1, ranges such as "10-20", or names that the lock gives'

_CRON_FIELDS = 5
_CRON = re.compile(r"[0-9A-Za-z*,/ -]+")
_CRON_DRAWN = re.compile(r"\b[hr]\b", re.IGNORECASE)
_AUDIT = 'five cron fields (minute hour day month weekday) that name a time which comes, such as "17 3 * * *"'

_PIN_LENGTHS = range(4, 11)
_BACKUPS = range(21)


def duration(value: object) -> timedelta:
    """Read a duration such as "10s", "30m", "72h" or "7d": at least one second, at most ten years."""
    found = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise Unexpected(_DURATION_FORM)
    length = timedelta(**{_UNITS[found[2]]: int(found[1])})
    if not timedelta(seconds=1) <= length <= _LONGEST:
        raise Unexpected("expected a duration from 1s to 3650d")
    return length


def time_zone(value: object) -> ZoneInfo:
    """Read the name of a time zone of the IANA database."""
    try:
        return ZoneInfo(cast("str", value))
    except (KeyError, ValueError, TypeError, OSError, AttributeError):
        raise Unexpected('expected the name of a time zone, such as "Europe/Berlin" or "UTC"') from None


def broker_url(value: object) -> BrokerUrl:
    """Read `mqtt://host[:port]` or `mqtts://host[:port]`; user names and passwords do not belong there."""
    try:
        parts = urlsplit(cast("str", value))
        host, port = parts.hostname, parts.port
    except (ValueError, TypeError, AttributeError):
        host, port, parts = None, None, urlsplit("")
    if (
        parts.scheme not in _DEFAULT_PORTS
        or not host
        or port == 0
        or parts.path.strip("/")
        or parts.query
        or parts.fragment
    ):
        raise Unexpected("expected mqtt://host:port or mqtts://host:port")
    if parts.username is not None:
        raise Unexpected(
            "expected mqtt(s)://host:port without user and password: use username and password_file"
        )
    scheme = cast('Literal["mqtt", "mqtts"]', parts.scheme)
    return BrokerUrl(scheme=scheme, host=host, port=_DEFAULT_PORTS[scheme] if port is None else port)


def topic_root(value: object) -> str:
    """Read the first levels of every topic."""
    if isinstance(value, str) and _ROOT.fullmatch(value):
        return value
    raise Unexpected(
        "expected levels of a topic such as pinsmith/home: no blanks, + or #, no $ or / at the ends"
    )


def username(value: object) -> str:
    """Read the user name at the broker; an access list may make it a level of topics."""
    if isinstance(value, str) and _USERNAME.fullmatch(value):
        return value
    raise Unexpected("expected a text without blanks, /, + and #, because it is also a level of topics")


def path_below(folder: Path) -> Convert:
    """Return how to read a path: relative ones count from `folder`."""

    def path(value: object) -> Path:
        if isinstance(value, str) and value and "\0" not in value:
            return folder / value
        raise Unexpected("expected a path; a relative one counts from the folder of this file")

    return path


def slots(value: object) -> tuple[str, ...]:
    """Read the slots that the hub may use, in the order given."""
    if not isinstance(value, list) or not value:
        raise Unexpected(f"expected {_SLOTS}")
    found = [slot for entry in value for slot in _expand(entry)]
    if len(set(found)) != len(found):
        raise Unexpected(f"expected {_SLOTS}")
    return tuple(found)


def _expand(entry: object) -> list[str]:
    if isinstance(entry, int) and not isinstance(entry, bool) and entry > 0:
        return [str(entry)]
    if isinstance(entry, str) and (ends := _RANGE.fullmatch(entry)):
        first, last = int(ends[1]), int(ends[2])
        # User Code CC uses slot 0 for "all slots" (zwave.md), so a range must not reach it.
        if 0 < first <= last:
            return [str(slot) for slot in range(first, last + 1)]
    elif isinstance(entry, str) and _SLOT.fullmatch(entry) and entry.strip("0"):
        return [entry]
    raise Unexpected(f"expected {_SLOTS}")


def audit(value: object) -> str:
    """Read when to audit a lock: a cron expression of five fields, in the gateway's time zone.

    Six fields (seconds) and drawn times are refused: the first would empty batteries, the second would move
    with every start.
    """
    default = LockPolicy(name="", driver="").audit
    if value == default:
        return default
    if (
        isinstance(value, str)
        and _CRON.fullmatch(value)
        and len(value.split()) == _CRON_FIELDS
        and not _CRON_DRAWN.search(value)
        and _comes(value)
    ):
        return " ".join(value.split())
    raise Unexpected(f"expected {_AUDIT}")


def _comes(expression: str) -> bool:
    # Costs a tenth of a second, which every start of the command would pay.
    from croniter import CroniterError, croniter  # noqa: PLC0415

    try:
        croniter(expression, datetime(2024, 1, 1, tzinfo=UTC)).get_next(datetime)
    except (CroniterError, ValueError):
        return False
    return True


def pin_length(value: object) -> int:
    """Read the length of the PINs that the hub makes up."""
    if isinstance(value, int) and not isinstance(value, bool) and value in _PIN_LENGTHS:
        return value
    raise Unexpected(f"expected a whole number from {_PIN_LENGTHS[0]} to {_PIN_LENGTHS[-1]}")


def backup_pool(value: object) -> int:
    """Read how many backup codes are kept ready on a lock."""
    if isinstance(value, int) and not isinstance(value, bool) and value in _BACKUPS:
        return value
    raise Unexpected(f"expected a whole number from {_BACKUPS[0]} to {_BACKUPS[-1]}")
