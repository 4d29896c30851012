"""What paho takes for malformed although brokers say it. Each would end the connection, again and again."""

import paho.mqtt.properties
from paho.mqtt import MQTTException
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import VariableByteIntegers
from paho.mqtt.reasoncodes import ReasonCode

PACKET_TOO_LARGE = 0x95
MOST_PROPERTIES = 262_144
"""Bytes of properties: those that come but once have 64 KiB at most, and user properties are not read."""

# MQTT 5.0 section 3.3.2.3. Response topic, content type and correlation data begin with their length.
_FIXED = {0x01: 1, 0x02: 4, 0x23: 2}
_WITH_LENGTH = {0x03, 0x08, 0x09}
_SUBSCRIPTION, _USER = 0x0B, 0x26


def understand_brokers() -> None:
    """Make paho take U+FEFF in texts, and "packet too large" as an answer to a message.

    MQTT 5.0 section 1.5.4 allows the first. The second belongs into other packets (section 3.4.2.1), but
    mosquitto answers so where its `message_size_limit` is exceeded.
    """
    paho.mqtt.properties.readUTF = read_text
    answers = ReasonCode.names[PACKET_TOO_LARGE]["Packet too large"]
    if PacketTypes.PUBACK not in answers:
        answers.append(PacketTypes.PUBACK)


def read_text(buffer: bytes, room: int) -> tuple[str, int]:
    """Read a text of a property; return it and its length in bytes, of which there are `room`."""
    length = int.from_bytes(buffer[:2])
    if length > room - 2:
        raise MQTTException("a text reaches beyond its packet")
    return bytes(buffer[2 : 2 + length]).decode(), length + 2


def without_user_properties(packet: bytearray, qos: int) -> bytearray:
    """Return an MQTT 5 PUBLISH packet without its user properties, of which paho reads 50,000 in a minute.

    Raises MQTTException and IndexError if that cannot be read.
    """
    begin = 2 + int.from_bytes(packet[:2]) + (2 if qos else 0)
    length, used = _number(packet, begin)
    at = begin + used
    end = at + length
    if not length:
        return packet
    if length > MOST_PROPERTIES or end > len(packet):
        raise MQTTException("there are too many properties")
    kept = bytearray()
    while at < end:
        following = _after(packet, at)
        if packet[at] != _USER:
            kept += packet[at:following]
        at = following
    if at != end:
        raise MQTTException("a property reaches beyond the others")
    return packet[:begin] + _encoded(len(kept)) + kept + packet[end:]


def _after(packet: bytearray, at: int) -> int:
    """Return where the property ends that begins at `at`."""
    kind, value = packet[at], at + 1
    if kind == _USER:
        return _after_text(packet, _after_text(packet, value))
    if kind in _WITH_LENGTH:
        return _after_text(packet, value)
    if kind == _SUBSCRIPTION:
        return value + _number(packet, value)[1]
    if kind in _FIXED:
        return value + _FIXED[kind]
    raise MQTTException("a property is none of a message")


def _after_text(packet: bytearray, at: int) -> int:
    return at + 2 + int.from_bytes(packet[at : at + 2])


def _number(packet: bytearray, at: int) -> tuple[int, int]:
    """Return the number of variable length at `at`, and how many bytes it has."""
    found: tuple[int, int] = VariableByteIntegers.decode(packet[at : at + 4])  # type: ignore[no-untyped-call]  # paho leaves it so
    return found


def _encoded(number: int) -> bytes:
    found: bytes = VariableByteIntegers.encode(number)  # type: ignore[no-untyped-call]  # paho leaves it so
    return found
