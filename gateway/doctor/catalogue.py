"""Everything that the doctor can find.

`docs/doctor.md` is made from here: python -m scripts.make_doctor_page.
"""

from collections.abc import Mapping

from gateway.doctor import bluetooth, broker, locks, machine, memory, smells, zwave
from gateway.doctor.finding import Kind

SUBJECTS: Mapping[str, tuple[Kind, ...]] = {
    "Broker and daemon": broker.KINDS,
    "Clock and disk": machine.KINDS,
    "Data directory, key and database": memory.KINDS,
    "Z-Wave": zwave.KINDS,
    "Bluetooth": bluetooth.KINDS,
    "Locks": locks.KINDS,
    "Configuration": smells.KINDS,
}
"""The tables of all checks, in the order of the page."""
