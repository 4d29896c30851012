"""The broker that is measured with."""

from pathlib import Path

from tests.mqtt.broker import Broker


def ordinary_broker(folder: Path) -> Broker:
    """Return a mosquitto that saves its state as seldom as it does unless told otherwise.

    That of the tests saves after every message, to survive being killed: that costs more than the gateway.
    """
    return Broker(folder, extra="autosave_on_changes false\nautosave_interval 1800")
