"""What is wrong with clock and disk."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gateway.doctor.finding import Finding, Severity
from gateway.doctor.machine import FEW_INODES, check_clock, check_disk
from gateway.doctor.probe_machine import ClockFacts, probe_clock, probe_disk

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
MOUNTS = pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a file system")


@contextmanager
def small_disk(folder: Path, options: str) -> Iterator[Path]:
    """A file system in memory with these limits."""
    disk = folder / "disk"
    disk.mkdir()
    mounted = subprocess.run(  # noqa: S603 - a fixed command
        ["/usr/bin/mount", "-t", "tmpfs", "-o", options, "tmpfs", str(disk)], check=False, capture_output=True
    )
    if mounted.returncode != 0:
        pytest.skip("this machine does not let its root mount")
    try:
        yield disk
    finally:
        subprocess.run(["/usr/bin/umount", str(disk)], check=True)  # noqa: S603 - same


@MOUNTS
def test_a_full_disk(tmp_path: Path) -> None:
    """Something has filled it."""
    with small_disk(tmp_path, "size=24m") as disk:
        (disk / "log").write_bytes(b"x" * 20 * 1024 * 1024)
        [found] = check_disk(probe_disk(disk / "not" / "there" / "yet"))
    assert found.id == "disk_full"
    assert "have filled the disk" in found.cause
    assert "Make room" in found.remedy
    assert f"4 MiB are free under {disk}" in found.what


@MOUNTS
def test_a_disk_that_fills_up(tmp_path: Path) -> None:
    """There is time yet."""
    with small_disk(tmp_path, "size=64m") as disk:
        [found] = check_disk(probe_disk(disk))
    assert (found.id, found.severity) == ("disk_nearly_full", Severity.WARNING)
    assert "Make room before" in found.remedy


@MOUNTS
def test_a_disk_that_takes_no_more_files(tmp_path: Path) -> None:
    """There is room, and no entry left in the table of files."""
    with small_disk(tmp_path, f"size=256m,nr_inodes={FEW_INODES // 2}") as disk:
        found = {one.id: one for one in check_disk(probe_disk(disk))}
    assert "small files" in found["disk_no_inodes"].cause
    assert "du --inodes" in found["disk_no_inodes"].remedy


@MOUNTS
def test_a_disk_that_became_read_only(tmp_path: Path) -> None:
    """As Linux makes it after errors."""
    with small_disk(tmp_path, "size=256m,ro") as disk:
        found = {one.id: one for one in check_disk(probe_disk(disk))}
    assert "errors of the card" in found["disk_read_only"].cause
    assert "dmesg" in found["disk_read_only"].remedy


def judged(facts: ClockFacts, **changed: object) -> dict[str, Finding]:
    """What the clock check says, by kind."""
    given = {
        "policy": "hold",
        "step": timedelta(minutes=1),
        "floor": None,
        "zone": "Europe/Berlin",
        "trusted": False,
    }
    return {one.id: one for one in check_clock(facts, **(given | changed))}  # type: ignore[arg-type]


def test_a_clock_that_no_time_server_keeps() -> None:
    """What the kernel says of this machine depends on the machine: here it is given."""
    found = judged(ClockFacts(now=NOW, synchronised=False, zone=None))["clock_unsynchronised"]
    assert "time service is not there" in found.cause
    assert "timedatectl" in found.remedy
    believed = judged(ClockFacts(now=NOW, synchronised=False, zone=None), policy="run")
    assert believed["clock_believed"].severity is Severity.NOTE


def test_a_clock_that_began_in_the_past() -> None:
    """A machine without a battery for it."""
    old = ClockFacts(now=datetime(1970, 1, 1, 0, 5, tzinfo=UTC), synchronised=False, zone=None)
    assert "no clock battery" in judged(old)["clock_ancient"].cause


def test_a_clock_that_is_right() -> None:
    """Nothing to do."""
    assert set(judged(ClockFacts(now=NOW, synchronised=True, zone="Europe/Berlin"))) == {"fine"}


def test_a_zone_that_nobody_chose(tmp_path: Path) -> None:
    """The machine is in Lisbon, the configuration has UTC."""
    localtime = tmp_path / "localtime"
    localtime.symlink_to("/usr/share/zoneinfo/Europe/Lisbon")
    found = judged(probe_clock(localtime), zone="Etc/UTC")["time_zone_utc"]
    assert "in Europe/Lisbon" in found.what
    assert "nobody chose a zone" in found.cause
    assert "where the doors are" in found.remedy
