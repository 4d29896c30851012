"""Hands what a lock tells to the engine, whatever becomes of it there."""

import logging
from typing import Final

from gateway.domain.clock import Clock
from gateway.domain.driver import EventSink, LockEvent
from gateway.domain.pulse import Beat
from gateway.domain.store import LastingFailure, StorageFailed

_LOG = logging.getLogger(__name__)
STORAGE_RETRY_S: Final = 5.0
"""Between attempts while the storage fails (disk full, damaged)."""


async def hand_over(event: LockEvent, sink: EventSink, clock: Clock, beat: Beat) -> None:
    """Return when `sink` has stored the event. One that it stumbles over is dropped, its kind logged.

    Waiting for a disk that is full is life, however long it takes: `beat` hears of every attempt.
    """
    while True:
        beat.on_memory()
        try:
            return await sink.handle(event)
        except LastingFailure:
            # The store has told of it. It would stay so, and the other locks of this driver have news too.
            _LOG.debug("%s cannot be stored, ever", type(event).__name__)
            return None
        except StorageFailed:
            _LOG.debug("%s cannot be stored; trying again", type(event).__name__)
        except Exception as error:  # noqa: BLE001 - one bad event must not silence all locks
            _LOG.error("%s was not taken: %s", type(event).__name__, type(error).__name__)
            return None
        beat.asleep(STORAGE_RETRY_S)
        await clock.sleep(STORAGE_RETRY_S)
