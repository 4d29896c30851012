"""Retained topics that the broker has emptied, remembered for a day to be emptied again.

mosquitto acknowledges first and writes its file every half hour: after a power cut it holds again what it
held before, and of a code that is gone nobody else would tell it.
"""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

import msgspec

from gateway.domain.store import Tx

KEPT = timedelta(days=1)
"""Much longer than any broker takes to write its file, unless it is set up to do so at its end only."""


def emptied_lately(tx: Tx, key: str) -> dict[str, datetime]:
    """Return what is remembered under `key`: topics, and when the broker emptied them first."""
    return msgspec.json.decode(tx.meta(key) or "{}", type=dict[str, datetime])


def remember_emptied(tx: Tx, key: str, topics: Mapping[str, datetime]) -> None:
    """Remember these under `key` and no others."""
    tx.save_meta(key, msgspec.json.encode(topics).decode())


def still_kept(
    known: Mapping[str, datetime], new: Collection[str], at: datetime, *, used: Collection[str] = ()
) -> dict[str, datetime]:
    """Return what is to be remembered from `at` on: no topic that is `used` again, and none for too long."""
    # A clock that was years ahead must not make it years.
    topics = {topic: when for topic, when in known.items() if abs(at - when) < KEPT} | dict.fromkeys(new, at)
    return {topic: when for topic, when in topics.items() if topic not in used}
