"""What must fit together across keys. Each check notes its mistakes in the reader."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from gateway.config.credentials import PASSWORD, TLS_KEY, Credentials
from gateway.config.locks import Locks
from gateway.config.reader import Reader
from gateway.config.settings import MqttSettings
from gateway.domain.timing import LONGEST_PAUSE, Timing

_NOT_SEEN = (
    "not seen by this command; the service must get it as the credential {}, and while it runs "
    "`sudo pinsmith` sees it too"
)
_PAUSE = "expected no more than 24h: a longer pause would count as a jump of the clock, and end at once"


def broker(reader: Reader, mqtt: MqttSettings, table: Mapping[str, Any], given: Credentials) -> MqttSettings:
    """Check the `[mqtt]` section; return it with what follows from the rest and from the credentials."""
    if mqtt.username is not None or given.own is not None:
        mqtt = replace(mqtt, password_file=given.file(PASSWORD, mqtt.password_file))
    if mqtt.cert_file is not None:
        mqtt = replace(mqtt, key_file=given.file(TLS_KEY, mqtt.key_file))
    _encryption(reader, mqtt, given)
    if mqtt.embedded_broker:
        mqtt = _embedded(reader, mqtt, explicit_version="version" in table)
    if mqtt.password_file is not None and mqtt.username is None:
        reader.wrong("mqtt.username", "missing; expected the user that the password belongs to")
    for key in ("password_file", "ca_file", "cert_file", "key_file"):
        _readable(reader, f"mqtt.{key}", getattr(mqtt, key), given)
    return mqtt


def _encryption(reader: Reader, mqtt: MqttSettings, given: Credentials) -> None:
    encrypted = mqtt.url.scheme == "mqtts"
    if not encrypted and not mqtt.url.loopback and not mqtt.allow_plaintext:
        reader.wrong(
            "mqtt.url",
            "expected mqtts://: PINs would cross the network in clear; allow_plaintext = true allows it",
        )
    if mqtt.cert_file is not None and mqtt.key_file is None and given.service is not None:
        reader.not_seen("mqtt.key_file", _NOT_SEEN.format(TLS_KEY))
    elif (mqtt.cert_file is None) != (mqtt.key_file is None):
        reader.wrong("mqtt.cert_file", "expected together with key_file, or neither")
    if not encrypted and (mqtt.ca_file or mqtt.cert_file or mqtt.key_file):
        reader.wrong("mqtt.url", "expected mqtts://, because certificates are given")


def _embedded(reader: Reader, mqtt: MqttSettings, *, explicit_version: bool) -> MqttSettings:
    if mqtt.url.scheme != "mqtt" or not mqtt.url.loopback:
        reader.wrong(
            "mqtt.url", "expected mqtt://127.0.0.1:port: the embedded broker listens on loopback only"
        )
    if explicit_version and mqtt.version != "3.1.1":
        reader.wrong("mqtt.version", 'expected "3.1.1": the embedded broker speaks nothing newer')
    return replace(mqtt, version="3.1.1")


def _readable(reader: Reader, key: str, file: Path | None, given: Credentials) -> None:
    if file is None:
        return
    try:
        content = file.read_bytes()
    except OSError:
        if given.is_of_service(file):
            reader.not_seen(key, _NOT_SEEN.format(file.name))
        else:
            reader.wrong(key, "expected a file that this user may read")
        return
    if not content:
        reader.wrong(key, "expected a file that is not empty")
    elif key == "mqtt.password_file" and not _is_text(content):
        reader.wrong(key, "expected UTF-8 text")


def _is_text(content: bytes) -> bool:
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def timing(reader: Reader, found: Timing) -> None:
    """Check the `[timing]` section."""
    if found.reads_per_hour < 1:
        reader.wrong("timing.reads_per_hour", "expected a whole number from 1")
    for key in ("second_check", "back_off_first", "back_off_most"):
        if getattr(found, key) > LONGEST_PAUSE:
            reader.wrong(f"timing.{key}", _PAUSE)
    if LONGEST_PAUSE >= found.back_off_first > found.back_off_most:
        reader.wrong("timing.back_off_first", "expected no more than back_off_most")


def locks(reader: Reader, found: Locks) -> None:
    """Check the locks against each other and against what they can do."""
    write_only = [device_id for device_id, lock in found.zwave.items() if lock.readback == "none"]
    write_only += [device_id for device_id, lock in found.simulated.items() if lock.model == "write_only"]
    for device_id in write_only:
        policy = found.policies.get(device_id)
        if policy is not None and policy.managed_slots is None:
            reader.wrong(
                f"locks.{device_id}.managed_slots",
                "missing; a lock whose slots cannot be read is written only where this list allows it",
            )
    first_at: dict[tuple[int | None, str | None], str] = {}
    for device_id, lock in found.zwave.items():
        other = first_at.setdefault((lock.node, lock.node_name), device_id)
        if other != device_id:
            reader.wrong(f"locks.{device_id}", f"expected another node than locks.{other} has")
    first_with: dict[tuple[str | None, str | None], str] = {}
    for device_id, yale in found.yale.items():
        address = yale.address.upper() if yale.address is not None else None
        other = first_with.setdefault((address, yale.bluetooth_name), device_id)
        if other != device_id:
            reader.wrong(f"locks.{device_id}", f"expected another address or name than locks.{other} has")
