"""What a lock's advertisements say: that its state changed, never to what."""

from collections.abc import Mapping

from yalexs_ble.const import APPLE_MFR_ID, HAP_ENCRYPTED_FIRST_BYTE, HAP_FIRST_BYTE, YALE_MFR_IDS
from yalexs_ble.push import get_homekit_state_num

type _Mark = tuple[str, int | bytes]


class Marks:
    """Remembers the marks of change that a lock advertised last.

    The first mark of each kind tells nothing: what happened before is in the log, which the next connection
    reads anyway.
    """

    def __init__(self) -> None:
        """Begin with nothing heard."""
        self._last: dict[str, int | bytes] = {}

    def changed(self, manufacturer: Mapping[int, bytes]) -> bool:
        """Take in an advertisement; say whether it differs from the one before."""
        changed = False
        for kind, value in _marks(manufacturer):
            changed |= self._last.get(kind, value) != value
            self._last[kind] = value
        return changed


def _marks(manufacturer: Mapping[int, bytes]) -> list[_Mark]:
    found: list[_Mark] = []
    for company in YALE_MFR_IDS:
        data = manufacturer.get(company, b"")
        # Longer data under the same number is the lock's name in the vendor's cloud and never changes.
        if len(data) == 1:
            found.append(("toggle", data[0]))
            break
    apple = manufacturer.get(APPLE_MFR_ID, b"")
    if apple[:1] == bytes([HAP_FIRST_BYTE]):
        number = get_homekit_state_num(apple)
        if number is not None:
            found.append(("homekit", number))
    elif apple[:1] == bytes([HAP_ENCRYPTED_FIRST_BYTE]):
        found.append(("homekit, encrypted", apple))
    return found
