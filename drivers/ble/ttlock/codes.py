"""The codes in one lock, over one connection: lists them and changes them, by name."""

from collections.abc import Callable

from drivers.ble.ttlock.commands import Command, Failure, SaidNo
from drivers.ble.ttlock.conversation import Conversation
from drivers.ble.ttlock.passcodes import (
    FIRST_PAGE,
    NO_MORE,
    Entry,
    Kind,
    Page,
    add,
    delete,
    kind_of,
    modify,
    read_page,
)
from drivers.ble.ttlock.slots import SlotBook
from drivers.ble.ttlock.times import Window
from gateway.domain.driver import NoAnswer

MOST_PAGES = 300
"""More requests for one list than any lock has codes: it goes in circles."""


class Codes:
    """Carries out single steps. Every method raises SaidNo, LockUnreachable or NoAnswer."""

    def __init__(self, conversation: Conversation, book: SlotBook, *, modifies: bool) -> None:
        """Work on the codes of `book`; `modifies`: the firmware can change a code in place."""
        self._conversation = conversation
        self._book = book
        self._modifies = modifies

    async def look(self) -> None:
        """Ask the lock for all of its codes."""
        entries: list[Entry] = []
        wanted = FIRST_PAGE
        for _ in range(MOST_PAGES):
            page = await self._page(wanted)
            entries += page.entries
            wanted = page.following
            if wanted in NO_MORE:
                self._book.take(entries)
                return
        raise NoAnswer("the lock lists its codes without an end")

    async def add(self, digits: str, window: Window | None) -> None:
        """Store a code."""
        await self._conversation.ask(Command.PASSCODE, add(digits, window))

    def in_place(self, entry: Entry, window: Window | None) -> bool:
        """Say whether the lock can be told to change a code into one with this window.

        The kind of a code stays: no client was ever seen to change it.
        """
        return self._modifies and entry.kind == kind_of(window)

    async def modify(self, entry: Entry, digits: str, window: Window | None) -> None:
        """Change a code in place."""
        await self._by_digits(entry, lambda known_by: modify(entry, known_by, digits, window))

    async def delete(self, entry: Entry) -> None:
        """Delete a code; one that is gone is no failure."""
        try:
            await self._by_digits(entry, lambda known_by: delete(entry, known_by))
        except SaidNo as no:
            if no.code != Failure.NOT_THERE:
                raise

    async def restore(self, entry: Entry) -> None:
        """Store a code again that was deleted to make room for its successor."""
        window = None if entry.kind == Kind.PERMANENT else Window(entry.start, entry.end)
        await self.add(entry.current, window)

    async def _by_digits(self, entry: Entry, request: Callable[[str], bytes]) -> None:
        """Ask for a change of a code by the digits that open, then by those it was created with.

        No client shows which of them counts once they differ. A lock that has no code by the first says so.
        """
        try:
            await self._conversation.ask(Command.PASSCODE, request(entry.current))
        except SaidNo as no:
            if no.code != Failure.NOT_THERE or entry.original == entry.current:
                raise
            await self._conversation.ask(Command.PASSCODE, request(entry.original))

    async def _page(self, wanted: int) -> Page:
        def fits(payload: bytes) -> bool:
            # The page before, heard once more, leads to the one that is asked for now.
            try:
                return wanted == FIRST_PAGE or read_page(payload).following != wanted
            except ValueError:
                return True

        payload = await self._conversation.ask(Command.PASSCODES, wanted.to_bytes(2), fits=fits)
        try:
            return read_page(payload)
        except ValueError:
            raise NoAnswer("the lock lists its codes in a way that is not understood") from None
