"""Questions as a lock wants them: with a fresh challenge, with the security PIN, and never a PIN in vain."""

from collections.abc import Collection, Sequence
from typing import Final

from drivers.ble.nuki.commands import Command
from drivers.ble.nuki.conversation import Conversation, Enough, completed, first
from drivers.ble.nuki.errors import NO_SUCH_ID, LockError
from drivers.ble.nuki.frames import Message
from drivers.ble.nuki.standing import Standing
from gateway.domain.driver import NoAnswer

_CHALLENGE_SIZE = 32
_OF_ONE_CODE: Final = frozenset({Command.UPDATE_CODE, Command.REMOVE_CODE})
"""Here "no such entry" may mean the code, and says nothing of us."""
STATUS: Final = frozenset({Command.STATUS})


class Asker:
    """Asks one lock. Every method raises LockError, NoAnswer or LockUnreachable."""

    def __init__(self, conversation: Conversation, standing: Standing) -> None:
        """Ask over `conversation`; what errors mean for later is noted in `standing`."""
        self._conversation = conversation
        self._standing = standing

    async def fetch(self, wanted: Command) -> bytes:
        """Request a piece of data that needs no proof; return its payload."""
        request = wanted.to_bytes(2, "little")
        return (await self._ask(Command.REQUEST_DATA, request, (wanted,), first))[0].payload

    async def fetch_config(self) -> bytes:
        """Request the configuration; return its payload.

        Raises Refused, with nothing sent, where that was refused.
        """
        self._standing.check(Command.REQUEST_CONFIG)
        challenge = await self._challenge()
        (answer, *_) = await self._ask(Command.REQUEST_CONFIG, challenge, (Command.CONFIG,), first)
        self._standing.granted(Command.REQUEST_CONFIG)
        return answer.payload

    async def with_pin(
        self,
        command: Command,
        payload: bytes = b"",
        *,
        wanted: Collection[Command] = STATUS,
        enough: Enough = completed,
    ) -> Sequence[Message]:
        """Send a command that needs the security PIN.

        Raises Refused, with nothing sent, where the PIN or the command must not be tried. A challenge is good
        for one command: each gets its own.
        """
        self._standing.check_pin(command)
        challenge = await self._challenge()
        whole = payload + challenge + self._standing.keys.pin_bytes()
        answers = await self._ask(command, whole, wanted, enough)
        await self._standing.proven(command)
        return answers

    async def _challenge(self) -> bytes:
        challenge = await self.fetch(Command.CHALLENGE)
        if len(challenge) != _CHALLENGE_SIZE:
            raise NoAnswer("the lock sent a challenge of the wrong size")
        return challenge

    async def _ask(
        self, command: Command, payload: bytes, wanted: Collection[Command], enough: Enough
    ) -> Sequence[Message]:
        try:
            return await self._conversation.ask(command, payload, wanted, enough)
        except LockError as error:
            if not (command in _OF_ONE_CODE and error.code in NO_SUCH_ID):
                await self._standing.note(command, error)
            raise
