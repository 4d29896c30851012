"""The locked requirements: exact, hashed, and usable at any site."""

import re
from pathlib import Path

import pytest

LOCKS = sorted((Path(__file__).parents[2] / "requirements").glob("*.txt"))
PIN = re.compile(r"^([a-z0-9-]+)==(\S+)", re.MULTILINE)


def pins(lock: Path) -> dict[str, str]:
    """Version of each requirement by its name."""
    return dict(PIN.findall(lock.read_text()))


def test_every_set_is_locked() -> None:
    """What set-up installs from, and what the Debian package holds."""
    assert [lock.stem for lock in LOCKS] == ["bootstrap", "daemon", "dev", "run"]


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.stem)
def test_every_requirement_is_pinned_with_hashes(lock: Path) -> None:
    """One requirement without a hash would let any file in its place through."""
    entries = re.split(r"\n(?=\S)", lock.read_text().replace("\\\n", "").strip())

    assert [entry for entry in entries if not PIN.match(entry) or "--hash=sha256:" not in entry] == []


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.stem)
def test_no_address_of_an_index_is_written_down(lock: Path) -> None:
    """Which index a site uses is the site's business."""
    assert re.search(r"://|index-url|find-links", lock.read_text()) is None


def test_what_is_tested_is_what_is_run() -> None:
    """Dev holds all of run, and run all of the daemon, in the same versions."""
    locked = {lock.stem: pins(lock) for lock in LOCKS}

    assert locked["daemon"].items() <= locked["run"].items() <= locked["dev"].items()
