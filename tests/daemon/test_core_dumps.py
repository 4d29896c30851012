"""A daemon that crashes leaves no picture of its memory, which holds PINs and keys."""

import os
import resource
import sys
from pathlib import Path

import pytest

from tests.daemon.bed import settings

_CRASH = """\
import os, resource, sys
import gateway.daemon
from gateway.cli.main import main

resource.setrlimit(resource.RLIMIT_CORE, (resource.getrlimit(resource.RLIMIT_CORE)[1],) * 2)
os.chdir(sys.argv[1])
gateway.daemon.run = lambda _settings: os.abort()
main(sys.argv[2:])
"""


@pytest.mark.skipif(resource.getrlimit(resource.RLIMIT_CORE)[1] == 0, reason="there are no core dumps here")
def test_a_crash_dumps_no_memory(tmp_path: Path) -> None:
    """However the machine keeps core dumps, and however many it would allow."""
    command = [sys.executable, "-c", _CRASH, str(tmp_path)]
    pid = os.posix_spawn(
        sys.executable, [*command, "run", "--config", str(settings(tmp_path, 1).file)], os.environ
    )
    _, status = os.waitpid(pid, 0)
    assert os.WIFSIGNALED(status), "it did not get as far as that"
    assert not os.WCOREDUMP(status)
