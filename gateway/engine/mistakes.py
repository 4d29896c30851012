"""What may be said of an exception that nobody foresaw."""

import traceback


def place(error: Exception) -> str:
    """Name an exception and where it came from, without its text, which may hold a PIN."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} in {frame.name}, {frame.filename}:{frame.lineno}"
