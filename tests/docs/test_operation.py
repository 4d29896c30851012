"""docs/operation.md says of every error and warning what the code says."""

import os
import subprocess
from pathlib import Path

import pytest

from gateway.domain.timing import ENABLING, RECENT_READING, Timing
from gateway.engine.audit import SLICE
from scripts import make_errors_page
from storage.backup import SHORTEST_PASSPHRASE
from storage.keys import CREDENTIAL
from tests.docs.pages import ROOT, blocks

PAGE = "docs/operation.md"


def test_every_error_and_warning_is_explained_as_in_the_code() -> None:
    """The page is made from the catalogue: python -m scripts.make_errors_page."""
    assert make_errors_page.PAGE.read_text(encoding="utf-8") == make_errors_page.page()


def test_the_figures_are_those_of_the_code() -> None:
    """What the page says in numbers changes with the code."""
    page = (ROOT / PAGE).read_text(encoding="utf-8")
    timing = Timing()
    first, most = timing.back_off_first.seconds, timing.back_off_most.seconds // 60
    for sentence in (
        f"a passphrase of at least {SHORTEST_PASSPHRASE} characters",
        f"{timing.second_check.seconds // 60} minutes (`timing.second_check`)",
        f"`timing.reads_per_hour` ({timing.reads_per_hour})",
        f"after {first} seconds, doubling to {most} minutes",
        f"older than {RECENT_READING.seconds // 60} minutes",
        f"{SLICE} slots of others",
        f"at the start of a code, or {timing.setting_delay.seconds // 60} minutes after it was asked for",
        f"disabled on its lock, {ENABLING.seconds // 60} minute after its start",
        f"began more than {timing.removing_delay.seconds // 60} minutes ago",
        f"`failed_to_expire` {timing.expiry_alarm.seconds // 60} minutes after the end",
    ):
        assert sentence in page.replace("\n", " "), sentence


@pytest.mark.parametrize("room", [True, False])
def test_the_key_is_somewhere_whatever_becomes_of_its_move(tmp_path: Path, *, room: bool) -> None:
    """Pasted lines go on after one that failed, and without the key every PIN is lost."""
    tools, key, store = tmp_path / "tools", tmp_path / "key", tmp_path / "credstore"
    tools.mkdir()
    for tool, does in (("sudo", 'exec "$@"'), ("systemctl", "")):
        (tools / tool).write_text(f"#!/bin/sh\n{does}\n")
        (tools / tool).chmod(0o755)
    key.write_text("ab" * 32)
    if not room:
        store.write_text("no folder can be here")
    [move] = [block.text for block in blocks(PAGE) if f"/etc/credstore/{CREDENTIAL}" in block.text]

    subprocess.run(  # noqa: S603 - the page's own lines
        [
            "/bin/sh",
            "-c",
            move.replace("/var/lib/pinsmith/key", str(key)).replace("/etc/credstore", str(store)),
        ],
        env={**os.environ, "PATH": f"{tools}:{os.environ['PATH']}"},
        stderr=subprocess.DEVNULL,
        check=False,
    )

    moved = store / CREDENTIAL
    assert (moved if room else key).read_text() == "ab" * 32
    assert key.exists() is not room
    if room:
        assert (store.stat().st_mode & 0o777, moved.stat().st_mode & 0o777) == (0o700, 0o600)
