"""What a virtual Nuki lock answers: bytes in, indications out. Its faults are attributes to be set."""

import hashlib
import hmac
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from nacl.bindings import crypto_box_beforenm, crypto_scalarmult_base
from nacl.exceptions import CryptoError
from nacl.secret import SecretBox

from tests.ble_bed.nuki.memory import Code, Limits, Memory, User, stamp, stamp_time

OK, ACCEPTED = bytes([0]), bytes([1])
_WRONG_PINS_TILL_LOCKOUT = 3


def checksum(data: bytes) -> bytes:
    """CRC-16/CCITT-FALSE, bit by bit as it is defined."""
    crc = 0xFFFF
    for byte in data:
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1 ^ 0x1021 if crc & 0x8000 else crc << 1) & 0xFFFF
    return struct.pack("<H", crc)


def _checked(data: bytes) -> bytes:
    """Return the data without its checksum."""
    if checksum(data[:-2]) != data[-2:]:
        raise Says(0xFD)
    return data[:-2]


class Says(Exception):
    """The lock answers an error."""

    def __init__(self, code: int) -> None:
        self.code = code


type Answer = tuple[int, bytes]


@dataclass(kw_only=True)
class Faults:
    """What is wrong with the lock."""

    busy: int = 0
    """Answer "busy" to so many more commands that need the PIN."""
    clock_off: timedelta = timedelta(0)
    clock_reset_to: datetime | None = None
    """The clock stood still without battery; setting it ends that."""
    battery_percent: int = 80
    battery_critical: bool = False
    unknown_id: int | None = 0x23
    """What is answered about a code that is not there; None: "complete"."""
    refuses: dict[int, int] = field(default_factory=dict)
    """Answer these commands with an error, sealed."""
    mute_on: int | None = None
    """Carry out this command and do not answer it."""
    zero_checksum: bool = False
    lists_status: bool = True
    """Say "complete" behind a list."""


@dataclass(kw_only=True)
class Brain:
    """One lock with a keypad."""

    now: Callable[[], datetime]
    random: Callable[[int], bytes]
    pin: int = 2468
    fifth_generation: bool = False
    room: int = 100
    nuki_id: int = 0x1A2B3C4D
    has_keypad: bool = True
    local_time: bool = False
    """Tell times in local time instead of UTC, and take limits so: which one real locks do is not known."""
    offset: timedelta = timedelta(hours=2)
    tells_all_limits: bool = True
    """Tell limits behind codes that have none, too."""
    pairing: bool = False
    changed: bool = False
    """The bit in the advertisement."""
    config_count: int = 7
    memory: Memory = field(default_factory=Memory)
    faults: Faults = field(default_factory=Faults)
    heard: list[int] = field(default_factory=list)
    """Commands that came, in order."""
    payloads: list[tuple[int, bytes]] = field(default_factory=list)
    """Sealed ones with what was in them."""
    wrong_pins: int = 0
    _secret: bytes = b""
    _guest_key: bytes = b""
    _shared: bytes = b""
    _challenge: bytes = b""
    _challenges: dict[int, bytes] = field(default_factory=dict)

    # --- time

    def clock(self) -> datetime:
        """Return what the lock's clock shows."""
        if self.faults.clock_reset_to is not None:
            return self.faults.clock_reset_to
        shown = self.now().replace(microsecond=0) + self.faults.clock_off
        return shown + self.offset if self.local_time else shown

    # --- people at the door

    def type_code(self, pin: int) -> bool:
        """Type a code at the keypad; return whether the door opens."""
        number = next((n for n, code in self.memory.codes.items() if code.pin == pin), None)
        code = self.memory.codes.get(number) if number is not None else None
        self.changed = True
        if code is None or number is None:
            self._keypad_record(0, 1, 0xE0, 0)
            return False
        if not code.enabled or (code.limits is not None and not code.limits.allow(self.clock())):
            self._keypad_record(1, 1, 9, number)
            return False
        self.memory.change(number, used=code.used + 1)
        self._keypad_record(1, 1, 0, number)
        return True

    def press_arrow(self) -> None:
        """Lock by the keypad's arrow."""
        self._keypad_record(2, 0, 0, 0)
        self.changed = True

    def show_finger(self, number: int) -> None:
        """Open by a finger."""
        self._keypad_record(1, 2, 0, number)
        self.changed = True

    def _keypad_record(self, action: int, source: int, completion: int, number: int) -> None:
        self.memory.note(self.clock(), 5, struct.pack("<3BH", action, source, completion, number))

    # --- pairing, in clear

    def pair_step(self, frame: bytes) -> bytes:
        """Take a frame on the pairing characteristic; return the answer."""
        if self.fifth_generation and self._shared and frame[24:28] == b"\x7f\xff\xff\xff":
            return self._pair_sealed(frame)
        command = int.from_bytes(frame[:2], "little")
        self.heard.append(command)
        try:
            number, payload = self._pair(command, _checked(frame)[2:])
        except Says as error:
            number, payload = 0x0012, bytes([error.code]) + frame[:2]
        body = struct.pack("<H", number) + payload
        return body + checksum(body)

    def _pair(self, command: int, payload: bytes) -> Answer:
        if not self.pairing:
            raise Says(0x10)
        match command:
            case 0x0001:
                self._secret = self.random(32)
                return 0x0003, crypto_scalarmult_base(self._secret)
            case 0x0003:
                self._guest_key = payload
                self._shared = crypto_box_beforenm(payload, self._secret)
                return 0x0004, self._fresh()
            case 0x0005:
                ours = crypto_scalarmult_base(self._secret)
                if payload != self._proof(self._guest_key + ours + self._challenge):
                    raise Says(0x11)
                return (0x004C, b"\1") if self.fifth_generation else (0x0004, self._fresh())
            case 0x0006:
                return self._authorise(payload)
            case 0x001E:
                if payload[:32] != self._proof(payload[32:36] + self._challenge):
                    raise Says(0x11)
                self.pairing = False
                return 0x000E, OK
        raise Says(0xFF)

    def _authorise(self, payload: bytes) -> Answer:
        proof, kind, app, name, nonce = struct.unpack("<32sB4s32s32s", payload)
        if proof != self._proof(bytes([kind]) + app + name + nonce + self._challenge):
            raise Says(0x11)
        if kind > 1:
            raise Says(0x12)
        number = struct.pack("<I", self._welcome(name, is_bridge=kind == 1))
        uuid = self.random(16)
        challenge = self._fresh()
        return 0x0007, self._proof(number + uuid + challenge + nonce) + number + uuid + challenge

    def _pair_sealed(self, frame: bytes) -> bytes:
        body = SecretBox(self._shared).decrypt(frame[30:], frame[:24])
        self.heard.append(int.from_bytes(body[4:6], "little"))
        _app, name, pin = struct.unpack("<I32sI", body[6:-2])
        if checksum(body[:-2]) != body[-2:] or pin != self.pin:
            error = struct.pack("<HBH", 0x0012, 0x21, 0x0006)
            return error + checksum(error)
        number = self._welcome(name, is_bridge=False)
        self.pairing = False
        return self._sealed(0xFFFFFF7F, self._shared, 0x0007, struct.pack("<I", number) + self.random(16))

    def _welcome(self, name: bytes, *, is_bridge: bool) -> int:
        number = self.memory.next_user
        self.memory.next_user += 1
        self.memory.users[number] = User(key=self._shared, is_bridge=is_bridge, name=name)
        return number

    def _proof(self, data: bytes) -> bytes:
        return hmac.new(self._shared, data, hashlib.sha256).digest()

    def _fresh(self) -> bytes:
        self._challenge = self.random(32)
        return self._challenge

    # --- sealed commands

    def command(self, frame: bytes) -> Iterator[bytes]:
        """Take a frame on the user characteristic; yield the answers."""
        number = int.from_bytes(frame[24:28], "little")
        user = self.memory.users.get(number)
        try:
            body = b"" if user is None else _checked(SecretBox(user.key).decrypt(frame[30:], frame[:24]))
        except (Says, CryptoError) as error:
            user, body = None, bytes([error.code if isinstance(error, Says) else 0x20])
        if user is None:
            report = struct.pack("<H", 0x0012) + (body or b"\x20") + bytes(2)
            yield report + checksum(report)
            return
        command = int.from_bytes(body[4:6], "little")
        self.heard.append(command)
        self.payloads.append((command, body[6:]))
        try:
            answers = list(self._answer(number, user, command, body[6:]))
        except Says as error:
            answers = [(0x0012, struct.pack("<BH", error.code, command))]
        for kind, payload in answers if command != self.faults.mute_on else ():
            yield self._sealed(number, user.key, kind, payload)

    def _sealed(self, number: int, key: bytes, kind: int, payload: bytes) -> bytes:
        body = struct.pack("<IH", number, kind) + payload
        body += bytes(2) if self.faults.zero_checksum else checksum(body)
        sealed = SecretBox(key).encrypt(body, self.random(24))
        return sealed.nonce + struct.pack("<IH", number, len(sealed.ciphertext)) + sealed.ciphertext

    def _answer(self, number: int, user: User, command: int, payload: bytes) -> Iterator[Answer]:
        if command in self.faults.refuses:
            raise Says(self.faults.refuses[command])
        if command == 0x0001:
            yield self._requested(number, user, int.from_bytes(payload, "little"))
        elif command == 0x0014:
            self._spend(number, payload)
            yield 0x0015, self._config()
        else:
            size = {0x0020: 0, 0x0021: 7, 0x0031: 8, 0x0041: 44, 0x0043: 4, 0x0046: 47, 0x0047: 2}.get(
                command
            )
            if size is None:
                raise Says(0xFF)
            if len(payload) != size + 32 + (4 if self.fifth_generation else 2):
                raise Says(0xFE)
            self._spend(number, payload[size : size + 32])
            self._check_pin(int.from_bytes(payload[size + 32 :], "little"))
            yield from self._trusted(command, payload[:size])

    def _requested(self, number: int, user: User, wanted: int) -> Answer:
        if wanted == 0x0004:
            self._challenges[number] = self.random(32)
            return 0x0004, self._challenges[number]
        if wanted == 0x000C:
            if user.is_bridge:
                self.changed = False
            return 0x000C, self._states()
        raise Says(0x23)

    def _spend(self, number: int, challenge: bytes) -> None:
        if self._challenges.pop(number, None) != challenge:
            raise Says(0x22)

    def _check_pin(self, pin: int) -> None:
        if self.wrong_pins >= _WRONG_PINS_TILL_LOCKOUT:
            raise Says(0x28)
        if pin != self.pin:
            self.wrong_pins += 1
            raise Says(0x21)
        if self.faults.busy > 0:
            self.faults.busy -= 1
            raise Says(0x45)

    def _states(self) -> bytes:
        percent = self.faults.battery_percent // 2 << 2
        return (
            bytes([2, 1, 0])
            + stamp(self.clock())
            + struct.pack("<h", int(self.offset.total_seconds()) // 60)
            + bytes([percent | self.faults.battery_critical, self.config_count, 0, 1, 0, 0])
        )

    def _config(self) -> bytes:
        return (
            struct.pack("<I32s2f5B", self.nuki_id, b"Front door", 48.2, 16.4, 1, 1, 1, 1, 3)
            + stamp(self.clock())
            + struct.pack("<h", int(self.offset.total_seconds()) // 60)
            + bytes([1, 0, 0, 0, 0, 0, 0, self.has_keypad, 3, 8, 2, 6, 0, 0])
            + struct.pack("<H", 37)
            + bytes([5 if self.fifth_generation else 4, 1, 0, 0])
        )

    # --- commands with the PIN

    def _trusted(self, command: int, payload: bytes) -> Iterator[Answer]:
        match command:
            case 0x0020:
                yield 0x000E, OK
            case 0x0021:
                self._set_clock(payload)
                yield 0x000E, ACCEPTED
                yield 0x000E, OK
            case 0x0031:
                yield from self._records(*struct.unpack("<IHBB", payload))
            case 0x0041:
                code, name, limited = struct.unpack("<I20sB", payload[:25])
                self._check_code(code, except_for=None)
                if len(self.memory.codes) >= self.room:
                    raise Says(0x29)
                limits = Limits.of(payload[25:]) if limited else None
                stored = Code(pin=code, name=name, created=self.clock(), limits=limits)
                number = self.memory.add(stored)
                yield 0x0042, struct.pack("<H", number) + stamp(stored.created)
            case 0x0043:
                yield from self._list(*struct.unpack("<HH", payload))
            case 0x0046:
                number, code, name, enabled, limited = struct.unpack("<HI20sBB", payload[:28])
                if self._is_there(number):
                    self._check_code(code, except_for=number)
                    limits = Limits.of(payload[28:]) if limited else None
                    self.memory.change(number, pin=code, name=name, enabled=bool(enabled), limits=limits)
                yield 0x000E, OK
            case 0x0047:
                (number,) = struct.unpack("<H", payload)
                if self._is_there(number):
                    del self.memory.codes[number]
                yield 0x000E, OK

    def _is_there(self, number: int) -> bool:
        if number not in self.memory.codes and self.faults.unknown_id is not None:
            raise Says(self.faults.unknown_id)
        return number in self.memory.codes

    def _check_code(self, code: int, *, except_for: int | None) -> None:
        digits = str(code)
        if len(digits) != 6 or "0" in digits or digits.startswith("12"):
            raise Says(0x23)
        if any(held.pin == code for number, held in self.memory.codes.items() if number != except_for):
            raise Says(0x2A)

    def _set_clock(self, raw: bytes) -> None:
        told = stamp_time(raw, datetime(2000, 1, 1, tzinfo=UTC))
        self.faults.clock_reset_to = None
        self.faults.clock_off = told - self.now().replace(microsecond=0)

    def _list(self, offset: int, count: int) -> Iterator[Answer]:
        yield 0x0044, struct.pack("<H", len(self.memory.codes))
        for number, code in list(self.memory.codes.items())[offset : offset + count]:
            raw = struct.pack("<HI20sB", number, code.pin, code.name, code.enabled)
            raw += stamp(code.created) + bytes(7) + struct.pack("<HB", code.used, code.limits is not None)
            if code.limits is not None:
                raw += code.limits.raw()
            elif self.tells_all_limits:
                raw += bytes(19)
            yield 0x0045, raw
        if self.faults.lists_status:
            yield 0x000E, OK

    def _records(self, start: int, count: int, order: int, counted: int) -> Iterator[Answer]:
        records = self.memory.log[::-1] if order == 1 else self.memory.log
        if counted:
            yield 0x0033, struct.pack("<BHBB", 1, len(records), 0, 0)
        for record in records[start : start + count]:
            head = struct.pack("<I7sI32sB", record.index, stamp(record.at), 0, record.name, record.kind)
            yield 0x0032, head + record.data
        yield 0x000E, OK
