"""Names as a lock can store them."""

from collections.abc import Collection


def fit(name: str, length: int, taken: Collection[str]) -> str | None:
    """Return `name` as the lock stores it: printable ASCII, cut to `length`, unique among `taken`.

    None where the lock stores no names (`length` 0). Uniqueness is made by a number at the end; where even
    that does not fit, the cut name is returned as it is: a name never stands between a guest and the door.
    """
    if length == 0:
        return None
    plain = " ".join("".join(c if " " <= c <= "~" else "?" for c in name).split()) or "Code"
    cut = plain[:length].rstrip()
    if cut not in taken:
        return cut
    for number in range(2, 1000):
        tail = f" {number}"
        stem = plain[: max(length - len(tail), 0)].rstrip()
        if stem and stem + tail not in taken:
            return stem + tail
    return cut
