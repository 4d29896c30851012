"""Reads the lock's log to its end, once.

Other people's clients disagree on the order. Most show a lock that counts up from the oldest record that
nobody has read; one was seen to go back from the newest one through all of its history. So both are coped
with: records are known again by a mark, the number to go on from is kept only once it was seen to rise,
and reading ends where nothing is new.
"""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from hashlib import blake2b

from msgspec.structs import replace

from drivers.ble.ttlock.commands import Command, SaidNo
from drivers.ble.ttlock.conversation import Conversation
from drivers.ble.ttlock.events import events_of
from drivers.ble.ttlock.records import ONLY_NEW, LogPage, Record, What, read_log_page
from drivers.ble.ttlock.state import LockState
from drivers.ble.ttlock.times import moment_of
from gateway.domain.driver import LockEvent, NoAnswer

MOST_PAGES = 64
"""Requests in one connection: the lock's battery and patience are limited, and the rest is read next time."""
REMEMBERED = 64
"""Records that are known again."""
_MARK_BYTES = 8
_FIRST_TIME = timedelta(days=1)
"""How far back the first reading goes: a lock that was in use before may have thousands of records."""


class Log:
    """The log of one lock, over one connection."""

    def __init__(
        self, state: LockState, conversation: Conversation, know_codes: Callable[[], Awaitable[None]]
    ) -> None:
        """`know_codes` lists the codes of the lock, which tell whose digits were typed."""
        self._state = state
        self._conversation = conversation
        self._know_codes = know_codes
        self._since = None
        now = state.now()
        if not state.secret.log_told and now is not None:
            self._since = now - _FIRST_TIME

    async def read(
        self, sink: Callable[[LockEvent], Awaitable[None]], asked_to_stop: Callable[[], bool]
    ) -> bool:
        """Hand what is new to `sink`, page by page; say whether it was not stopped before its end.

        Raises LockUnreachable or NoAnswer.
        """
        pages = MOST_PAGES
        for start in dict.fromkeys((self._state.secret.log_next or ONLY_NEW, ONLY_NEW)):
            wanted = start
            while pages > 0:
                if asked_to_stop():
                    return False
                pages -= 1
                page = await self._page(wanted)
                if not page.records:
                    if wanted != ONLY_NEW:
                        # Behind the last record there is none: numbers rise.
                        await self._remember(page, wanted)
                    break
                fresh = [self._mark(raw) not in self._state.secret.log_told for raw in page.raw]
                if any(fresh):
                    await self._know_codes()
                for record, is_fresh in zip(page.records, fresh, strict=True):
                    if is_fresh:
                        await self._tell(record, sink)
                rises = wanted != ONLY_NEW and page.following > wanted
                await self._remember(page, page.following if rises else None)
                if not any(fresh) or page.following in {0, wanted, ONLY_NEW}:
                    break
                wanted = page.following
        return True

    def _mark(self, raw: bytes) -> bytes:
        return blake2b(raw, key=self._state.secret.key, digest_size=_MARK_BYTES).digest()

    async def _page(self, wanted: int) -> LogPage:
        try:
            return read_log_page(await self._conversation.ask(Command.LOG, wanted.to_bytes(2)))
        except SaidNo:
            return LogPage((), (), 0)  # some locks answer so when there is no such record
        except ValueError:
            raise NoAnswer("the lock's log is not understood") from None

    async def _tell(self, record: Record, sink: Callable[[LockEvent], Awaitable[None]]) -> None:
        state = self._state
        if record.what == What.POWER_BACK:
            state.clock.doubt()
        at = None if record.at is None else moment_of(record.at, state.clock.zone)
        if self._since is not None and at is not None and at < self._since:
            return
        for event in events_of(record, state.book, state.device_id, state.clock.zone):
            await sink(event)

    async def _remember(self, page: LogPage, following: int | None) -> None:
        secret = self._state.secret
        told = dict.fromkeys((*secret.log_told, *map(self._mark, page.raw)))
        self._state.secret = replace(
            secret,
            log_told=tuple(told)[-REMEMBERED:],
            log_next=secret.log_next if following is None else following,
        )
        await self._state.save()
