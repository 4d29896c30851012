"""What a lock answers to a frame: bytes in, bytes out, with faults."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum

from tests.ble_bed.yale import frames
from tests.ble_bed.yale.memory import Held, Memory, Result


class Opcode(IntEnum):
    """Commands."""

    STATUS = 0x02
    SET = 0x27
    CLEAR = 0x28
    CLEAR_ALL = 0x29
    ACCESS = 0x2B
    COMMIT = 0x2C
    ACTIVITY = 0x2D
    GET = 0x39


ACKNOWLEDGED, DONE = 0xAA, 0xBB
LOCK_STATUS, BATTERY = 0x02, 0x0F
NO_RECORD = 0x80
_RESULT = 15


class HangUp(Exception):
    """The lock breaks the connection instead of answering."""


@dataclass(kw_only=True)
class Faults:
    """What goes wrong, by command; each entry happens once."""

    refuse: dict[Opcode, int] = field(default_factory=dict)
    """Answer with this result and do nothing."""
    lose_before: set[Opcode] = field(default_factory=set)
    """Break the connection instead of doing it."""
    lose_after: set[Opcode] = field(default_factory=set)
    """Do it and break the connection instead of answering."""
    say_nothing: set[Opcode] = field(default_factory=set)
    """Do it and do not answer."""
    garble: set[Opcode] = field(default_factory=set)
    """Do it and let the answer be spoilt on its way."""


@dataclass(kw_only=True)
class Brain:
    """One lock: its keys, its memory, and how far the conversation with the one who is connected got."""

    memory: Memory
    keys: dict[int, bytes]
    """Offline keys by slot."""
    random: Callable[[int], bytes]
    faults: Faults = field(default_factory=Faults)
    talkative: bool = False
    """Report the state of the bolt, unasked, before each answer."""
    hangs_up_on_strangers: bool = True
    """Break the connection of one who has another key; otherwise answer with our own."""
    answers_battery: bool = True
    acknowledges: bool = True
    """Say that a command arrived before it is answered."""
    heard: list[Opcode] = field(default_factory=list)
    """Commands in the order they came."""
    asked: list[int] = field(default_factory=list)
    """As `heard`, with those of the handshake and of the good-bye."""

    def __post_init__(self) -> None:
        """Begin with nobody connected."""
        self.forget()

    def forget(self) -> None:
        """Begin anew, as with each connection."""
        self._secure: frames.Secrecy | None = None
        self._session: frames.Secrecy | None = None
        self._nonces = b""
        self._staged: bytes | None = None
        self._schedule: bytes | None = None

    def secure(self, frame: bytes) -> list[bytes]:
        """Answer a frame of the handshake."""
        if self._secure is None:
            return self._first(frame)
        heard = self._secure.open(frame)
        if not frames.is_secure(heard):
            raise HangUp
        self.asked.append(heard[0])
        if heard[0] == 0x03:
            self._session = frames.Secrecy(self._nonces, chained=True)
            return [self._secure.close(frames.secure(0x04))]
        if heard[0] == 0x05:
            return [self._secure.close(frames.secure(0x8B))]
        raise HangUp

    def _first(self, frame: bytes) -> list[bytes]:
        key = self.keys.get(frame[17])
        if key is None:
            raise HangUp
        offline = frames.Secrecy(key, chained=False)
        heard = offline.open(frame)
        if not frames.is_secure(heard) or heard[0] != 0x01:
            if self.hangs_up_on_strangers:
                raise HangUp
            return [offline.close(frames.secure(0x02, self.random(8)))]
        self.asked.append(heard[0])
        ours = self.random(8)
        self._nonces = heard[4:12] + ours
        self._secure = frames.Secrecy(self._nonces, chained=False)
        return [offline.close(frames.secure(0x02, ours))]

    def command(self, frame: bytes) -> list[bytes]:
        """Answer a command."""
        if self._session is None:
            raise HangUp
        heard = self._session.open(frame)
        if not frames.is_command(heard):
            return []  # Out of step: what a real lock does then is not known.
        opcode = Opcode(heard[1])
        self.heard.append(opcode)
        self.asked.append(opcode)
        faults = self.faults
        if _once(faults.lose_before, opcode):
            raise HangUp
        answers = self._answers(opcode, heard)
        if _once(faults.lose_after, opcode):
            raise HangUp
        if _once(faults.say_nothing, opcode):
            return []
        closed = [self._session.close(plain) for plain in answers]
        if _once(faults.garble, opcode):
            closed[-1] = closed[-1][:1] + bytes([closed[-1][1] ^ 1]) + closed[-1][2:]
        return closed

    def _answers(self, opcode: Opcode, heard: bytes) -> list[bytes]:
        refused = self.faults.refuse.pop(opcode, None)
        echo = heard[4:6] if opcode is Opcode.GET else b""
        fields = self._done(opcode, heard) if refused is None else {4: echo, _RESULT: bytes([refused])}
        if fields is None:
            return []
        answers = [frames.answer(ACKNOWLEDGED, opcode, {})] if self.acknowledges else []
        if self.talkative:
            answers.append(frames.answer(DONE, Opcode.STATUS, {4: bytes([LOCK_STATUS]), 8: b"\x05"}))
        return [*answers, frames.answer(DONE, opcode, fields)]

    def _done(self, opcode: Opcode, heard: bytes) -> dict[int, bytes] | None:
        """Do what was asked; return what the answer holds, None for no answer at all."""
        memory = self.memory
        match opcode:
            case Opcode.STATUS if heard[4] == BATTERY:
                level = memory.battery_mv.to_bytes(2, "little")
                return {4: heard[4:5], 8: level} if self.answers_battery else None
            case Opcode.STATUS:
                return {4: heard[4:5], 8: b"\x05" if memory.locked else b"\x03"}
            case Opcode.ACTIVITY:
                return memory.log.popleft() if memory.log else {4: bytes([NO_RECORD])}
            case Opcode.GET:
                held = memory.codes.get(int.from_bytes(heard[4:6], "little"))
                return {4: heard[4:6], 6: held.pin if held is not None else b"\xff" * frames.PIN_BYTES}
            case Opcode.SET:
                return {_RESULT: bytes([self._stage(heard[4:11])])}
            case Opcode.ACCESS:
                self._schedule = heard[4:14]
            case Opcode.COMMIT:
                return {_RESULT: bytes([self._commit(heard)])}
            case Opcode.CLEAR:
                memory.codes.pop(_slot(heard), None)
            case Opcode.CLEAR_ALL:
                memory.codes.clear()
        return {}

    def _stage(self, pin: bytes) -> Result:
        if any(held.pin == pin for held in self.memory.codes.values()):
            return Result.DUPLICATE
        self._staged = pin
        return Result.OK

    def _commit(self, heard: bytes) -> Result:
        """Store what the two frames before announced."""
        pin, schedule, slot = self._staged, self._schedule, _slot(heard)
        self._staged = self._schedule = None
        if pin != heard[4:11] or schedule is None:
            return Result.NOT_FOUND
        if slot in self.memory.codes:
            return Result.IN_USE
        if len(self.memory.codes) >= self.memory.capacity:
            return Result.FULL
        self.memory.codes[slot] = Held(pin, schedule)
        return Result.OK


def _slot(heard: bytes) -> int:
    return heard[11] | heard[13] << 8


def _once(entries: set[Opcode], opcode: Opcode) -> bool:
    if opcode not in entries:
        return False
    entries.remove(opcode)
    return True
