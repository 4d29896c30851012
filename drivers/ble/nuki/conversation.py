"""Questions to a lock over one characteristic, one at a time, and its answers."""

import asyncio
from collections.abc import Callable, Collection, Sequence

from drivers.ble.family import Link
from drivers.ble.nuki.commands import COMPLETE, Command
from drivers.ble.nuki.errors import UNKNOWN_ERROR, LockError
from drivers.ble.nuki.frames import BadFrame, Gathering, Message, Seal, is_plain_error, read_plain
from drivers.ble.waiting import while_linked
from gateway.domain.driver import LockUnreachable, NoAnswer


class Wire:
    """Frames in both directions over one characteristic."""

    def __init__(self, link: Link, characteristic: str, answer_s: float, *, sealed: bool) -> None:
        """Wait `answer_s` seconds for each frame; `sealed` says how the lock's frames look."""
        self.gathering = Gathering(sealed=sealed)
        self._link = link
        self._characteristic = characteristic
        self._answer_s = answer_s
        self._frames: asyncio.Queue[bytes] = asyncio.Queue()

    async def listen(self) -> None:
        """Subscribe: once, before anything is sent."""
        await self._link.subscribe(self._characteristic, self._heard)

    async def send(self, frame: bytes) -> None:
        """Send a frame; what came before it answers something else and is dropped.

        A message that has come in part is not: its other pieces still come, and would spoil the next one.
        """
        while not self._frames.empty():
            self._frames.get_nowait()
        await self._link.write(self._characteristic, frame)

    async def receive(self) -> bytes:
        """Return the next whole frame. Raises NoAnswer or LockUnreachable."""
        return await while_linked(self._frames.get(), self._link.lost(), self._answer_s)

    def _heard(self, indication: bytes) -> None:
        frame = self.gathering.add(indication)
        if frame is not None:
            self._frames.put_nowait(frame)


type Enough = Callable[[Sequence[Message]], bool]
"""Says of the answers so far whether they are all."""


def first(answers: Sequence[Message]) -> bool:
    """Say that one answer is all."""
    return bool(answers)


def completed(answers: Sequence[Message]) -> bool:
    """Say whether the lock said "complete", maybe after "accepted"."""
    return answers[-1].command == Command.STATUS and answers[-1].payload[:1] == bytes([COMPLETE])


class Conversation:
    """Sealed questions and answers. After a lost answer nothing more is asked in this connection.

    What would come late could be taken for the answer to the next question.
    """

    def __init__(self, wire: Wire, seal: Seal) -> None:
        """Speak over `wire` with the key of our authorisation."""
        self._wire = wire
        self._seal = seal
        self._is_over = False

    async def ask(
        self, command: Command, payload: bytes, wanted: Collection[Command], enough: Enough = first
    ) -> Sequence[Message]:
        """Send a command; collect the `wanted` messages until they are enough, and pass over all others.

        Raises LockError, and NoAnswer or LockUnreachable, by which the command may have been carried out.
        """
        if self._is_over:
            raise LockUnreachable("the connection is given up after an answer that got lost")
        self._is_over = True
        await self._wire.send(self._seal.close(command, payload))
        answers: list[Message] = []
        while not answers or not enough(answers):
            frame = await self._wire.receive()
            message = self._read(frame)
            if message.command == Command.ERROR_REPORT:
                self._is_over = False
                code = message.payload[0] if message.payload else UNKNOWN_ERROR
                raise LockError(code, sealed=not is_plain_error(frame))
            if message.command in wanted:
                answers.append(message)
        self._is_over = False
        return answers

    def _read(self, frame: bytes) -> Message:
        try:
            return read_plain(frame) if is_plain_error(frame) else self._seal.open(frame)
        except BadFrame as error:
            raise NoAnswer(str(error)) from None
