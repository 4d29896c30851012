"""The whole life of the package on a Debian 13, from the first installation to its purge.

Not named test_*, because it needs root and a Debian: `make test-deb` runs it. What needs a running systemd is
for `make test-hub`. The older release is the same one under a lower number: there was none before.
"""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.deb_root.root import Root
from tests.storage.samples import KEY

OLD, NEW = "0.0.9", "newest"
GOLDEN = Path(__file__).parents[1] / "storage/golden/v1.sql"
DATA = "/var/lib/pinsmith"
CONFIG = """
[gateway]
id = "home"
time_zone = "Europe/Berlin"

[mqtt]
url = "mqtt://127.0.0.1:9"

[locks.front]
driver = "simulated"
"""
RUN = "runuser -u pinsmith -- timeout 20 pinsmith run --config /etc/pinsmith/config.toml 2>&1 || true"
"""The daemon without a broker, ended after a while."""


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Unpack the Debian."""
    folder = tmp_path_factory.mktemp("debian")
    subprocess.run(["/bin/tar", "-xf", os.environ["PINSMITH_DEB_ROOT"], "-C", folder], check=True)  # noqa: S603 - made by build.sh
    return folder


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Lay the built package beside the one with a lower number."""
    folder = tmp_path_factory.mktemp("packages")
    built = Path(os.environ["PINSMITH_DEB"])
    shutil.copy(built, folder / f"{NEW}.deb")
    script = f"""
        dpkg-deb -R "$1" {folder}/tree
        sed -i 's/^Version: .*/Version: {OLD}/' {folder}/tree/DEBIAN/control
        dpkg-deb --root-owner-group -Znone -b {folder}/tree {folder}/{OLD}.deb >/dev/null
        rm -r {folder}/tree
    """
    subprocess.run(["/bin/sh", "-euc", script, "sh", built], check=True)  # noqa: S603 - our own script
    return folder


@pytest.fixture
def root(base: Path, packages: Path, tmp_path: Path) -> Root:
    """Give a Debian of its own."""
    return Root(base, tmp_path, packages)


def configure(root: Root) -> None:
    """Write a configuration as an installer would have it."""
    root.put("/etc/pinsmith/config.toml", CONFIG)


def old_data(root: Root) -> None:
    """Leave a database of the first format, as the daemon of an older release has it."""
    root.put("/golden.sql", GOLDEN.read_text())
    root.must(f"""
        runuser -u pinsmith -- python3 -c '
import sqlite3
with open("/golden.sql") as file: sqlite3.connect("{DATA}/pinsmith.db").executescript(file.read())'
        chmod 600 {DATA}/pinsmith.db
        echo {KEY.hex()} >{DATA}/key
    """)


def number(root: Root) -> str:
    """Return which version dpkg believes to be installed, and in what state."""
    return root.must("dpkg-query -W -f '${Version} ${db:Status-Status}' pinsmith")


def formats(root: Root, name: str = "pinsmith.db") -> str:
    """Return the format of a database and how many codes are in it."""
    queries = ("PRAGMA user_version", "SELECT count(*) FROM code")
    connection = f'sqlite3.connect("{DATA}/{name}")'
    script = "; ".join(f'print(*{connection}.execute("{query}").fetchone())' for query in queries)
    return root.must(f"python3 -c 'import sqlite3; {script}'").replace("\n", " ").strip()


def test_a_first_installation_makes_user_folders_and_key(root: Root) -> None:
    """Without a configuration nothing is started, and it says what comes next."""
    said = root.must(f"dpkg -i /packages/{NEW}.deb")

    assert "sudo pinsmith init" in said
    assert root.must(f"stat -c '%U:%G %a' /etc/pinsmith {DATA} {DATA}/key").splitlines() == [
        "root:pinsmith 750",
        "pinsmith:pinsmith 700",
        "pinsmith:pinsmith 600",
    ]
    assert len(root.must(f"cat {DATA}/key").strip()) == 64
    assert root.must("pinsmith --version").startswith("pinsmith ")
    assert root.run("test -e /etc/systemd/system/multi-user.target.wants/pinsmith.service").code != 0
    assert root.must("find /usr/lib/pinsmith/storage -name '*.pyc' | head -n 1")


def test_all_of_it_comes_from_the_package(root: Root) -> None:
    """Every driver loads with nothing but Debian's python3 beside it, whatever is set."""
    script = "import drivers.zwave.driver, drivers.ble.driver, gateway.daemon, sys; print(*sys.path)"
    root.must(f"dpkg -i /packages/{NEW}.deb")

    said = root.must(f"""
        export PYTHONPATH=/usr/lib/python3/dist-packages
        /usr/bin/python3 -IS -c 'import sys; sys.path.insert(0, "/usr/lib/pinsmith"); {script}'
    """)
    assert "dist-packages" not in said


def test_a_configured_daemon_runs_as_its_user(root: Root) -> None:
    """With the key of the installation; the unit is switched on."""
    configure(root)
    root.must(f"dpkg -i /packages/{NEW}.deb")
    key = root.must(f"cat {DATA}/key")

    said = root.must(RUN)

    assert "front" in said
    assert "Stopped" in said
    assert root.must(f"stat -c '%U %a' {DATA}/pinsmith.db") == "pinsmith 600\n"
    assert root.must(f"cat {DATA}/key") == key
    root.must("test -h /etc/systemd/system/multi-user.target.wants/pinsmith.service")


def test_an_upgrade_keeps_everything_and_a_copy_of_the_database(root: Root) -> None:
    """The daemon brings the database to the new format, and leaves the old one beside it."""
    configure(root)
    root.must(f"dpkg -i /packages/{OLD}.deb")
    old_data(root)
    key, before = root.must(f"cat {DATA}/key"), formats(root)

    root.must(f"echo '# mine' >>/etc/pinsmith/config.toml; dpkg -i /packages/{NEW}.deb")
    said = root.must(RUN)

    assert number(root) != f"{OLD} installed"
    assert f"kept as {DATA}/pinsmith.db.format-1" in said
    assert before.startswith("1 ")
    assert formats(root, "pinsmith.db.format-1") == before
    assert formats(root).split()[1] == before.split()[1]
    assert formats(root).split()[0] > "1"
    assert root.must(f"cat {DATA}/key") == key
    assert root.must("cat /etc/pinsmith/config.toml") == CONFIG + "# mine\n"


def test_without_room_for_the_copy_the_old_database_stays(root: Root) -> None:
    """On a disk that is really full."""
    configure(root)
    root.must(f"dpkg -i /packages/{NEW}.deb")
    old_data(root)

    said = root.must(f"""
        mkdir /aside; cp -a {DATA}/. /aside/
        mount -t tmpfs -o size=512k,mode=700,uid="$(id -u pinsmith)" full {DATA}
        cp -a /aside/. {DATA}/
        head -c 1M /dev/zero >{DATA}/photos 2>/dev/null || true
        {RUN}
        cmp {DATA}/pinsmith.db /aside/pinsmith.db && ls -A {DATA}
    """)

    assert "free some space" in said
    assert "format-1" not in said


def test_an_older_release_is_refused_before_anything_is_touched(root: Root) -> None:
    """Its daemon would refuse the database, and the hub stand still."""
    configure(root)
    root.must(f"dpkg -i /packages/{NEW}.deb")
    before = number(root)
    root.must(RUN)
    newer = f'import sqlite3; sqlite3.connect("{DATA}/pinsmith.db").execute("PRAGMA user_version = 99")'
    root.must(f"python3 -c '{newer}'")

    done = root.run(f"dpkg -i /packages/{OLD}.deb")

    assert done.code != 0
    assert "has format 99" in done.said
    assert number(root) == before
    assert root.must("dpkg --audit; dpkg --verify pinsmith") == ""
    assert root.must("find /usr/lib/pinsmith/storage -name '*.pyc' | head -n 1")


def test_an_older_release_that_knows_the_format_may_come_back(root: Root) -> None:
    """Not every release has a new format."""
    configure(root)
    root.must(f"dpkg -i /packages/{NEW}.deb")
    root.must(RUN)

    root.must(f"dpkg -i /packages/{OLD}.deb")

    assert number(root) == f"{OLD} installed"


def test_a_service_that_was_switched_off_stays_off(root: Root) -> None:
    """Somebody has a reason."""
    configure(root)
    root.must(f"dpkg -i /packages/{OLD}.deb; deb-systemd-helper disable pinsmith.service")

    root.must(f"dpkg -i /packages/{NEW}.deb")

    assert root.run("test -e /etc/systemd/system/multi-user.target.wants/pinsmith.service").code != 0


def test_removing_keeps_data_and_configuration(root: Root) -> None:
    """And a new installation goes on with them."""
    configure(root)
    root.must(f"dpkg -i /packages/{NEW}.deb")
    root.must(RUN)
    key = root.must(f"cat {DATA}/key")

    root.must("dpkg -r pinsmith")

    assert root.run("test -e /usr/bin/pinsmith || test -e /usr/lib/pinsmith").code != 0
    assert root.must(f"ls {DATA}/pinsmith.db /etc/pinsmith/config.toml")
    root.must(f"dpkg -i /packages/{NEW}.deb")
    assert root.must(f"cat {DATA}/key") == key


def test_purging_keeps_the_data_unless_somebody_says_otherwise(root: Root) -> None:
    """Nobody answers here, so it is kept, says where, and what else lies in /etc/pinsmith stays too."""
    configure(root)
    root.must(f"dpkg -i /packages/{NEW}.deb; echo secret >/etc/pinsmith/mqtt-password")
    root.must(RUN)

    said = root.must("dpkg -P pinsmith")

    assert f"kept in {DATA}" in said
    root.must(f"test -e {DATA}/pinsmith.db && test -e {DATA}/key && test -e /etc/pinsmith/mqtt-password")
    assert root.run("test -e /etc/pinsmith/config.toml").code != 0


def test_purging_with_the_data_leaves_nothing(root: Root) -> None:
    """Asked for beforehand here; on a terminal it is a question."""
    configure(root)
    root.must(f"dpkg -i /packages/{NEW}.deb")
    root.must(RUN)
    root.must("echo 'pinsmith pinsmith/remove-data boolean true' | debconf-set-selections")

    root.must("dpkg -P pinsmith")

    left = root.must("find / -xdev -path /packages -prune -o -name '*pinsmith*' -print").split()
    assert [name for name in left if not name.startswith(("/proc", "/var/log", "/dev"))] == []
