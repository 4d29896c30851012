"""Asks a lock over an open connection and waits for the answer."""

import asyncio
import logging
from collections.abc import Callable

from drivers.ble.family import Link
from drivers.ble.hold import Hold, KeysRefused
from drivers.ble.ttlock.adverts import NOTIFY, WRITE
from drivers.ble.ttlock.cipher import decrypt, encrypt
from drivers.ble.ttlock.commands import ANSWER, LOGIN_REFUSED, Command, Failure, SaidNo
from drivers.ble.ttlock.frames import Assembler, Frame, Version, encode, pieces
from drivers.ble.ttlock.secret import Secret
from drivers.ble.waiting import while_linked
from gateway.domain.driver import LockUnreachable, NoAnswer

_LOG = logging.getLogger(__name__)
_SUCCESS = 1
_WORD = 4
_WORDS = 1 << 32


KEYS_REFUSED = "the lock refuses our keys: pair it again"
"""It was set up anew, or they were taken back; or somebody says so in its place."""


class Conversation:
    """One connection. Questions go one after the other.

    What the lock says unasked, and answers that came too late, do not fit the question and are passed over.
    """

    def __init__(
        self, link: Link, version: Version, key: bytes, timeout_s: float, name: str, hold: Hold | None = None
    ) -> None:
        """Speak over `link` in frames of `version`; `name` is for the log, `hold` is told of refused keys."""
        self.key = key
        self._link = link
        self._version = version
        self._timeout_s = timeout_s
        self._name = name
        self._hold = hold
        self._assembler = Assembler()
        self._heard: asyncio.Queue[Frame] = asyncio.Queue()
        self._last_piece = b""
        self._told_of_crc = False

    async def open(self) -> None:
        """Listen to the lock; once per connection."""
        await self._link.subscribe(NOTIFY, self._piece)

    async def ask(
        self, command: Command, payload: bytes = b"", *, fits: Callable[[bytes], bool] | None = None
    ) -> bytes:
        """Return what the answer carries. `fits` tells an answer to this question from an older one.

        Raises SaidNo, LockUnreachable (the connection broke), NoAnswer.
        """
        self._forget()
        for piece in pieces(encode(self._version, command, encrypt(payload, self.key))):
            await self._link.write(WRITE, piece, response=False)
        try:
            async with asyncio.timeout(self._timeout_s):
                while True:
                    answer = self._answer(await self._frame(), command)
                    if answer is not None and (fits is None or fits(answer)):
                        return answer
        except TimeoutError:
            raise NoAnswer("the lock did not answer") from None

    async def log_in(self, secret: Secret) -> None:
        """Show that we are the administrator; in every connection, before anything else.

        Raises KeysRefused: the same keys must not be tried on and on.
        """
        identity = (
            secret.admin_ps.to_bytes(_WORD)
            + secret.flag_position.to_bytes(3)
            + secret.user_id.to_bytes(_WORD)
        )
        try:
            drawn = await self.ask(Command.CHECK_ADMIN, identity)
            if len(drawn) < _WORD:
                raise NoAnswer("the lock answered the login with nonsense")
            proof = (int.from_bytes(drawn[:_WORD]) + secret.unlock_key) % _WORDS
            await self.ask(Command.PROVE, proof.to_bytes(_WORD))
        except SaidNo as no:
            if no.code in LOGIN_REFUSED:
                raise self._refused() from None
            raise LockUnreachable(f"the lock refused the login (failure {no.code})") from None

    def _refused(self) -> KeysRefused:
        if self._hold is not None:
            self._hold.refused(KEYS_REFUSED)
            _LOG.warning("%s: %s", self._name, KEYS_REFUSED)
        return KeysRefused(KEYS_REFUSED)

    def _piece(self, piece: bytes) -> None:
        # No two pieces of one answer are equal, because all of it but the head is encrypted.
        if piece == self._last_piece:
            return
        self._last_piece = piece
        for frame in self._assembler.feed(piece):
            self._heard.put_nowait(frame)

    def _forget(self) -> None:
        self._assembler.clear()
        self._last_piece = b""
        while not self._heard.empty():
            self._heard.get_nowait()

    async def _frame(self) -> Frame:
        """Wait for the next frame, or for the end of the connection."""
        return await while_linked(self._heard.get(), self._link.lost())

    def _answer(self, frame: Frame, command: Command) -> bytes | None:
        """Return what an answer to `command` carries; None where the frame is something else."""
        if frame.command != ANSWER:
            return None
        try:
            plain = decrypt(frame.data, self.key)
        except ValueError:
            if frame.crc_fits:
                # It came as it was sent, and not with our key: nothing we ask will be understood.
                raise self._refused() from None
            return None
        if len(plain) < len(b"cs") or plain[0] != command:
            return None
        if not frame.crc_fits and not self._told_of_crc:
            self._told_of_crc = True
            _LOG.info("%s sends wrong checksums; its answers are taken nevertheless", self._name)
        if plain[1] == _SUCCESS:
            return plain[2:]
        code = plain[2] if len(plain) > len(b"cs") else 0
        if code == Failure.WORKING:
            return None
        raise SaidNo(code)
