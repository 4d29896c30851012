"""Turns the events of one node into signals.

The server tells what one frame says as several events: a User Code Report comes as its status and then its
code, a V1 alarm as its type and then its level, and perhaps the notification that the server maps it to.
"""

import asyncio
import logging
from collections.abc import Callable

from drivers.zwave import alarms
from drivers.zwave.lock import HOLD_S, SERIAL_TRIES, ZwaveLock
from drivers.zwave.node import Event, Node
from drivers.zwave.numbers import CommandClass
from drivers.zwave.readings import reading_of
from gateway.domain.driver import (
    AccessDenied,
    BatteryLevel,
    KeypadMode,
    LockAlive,
    LockDead,
    SlotReported,
    SlotTouched,
)

_LOG = logging.getLogger(__name__)

NEW_BATTERIES = 20
"""A level that rises by so many per cent at once: the lock was without power, and its clock may be wrong."""
MAPPED_WITHIN_S = 1.0
"""A V1 alarm and the notification that the server makes of it come this close together."""


class NodeEvents:
    """Listens to one node for one lock until `stop`."""

    def __init__(
        self, lock: ZwaveLock, node: Node, *, ready: Callable[[], None], alive: Callable[[], None]
    ) -> None:
        """Listen from now on.

        `ready` is called when the lock has to be examined anew, `alive` when it comes back after a silence or
        a change of batteries.
        """
        self._lock = lock
        self._node = node
        self._ready = ready
        self._alive = alive
        self._loop = asyncio.get_running_loop()
        self._status: dict[int, object] = {}
        self._alarm: dict[str, int] = {}
        self._alarm_due: asyncio.TimerHandle | None = None
        self._notified: dict[int, tuple[float, str | None]] = {}
        """When a notification of an event came last, and which slot it named."""
        handlers = {
            "value updated": self._value,
            "value added": self._value,
            "notification": self._notification,
            "dead": self._dead,
            "alive": self._sign_of_life,
            "node info received": self._woken,
            "interview started": self._interview_started,
            "interview failed": self._interview_failed,
            "ready": self._is_ready,
        }
        self._stop = [node.on(name, handler) for name, handler in handlers.items()]

    def stop(self) -> None:
        """Listen no more."""
        for unsubscribe in self._stop:
            unsubscribe()
        if self._alarm_due is not None:
            self._alarm_due.cancel()

    def _value(self, event: Event) -> None:
        args = event["args"]
        if args["commandClass"] == CommandClass.NODE_NAMING:
            return  # Somebody wrote to the server's memory: no frame came.
        self._sign_of_life(event)
        where = (args["commandClass"], args["property"])
        match where:
            case (CommandClass.USER_CODE, "userIdStatus"):
                self._status[args["propertyKey"]] = args.get("newValue")
                self._lock.reports[args["propertyKey"]] += 1
            case (CommandClass.USER_CODE, "userCode"):
                self._report(args["propertyKey"], args.get("newValue"))
            case (CommandClass.USER_CODE, "keypadMode"):
                off = alarms.keypad_off(args.get("newValue"))
                self._lock.seen(KeypadMode(device_id=self._lock.device_id, off=off))
            case (CommandClass.NOTIFICATION, "alarmType" | "alarmLevel"):
                self._v1_alarm(args["property"], args.get("newValue"))
            case (CommandClass.NOTIFICATION, "Access Control"):
                self._keypad_state(args)
            case (CommandClass.BATTERY, "level"):
                self._battery(args.get("newValue"), args.get("prevValue"))

    def _report(self, slot: int, code: object) -> None:
        status = self._status.pop(slot, None)
        if status is None:
            status = self._cached(CommandClass.USER_CODE, "userIdStatus", slot)
        reading = reading_of(status, code)
        if reading is not None and slot > 0:
            self._lock.seen(SlotReported(device_id=self._lock.device_id, slot=str(slot), reading=reading))

    def _cached(self, command_class: CommandClass, name: str, key: int) -> object:
        value = self._node.value(command_class, name, key)
        return None if value is None else value.value

    def _v1_alarm(self, name: str, number: object) -> None:
        if not isinstance(number, int):
            return
        if name == "alarmType":
            self._finish_alarm()
        self._alarm[name] = number
        if self._alarm_due is not None:
            self._alarm_due.cancel()
        # The notification that the server may make of it comes afterwards and says more.
        self._alarm_due = self._loop.call_later(HOLD_S, self._finish_alarm)

    def _finish_alarm(self) -> None:
        alarm, self._alarm = self._alarm, {}
        if "alarmLevel" not in alarm:
            return
        kind, level = alarm.get("alarmType", self._cached_alarm_type()), alarm["alarmLevel"]
        if self._node.manufacturer_id == alarms.YALE and self._of_yale(kind, level):
            return
        event = alarms.V1_ALARMS.get(kind)
        if event is None:
            return
        is_slot = level > 0 and event is not alarms.AccessEvent.TOO_MANY_WRONG_CODES
        self._from_alarm(event, str(level) if is_slot else None)

    def _of_yale(self, kind: int, level: int) -> bool:
        """Take an alarm that means more on a Yale; say whether it was one."""
        match kind, level:
            case 112, 0:
                self._from_alarm(alarms.AccessEvent.ADMIN_CODE_CHANGED, None)
            case 130, _:
                # It was without power: its clock was cleared, and what happened meanwhile nobody told.
                self._alive()
                self._lock.seen(SlotTouched(device_id=self._lock.device_id, slot=None))
            case 161, 2:
                self._home_security(alarms.COVER_REMOVED)
            case _:
                return False
        return True

    def _from_alarm(self, event: alarms.AccessEvent, slot: str | None) -> None:
        if not self._told_already(event, slot):
            self._access_control(event, slot)

    def _told_already(self, event: alarms.AccessEvent, slot: str | None) -> bool:
        """Say whether a notification of the same frame told as much as an alarm with this slot."""
        at, named = self._notified.get(event, (-MAPPED_WITHIN_S, None))
        more = event in alarms.SLOT_MATTERS and named is None and slot is not None
        return self._loop.time() - at < MAPPED_WITHIN_S and not more

    def _cached_alarm_type(self) -> int:
        value = self._node.value(CommandClass.NOTIFICATION, "alarmType")
        return value.value if value is not None and isinstance(value.value, int) else 0

    def _notification(self, event: Event) -> None:
        self._sign_of_life(event)
        if event["ccId"] != CommandClass.NOTIFICATION:
            return
        args = event["args"]
        number = args["event"]
        if args["type"] == alarms.ACCESS_CONTROL:
            if number == alarms.AccessEvent.UNLOCK_WITH_CODE:
                number = alarms.AccessEvent.KEYPAD_UNLOCK  # the same, by an older number
            slot = alarms.slot_in(args.get("parameters"))
            self._notified[number] = (self._loop.time(), slot)
            self._access_control(number, slot)
        elif args["type"] == alarms.HOME_SECURITY:
            self._home_security(number)

    def _access_control(self, event: int, slot: str | None) -> None:
        signal = alarms.access_control(self._lock.device_id, event, slot)
        if signal is not None:
            self._lock.seen(signal)

    def _home_security(self, event: int) -> None:
        signal = alarms.home_security(self._lock.device_id, event)
        if signal is not None:
            self._lock.seen(signal)

    def _keypad_state(self, args: Event) -> None:
        if args.get("propertyKey") == "Keypad state":
            signal = alarms.access_control(self._lock.device_id, args.get("newValue") or 0, None)
            if isinstance(signal, AccessDenied):
                self._lock.seen(signal)

    def _battery(self, level: object, before: object) -> None:
        if isinstance(level, int):
            if isinstance(before, int) and level - before >= NEW_BATTERIES:
                self._alive()
            self._lock.seen(BatteryLevel(device_id=self._lock.device_id, level=level / 100))

    def _dead(self, _event: Event) -> None:
        self._lock.dead = True
        self._lock.seen(LockDead(device_id=self._lock.device_id))

    def _sign_of_life(self, _event: Event) -> None:
        """Any frame of a dead lock shows that it lives, before the server says so."""
        if self._lock.dead:
            self._woken(_event)

    def _woken(self, _event: Event) -> None:
        self._lock.dead = False
        self._lock.seen(LockAlive(device_id=self._lock.device_id))
        self._alive()
        if 0 < self._lock.serial_tries < SERIAL_TRIES:
            self._lock.serial_due = True  # the answer got lost, and now there is somebody to give it
        if self._lock.capabilities is None or self._lock.serial_due:
            self._ready()

    def _interview_started(self, _event: Event) -> None:
        self._lock.ask_serial_anew()
        self._lock.unfit("the server is interviewing it")

    def _interview_failed(self, event: Event) -> None:
        args = event.get("args") or {}
        if args.get("isFinal", True):
            self._lock.unfit("its interview failed: wake it or bring it nearer, then interview it again")

    def _is_ready(self, _event: Event) -> None:
        self._ready()
