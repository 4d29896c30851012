"""The systemd units: how well they are caged, and that they name what there is."""

import shutil
import subprocess
from pathlib import Path

import pytest

from gateway.cli.main import make_parser
from gateway.config import credentials
from storage.keys import CREDENTIAL

UNITS = Path(__file__).parents[2] / "systemd"
SERVICES = ("pinsmith.service", "pinsmith-backup.service")
PASSPHRASE = "pinsmith.backup-passphrase"
THRESHOLD = 15
"""Most exposure allowed, in tenths: systemd-analyze calls up to 1.9 well caged. mosquitto's unit has 9.2."""


class Unit:
    """The settings of one unit, each a list because many may stand more than once."""

    def __init__(self, name: str) -> None:
        self._settings: dict[str, list[str]] = {}
        for line in (UNITS / name).read_text().splitlines():
            key, sign, value = line.partition("=")
            if sign and not line.startswith("#"):
                self._settings.setdefault(key, []).append(value)

    def __getitem__(self, key: str) -> list[str]:
        """Return all values of a setting."""
        return self._settings.get(key, [])


@pytest.mark.parametrize("name", SERVICES)
def test_exposure_is_small(name: str) -> None:
    """By systemd's own measure."""
    tool = shutil.which("systemd-analyze")
    if tool is None:
        pytest.fail(
            "systemd-analyze is missing: run scripts/need-systemd-analyze as root, or apt install systemd"
        )
    done = subprocess.run(  # noqa: S603 - the machine's own tool on a file of ours
        [tool, "security", "--offline=true", f"--threshold={THRESHOLD}", "--no-pager", UNITS / name],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-300:] + done.stderr


@pytest.mark.parametrize("name", SERVICES)
def test_commands_exist(name: str) -> None:
    """What the units start is a command line that pinsmith takes."""
    unit = Unit(name)
    lines = [line.split() for line in unit["ExecStart"] + unit["ExecReload"]]
    ours = [line for line in lines if line[0] == "/usr/bin/pinsmith"]
    assert ours
    for line in ours:
        make_parser().parse_args(line[1:])


def test_the_daemon_gets_no_more_secrets_than_it_reads() -> None:
    """By name: a pattern would hand it the passphrase of the backups too, which leave this machine."""
    given = Unit("pinsmith.service")["ImportCredential"]
    assert sorted(given) == sorted([CREDENTIAL, credentials.TLS_KEY, credentials.PASSWORD])


def test_the_backup_gets_no_more_secrets_than_it_reads() -> None:
    """It does not go to the broker."""
    unit = Unit("pinsmith-backup.service")
    assert unit["ImportCredential"] == [CREDENTIAL, PASSPHRASE]
    assert unit["ExecStart"][0].split()[-4] == f"%d/{PASSPHRASE}"


def test_the_pages_put_the_key_where_both_services_find_it() -> None:
    """A line LoadCredential= beside one of them leaves the other without: no backup is made then."""
    said = (UNITS.parent / "docs/operation.md").read_text()
    assert f"/etc/credstore/{CREDENTIAL}" in said
    assert f"LoadCredential={CREDENTIAL}:/" not in said


@pytest.mark.parametrize("name", SERVICES)
def test_no_memory_is_written_to_a_file(name: str) -> None:
    """One byte and not none: a core dump for a program such as systemd-coredump knows only this limit."""
    assert Unit(name)["LimitCORE"] == ["1"]


def test_the_daemon_may_ask_whether_the_clock_is_right() -> None:
    """Else no window would ever open: ProtectClock= forbids adjtimex(2), also for reading."""
    unit = Unit("pinsmith.service")
    assert unit["ProtectClock"] == []
    assert "adjtimex clock_adjtime clock_adjtime64" in unit["SystemCallFilter"]
    assert unit["ProcSubset"] == ["all"], "the name of the boot is in /proc/sys"


def test_the_daemon_is_never_given_up() -> None:
    """However often it fails, it is started again, and one that hangs is ended."""
    unit = Unit("pinsmith.service")
    assert (unit["Type"], unit["Restart"], unit["StartLimitIntervalSec"]) == (["notify"], ["always"], ["0"])
    assert unit["WatchdogSec"] == ["60s"]


def test_it_reaches_bluez_and_brokers() -> None:
    """D-Bus is a socket of this machine; everything else is on the network."""
    assert Unit("pinsmith.service")["RestrictAddressFamilies"] == ["AF_UNIX AF_INET AF_INET6"]


def test_no_backup_is_tried_without_a_passphrase() -> None:
    """Timer and service wait for the file, plain or sealed, and for nothing else: what is skipped fails not.

    A database that is not where it should be, such as with another `gateway.data_directory`, is to be seen.
    """
    for name in ("pinsmith-backup.timer", "pinsmith-backup.service"):
        assert Unit(name)["ConditionPathExists"] == [
            "|/etc/credstore/pinsmith.backup-passphrase",
            "|/etc/credstore.encrypted/pinsmith.backup-passphrase",
        ]


def test_services_run_as_the_user_that_sysusers_makes() -> None:
    """It owns nothing but its state."""
    (line,) = [line for line in (UNITS / "pinsmith.sysusers").read_text().splitlines() if line[0] != "#"]
    assert line.split()[:2] == ["u", "pinsmith"]
    for name in SERVICES:
        unit = Unit(name)
        assert (unit["User"], unit["CapabilityBoundingSet"]) == (["pinsmith"], [""])
