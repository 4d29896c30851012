"""Names as a lock can store them."""

import re
from collections.abc import Collection

_NUMBER = re.compile(r" ([2-9]|[1-9][0-9]{1,2})$")
"""What makes a name unique."""


def fit(name: str, length: int, taken: Collection[str], *, stored: str | None = None) -> str | None:
    """Return `name` as the lock stores it: printable ASCII, cut to `length`, unique among `taken`.

    None where the lock stores no names (`length` 0). What is `stored` already stays if it could be the
    answer: no lock is written because another code's name became free. Uniqueness is made by a number at
    the end; where even that does not fit, the cut name is returned as it is: a name never stands between a
    guest and the door.
    """
    if length == 0:
        return None
    plain = " ".join("".join(c if " " <= c <= "~" else "?" for c in name).split()) or "Code"
    cut = plain[:length].rstrip()
    if stored is not None and stored not in taken:
        number = _NUMBER.search(stored)
        if stored == cut or (number is not None and stored == _numbered(plain, length, number[0])):
            return stored
    if cut not in taken:
        return cut
    for last in range(2, 1000):
        numbered = _numbered(plain, length, f" {last}")
        if numbered is not None and numbered not in taken:
            return numbered
    return cut


def _numbered(plain: str, length: int, tail: str) -> str | None:
    stem = plain[: max(length - len(tail), 0)].rstrip()
    return stem + tail if stem else None
