"""The nodes of a network as the server tells them, kept up to date by its events. No I/O."""

import logging
from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any

from msgspec import Struct, convert

from drivers.zwave.messages import NodeData, ValueData
from drivers.zwave.numbers import CommandClass, NodeStatus

_LOG = logging.getLogger(__name__)

type Event = dict[str, Any]
"""What the server tells, as in the documentation of zwave-js-server."""

_STATUS = {
    "alive": NodeStatus.ALIVE,
    "dead": NodeStatus.DEAD,
    "sleep": NodeStatus.ASLEEP,
    "wake up": NodeStatus.AWAKE,
}
_REMEMBERED = {
    (CommandClass.USER_CODE, "userIdStatus"),
    (CommandClass.USER_CODE, "keypadMode"),
    (CommandClass.NOTIFICATION, "alarmType"),
    (CommandClass.MANUFACTURER_SPECIFIC, "deviceId"),
    (CommandClass.BATTERY, "level"),
}
"""Values that are asked for later. A node has hundreds of others, among them the codes of guests and that of
the administrator: PINs stay in memory no longer than they must."""
_UNKNOWN = "unknown"
"""What the server writes for a value that it could not read."""


class Emitter:
    """Tells listeners of events, in the order in which they came."""

    def __init__(self) -> None:
        self._listeners: defaultdict[str, list[Callable[[Event], None]]] = defaultdict(list)

    def on(self, name: str, listener: Callable[[Event], None]) -> Callable[[], None]:
        """Call `listener` for each event of that name; returns what ends that."""
        listeners = self._listeners[name]
        listeners.append(listener)

        def stop() -> None:
            if listener in listeners:
                listeners.remove(listener)

        return stop

    def _emit(self, name: str, event: Event) -> None:
        for listener in list(self._listeners.get(name, ())):
            try:
                listener(event)
            except Exception as error:  # noqa: BLE001 - an event nobody foresaw must not end the link of all locks
                _LOG.error("%s was not taken: a mistake of pinsmith: %s", name, type(error).__name__)


class Value(Struct, frozen=True):
    """One value, as last reported. Buffers come as the server writes them in JSON."""

    value: Any
    states: Mapping[str, str]
    """The names of its numbers."""


type Key = tuple[int, str, str | int | None]
"""Command class, property and key of a value of the node itself."""


class Node(Emitter):
    """One node. Listeners are called once it has taken in the event."""

    def __init__(self, data: NodeData) -> None:
        super().__init__()
        self.node_id = data.node_id
        self._take(data)

    def _take(self, data: NodeData) -> None:
        self.status = data.status
        self.ready = data.ready
        self.is_controller_node = data.is_controller_node
        self.name = data.name
        self.label = data.device_config.description or data.label
        """The product's name, where the server's database has it."""
        self.manufacturer_id = data.manufacturer_id
        self.product_type = data.product_type
        self.product_id = data.product_id
        self.dsk = data.dsk
        self.security = data.highest_security_class
        """The number of the best key it was included with; None where the server does not know."""
        self.command_classes: Mapping[int, int] = {
            offered.id: offered.version
            for endpoint in data.endpoints
            if endpoint.index == 0
            for offered in endpoint.command_classes
        }
        """What the node itself offers, and in which version."""
        self._values: dict[Key, Value] = {}
        for value in data.values:
            if _is_remembered(value):
                known = None if value.value == _UNKNOWN else value.value
                self._values[_key(value)] = Value(known, value.states)

    def value(self, command_class: CommandClass, name: str, key: str | int | None = None) -> Value | None:
        """Return a value of the node itself; None where it has none, or it is of a class of no interest.

        Codes are never kept: who wants to know them has to listen.
        """
        return self._values.get((command_class, name, key))

    def values_of(self, command_class: CommandClass, name: str) -> list[Value]:
        """Return all values of one property, whatever their keys."""
        return [value for key, value in self._values.items() if key[:2] == (command_class, name)]

    def heed(self, name: str, event: Event) -> None:
        """Take in an event of the server, then tell of it."""
        match name:
            case "ready":
                self._take(convert(event["nodeState"], NodeData))
            case "interview started":
                self.ready = False
            case "interview completed":
                self.ready = True
            case "value added" | "value updated" | "metadata updated" | "value removed":
                self._heed_value(name, event["args"])
            case _:
                self.status = _STATUS.get(name, self.status)
        self._emit(name, event)

    def _heed_value(self, name: str, args: Event) -> None:
        value = convert(args, ValueData)
        if (value.command_class, value.name) == (CommandClass.NODE_NAMING, "name"):
            self.name = args.get("newValue", self.name)
        if not _is_remembered(value):
            return
        key = _key(value)
        if name == "value removed":
            self._values.pop(key, None)
            return
        before = self._values.get(key, Value(None, {}))
        new = args.get("newValue", before.value)
        states = value.states or before.states
        self._values[key] = Value(None if new == _UNKNOWN else new, states)


class Nodes(Emitter):
    """The nodes of one network by their number, and what happens to it."""

    def __init__(self, nodes: tuple[NodeData, ...] = ()) -> None:
        super().__init__()
        self.by_id = {data.node_id: Node(data) for data in nodes}

    def heed(self, event: Event) -> None:
        """Take in an event of the server, then tell of it; `node` in it is then that node.

        Raises msgspec.ValidationError and KeyError for what is no such event.
        """
        name = event["event"]
        match event["source"], name:
            case "node", _:
                node = self.by_id.get(event["nodeId"])
                if node is not None:
                    node.heed(name, event)
            case "controller", "node added":
                node = Node(convert(event["node"], NodeData))
                self.by_id[node.node_id] = node
                self._emit(name, event | {"node": node})
            case "controller", "node removed":
                node = self.by_id.pop(event["node"]["nodeId"], None)
                if node is not None:
                    self._emit(name, event | {"node": node})
            case "driver", "driver ready":
                self._emit(name, event)


def _key(value: ValueData) -> Key:
    return value.command_class, value.name, value.property_key


def _is_remembered(value: ValueData) -> bool:
    named = isinstance(value.name, str) and isinstance(value.property_key, str | int | None)
    return named and not value.endpoint and (value.command_class, value.name) in _REMEMBERED
