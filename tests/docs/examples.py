"""Compares an example of a page with what a run produced."""

import re
from collections.abc import Iterator
from typing import Any

from tests.docs.pages import UUID

ANYTHING = "…"
"""In an example: this value, or what follows in this list or object, is left out."""
ANOTHER_HOUSE = "another-house"
"""Before a request or response of docs/mqtt.md: with a lock such as the story of that page does not have."""
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


def differences(shown: Any, real: Any, at: str = "$") -> list[str]:  # noqa: ANN401 - JSON
    """Say where they differ: fields, kinds of values, words. Times, ids and numbers only have to be such."""
    if shown == ANYTHING:
        return []
    if isinstance(shown, dict) and isinstance(real, dict):
        return list(_of_objects(shown, real, at))
    if isinstance(shown, list) and isinstance(real, list):
        return list(_of_lists(shown, real, at))
    if _kind(shown) == _kind(real) and (_kind(shown) != "word" or _words(shown) == _words(real)):
        return []
    return [f"{at}: the page has {shown!r}, the run {real!r}"]


def _of_objects(shown: dict[str, Any], real: dict[str, Any], at: str) -> Iterator[str]:
    missing = shown.keys() - real.keys() - {ANYTHING}
    untold = real.keys() - shown.keys() if ANYTHING not in shown else set()
    for name in sorted(missing):
        yield f"{at}.{name}: not in the run"
    for name in sorted(untold):
        yield f"{at}.{name}: not on the page; the run has {real[name]!r}"
    for name in shown.keys() & real.keys():
        yield from differences(shown[name], real[name], f"{at}.{name}")


def _of_lists(shown: list[Any], real: list[Any], at: str) -> Iterator[str]:
    if shown[-1:] != [ANYTHING] and len(shown) != len(real):
        yield f"{at}: {len(shown)} entries on the page, {len(real)} in the run"
    for number, (one, other) in enumerate(zip(shown, real, strict=False)):
        yield from differences(one, other, f"{at}[{number}]")


def _words(text: str) -> str:
    return UUID.sub("an id", text)


def _kind(value: object) -> str:
    if isinstance(value, str):
        return "id" if UUID.fullmatch(value) else "time" if _TIME.fullmatch(value) else "word"
    if isinstance(value, bool) or value is None:
        return repr(value)
    return "number" if isinstance(value, int | float) else type(value).__name__
