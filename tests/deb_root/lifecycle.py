"""The whole life of the package on a Debian 13, from the first installation to its purge.

Not named test_*, because it needs root and a Debian: `make test-deb` runs it. What needs a running systemd is
for `make test-hub`. The older and the later release are this one under other numbers: there was none before.
"""

import os
import subprocess
from pathlib import Path

import pytest

from tests.deb_root.root import Root
from tests.storage.samples import KEY

OLDER, BUILT, LATER = "0.0.9", "built", "99.0"
ON = "test -h /etc/systemd/system/multi-user.target.wants/pinsmith.service"
GOLDEN = Path(__file__).parents[1] / "storage/golden/v1.sql"
DATA = "/var/lib/pinsmith"
AARCH64 = 183
"""As in the head of an ELF file."""
CONFIG = """
[gateway]
id = "home"
time_zone = "Europe/Berlin"

[mqtt]
url = "mqtt://127.0.0.1:9"

[locks.front]
driver = "simulated"
"""
RUN = """
setpriv --reuid=pinsmith --regid=pinsmith --init-groups pinsmith run --config /etc/pinsmith/config.toml \\
    >/tmp/log 2>&1 &
for turn in $(seq 300); do
    ! grep -q 'gateway home' /tmp/log && kill -0 $! 2>/dev/null || break
    sleep 0.2
done
kill $! || true
wait || true
cat /tmp/log
"""
"""The daemon without a broker, ended once it has started."""


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Root:
    """Unpack the Debian, with the packages to install in /packages."""
    base, built = tmp_path_factory.mktemp("debian"), os.environ["PINSMITH_DEB"]
    script = f"""
        tar -xf "$1" -C {base}
        mkdir {base}/packages
        cp "$2" {base}/packages/{BUILT}.deb
        dpkg-deb -R "$2" {base}/tree
        for version in {OLDER} {LATER}; do
            sed -i "s/^Version: .*/Version: $version/" {base}/tree/DEBIAN/control
            dpkg-deb --root-owner-group -Znone -b {base}/tree {base}/packages/$version.deb
        done
        rm -r {base}/tree
    """
    subprocess.run(["/bin/sh", "-euc", script, "sh", os.environ["PINSMITH_DEB_ROOT"], built], check=True)  # noqa: S603 - our own script
    return Root((base,), tmp_path_factory.mktemp("fresh"))


@pytest.fixture(scope="module")
def installed(fresh: Root, tmp_path_factory: pytest.TempPathFactory) -> Root:
    """Install the built package where there is a configuration already, and run the daemon once."""
    root = fresh.another(tmp_path_factory.mktemp("installed"))
    root.put("/etc/pinsmith/config.toml", CONFIG)
    root.must(f"dpkg -i /packages/{BUILT}.deb")
    said = root.must(RUN)
    assert "Stopped" in said, said
    return root


@pytest.fixture
def root(installed: Root, tmp_path: Path) -> Root:
    """Give a hub of its own that has the package."""
    return installed.another(tmp_path)


def old_data(root: Root) -> None:
    """Put a database of the first format there, as the daemon of an older release has left it."""
    root.put("/golden.sql", GOLDEN.read_text())
    root.must(f"""
        rm {DATA}/pinsmith.db*
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
    queries = ("PRAGMA user_version", "SELECT count(*) FROM access_code")
    connection = f'sqlite3.connect("{DATA}/{name}")'
    script = "; ".join(f'print(*{connection}.execute("{query}").fetchone())' for query in queries)
    return root.must(f"python3 -c 'import sqlite3; {script}'").replace("\n", " ").strip()


def test_the_package_holds_what_it_should_and_nothing_of_the_machine_that_built_it() -> None:
    """All of it root's, nothing that others may write, no tests, no traces of an installer.

    What Python would compile at the first start is there, so that a small hub need not do it.
    """
    listed = subprocess.run(  # noqa: S603 - our own command
        ["/usr/bin/dpkg-deb", "-c", os.environ["PINSMITH_DEB"]], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    rows = [line.split(maxsplit=5) for line in listed]
    names = {row[5].removeprefix(".") for row in rows}

    assert {row[1] for row in rows} == {"root/root"}
    assert {row[0] for row in rows} == {"drwxr-xr-x", "-rw-r--r--", "-rwxr-xr-x"}
    assert [row[5] for row in rows if row[0] == "-rwxr-xr-x"] == ["./usr/bin/pinsmith"]
    unwanted = {"tests", "RECORD", "direct_url.json", "setuptools", "amqtt", "bin"}
    packages = [name.split("/") for name in names if name.startswith("/usr/lib/pinsmith/")]
    assert [parts for parts in packages if unwanted & set(parts)] == []
    assert {
        "/etc/pinsmith/",
        "/usr/lib/pinsmith/storage/migrations/0001_initial.sql",
        "/usr/lib/systemd/system/pinsmith.service",
        "/usr/lib/sysusers.d/pinsmith.conf",
        "/usr/share/doc/pinsmith/copyright",
        "/usr/share/doc/pinsmith/config.example.toml",
        "/usr/share/doc/pinsmith/docs/install.md",
        "/usr/share/doc/pinsmith/docs/blueprints/",
    } <= names
    sources = [Path(name) for name in names if name.startswith("/usr/lib/pinsmith/") and name.endswith(".py")]
    compiled = {str(file.parent / "__pycache__" / f"{file.stem}.cpython-313.pyc") for file in sources}
    assert compiled
    assert compiled <= names


def test_a_first_installation_makes_user_folders_and_key(fresh: Root, tmp_path: Path) -> None:
    """Without a configuration nothing is started, and it says what comes next."""
    root = fresh.another(tmp_path)
    said = root.must(f"dpkg -i /packages/{BUILT}.deb")

    assert "sudo pinsmith init" in said
    assert root.must(f"stat -c '%U:%G %a' /etc/pinsmith {DATA} {DATA}/key").splitlines() == [
        "root:pinsmith 750",
        "pinsmith:pinsmith 700",
        "pinsmith:pinsmith 600",
    ]
    assert len(root.must(f"cat {DATA}/key").strip()) == 64
    assert root.must("pinsmith --version").startswith("pinsmith ")
    assert root.must("ls /usr/lib/pinsmith/storage/__pycache__")
    root.must_not(ON)


def test_no_key_is_made_where_systemd_hands_one_over(fresh: Root, tmp_path: Path) -> None:
    """Nobody could tell later which of the two is the right one."""
    root = fresh.another(tmp_path)
    root.put("/etc/credstore/pinsmith.key", KEY.hex())
    root.must(f"dpkg -i /packages/{BUILT}.deb")

    root.must_not(f"ls {DATA}/key")


def test_a_key_that_lies_elsewhere_is_not_called_missing(root: Root) -> None:
    """By whatever line of a drop-in it comes. Who restored a backup for it would lose newer codes."""
    said = root.must(f"mv {DATA}/key /etc/pinsmith/key; dpkg -i /packages/{LATER}.deb")

    assert "missing" not in said
    assert "restore" not in said
    root.must_not(f"ls {DATA}/key")


def test_an_upgrade_makes_no_key(root: Root) -> None:
    """A database that was put aside, to go back to an older release, leaves its key needed."""
    root.must(f"mv {DATA}/key /etc/pinsmith/key; mv {DATA}/pinsmith.db {DATA}/newer.db")
    root.must(f"dpkg -i /packages/{LATER}.deb")

    root.must_not(f"ls {DATA}/key")


def test_all_of_it_comes_from_the_package(root: Root) -> None:
    """Every driver loads with nothing but Debian's python3 beside it, whatever is set."""
    script = "import drivers.zwave.driver, drivers.ble.driver, gateway.daemon, sys; print(*sys.path)"

    said = root.must(f"""
        export PYTHONPATH=/usr/lib/python3/dist-packages
        /usr/bin/python3 -IS -c 'import sys; sys.path.insert(0, "/usr/lib/pinsmith"); {script}'
    """)
    assert "dist-packages" not in said


def test_nothing_is_left_to_compile(root: Root) -> None:
    """Python of this Debian takes what was compiled beforehand for that of the sources beside it."""
    said = root.must("""
        touch /then
        pinsmith --help >/dev/null
        /usr/bin/python3 -IS -m compileall -q /usr/lib/pinsmith
        find /usr/lib/pinsmith -newer /then
    """)

    assert said == ""


def test_a_configured_daemon_runs_as_its_user_and_is_switched_on(root: Root) -> None:
    """With the key that the installation has made."""
    assert root.must(f"stat -c '%U %a' {DATA}/key {DATA}/pinsmith.db") == "pinsmith 600\npinsmith 600\n"
    root.must(ON)


def test_an_upgrade_keeps_everything_and_a_copy_of_the_database(root: Root) -> None:
    """The daemon brings the database to the new format, and leaves the old one beside it."""
    old_data(root)
    key, before = root.must(f"cat {DATA}/key"), formats(root)

    root.must(f"echo '# mine' >>/etc/pinsmith/config.toml; dpkg -i /packages/{LATER}.deb")
    said = root.must(RUN)

    assert number(root) == f"{LATER} installed"
    assert f"kept as {DATA}/pinsmith.db.format-1" in said
    assert before.split()[0] == "1"
    assert formats(root, "pinsmith.db.format-1") == before
    assert formats(root).split()[1] == before.split()[1]
    assert formats(root).split()[0] > "1"
    assert root.must(f"cat {DATA}/key") == key
    assert root.must("cat /etc/pinsmith/config.toml") == CONFIG + "# mine\n"


def test_a_format_that_stays_is_copied_by_the_package(root: Root) -> None:
    """Named after the release before, and of two releases only; it can be put back."""
    before, release = formats(root), number(root).split()[0]
    root.must(f"""
        for release in 0.0.1 0.0.2; do
            install -o pinsmith -g pinsmith -m 600 /dev/null {DATA}/pinsmith.db.release-$release
            touch -d "2020-01-0${{release#0.0.}}" {DATA}/pinsmith.db.release-$release
        done
        dpkg -i /packages/{LATER}.deb
    """)

    kept = f"pinsmith.db.release-{release}"
    assert formats(root, kept) == before
    assert root.must(f"stat -c '%U %a' {DATA}/{kept}").strip() == "pinsmith 600"
    left = root.must(f"ls -A {DATA} | grep release").split()
    assert left == ["pinsmith.db.release-0.0.2", kept]
    restore = "pinsmith --config /etc/pinsmith/config.toml restore --replace"
    assert "restored" in root.must(f"runuser -u pinsmith -- {restore} {DATA}/{kept}")


def test_without_room_for_the_copy_the_old_database_stays(root: Root) -> None:
    """On a disk that is really full."""
    old_data(root)

    said = root.must(f"""
        mkdir /aside; cp -a {DATA}/. /aside/
        mount -t tmpfs -o size=512k,mode=700,uid="$(id -u pinsmith)" full {DATA}
        cp -a /aside/. {DATA}/
        head -c 1M /dev/zero >{DATA}/photos 2>/dev/null || true
        {RUN}
        cmp {DATA}/pinsmith.db /aside/pinsmith.db
        ls -A {DATA}
    """)

    assert "free some space" in said
    assert "format-1" not in said


def test_an_older_release_is_refused_before_anything_is_touched(root: Root) -> None:
    """Its daemon would refuse the database, and the hub stand still."""
    before = number(root)
    newer = f'import sqlite3; sqlite3.connect("{DATA}/pinsmith.db").execute("PRAGMA user_version = 99")'
    root.must(f"python3 -c '{newer}'")

    said = root.must_not(f"dpkg -i /packages/{OLDER}.deb")

    assert "has format 99" in said
    assert number(root) == before
    assert root.must("dpkg --audit; dpkg --verify pinsmith") == ""
    assert root.must("ls /usr/lib/pinsmith/storage/__pycache__")


def test_an_older_release_that_knows_the_format_may_come_back(root: Root) -> None:
    """Not every release has a new format. Who has switched the service off finds it so."""
    root.must("systemctl disable pinsmith")

    root.must(f"dpkg -i /packages/{OLDER}.deb")

    assert number(root) == f"{OLDER} installed"
    root.must_not(ON)


def test_removing_keeps_data_and_configuration(root: Root) -> None:
    """And a new installation goes on with them."""
    key = root.must(f"cat {DATA}/key")

    root.must("dpkg -r pinsmith")

    root.must_not("ls /usr/bin/pinsmith")
    root.must_not("ls /usr/lib/pinsmith")
    root.must(f"ls {DATA}/pinsmith.db /etc/pinsmith/config.toml")
    root.must(f"dpkg -i /packages/{BUILT}.deb")
    assert root.must(f"cat {DATA}/key") == key


def test_purging_keeps_the_data_unless_somebody_says_otherwise(root: Root) -> None:
    """Nobody answers here, so it is kept, says where, and what else lies in /etc/pinsmith stays too."""
    root.must("echo secret >/etc/pinsmith/mqtt-password")

    said = root.must("dpkg -P pinsmith")

    assert f"kept in {DATA}" in said
    root.must(f"ls {DATA}/pinsmith.db {DATA}/key /etc/pinsmith/mqtt-password")
    root.must_not("ls /etc/pinsmith/config.toml")


def test_removing_keeps_the_backups_switched_on(root: Root) -> None:
    """As the service is kept, for the installation that follows."""
    root.must("systemctl enable pinsmith-backup.timer")

    root.must(f"dpkg -r pinsmith; dpkg -i /packages/{BUILT}.deb")

    root.must("systemctl is-enabled pinsmith-backup.timer")


def test_purging_with_the_data_leaves_nothing(root: Root) -> None:
    """Asked for beforehand here; on a terminal it is a question."""
    root.must("systemctl enable pinsmith-backup.timer")
    root.must("echo 'pinsmith pinsmith/remove-data boolean true' | debconf-set-selections")

    root.must("dpkg -P pinsmith")

    assert root.must("find /etc /usr /var/lib -name '*pinsmith*'") == ""


def test_the_package_for_a_raspberry_pi_holds_code_for_one_only(tmp_path: Path) -> None:
    """Every library in it; none was left out. It is not run here."""
    deb = os.environ["PINSMITH_DEB_ARM64"]
    told = subprocess.run(["dpkg-deb", "-f", deb, "Architecture"], check=True, capture_output=True, text=True)  # noqa: S603, S607 - our own package
    assert told.stdout.strip() == "arm64"
    found = {}
    for name, package in (("other", deb), ("own", os.environ["PINSMITH_DEB"])):
        subprocess.run(["dpkg-deb", "-x", package, tmp_path / name], check=True)  # noqa: S603, S607 - same
        found[name] = sorted((tmp_path / name).rglob("*.so*"))
    assert {_machine_of(file) for file in found["other"]} == {AARCH64}
    assert {file.name.split(".")[0] for file in found["own"]} == {
        file.name.split(".")[0] for file in found["other"]
    }


def _machine_of(library: Path) -> int:
    """Return what machine an ELF file is for: elf(5), e_machine."""
    head = library.read_bytes()[:20]
    assert head[:4] == b"\x7fELF"
    return int.from_bytes(head[18:20], "little")
