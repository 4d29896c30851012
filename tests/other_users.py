"""Being another user of the machine for a while, where tests run as root."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT_ONLY = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
NOBODY = 65534
"""The user's id."""


@contextmanager
def nobody(folder: Path) -> Iterator[None]:
    """Be the user nobody for a while, who may pass to `folder`."""
    # pytest keeps its three folders to itself.
    for place in (folder, *folder.parents[:3]):
        if place.name.startswith(("pytest-", "popen-", "test_")):
            place.chmod(0o755)
    groups = os.getgroups()
    os.setgroups([])
    os.setegid(NOBODY)
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)
        os.setgroups(groups)
