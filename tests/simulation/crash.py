"""A hub process that can die at any moment."""

import asyncio


class Died(BaseException):
    """The process is gone: nothing after this has any effect."""


class Process:
    """One life of the hub. Everything it does to the outside asks first whether it still lives."""

    def __init__(self, number: int) -> None:
        """Begin to live."""
        self.number = number
        self.dead = asyncio.Event()

    @property
    def alive(self) -> bool:
        """Say whether it lives."""
        return not self.dead.is_set()

    def die(self) -> None:
        """Be gone from this moment on."""
        self.dead.set()

    def check(self) -> None:
        """Stop whoever acts after death."""
        if not self.alive:
            raise Died
