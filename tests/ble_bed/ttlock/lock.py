"""The lock itself: who is its administrator, what codes it has, and what it noted."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tests.ble_bed.ttlock.keypad import Code, Journal, date5, date6, in_window, undate
from tests.ble_bed.ttlock.wire import FACTORY, Ear, reply, seal, unseal

PASSCODES, MODIFIES, TELLS_ADMIN_CODE, NO_CLOCK = 0, 7, 18, 20
NO_PERMISSION, WRONG_ADMIN, NOT_SETTING, WEAK, NOT_LOGGED_IN = 0x02, 0x03, 0x07, 0x0A, 0x12
BAD_LENGTH, EXISTS, MISSING, FULL, UNKNOWN, FROZEN, BAD_VALUE = 0x0F, 0x14, 0x15, 0x16, 0x1B, 0x1C, 0x20
POWER_ON = datetime(2000, 1, 1)  # noqa: DTZ001 - local time of the lock


class No(Exception):
    """The lock says no."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


@dataclass(kw_only=True)
class Faults:
    """What is wrong with the lock; to be changed at any time."""

    wrong_checksum_on: frozenset[int] = frozenset()
    """Commands whose answers carry a wrong checksum."""
    refuses: frozenset[int] = frozenset()
    """Commands that it does not do."""
    forbids: frozenset[int] = frozenset()
    """Commands that it does for other keys only."""
    fails: dict[int, int] = field(default_factory=dict)
    """Commands that it answers with a failure, and which one."""
    frozen: bool = False
    """Its app froze it: it refuses changes."""
    silent_on: frozenset[int] = frozenset()
    """Commands that it carries out without an answer."""
    deaf_on: frozenset[int] = frozenset()
    """Commands that it does not even carry out."""
    clock_stuck: bool = False
    """It says that it took the time, and did not."""
    chatters: bool = False
    """It tells unasked, before each answer, how it stands."""


@dataclass(kw_only=True)
class VirtualLock:
    """One lock. `now` is the true local time."""

    now: Callable[[], datetime]
    key: bytes
    """What it draws when asked for one."""
    strict: bool = True
    """Carries out nothing before the administrator's login, as real locks should."""
    greeted: bool = False
    """Wants the old greeting before it gives its key."""
    features: int = 1 << PASSCODES | 1 << MODIFIES
    capacity: int = 20
    battery: int = 90
    page: int = 2
    """Records in one answer."""
    end_of_list: int = 0
    """What it says in place of the next page's number."""
    log_backwards: bool = False
    """Tells its log from the newest record to the oldest, and all of it."""
    by_original: bool = False
    """Knows a changed code by the digits that it was created with."""
    admin: tuple[int, int] | None = None
    admin_code: str = ""
    finished: bool = False
    codes: list[Code] = field(default_factory=list)
    journal: Journal = field(default_factory=Journal)
    faults: Faults = field(default_factory=Faults)
    clock_off: timedelta = timedelta(0)
    clock_sets: int = 0
    asked: list[int] = field(default_factory=list)
    """Commands in the order they came."""
    ignored: list[int] = field(default_factory=list)
    """Those that it was deaf to."""

    def __post_init__(self) -> None:
        self._ear = Ear()
        self._drawn: int | None = None
        self._logged_in = False
        self._greeted = not self.greeted

    @property
    def setting_mode(self) -> bool:
        """Say whether it takes an administrator."""
        return self.admin is None

    def face(self) -> datetime:
        """Return what its clock shows."""
        return self.now() + self.clock_off

    def connected(self) -> None:
        """Begin anew with whoever connects."""
        self._ear.deaf()
        self._drawn, self._logged_in = None, False

    def hear(self, piece: bytes) -> Iterator[bytes]:
        """Take a piece of a frame; yield the frames to answer with."""
        for head, command, sealed in self._ear.hear(piece):
            key = FACTORY if self.setting_mode and command in {0x45, 0x19} else self.key
            plain = unseal(sealed, key)
            if plain is None:
                continue
            if command in self.faults.deaf_on:
                self.ignored.append(command)
                continue
            self.asked.append(command)
            try:
                text = bytes((command, 1)) + self._done(command, plain)
            except No as no:
                text = bytes((command, 0, no.code))
            if command in self.faults.silent_on:
                continue
            if self.faults.chatters:
                yield reply(head, seal(bytes((0x14, 1, self.battery, 0)), key))
            yield reply(head, seal(text, key), wrong_checksum=command in self.faults.wrong_checksum_on)

    # At the door

    def type_in(self, digits: str) -> bool:
        """Type digits at the keypad; say whether the door opened."""
        at, code = self.face(), next((code for code in self.codes if code.current == digits), None)
        if code is None:
            self.journal.note(7, at, self.battery, digits)
            return False
        opens = in_window(code, at)
        self.journal.note(4 if opens else 11, at, self.battery, code.original, digits)
        return opens

    def cut_power(self) -> None:
        """Take the batteries out and put them back: the clock starts anew."""
        self.clock_off = POWER_ON - self.now()
        self.journal.note(14, self.face(), self.battery)

    def clear_at_keypad(self) -> None:
        """Delete all codes with the administrator's code."""
        self.codes.clear()
        self.journal.note(8, self.face(), self.battery, raw=date5(self.face()))

    # In the app

    def store(self, code: Code) -> None:
        """Add a code as the vendor's app does. Raises No."""
        if any(other.current == code.current for other in self.codes):
            raise No(EXISTS)
        if len(self.codes) >= self.capacity:
            raise No(FULL)
        self.codes.append(code)
        self.journal.note(
            93, self.face(), self.battery, code.current, raw=date5(code.start) + date5(code.end)
        )

    def change(self, old: str, new: str) -> None:
        """Change the digits of a code as the vendor's app does."""
        self._find(old).current = new

    def forget(self, digits: str) -> None:
        """Delete a code as the vendor's app does."""
        self.codes.remove(self._find(digits))

    # What clients ask

    def _done(self, command: int, data: bytes) -> bytes:
        if command in self.faults.refuses:
            raise No(UNKNOWN)
        if command in self.faults.forbids:
            raise No(NO_PERMISSION)
        if command in self.faults.fails:
            raise No(self.faults.fails[command])
        early = {0x45: self._greet, 0x19: self._give_key, 0x56: self._add_admin, 0x41: self._check}
        always = {0x30: self._prove, 0x14: self._state, 0x55: self._check_user, 0x47: self._unlock}
        if command in early:
            return early[command](data)
        if command in always:
            return always[command](data)
        if self.strict and not self._logged_in:
            raise No(NOT_LOGGED_IN)
        later = {
            0x01: self._features,
            0x03: self._passcode,
            0x07: self._list,
            0x25: self._log,
            0x31: self._init_passcodes,
            0x34: self._get_clock,
            0x43: self._set_clock,
            0x53: self._set_admin_code,
            0x57: self._finish,
            0x65: self._get_admin_code,
            0x90: self._info,
        }
        if command not in later:
            raise No(UNKNOWN)
        return later[command](data)

    def _greet(self, _: bytes) -> bytes:
        self._greeted = True
        return b""

    def _give_key(self, data: bytes) -> bytes:
        if not self.setting_mode:
            raise No(NOT_SETTING)
        if not self._greeted or data != b"SCIENER":
            raise No(BAD_VALUE)
        return self.key

    def _add_admin(self, data: bytes) -> bytes:
        if not self.setting_mode:
            raise No(NOT_SETTING)
        if len(data) != 15 or data[8:] != b"SCIENER":
            raise No(BAD_VALUE)
        self.admin = int.from_bytes(data[:4]), int.from_bytes(data[4:8])
        self._logged_in = True
        return b"SCIENER"

    def _check(self, data: bytes) -> bytes:
        if self.admin is None or int.from_bytes(data[:4]) != self.admin[0] or len(data) != 11:
            raise No(WRONG_ADMIN)
        self._drawn = 0xFFFFFFF0 + len(self.asked) % 16
        return self._drawn.to_bytes(4)

    def _prove(self, data: bytes) -> bytes:
        drawn, self._drawn = self._drawn, None
        if self.admin is None or drawn is None or int.from_bytes(data) != (drawn + self.admin[1]) % 2**32:
            raise No(NO_PERMISSION)
        self._logged_in = True
        return b""

    def _features(self, _: bytes) -> bytes:
        words = [self.features >> 32 * place & 0xFFFFFFFF for place in range(2)]
        return bytes((self.battery,)) + b"".join(word.to_bytes(4) for word in words)

    def _set_admin_code(self, data: bytes) -> bytes:
        self.admin_code = "".join(str(digit) for digit in data)
        return b""

    def _get_admin_code(self, _: bytes) -> bytes:
        self.admin_code = "7418529"
        return bytes((len(self.admin_code),)) + self.admin_code.encode()

    def _init_passcodes(self, data: bytes) -> bytes:
        if len(data) != 61:
            raise No(BAD_VALUE)
        return b""

    def _finish(self, _: bytes) -> bytes:
        self.finished = True
        return b""

    def _info(self, data: bytes) -> bytes:
        return {1: b"SN-BED-01", 3: b"6.1.4"}.get(data[0], b"") + b"\x00"

    def _get_clock(self, _: bytes) -> bytes:
        return date6(self.face())

    def _set_clock(self, data: bytes) -> bytes:
        if not self.faults.clock_stuck:
            self.clock_off = undate(data) - self.now().replace(microsecond=0)
        self.clock_sets += 1
        return b""

    def _state(self, _: bytes) -> bytes:
        return bytes((self.battery, 0))

    def _check_user(self, _: bytes) -> bytes:
        self._drawn = 1234567
        return self._drawn.to_bytes(4)

    def _unlock(self, data: bytes) -> bytes:
        drawn, self._drawn = self._drawn, None
        if self.admin is None or drawn is None or int.from_bytes(data[:4]) != (drawn + self.admin[1]) % 2**32:
            raise No(NO_PERMISSION)
        self.journal.note(1, self.face(), self.battery, raw=bytes(4) + data[4:8])
        return bytes((self.battery,))

    def _passcode(self, data: bytes) -> bytes:
        if self.faults.frozen:
            raise No(FROZEN)
        if self.battery == 0:
            raise No(WEAK)
        what = data[0]
        if what == 1:
            self.codes.clear()
        elif what == 2:
            self._add(data)
        elif what == 3:
            digits, _ = _digits(data[2:])
            self.codes.remove(self._find(digits))
        elif what == 5:
            self._modify(data)
        else:
            raise No(BAD_VALUE)
        return bytes((self.battery, what))

    def _add(self, data: bytes) -> None:
        digits, dates = _digits(data[2:])
        if len(dates) not in ({5, 10} if data[1] == 1 else {10}):
            raise No(BAD_VALUE)
        end = undate(dates[5:]) if data[1] != 1 else datetime(2099, 12, 31, 23, 59)  # noqa: DTZ001
        if digits == self.admin_code:
            raise No(EXISTS)
        self.store(Code(kind=data[1], current=digits, original=digits, start=undate(dates[:5]), end=end))

    def _modify(self, data: bytes) -> None:
        if not self.features >> MODIFIES & 1:
            raise No(UNKNOWN)
        old, rest = _digits(data[2:])
        new, dates = _digits(rest)
        code = self._find(old)
        if any(other is not code and other.current == new for other in self.codes):
            raise No(EXISTS)
        code.current = new
        if dates:
            code.start, code.end = undate(dates[:5]), undate(dates[5:])

    def _find(self, digits: str) -> Code:
        for code in self.codes:
            if digits == (code.original if self.by_original else code.current):
                return code
        raise No(MISSING)

    def _list(self, data: bytes) -> bytes:
        first = int.from_bytes(data)
        shown = self.codes[first : first + self.page]
        if not shown:
            return b"\x00\x00"
        following = first + len(shown)
        text = (self.end_of_list if following >= len(self.codes) else following).to_bytes(2)
        text += b"".join(code.record() for code in shown)
        return len(text).to_bytes(2) + text

    def _log(self, data: bytes) -> bytes:
        following, records = self.journal.read(int.from_bytes(data), self.page, backwards=self.log_backwards)
        if not records:
            return b"\x00\x00"
        text = following.to_bytes(2) + b"".join(bytes((len(record),)) + record for record in records)
        return len(text).to_bytes(2) + text


def _digits(data: bytes) -> tuple[str, bytes]:
    size = data[0]
    if not 4 <= size <= 9:
        raise No(BAD_LENGTH)
    return data[1 : size + 1].decode(), data[size + 1 :]
