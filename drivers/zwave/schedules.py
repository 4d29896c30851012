"""Writes, erases and reads the schedules of one slot by the Schedule Entry Lock Command Class (0x4E).

A slot has numbered schedules of each kind. The hub uses the first one by dates, or as many daily repeating
ones as there are windows, from the first on. Setting a schedule puts its kind in force for that slot, erasing
one does not (as zwave-js assumes; no command asks which kind is in force).
"""

import asyncio
from collections.abc import Collection, Mapping
from enum import StrEnum
from zoneinfo import ZoneInfo

from msgspec import Struct

from drivers.zwave.local_time import Entry, daily_of, schedule_of, window_of, year_day_of
from drivers.zwave.node import Node
from drivers.zwave.numbers import CommandClass
from drivers.zwave.radio import Radio, Supervised, TooLargeForNow, supervised
from gateway.domain.credential import Schedule
from gateway.domain.driver import NoAnswer, Refused
from gateway.domain.placement import Refusal

CLASS = CommandClass.SCHEDULE_ENTRY_LOCK


LAST_USER = 255
"""The command class names a user by one byte."""


class Room(Struct, frozen=True, kw_only=True):
    """How many schedules of each kind the lock keeps for every slot."""

    year_day: int
    daily: int


class Kind(StrEnum):
    """The kinds of schedules that the hub uses, as methods of zwave-js name them."""

    YEAR_DAY = "YearDay"
    DAILY = "DailyRepeating"


type Place = tuple[Kind, int]
"""One schedule of a slot: its kind and number, from 1."""


async def room_of(node: Node, radio: Radio) -> Room | None:
    """Return what the lock has room for; None where it keeps no dates.

    Uses the radio only where the interview left it open. Raises any DriverError.
    """
    if CLASS not in node.command_classes:
        return None
    year_day = await radio.remembered(node, CLASS, "numYearDaySlots")
    daily = await radio.remembered(node, CLASS, "numDailyRepeatingSlots")
    if year_day is None:
        answer = await radio.on_air(node, CLASS, "getNumSlots")
        if not isinstance(answer, dict):
            raise NoAnswer("the lock did not say how many schedules it keeps: interview it again")
        year_day, daily = answer.get("numYearDaySlots"), answer.get("numDailyRepeatingSlots")
    return Room(year_day=year_day, daily=daily or 0) if year_day else None


class SlotSchedules:
    """The schedules of the slots of one lock. Methods raise any DriverError."""

    def __init__(self, node: Node, radio: Radio, room: Room, zone: ZoneInfo, settle_s: float) -> None:
        """Speak to `node`, whose clock shows the local time of `zone`.

        `settle_s` seconds pass before an unconfirmed change is looked at.
        """
        self._node = node
        self._radio = radio
        self._room = room
        self._zone = zone
        self._settle_s = settle_s
        self.changed = False
        """Whether the lock took any change."""

    def entries(self, schedule: Schedule) -> dict[Place, Entry]:
        """Return what the lock would keep. Raises Refused where it cannot keep it."""
        if not schedule.weekly:
            return {(Kind.YEAR_DAY, 1): year_day_of(schedule, self._zone)}
        if schedule.starts_at is not None or schedule.ends_at is not None:
            raise Refused(Refusal.SCHEDULE, "the lock keeps either dates or weekdays for a code, not both")
        if len(schedule.weekly) > self._room.daily:
            raise Refused(Refusal.SCHEDULE, f"the lock keeps {self._room.daily} weekly windows for a code")
        return {(Kind.DAILY, n): daily_of(window) for n, window in enumerate(schedule.weekly, 1)}

    async def store(self, user: int, entries: Mapping[Place, Entry], held: Schedule | None) -> None:
        """Set these schedules, and only then erase what else there is.

        `held` is what is there as far as we know, `None` where we do not. One command each where the lock
        confirms, two where it has to be asked. Raises Refused where it did not keep one.
        """
        for place, entry in entries.items():
            await self._set(user, place, entry)
        for place in await self._others(user, held, entries.keys()):
            await self._erase(user, place)

    async def erase(self, user: int, held: Schedule | None) -> None:
        """Erase the schedules that a slot has; `held` as for `store`."""
        for place in await self._others(user, held, ()):
            await self._erase(user, place)

    async def read(self, user: int) -> Schedule | None:
        """Ask for the schedule of a slot: by dates if there is one, else by weekdays; None where neither is.

        Which of the two is in force where both are, the lock does not tell.
        """
        dates = await self._get(user, (Kind.YEAR_DAY, 1))
        daily = await self._daily(user, 1) if dates is None else {}
        try:
            if dates is not None:
                return schedule_of(dates, self._zone)
            windows = tuple(window_of(entry) for entry in daily.values())
        except (KeyError, TypeError, ValueError):
            raise NoAnswer("the lock answered with a schedule that makes no sense") from None
        return Schedule(weekly=windows) if windows else None

    async def _others(self, user: int, held: Schedule | None, keep: Collection[Place]) -> list[Place]:
        """Return what is to be erased, the last number first.

        So the first daily one goes last: as long as there are any, a look at the first shows it.
        """
        if held is not None:
            others = {place for place in self._places(held) if place not in keep}
        else:
            others = {(Kind.YEAR_DAY, n) for n in range(1, self._room.year_day + 1)} - set(keep)
            if (Kind.YEAR_DAY, 1) not in keep:  # else daily ones are not in force
                others |= (await self._daily(user, len(keep) + 1)).keys()
        return sorted(others, reverse=True)

    def _places(self, schedule: Schedule) -> list[Place]:
        if schedule.weekly:
            return [(Kind.DAILY, n) for n, _ in enumerate(schedule.weekly, 1)]
        return [] if schedule == Schedule() else [(Kind.YEAR_DAY, 1)]

    async def _daily(self, user: int, first: int) -> dict[Place, Entry]:
        """Ask for daily repeating schedules, up to the first that is not there."""
        found: dict[Place, Entry] = {}
        for number in range(first, self._room.daily + 1):
            entry = await self._get(user, (Kind.DAILY, number))
            if entry is None:
                break
            found[Kind.DAILY, number] = entry
        return found

    async def _set(self, user: int, place: Place, entry: Entry) -> None:
        status = await self._send(user, place, entry)
        if status in {Supervised.FAIL, Supervised.NO_SUPPORT}:
            raise Refused(Refusal.SCHEDULE, "the lock refused the schedule")
        if status != Supervised.SUCCESS:
            await asyncio.sleep(self._settle_s)
            if await self._get(user, place) != entry:
                raise Refused(Refusal.SCHEDULE, "the lock did not keep the schedule")
        self.changed = True

    async def _erase(self, user: int, place: Place) -> None:
        status = await self._send(user, place, None)
        if status != Supervised.SUCCESS:
            # A lock may also say no because there was nothing to erase.
            await asyncio.sleep(self._settle_s)
            if await self._get(user, place) is not None:
                raise NoAnswer("the lock did not erase the schedule")
        self.changed = True

    async def _send(self, user: int, place: Place, entry: Entry | None) -> int | None:
        """Send a schedule, or without one its removal; return what supervision said of it."""
        kind, number = place
        arguments = [{"userId": user, "slotId": number}] + ([] if entry is None else [entry])
        try:
            answer = await self._radio.on_air(self._node, CLASS, f"set{kind}Schedule", *arguments)
        except TooLargeForNow:
            # A short command synchronises the two; its answer is of no interest.
            await self._get(user, place)
            answer = await self._radio.on_air(self._node, CLASS, f"set{kind}Schedule", *arguments)
        return supervised(answer)

    async def _get(self, user: int, place: Place) -> Entry | None:
        """Ask for one schedule; None: the lock said that there is none.

        The library answers nothing both then and when no answer came in time. Its statistics tell the two
        apart: it counts the answers that it waited for in vain, of each node.
        """
        kind, number = place
        vain = await self._radio.unanswered(self._node)
        answer = await self._radio.on_air(
            self._node, CLASS, f"get{kind}Schedule", {"userId": user, "slotId": number}
        )
        if isinstance(answer, dict):
            # Zeros stand for nothing on some locks: there is no month 0, and no window without a day.
            return answer if answer.get("startMonth") or answer.get("weekdays") else None
        if await self._radio.unanswered(self._node) != vain:
            raise NoAnswer("the lock did not answer when asked for a schedule")
        return None
