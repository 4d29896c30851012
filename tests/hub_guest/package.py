"""What a hub goes through from the first configuration of its package to its purge, step by step."""

import asyncio
import contextlib
import json
import sqlite3
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

from tests.daemon.bed import ROOT
from tests.daemon.process import PROJECT
from tests.hub_guest.common import CONFIG_FILE, DATA, PINS, Step, both, pair, silent
from tests.hub_guest.hub import IMPATIENT, Hub, until
from tests.storage.samples import KEY

OLDER = "0.0.9"
"""As build.sh names the package that it puts into the image."""
GOLDEN = "tests/storage/golden/v1.sql"
"""The first format, below the tree; the guest sees the tree as /tree."""
PASSPHRASE = "of-the-backups-alone"
BACKUPS = f"{DATA}/backups"
CROWD = "x" * 50


async def installed(hub: Hub) -> None:
    """The older package came with the image; without a configuration it is not started."""
    assert await _version(hub) == f"{OLDER} installed"
    assert await hub.shows("ActiveState") == "inactive"


async def configured(hub: Hub) -> None:
    """`pinsmith init` finds both locks and tries the broker; then the service is switched on."""
    answers = [
        "hub",
        "Europe/Berlin",
        "",  # The folder of the data.
        "",  # The broker on this machine.
        "pinsmith",
        "of-the-hub",
        hub.server,
        "yes",  # In clear, to another machine: that the test runs on.
        "yes",  # Manage the node that was found.
        "",  # By the name that it has.
        "front",
        "all",  # Of its slots.
        "yes",  # Listen for Bluetooth locks.
        "no",  # Again.
        "yes",  # It is ours.
        "",
        "cellar",
        "no",  # It has no bridge.
        "yes",  # Write it.
    ]
    lines = "\n".join(answers)
    said = await hub.guest.order(f"pinsmith init --stdin <<'END'\n{lines}\nEND")
    assert "systemctl enable --now pinsmith" in said, said
    assert await hub.guest.order(f"stat -c '%U:%G %a' {CONFIG_FILE}") == "root:pinsmith 640"
    await hub.guest.order(f"""
        cat >>{CONFIG_FILE} <<'END'
{IMPATIENT}
END
        systemctl enable --now pinsmith 2>&1
    """)
    await until(hub.answers, "it answers from outside")


async def paired(hub: Hub) -> None:
    """What init has proposed is all that is needed for a code on each lock."""
    await pair(hub)
    await both(hub)


async def broker(hub: Hub) -> None:
    """The broker is gone for a while: the daemon waits for it and works on."""
    before = await hub.shows("MainPID")
    await hub.guest.order("systemctl stop mosquitto")

    async def noticed() -> bool:
        return "broker: connected" not in await hub.shows("StatusText")

    await until(noticed, "its line of status says so")
    await hub.guest.order("systemctl start mosquitto")
    await until(hub.answers, "it answers again")
    await hub.set("cellar", PINS["broker"])
    await hub.holds("cellar", PINS["bluetooth"], PINS["broker"])
    assert await hub.shows("MainPID") == before


async def unsynchronised(hub: Hub) -> None:
    """No time server: a window that begins does not open, until a person vouches for the clock."""
    found = await hub.guest.order("date +%s")
    now = datetime.fromtimestamp(int(found), UTC)
    window = {"starts_at": now - timedelta(minutes=1), "ends_at": now + timedelta(days=2)}
    code_id = await hub.create(
        "front", PINS["window"], **{name: at.strftime("%Y-%m-%dT%H:%M:%SZ") for name, at in window.items()}
    )
    # That nothing happens shows only with time: a code that may be written is on this lock in four seconds.
    await asyncio.sleep(8)
    assert PINS["window"] not in await hub.on_lock("front")
    assert await hub.status(code_id) != "set"
    await hub.guest.order(f"pinsmith clock trust --config {CONFIG_FILE}")
    await hub.becomes(code_id, "set")
    await hub.has("front", PINS["window"])


async def crowded(hub: Hub) -> None:
    """The card is full: health tells, the daemon stays up; with room again it goes on by itself."""
    before = await hub.shows("MainPID")
    # As a user who is not root, because the last blocks are kept for that one.
    await hub.guest.order("""
        install -d -o nobody /crowd
        for size in 100M 1M 4k; do
            n=0
            while runuser -u nobody -- fallocate -l $size /crowd/$size.$n 2>/dev/null; do n=$((n + 1)); done
        done
    """)
    is_full, sent = _health(hub, bad=True), 0
    while not await is_full():
        # A database has room inside: fill that too. What cannot be stored waits on the broker, unanswered.
        assert sent < 200, "the disk is not full"
        sent += 1
        body = {"transaction": f"crowd-{sent}", "device_id": "front", "name": CROWD, "code": f"99{sent:04}"}
        await hub.outside.send(f"{ROOT}/request/outside/access_codes/create", json.dumps(body).encode())
        await asyncio.sleep(0.5)  # Health is told a moment after the disk filled up.
    assert await hub.shows("ActiveState") == "active"
    await hub.guest.order("rm -r /crowd")
    await until(_health(hub, bad=False), "health tells that it is over")

    async def answered() -> bool:
        answers = hub.outside.under("response/outside/access_codes/create")
        return len({one.json["transaction"] for one in answers if "crowd" in one.json["transaction"]}) == sent

    await until(answered, "all that waited was carried out")
    assert await hub.shows("MainPID") == before
    for code in (await hub.ask("access_codes/list", device_id="front"))["access_codes"]:
        if code["name"] == CROWD:
            await hub.ask("access_codes/delete", access_code_id=code["access_code_id"])
    await hub.set("front", PINS["crowded"])
    await hub.holds("front", PINS["ongoing"], PINS["window"], PINS["crowded"])


async def backed_up(hub: Hub) -> None:
    """A passphrase and the timer make a sealed backup, for the user of the daemon alone."""
    await hub.guest.order(f"""
        install -d -m 700 /etc/credstore
        printf {PASSPHRASE} | install -m 600 /dev/stdin /etc/credstore/pinsmith.backup-passphrase
        systemctl enable --now pinsmith-backup.timer 2>&1
    """)
    timers = await hub.guest.order("systemctl list-timers --all --full --no-pager")
    assert "pinsmith-backup.timer" in timers, timers
    await hub.guest.order("systemctl start pinsmith-backup.service")
    made = (await hub.guest.order(f"stat -c '%U %a %n' {BACKUPS}/*.backup")).splitlines()
    assert [line.rpartition("/")[0] for line in made] == [f"pinsmith 600 {BACKUPS}"], made
    code, _ = await hub.guest.attempt(f"""
        journalctl --no-pager -o verbose >/tmp/journal || exit 2
        grep -qF {PASSPHRASE} /tmp/journal
    """)
    assert code == 1, "the passphrase is in the journal, or the journal cannot be read"
    await hub.guest.order("rm /tmp/journal")


async def upgraded(hub: Hub) -> None:
    """The built package over the older one: codes, key, configuration and pairing stay."""
    before = await hub.shows("MainPID")
    key = await hub.guest.order(f"sha256sum {DATA}/key {CONFIG_FILE}")
    await hub.guest.order("dpkg -i /debs/*.deb")
    await hub.runs_again(before)
    version = await _version(hub)
    assert version.endswith(" installed")
    assert not version.startswith(OLDER)
    assert await hub.guest.order(f"sha256sum {DATA}/key {CONFIG_FILE}") == key
    copy = await hub.guest.order(f"stat -c '%U %a %n' {DATA}/pinsmith.db.release-*")
    assert copy == f"pinsmith 600 {DATA}/pinsmith.db.release-{OLDER}"
    await hub.set("cellar", PINS["upgraded"])
    await hub.holds("cellar", PINS["bluetooth"], PINS["broker"], PINS["upgraded"])
    await hub.holds("front", PINS["ongoing"], PINS["window"], PINS["crowded"])


async def migrated(hub: Hub) -> None:
    """A database of the first format is brought to the new one before READY, with all its codes.

    A copy of the old one stays.
    """
    await hub.guest.order(f"""
        systemctl stop pinsmith
        rm {DATA}/pinsmith.db*
        runuser -u pinsmith -- python3 -c '
import sqlite3
with open("/tree/{GOLDEN}") as file:
    sqlite3.connect("{DATA}/pinsmith.db").executescript(file.read())'
        chmod 600 {DATA}/pinsmith.db
        echo {KEY.hex()} >{DATA}/key
        systemctl start pinsmith
        test -e {DATA}/pinsmith.db.format-1
    """)
    await until(hub.answers, "it answers")
    listed = (await hub.ask("access_codes/list"))["access_codes"]
    assert {code["access_code_id"] for code in listed} == _codes_of_first_format()


async def kept(hub: Hub) -> None:
    """An older package, which does not know the format of the database, is refused; the daemon goes on."""
    before, version = await hub.shows("MainPID"), await _version(hub)
    code, said = await hub.guest.attempt("dpkg -i /root/older.deb")
    assert code != 0
    assert "this release knows no more than 1" in said, said
    assert await _version(hub) == version
    assert await hub.shows("MainPID") == before
    assert await hub.answers()


async def purged(hub: Hub) -> None:
    """Purging asks about the data. A yes leaves nothing of it; what a person made elsewhere stays."""
    said = await hub.guest.order(
        "echo yes | script -qec 'DEBIAN_FRONTEND=teletype dpkg -P pinsmith' /dev/null"
    )
    assert "Delete the codes of all locks" in said, said
    left = await hub.guest.order("find /etc /usr /var/lib -name '*pinsmith*' -not -path '/etc/mosquitto/*'")
    assert left.splitlines() == ["/etc/credstore/pinsmith.backup-passphrase"], left


PACKAGE: tuple[Step, ...] = (
    installed,
    configured,
    paired,
    broker,
    unsynchronised,
    crowded,
    backed_up,
    upgraded,
    migrated,
    kept,
    silent,
    purged,
)


def _codes_of_first_format() -> set[str]:
    """Return the ids of the codes in the database of the first format."""
    with contextlib.closing(sqlite3.connect(":memory:")) as database:
        database.executescript((PROJECT / GOLDEN).read_text())
        return {code_id for (code_id,) in database.execute("SELECT access_code_id FROM access_code")}


async def _version(hub: Hub) -> str:
    return await hub.guest.order("dpkg-query -W -f '${Version} ${db:Status-Status}' pinsmith")


def _health(hub: Hub, *, bad: bool) -> Callable[[], Awaitable[bool]]:
    async def tells() -> bool:
        return (hub.house.last("bridge/health")["storage_trouble"] is not None) == bad

    return tells
