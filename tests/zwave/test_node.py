"""What is kept of the nodes of a network, as the server tells them."""

import logging
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.zwave.messages import DeviceConfig, NodeData, ValueData
from drivers.zwave.node import Event, Node, Nodes, Value
from drivers.zwave.numbers import CommandClass, NodeStatus
from tests.zwave.hand_network import NODE, node_data, says, says_ready, says_value

BATTERY, USER_CODE = CommandClass.BATTERY, CommandClass.USER_CODE
STATES = {"0": "Available", "1": "Enabled"}


def network(*values: ValueData, **more: Any) -> tuple[Nodes, Node]:  # noqa: ANN401 - fields of NodeData
    """Return a network of one node that has these values."""
    nodes = Nodes((msgspec.structs.replace(node_data(), values=values, **more),))
    return nodes, nodes.by_id[NODE]


def value(class_: int, name: object, now: object = None, **more: Any) -> ValueData:  # noqa: ANN401 - fields of it
    """Return a value of the node itself."""
    return ValueData(command_class=class_, name=name, value=now, **more)


def level(node: Node) -> object:
    """Return the battery of a node, as kept."""
    kept = node.value(BATTERY, "level")
    return "not kept" if kept is None else kept.value


@pytest.mark.parametrize(
    ("event", "status"),
    [
        ("dead", NodeStatus.DEAD),
        ("alive", NodeStatus.ALIVE),
        ("sleep", NodeStatus.ASLEEP),
        ("wake up", NodeStatus.AWAKE),
        ("statistics updated", NodeStatus.ALIVE),
    ],
)
def test_a_node_has_the_status_that_was_told_last(event: str, status: NodeStatus) -> None:
    """Other events say nothing of it."""
    nodes, node = network()
    says(nodes, event)
    assert node.status is status


def test_a_node_is_not_ready_while_it_is_interviewed() -> None:
    """After it the server tells all that it knows now; what was known before is gone."""
    nodes, node = network(value(BATTERY, "level", 80))
    was_ready = []
    for event in ("interview started", "interview completed", "interview started"):
        says(nodes, event)
        was_ready.append(node.ready)
    assert was_ready == [False, True, False]
    says_ready(nodes, node_data(name="other door", manufacturer=7))
    assert (node.ready, node.name, node.manufacturer_id, level(node)) == (True, "other door", 7, "not kept")


def test_values_follow_what_is_told() -> None:
    """Also of those that were not there at first; one that is removed is gone."""
    nodes, node = network(value(BATTERY, "level", 80))
    says_value(nodes, BATTERY, "level", 75)
    assert level(node) == 75
    says(nodes, "value removed", args={"commandClass": BATTERY, "property": "level", "prevValue": 75})
    assert level(node) == "not kept"
    says(nodes, "value removed", args={"commandClass": BATTERY, "property": "level"})
    says_value(nodes, BATTERY, "level", 70)
    assert level(node) == 70


def test_what_the_server_could_not_read_is_no_value() -> None:
    """It writes a word there, which must not pass for a serial number."""
    nodes, node = network(value(BATTERY, "level", "unknown"))
    assert level(node) is None
    says_value(nodes, BATTERY, "level", 60)
    says_value(nodes, BATTERY, "level", "unknown")
    assert level(node) is None


def test_the_names_of_numbers_outlast_values_and_may_change() -> None:
    """An update of what is said of a value leaves the value, and the other way round."""
    told = value(USER_CODE, "userIdStatus", 1, property_key=3, metadata={"states": STATES})
    nodes, node = network(told)
    where = {"commandClass": USER_CODE, "property": "userIdStatus", "propertyKey": 3}
    says(nodes, "value updated", args=where | {"newValue": 0})
    assert node.value(USER_CODE, "userIdStatus", 3) == Value(0, STATES)
    says(nodes, "metadata updated", args=where | {"metadata": {"states": {"2": "Disabled"}}})
    assert node.value(USER_CODE, "userIdStatus", 3) == Value(0, {"2": "Disabled"})


@pytest.mark.parametrize("name", ["adminCode", "masterCode"])
def test_the_code_of_the_administrator_is_not_kept(name: str) -> None:
    """The server asks every lock for it that has one."""
    nodes, node = network(value(USER_CODE, name, "987654"))
    says_value(nodes, USER_CODE, name, "987655")
    assert node.value(USER_CODE, name) is None
    assert "98765" not in str(vars(node))


def test_no_code_is_kept() -> None:
    """The server remembers the digits of all slots; here they are only told to who listens."""
    nodes, node = network(value(USER_CODE, "userCode", "4711", property_key=1))
    heard: list[Event] = []
    node.on("value updated", heard.append)
    args = {"commandClass": USER_CODE, "property": "userCode", "propertyKey": 1, "newValue": "582291"}
    says(nodes, "value updated", args=args)
    assert [event["args"]["newValue"] for event in heard] == ["582291"]
    assert node.value(USER_CODE, "userCode", 1) is None
    assert "4711" not in str(vars(node))
    assert "582291" not in str(vars(node))


def test_a_value_of_another_part_of_the_node_is_not_its_own() -> None:
    """A lock with a light in it has two batteries' worth of values."""
    nodes, node = network(value(BATTERY, "level", 80), value(BATTERY, "level", 5, endpoint=1))
    says(
        nodes,
        "value updated",
        args={"commandClass": BATTERY, "property": "level", "endpoint": 1, "newValue": 4},
    )
    assert level(node) == 80


def test_a_name_that_is_given_is_that_of_the_node() -> None:
    """The server tells it as a value."""
    nodes, node = network()
    says_value(nodes, CommandClass.NODE_NAMING, "location", "Cellar")
    says_value(nodes, CommandClass.NODE_NAMING, "name", "Front door")
    args = {"commandClass": CommandClass.NODE_NAMING, "property": "name", "metadata": {"type": "string"}}
    says(nodes, "metadata updated", args=args)
    assert node.name == "Front door"


def test_a_product_is_called_as_the_database_calls_it() -> None:
    """Or else as the manufacturer does."""
    _, node = network(label="YRD256", device_config=DeviceConfig(description="Assure Lock SL"))
    assert node.label == "Assure Lock SL"
    _, node = network(label="YRD256")
    assert node.label == "YRD256"


def test_nodes_come_and_go() -> None:
    """Who listens gets the node itself; it is there when that is told, or gone."""
    nodes, node = network()
    told: list[tuple[str, Node, bool]] = []
    for name in ("node added", "node removed"):
        nodes.on(name, lambda e: told.append((e["event"], e["node"], e["node"].node_id in nodes.by_id)))
    added = {"source": "controller", "event": "node added"}
    nodes.heed(added | {"node": {"nodeId": 9, "status": 4, "isControllerNode": False}})
    nodes.heed({"source": "controller", "event": "node removed", "node": {"nodeId": NODE}, "reason": 0})
    nodes.heed({"source": "controller", "event": "node removed", "node": {"nodeId": 77}, "reason": 0})
    assert told == [("node added", nodes.by_id[9], True), ("node removed", node, False)]


def test_events_of_a_node_that_is_not_known_are_passed_over() -> None:
    """The server tells of one that is being included before it is added."""
    nodes, _ = network()
    says(nodes, "value updated", 77, args={"commandClass": BATTERY, "property": "level", "newValue": 1})
    assert set(nodes.by_id) == {NODE}


def test_a_listener_that_fails_keeps_no_other_from_hearing(caplog: pytest.LogCaptureFixture) -> None:
    """All locks hang on the link that would end otherwise. The log has no word of the error."""
    nodes, node = network()
    heard: list[Event] = []

    def fail(_: Event) -> None:
        raise ValueError("4711")

    node.on("alive", fail)
    stop = node.on("alive", heard.append)
    says(nodes, "alive")
    stop()
    stop()
    says(nodes, "alive")
    assert len(heard) == 1
    assert [record.levelno for record in caplog.records] == [logging.ERROR] * 2
    assert "alive was not taken: a mistake of pinsmith: ValueError" in caplog.text
    assert "4711" not in caplog.text


def test_a_status_of_a_later_server_is_one_that_nobody_knows() -> None:
    """And so is no reason to lose the link."""
    assert msgspec.json.decode(b'{"nodeId": 2, "status": 17}', type=NodeData).status is NodeStatus.UNKNOWN


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 300) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "commandClass",
                    "property",
                    "propertyKey",
                    "newValue",
                    "metadata",
                    "states",
                    "nodeId",
                    "endpoint",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)
NAMES = st.sampled_from(
    ["ready", "value added", "value updated", "value removed", "metadata updated", "node added", "alive", "x"]
)


@given(NAMES, st.sampled_from(["node", "controller", "driver", "zniffer"]), JSON, JSON)
def test_whatever_is_told_is_taken_or_refused(name: str, source: str, args: object, node: object) -> None:
    """With one of the errors that the client knows as "not understood", and a network that still works."""
    nodes, known = network(value(BATTERY, "level", 80))
    event = {"source": source, "event": name, "nodeId": NODE, "args": args, "node": node, "nodeState": node}
    try:
        nodes.heed(event)
    except (msgspec.ValidationError, LookupError, TypeError, AttributeError):
        assert known.status is NodeStatus.ALIVE
    says(nodes, "dead")
    assert known.status is NodeStatus.DEAD
