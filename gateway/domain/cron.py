"""The language of a recurrence: which days and times of day a cron expression names.

Of cron's dialects only what all programs read alike is taken: five fields of numbers, names, lists, ranges
and steps, besides `L` as the last day of a month and `MON#1` as its first Monday. Where both a day of the
month and a day of the week are given, either will do.
"""

import re
from collections.abc import Iterator
from datetime import date, timedelta
from typing import NamedTuple

from msgspec import Struct

from gateway.domain.errors import InvalidInput

HORIZON_DAYS = 45 * 366
"""No expression pauses longer and comes again: a fifth Monday in February may take 40 years."""


class Days(Struct, frozen=True):
    """The days that an expression names."""

    dates: frozenset[int]
    last_date: bool
    months: frozenset[int]
    weekdays: frozenset[tuple[int, int]]
    """Weekday (Sunday is 0) and which of its kind in the month (1 to 5)."""
    either: bool
    """A date or a weekday will do; otherwise it takes both, one of which is then any."""
    by_weekday: bool
    """Nothing but the weekday counts."""

    def holds(self, day: date) -> bool:
        """Say whether `day` is one of them."""
        if day.month not in self.months:
            return False
        by_date = day.day in self.dates or (self.last_date and (day + timedelta(days=1)).day == 1)
        by_weekday = (day.isoweekday() % 7, (day.day + 6) // 7) in self.weekdays
        return (by_date or by_weekday) if self.either else (by_date and by_weekday)

    def coming(self, ordinal: int) -> Iterator[int]:
        """Yield them from the day `ordinal` on, up to the horizon."""
        horizon = ordinal + HORIZON_DAYS
        while ordinal < horizon:
            day = date.fromordinal(ordinal)
            if self.holds(day):
                yield ordinal
            if day.month in self.months:
                ordinal += 1
            else:
                ordinal = (day.replace(day=1) + timedelta(days=31)).replace(day=1).toordinal()


class _Field(NamedTuple):
    """A field of a cron expression, in the dialect that all programs share."""

    name: str
    values: range
    names: tuple[str, ...] = ()
    special: str = ""
    """Pattern of what else a list may hold, with `{value}` for the pattern of one value."""

    def takes(self, text: str) -> bool:
        """Say whether `text` has one meaning only. Whether its numbers exist is left to croniter."""
        value = f"(?:{'|'.join(('[0-9]{1,2}', *self.names))})"
        item = f"(?:{value}(?:-{value}(?:/[0-9]{{1,2}})?)?{self.special.format(value=value)})"
        if re.fullmatch(rf"\*(?:/[0-9]{{1,2}})?|{item}(?:,{item})*", text) is None:
            return False
        return all(
            self._runs(self._number(first), self._number(last), step=bool(step))
            for first, last, step in re.findall(f"({value})-({value})(/?)", text)
        )

    def _number(self, value: str) -> int:
        return int(value) if value.isdigit() else self.names.index(value) + self.values.start

    def _runs(self, first: int, last: int, *, step: bool) -> bool:
        # croniter reads 5-5 as the whole field. SAT-MON is clear; 22-2 leaves open on whose night.
        whole = (last - first) % len(self.values) == 0
        return not whole and (first < last or (bool(self.names) and not step))


_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_WEEKDAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_FIELDS = (
    _Field("minute", range(60)),
    _Field("hour", range(24)),
    _Field("day of the month", range(1, 32), special="|L"),
    _Field("month", range(1, 13), _MONTHS),
    _Field("day of the week", range(7), _WEEKDAYS, "|{value}#[1-5]"),
)
_LONGEST_CRON = 250


def read(cron: str) -> tuple[Days, list[int]]:
    """Return the days and, in minutes from midnight, the times of day that `cron` names.

    Raises:
        InvalidInput: it has no meaning, or not one that all programs share.
    """
    # Costs a tenth of a second, which every start of the command would pay.
    from croniter import CroniterError, croniter  # noqa: PLC0415

    texts = cron.upper().split()
    if len(cron) > _LONGEST_CRON or not cron.isascii() or len(texts) != len(_FIELDS):
        raise bad("five fields are expected (minute hour day month weekday), such as 0 9 * * MON-FRI")
    for field, text in zip(_FIELDS, texts, strict=True):
        if not field.takes(text):
            raise bad(f"the {field.name} must look like *, */3, 5 or 1,4-9,12-30/5, ranges going upwards")
    _, _, date_text, month_text, weekday_text = texts
    either = "*" not in (date_text, weekday_text)
    if either and (date_text.startswith("*") or weekday_text.startswith("*") or "#" in weekday_text):
        raise bad("with a day of the month the day of the week can have no */ and no #, nor the other way")
    try:
        found, kinds = croniter.expand(" ".join(texts))
    except CroniterError:
        raise bad("a value does not exist, a step is 0, or MON#1 stands beside a plain weekday") from None
    minutes, hours, dates, months, weekdays = (
        field.values if values == ["*"] else values for field, values in zip(_FIELDS, found, strict=True)
    )
    days = Days(
        dates=frozenset(dates) - {"l"},
        last_date="l" in dates,
        months=frozenset(months),
        weekdays=frozenset((day, kind) for day in weekdays for kind in kinds.get(day, range(1, 6))),
        either=either,
        by_weekday=date_text == month_text == "*" and "#" not in weekday_text,
    )
    return days, sorted(hour * 60 + minute for hour in hours for minute in minutes)


def bad(why: str) -> InvalidInput:
    """Return the error of an expression that cannot be used."""
    return InvalidInput(f"cron: {why}", field="cron")
