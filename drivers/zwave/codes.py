"""Reads and writes codes by the User Code Command Class (0x63), with as few commands as the lock allows.

Not by the server's access-control commands: those keep the status that the server remembers (a code staged as
disabled would stay disabled), and they read the slot once more whenever supervision does not confirm.
"""

import asyncio

from msgspec import Struct

from drivers.zwave.alarms import CodeAdded, CodeDeleted, DuplicateRefused
from drivers.zwave.lock import ZwaveLock
from drivers.zwave.numbers import CommandClass
from drivers.zwave.radio import Radio, Supervised, TooLargeForNow, supervised
from drivers.zwave.readings import reading_of
from drivers.zwave.watch import ReadWatch, WriteWatch, shows
from gateway.domain.credential import Evidence, Known, Reading, SlotRef, Unreadable
from gateway.domain.driver import AuthorityDown, NoAnswer, Refused, SlotReported, Written
from gateway.domain.lock import Readback
from gateway.domain.placement import Refusal

TRIES = 3
"""So often a slot is asked for while others are being changed, as by somebody at the keypad or in an app."""
LINGER_S = 0.5
"""The report that answers a Get may be told a little after the answer itself."""


class Waits(Struct, frozen=True, kw_only=True):
    """Seconds to wait for what a lock tells about a write. Waiting costs no radio."""

    report_s: float = 8.0
    """For the report of an unsupervised write; Kwikset HC620 takes 3 s (keymaster#310)."""
    settle_s: float = 1.5
    """Before a written slot is read: earlier some locks still answer what was there (keymaster#799)."""
    duplicate_s: float = 10.0
    """From the write on, a duplicate told is that of the write (lock_code_manager#899)."""


class SlotCodes:
    """The codes in the slots of one lock. Methods raise any DriverError."""

    def __init__(self, lock: ZwaveLock, radio: Radio, waits: Waits) -> None:
        """Work on `lock`; the slots named must be its own."""
        self._lock = lock
        self._radio = radio
        self._waits = waits

    async def checksum(self) -> str:
        """Ask for the checksum over all slots, as four hexadecimal digits."""
        checksum = await self._command("getUserCodeChecksum")
        if not isinstance(checksum, int):
            raise NoAnswer("the lock did not answer with its checksum")
        return f"{checksum:04x}"

    async def change(self, slot: SlotRef, wanted: Reading, method: str, *arguments: object) -> Written:
        """Send a `set` or `clear` of a slot, and find out how well it is known to show `wanted` now."""
        try:
            return await self._send(slot, wanted, method, *arguments)
        except TooLargeForNow:
            # A short command synchronises the two; its answer is of no interest, and no sign of the write.
            with self._lock.watched_by(ReadWatch(slot), LINGER_S):
                await self._command("get", int(slot))
            return await self._send(slot, wanted, method, *arguments)

    async def _send(self, slot: SlotRef, wanted: Reading, method: str, *arguments: object) -> Written:
        self._lock.writes(slot)
        with self._lock.watched_by(WriteWatch(slot, wanted)) as watch:
            answer = await self._command(method, int(slot), *arguments)
            sent = asyncio.get_running_loop().time()
            match supervised(answer):
                case Supervised.SUCCESS:
                    written = await self._accepted(slot, watch)
                case Supervised.FAIL | Supervised.NO_SUPPORT:
                    written = await self._refused(slot, wanted, watch, sent)
                case _:
                    written = await self._unanswered(slot, wanted, watch, sent)
        if written.evidence < Evidence.READ_BACK:
            # A lock may confirm the frame and look into its slots afterwards: only our digits, seen there,
            # outweigh its refusal. One that is told later still is that of this write.
            if watch.refused:
                raise _duplicate()
            if isinstance(wanted, Known):
                self._lock.may_refuse(slot, sent + self._waits.duplicate_s)
        return written

    async def _accepted(self, slot: SlotRef, watch: WriteWatch) -> Written:
        """Take the lock's word; a report that came with it tells even more."""
        sign = await watch.sign(0)
        if isinstance(sign, SlotReported):
            return _written(slot, sign.reading, confirmed=True)
        return Written(slot=slot, evidence=Evidence.ACCEPTED)

    async def _refused(self, slot: SlotRef, wanted: Reading, watch: WriteWatch, sent: float) -> Written:
        """Find out why the lock said no; believe a look at the slot more than the answer."""
        if await watch.duplicate(self._waits.settle_s):
            raise _duplicate()
        if self._readable:
            reading = await self._look_after(slot)
            # Masked digits may be those of before.
            if reading == wanted:
                return _written(slot, reading, confirmed=True)
        if await watch.duplicate(self._left(sent)):
            raise _duplicate()
        raise Refused(Refusal.OTHER, "the lock refused and did not say why")

    async def _unanswered(self, slot: SlotRef, wanted: Reading, watch: WriteWatch, sent: float) -> Written:
        """Wait for the lock to tell; ask it once if it does not."""
        # Where a look cannot decide, what the lock tells is the only way to learn of a duplicate.
        expected = self._lock.tells_of_writes or not self._readable
        waiting = expected and not self._lock.able().supervised
        sign = await watch.sign(self._waits.report_s if waiting else self._waits.settle_s)
        if waiting or sign is not None:
            self._lock.tells_of_writes = sign is not None
        match sign:
            case DuplicateRefused():
                raise _duplicate()
            case SlotReported(reading=reading):
                return _written(slot, reading, confirmed=True)
            case CodeAdded(slot=str()) | CodeDeleted(slot=str()):
                return Written(slot=slot, evidence=Evidence.ACCEPTED)
        if not self._readable:
            return Written(slot=slot, evidence=Evidence.SENT)
        # A lock that told of some change without a slot may still need its time.
        if await watch.duplicate(self._waits.settle_s - _since(sent)):
            raise _duplicate()
        reading = await self._look_after(slot)
        # Hidden digits may be those of before, kept because ours were a duplicate.
        doubtful = isinstance(wanted, Known) and reading != wanted
        if doubtful and await watch.duplicate(self._left(sent)):
            raise _duplicate()
        return _written(slot, reading, confirmed=shows(reading, wanted))

    async def _look_after(self, slot: SlotRef) -> Reading:
        """Read a slot to which a command went out: that the look fails does not unsay the command."""
        try:
            return await self.read(slot)
        except (AuthorityDown, Refused) as failure:
            raise NoAnswer(f"the command went out, and the look at the slot failed: {failure}") from None

    async def read(self, slot: SlotRef) -> Reading:
        """Ask the lock for a slot.

        zwave-js takes any report for the answer, that of another slot too (UserCodeCCGet has no test). So an
        answer is believed only if no other slot was reported while it was awaited.
        """
        for _ in range(TRIES):
            before = self._reports_of_others(int(slot))
            reading = await self._read(slot)
            if self._reports_of_others(int(slot)) == before:
                return reading
            await asyncio.sleep(LINGER_S)  # the lock may still be sending what it was asked for
        raise NoAnswer("other slots were changed while one was asked for")

    def _reports_of_others(self, number: int) -> int:
        reports = self._lock.reports
        return reports.total() - reports[number]

    async def _read(self, slot: SlotRef) -> Reading:
        number = int(slot)
        with self._lock.watched_by(ReadWatch(slot), LINGER_S) as watch:
            answer = await self._command("get", number)
        if not isinstance(answer, dict):
            if watch.reading is None:
                raise NoAnswer("the lock did not answer when asked for a slot")
            return watch.reading
        reading = reading_of(answer.get("userIdStatus"), answer.get("userCode"))
        if reading is None:
            raise Refused(Refusal.OTHER, "the lock says that it has no such slot")
        return reading

    async def _command(self, method: str, *arguments: object) -> object:
        answer: object = await self._radio.on_air(
            self._lock.reached(), CommandClass.USER_CODE, method, *arguments
        )
        return answer

    @property
    def _readable(self) -> bool:
        return self._lock.able().readback is not Readback.NONE

    def _left(self, sent: float) -> float:
        return self._waits.duplicate_s - _since(sent)


def _since(moment: float) -> float:
    return asyncio.get_running_loop().time() - moment


def _duplicate() -> Refused:
    return Refused(Refusal.DUPLICATE, "the lock has this code already, in another slot or as its own")


def _written(slot: SlotRef, reading: Reading, *, confirmed: bool) -> Written:
    """Return what a look after the write says. Another content than ours leaves it at "sent"."""
    if not confirmed:
        evidence = Evidence.SENT
    elif isinstance(reading, Unreadable):
        evidence = Evidence.OCCUPIED
    else:
        evidence = Evidence.READ_BACK
    return Written(slot=slot, evidence=evidence, reading=reading)
