"""Takes from bumble what costs almost half of the tests' time and is of no use in them.

It puts every packet into coloured words for its log, whether or not anybody reads it, compares each UUID that
it meets with all others, and finds out anew for each packet which fields its kind has.
"""

import sys
from typing import Any
from unittest.mock import patch

from bumble.core import UUID
from bumble.hci import HCI_Object

_known: dict[bytes, UUID] = {}
_fields: dict[type, list[Any]] = {}
_find_fields = HCI_Object.fields_from_dataclass


def lighten() -> None:
    """Do so for this process, for good. Modules of bumble that nobody imported yet keep their colours."""
    patch.object(HCI_Object, "format_fields", staticmethod(_no_words)).start()
    patch.object(HCI_Object, "fields_from_dataclass", staticmethod(_looked_up)).start()
    patch.object(UUID, "register", _found_at_once).start()
    for name, module in list(sys.modules.items()):
        if name.startswith("bumble.") and hasattr(module, "color"):
            patch.object(module, "color", _plain).start()


def _no_words(*_: object, **__: object) -> str:
    return ""


def _plain(words: object, *_: object, **__: object) -> str:
    return str(words)


def _looked_up(packet: object) -> list[Any]:
    kind = packet if isinstance(packet, type) else type(packet)
    if kind not in _fields:
        _fields[kind] = _find_fields(packet)
    return _fields[kind]


def _found_at_once(uuid: UUID) -> UUID:
    first = _known.setdefault(uuid.uuid_128_bytes, uuid)
    first.name = first.name or uuid.name
    return first
