"""Reads the lock's log to its end, once.

Other people's clients disagree on the order. Most show a lock that counts up from the oldest record that
nobody has read; one was seen to go back from the newest one through all of its history. So both are coped
with: records are known again by a mark, the number to go on from is kept only once it was seen to rise,
and reading ends where nothing is new. What was read of a log that goes back counts as known only when the
reading came to its end: before that, records that nobody was told of may lie behind it.
"""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from hashlib import blake2b

from msgspec.structs import replace

from drivers.ble.feed import hand_on
from drivers.ble.ttlock.commands import KEYS_DO_NOT_FIT, LOG_NOT_ALLOWED, Command, SaidNo
from drivers.ble.ttlock.conversation import Conversation
from drivers.ble.ttlock.events import events_of
from drivers.ble.ttlock.records import ONLY_NEW, LogPage, Record, What, read_log_page
from drivers.ble.ttlock.state import LockState
from drivers.ble.ttlock.times import moment_of
from gateway.domain.driver import LockEvent, NoAnswer, Refused
from gateway.domain.placement import Refusal

_LOG = logging.getLogger(__name__)

MOST_PAGES = 64
"""Requests in one connection: the lock's battery and patience are limited. The rest is read next time, and
left out where the log goes back: there it could only be reached through all that is newer."""
REMEMBERED = 64
"""Records that are known again. Twice those of the fullest page, so that some page holds nothing else."""
_MOST_AHEAD = 1024
"""Records of a reading that broke off; of more, some would be told again rather than be lost."""
_MARK_BYTES = 8
_FIRST_TIME = timedelta(days=1)
"""How far back the first reading goes: a lock that was in use before may have thousands of records."""


@dataclass
class _Walk:
    """A way through the log, page by page."""

    start: int
    wanted: int
    """Number of the record that is asked for next."""
    seen: list[bytes] = field(default_factory=list)
    """Marks of the records so far."""
    falls: bool = False
    """The numbers were seen to fall: it goes from the newest record to the oldest."""
    ended: bool = False


class Log:
    """The log of one lock, over one connection."""

    def __init__(
        self, state: LockState, conversation: Conversation, know_codes: Callable[[], Awaitable[None]]
    ) -> None:
        """`know_codes` lists the codes of the lock, which tell whose digits were typed."""
        self._state = state
        self._conversation = conversation
        self._know_codes = know_codes

    async def read(
        self, sink: Callable[[LockEvent], Awaitable[None]], asked_to_stop: Callable[[], bool]
    ) -> bool:
        """Hand what is new to `sink`, page by page; say whether it was not stopped before its end.

        Nothing is read for the first time while the hub does not know the time: it could not tell news from
        history, and the log keeps both. Raises LockUnreachable or NoAnswer, and Refused where the lock does
        not let our keys read it; after that it is not asked for.
        """
        if self._state.log.words is not None or not self._may_begin():
            return True
        pages = MOST_PAGES
        for start in dict.fromkeys((self._state.secret.log_next or ONLY_NEW, ONLY_NEW)):
            walk = _Walk(start, start)
            while not walk.ended:
                if asked_to_stop():
                    return False
                if pages == 0:
                    await self._break_off(walk)
                    return True
                pages -= 1
                await self._step(walk, sink)
        await self._met()
        return True

    def _may_begin(self) -> bool:
        secret, now = self._state.secret, self._state.now()
        if secret.log_met or secret.log_told or secret.log_since is not None:
            return True
        if now is None:
            return False
        self._state.secret = replace(secret, log_since=now - _FIRST_TIME)
        return True

    async def _step(self, walk: _Walk, sink: Callable[[LockEvent], Awaitable[None]]) -> None:
        """Ask for one page, tell what is new in it, and remember how far that is."""
        page, wanted, secret = await self._page(walk.wanted), walk.wanted, self._state.secret
        marks = [self._mark(raw) for raw in page.raw]
        news = [
            (record, mark)
            for record, mark in zip(page.records, marks, strict=True)
            if mark not in secret.log_told and mark not in secret.log_ahead
        ]
        if news:
            await self._know_codes()
        for record, mark in news:
            await self._tell(record, sink, partial(self._told_ahead, mark))
        # All of the page is told: `_remember` says what that means for the walk.
        self._state.secret = replace(self._state.secret, log_ahead=secret.log_ahead)
        walk.seen += marks
        rises = wanted != ONLY_NEW and page.following > wanted
        walk.falls |= wanted != ONLY_NEW and 0 < page.following < wanted
        walk.wanted = page.following
        walk.ended = (
            all(mark in secret.log_told for mark in marks)
            or page.following in {0, wanted, ONLY_NEW}
            or (walk.falls and all(map(self._is_history, page.records)))
        )
        if rises:
            self._go_on_from(page.following)
        elif not page.records and wanted != ONLY_NEW and not walk.falls:
            # Behind the last record there is none: numbers rise.
            self._go_on_from(wanted)
        await self._remember(walk, is_whole=rises or walk.ended)

    async def _break_off(self, walk: _Walk) -> None:
        if walk.falls:
            _LOG.warning("%s: its log is too long: the oldest records are left out", self._state.device_id)
            walk.ended = True
            await self._remember(walk, is_whole=True)
            await self._met()

    async def _met(self) -> None:
        self._state.secret = replace(self._state.secret, log_met=True, log_since=None)
        await self._state.save()

    def _mark(self, raw: bytes) -> bytes:
        return blake2b(raw, key=self._state.secret.key, digest_size=_MARK_BYTES).digest()

    async def _page(self, wanted: int) -> LogPage:
        try:
            return read_log_page(await self._conversation.ask(Command.LOG, wanted.to_bytes(2)))
        except SaidNo as no:
            if no.code in KEYS_DO_NOT_FIT:
                self._state.log.refused(LOG_NOT_ALLOWED)
                raise Refused(Refusal.OTHER, LOG_NOT_ALLOWED) from None
            return LogPage((), (), 0)  # some locks answer so when there is no such record
        except ValueError:
            raise NoAnswer("the lock's log is not understood") from None

    def _is_history(self, record: Record) -> bool:
        """Say whether it is from before the hub, by the clock of the lock."""
        since = self._state.secret.log_since
        if since is None or record.at is None:
            return False
        return moment_of(record.at, self._state.clock.zone) < since

    async def _tell(
        self, record: Record, sink: Callable[[LockEvent], Awaitable[None]], told: Callable[[], None]
    ) -> None:
        state = self._state
        if record.what == What.POWER_BACK:
            state.clock.doubt()
        if self._is_history(record):
            return
        at = None if record.at is None else state.clock.believed(moment_of(record.at, state.clock.zone))
        for event in events_of(record, state.book, state.device_id, at):
            await hand_on(event, sink, told)

    def _told_ahead(self, mark: bytes) -> None:
        """Know a record again, should the reading end before its page is told."""
        secret = self._state.secret
        self._state.secret = replace(secret, log_ahead=(*secret.log_ahead, mark)[-_MOST_AHEAD:])

    def _go_on_from(self, number: int) -> None:
        self._state.secret = replace(self._state.secret, log_next=number)

    async def _remember(self, walk: _Walk, *, is_whole: bool) -> None:
        """Keep the marks; `is_whole`: nothing untold lies before the records seen so far."""
        secret = self._state.secret
        if is_whole:
            told = dict.fromkeys((*secret.log_told, *(walk.seen[::-1] if walk.falls else walk.seen)))
            secret = replace(secret, log_told=tuple(told)[-REMEMBERED:])
            if walk.ended and walk.start == ONLY_NEW:
                secret = replace(secret, log_ahead=())
        else:
            ahead = dict.fromkeys((*secret.log_ahead, *walk.seen))
            secret = replace(secret, log_ahead=tuple(ahead)[-_MOST_AHEAD:])
        self._state.secret = secret
        await self._state.save()
