"""User properties are taken out of a message, and nothing else."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt import MQTTException
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from gateway.mqtt.link_paho import without_user_properties

BEGIN = b"\x00\x01t\x00\x07"


def packed(**values: object) -> bytes:
    """Return properties as they are sent."""
    properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]  # paho leaves it so
    for name, value in values.items():
        setattr(properties, name, value)
    sent: bytes = properties.pack()  # type: ignore[no-untyped-call]  # paho leaves it so
    return sent


@pytest.mark.parametrize("notes", [[("a", "b")], [("", "")] * 300])
def test_all_others_and_the_payload_stay(notes: list[tuple[str, str]]) -> None:
    """Every property that a message may have is passed over whole."""
    others: dict[str, object] = {
        "PayloadFormatIndicator": 1,
        "MessageExpiryInterval": 0x26262626,
        "ContentType": "&&&",
        "ResponseTopic": "r" * 200,
        "CorrelationData": b"&\x00\x00",
        "SubscriptionIdentifier": 268_435_455,
        "TopicAlias": 0x2626,
    }
    packet = bytearray(BEGIN + packed(**others, UserProperty=notes) + b"payload")
    assert without_user_properties(packet, 1) == BEGIN + packed(**others) + b"payload"


def test_without_any_nothing_changes() -> None:
    """Most messages have none, and with QoS 0 no packet identifier."""
    packet = bytearray(b"\x00\x01t\x00payload")
    assert without_user_properties(packet, 0) == packet


@given(st.binary(max_size=40), st.integers(0, 1))
def test_noise_is_refused_or_read(noise: bytes, qos: int) -> None:
    """It ends, and with nothing but the errors that it names."""
    with contextlib.suppress(MQTTException, IndexError):
        without_user_properties(bytearray(noise), qos)
