"""The secret: a PIN that does not show itself."""

import re
from typing import NoReturn, final

from gateway.domain.errors import InvalidInput

_SHAPE = re.compile(r"[\x21-\x7e]{1,32}")


@final
class Pin:
    """A PIN. Printing, formatting or pickling it never shows the digits; `reveal` does.

    Raises:
        InvalidInput: not 1 to 32 printable ASCII characters without blanks. The value is not echoed.
    """

    __slots__ = ("_digits",)
    _digits: str

    def __init__(self, digits: str) -> None:
        """Keep `digits`, which must be 1 to 32 printable ASCII characters."""
        if _SHAPE.fullmatch(digits) is None:
            message = "a PIN is 1 to 32 printable ASCII characters without blanks"
            raise InvalidInput(message, field="code")
        object.__setattr__(self, "_digits", digits)

    def reveal(self) -> str:
        """Return the digits in clear: only for the lock itself and for the client that asked for them."""
        return self._digits

    def __len__(self) -> int:
        """Return the number of characters."""
        return len(self._digits)

    def __eq__(self, other: object) -> bool:
        """Compare by digits."""
        return isinstance(other, Pin) and other._digits == self._digits

    def __hash__(self) -> int:
        """Hash by digits; never published, because the hash of a short PIN can be reversed by trial."""
        return hash(self._digits)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        """Refuse: a PIN does not change."""
        message = "a Pin does not change"
        raise AttributeError(message)

    def __repr__(self) -> str:
        """Hide the digits."""
        return "Pin(hidden)"

    def __reduce__(self) -> NoReturn:
        """Refuse to be pickled or copied by way of pickle."""
        message = "a Pin is not pickled"
        raise TypeError(message)
