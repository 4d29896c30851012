"""A hub process that can die at any moment."""


class Died(BaseException):
    """The process is gone: nothing after this has any effect."""


class Process:
    """One life of the hub. Everything it does to the outside asks first whether it still lives."""

    def __init__(self, number: int) -> None:
        """Begin to live."""
        self.number = number
        self.alive = True

    def check(self) -> None:
        """Stop whoever acts after death."""
        if not self.alive:
            raise Died
