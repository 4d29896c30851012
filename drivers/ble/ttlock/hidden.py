"""A base for what holds digits or keys."""

from typing import override

from msgspec import Struct


class Hidden(Struct, frozen=True, kw_only=True):
    """A struct whose text shows nothing of what is in it: it may end up in a log or a traceback."""

    @override
    def __repr__(self) -> str:
        return f"{type(self).__name__}(hidden)"
