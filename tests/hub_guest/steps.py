"""What is tried in the guest, in this order: each step finds the hub as the one before left it.

The PINs on the locks are compared whole, so that a code that is missing, left over or there twice shows.
"""

import asyncio
import contextlib
import json
import sqlite3
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

from tests.daemon.bed import ROOT
from tests.daemon.process import PROJECT
from tests.hub_guest.hub import Hub, until
from tests.hub_guest.nuki_bed import SECURITY_PIN
from tests.storage.samples import KEY

PINS = {
    "ongoing": "147192",
    "bluetooth": "247192",
    "killed": "347192",
    "wedged": "447192",
    "broker": "547192",
    "deaf": "558192",
    "window": "647192",
    "crowded": "747192",
    "rebooted": "847192",
    "upgraded": "947192",
}
CONFIG_FILE, DATA = "/etc/pinsmith/config.toml", "/var/lib/pinsmith"
WATCHDOG_S = 10
OLDER = "0.0.9"
"""As build.sh names the package that it puts into the image."""
GOLDEN = "tests/storage/golden/v1.sql"
"""The first format, below the tree; the guest sees the tree as /tree."""
CROWD = "x" * 50
EXPOSURE = 15
"""Most that systemd itself may find, in tenths: as tests/packaging asks of the file without running it."""
PASSPHRASE = "of-the-backups-alone"
BACKUPS = f"{DATA}/backups"


async def installed(hub: Hub) -> None:
    """The older package came with the image; without a configuration it is not started."""
    assert await _version(hub) == f"{OLDER} installed"
    assert await hub.shows("ActiveState") == "inactive"


async def start(hub: Hub) -> None:
    """Configure and start it: `systemctl start` returns when the daemon has said READY. It is well caged."""
    await hub.guest.order(f"""
        mkdir -p /etc/systemd/system/pinsmith.service.d
        printf '[Service]\\nWatchdogSec={WATCHDOG_S}s\\n' >/etc/systemd/system/pinsmith.service.d/test.conf
        cat >{CONFIG_FILE} <<'END'
{hub.config}
END
        install -d -m 700 /etc/credstore
        printf of-the-hub | install -m 600 /dev/stdin /etc/credstore/mqtt-password
        systemctl daemon-reload
        systemctl enable --now pinsmith 2>&1
    """)
    assert await hub.shows("ActiveState") == "active"
    assert " lock" in await hub.shows("StatusText")
    await until(hub.answers, "it answers from outside")
    await hub.guest.order(f"systemd-analyze security --no-pager --threshold={EXPOSURE} pinsmith.service")


async def zwave(hub: Hub) -> None:
    """A command from outside puts a code on the Z-Wave lock."""
    await hub.set("front", PINS["ongoing"])
    await hub.holds("front", PINS["ongoing"])


async def bluetooth(hub: Hub) -> None:
    """Pair the Nuki as a person would, from the sandbox of the unit over D-Bus; put a code on it."""
    await hub.nuki.press_button(pairing=True)
    # As root, who finds the broker's password among the credentials of the service.
    said = await hub.guest.order(
        f"echo {SECURITY_PIN} | pinsmith pair nuki cellar --stdin --config {CONFIG_FILE}"
    )
    assert "paired" in said, said
    await hub.nuki.press_button(pairing=False)
    await hub.set("cellar", PINS["bluetooth"])
    await hub.holds("cellar", PINS["bluetooth"])


async def fields(hub: Hub) -> None:
    """The journal can be asked for a lock, and for the id of a code."""
    code_id = await _code_id(hub, "ongoing")
    for field, value in (("PINSMITH_LOCK", "front"), ("PINSMITH_CODE", code_id)):
        found = await hub.guest.order(f"journalctl -u pinsmith -o cat {field}={value}")
        assert found.strip(), field


async def killed(hub: Hub) -> None:
    """`kill -9` in the middle of a change: systemd starts it anew, and the code is on the lock once."""
    before = await hub.shows("MainPID")
    code_id = await hub.create("front", PINS["killed"])
    await hub.guest.order(f"kill -9 {before}")
    await hub.runs_again(before)
    await hub.becomes(code_id, "set")
    await hub.holds("front", PINS["ongoing"], PINS["killed"])
    await hub.holds("cellar", PINS["bluetooth"])


async def wedged(hub: Hub) -> None:
    """A process that stands still gives no sign of life: the watchdog ends it, systemd starts it anew."""
    before = await hub.shows("MainPID")
    await hub.guest.order(f"kill -STOP {before}")
    await hub.runs_again(before)
    said = await hub.guest.order("journalctl -o cat _PID=1 UNIT=pinsmith.service")
    assert "Watchdog timeout" in said, said
    await hub.set("front", PINS["wedged"])
    await hub.holds("front", PINS["ongoing"], PINS["killed"], PINS["wedged"])


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
    await hub.holds("cellar", *_cellar("broker"))
    assert await hub.shows("MainPID") == before


async def deaf(hub: Hub) -> None:
    """BlueZ is stopped for a while: that is told, and what was asked for is done when it is back."""
    before = await hub.shows("MainPID")
    # Masked, because whoever asks for it at D-Bus starts it.
    await hub.guest.order("systemctl mask --runtime --now bluetooth 2>&1")
    code_id = await hub.create("cellar", PINS["deaf"])

    async def told() -> bool:
        return "there is no Bluetooth" in json.dumps(hub.house.last("bridge/health"))

    await until(told, "health tells that there is no Bluetooth")
    await hub.guest.order("systemctl unmask --runtime bluetooth 2>&1; systemctl start bluetooth")
    await hub.becomes(code_id, "set")
    await hub.holds("cellar", *_cellar("deaf"))
    assert await hub.shows("MainPID") == before


async def reloaded(hub: Hub) -> None:
    """A good configuration counts after `systemctl reload`, a broken one is refused and changes nothing."""
    before = await hub.shows("MainPID")
    await hub.guest.order(f"""
        sed -i 's/^driver = "nuki"/name = "Wine cellar"\\n&/' {CONFIG_FILE}
        systemctl reload pinsmith
    """)
    assert await _names(hub) == {"Wine cellar"}
    code, _ = await hub.guest.attempt(f"""
        cp {CONFIG_FILE} /tmp/good
        sed -i 's/Wine cellar/Attic/; s/^node = .*/node = "two"/' {CONFIG_FILE}
        systemctl reload pinsmith
    """)
    assert code != 0
    assert await hub.shows("ActiveState") == "active"
    assert await _names(hub) == {"Wine cellar"}
    await hub.guest.order(f"cat /tmp/good >{CONFIG_FILE}; systemctl reload pinsmith")
    assert await hub.shows("MainPID") == before


async def unsynchronised(hub: Hub) -> None:
    """No time server: a window that begins does not open, until a person vouches for the clock."""
    found = await hub.guest.order("date +%s")
    now = datetime.fromtimestamp(int(found), UTC)
    window = {"starts_at": now - timedelta(minutes=1), "ends_at": now + timedelta(days=2)}
    code_id = await hub.create(
        "front", PINS["window"], **{name: at.strftime("%Y-%m-%dT%H:%M:%SZ") for name, at in window.items()}
    )
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
        await asyncio.sleep(0.5)
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
    await hub.holds("front", *_front("crowded"))


async def rebooted(hub: Hub) -> None:
    """The machine starts anew: the daemon too, with its codes and its keys to the Bluetooth lock."""
    await hub.guest.reboot()
    await hub.runs_again("0")
    await hub.set("cellar", PINS["rebooted"])
    await hub.holds("front", *_front("crowded"))
    await hub.holds("cellar", *_cellar("rebooted"))


async def backed_up(hub: Hub) -> None:
    """A passphrase and the timer make a sealed backup, for the user of the daemon alone."""
    await hub.guest.order(f"""
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
    await hub.set("cellar", PINS["upgraded"])
    await hub.holds("cellar", *_cellar("upgraded"))
    await hub.holds("front", *_front("crowded"))


async def deleted(hub: Hub) -> None:
    """Every code comes off both locks."""
    for lock in ("front", "cellar"):
        for code in (await hub.ask("access_codes/list", device_id=lock))["access_codes"]:
            await hub.ask("access_codes/delete", access_code_id=code["access_code_id"])
        await hub.holds(lock)


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


async def silent(hub: Hub) -> None:
    """No PIN is in the journal, whatever happened."""
    pins = "\n".join(PINS.values())
    code, said = await hub.guest.attempt(f"journalctl -u pinsmith -o verbose | grep -F '{pins}'")
    assert code == 1, f"a PIN is in the journal: {len(said.splitlines())} lines"


def _codes_of_first_format() -> set[str]:
    """Return the ids of the codes in the database of the first format."""
    with contextlib.closing(sqlite3.connect(":memory:")) as database:
        database.executescript((PROJECT / GOLDEN).read_text())
        return {code_id for (code_id,) in database.execute("SELECT access_code_id FROM access_code")}


type Step = Callable[[Hub], Awaitable[None]]
STEPS: tuple[Step, ...] = (
    installed,
    start,
    zwave,
    bluetooth,
    fields,
    killed,
    wedged,
    broker,
    deaf,
    reloaded,
    unsynchronised,
    crowded,
    rebooted,
    backed_up,
    upgraded,
    deleted,
    migrated,
    silent,
)


async def _version(hub: Hub) -> str:
    return await hub.guest.order("dpkg-query -W -f '${Version} ${db:Status-Status}' pinsmith")


def _front(upto: str) -> list[str]:
    """Return what the Z-Wave lock holds after a step."""
    names = ["ongoing", "killed", "wedged", "window", "crowded"]
    return [PINS[name] for name in names[: names.index(upto) + 1]]


def _cellar(upto: str) -> list[str]:
    """Return what the Nuki holds after a step."""
    names = ["bluetooth", "broker", "deaf", "rebooted", "upgraded"]
    return [PINS[name] for name in names[: names.index(upto) + 1]]


async def _code_id(hub: Hub, name: str) -> str:
    found = await hub.ask("access_codes/get", device_id="front", code=PINS[name])
    code_id: str = found["access_code"]["access_code_id"]
    return code_id


async def _names(hub: Hub) -> set[str]:
    """Return the name of the lock in the cellar, as outside sees it."""
    devices = (await hub.ask("devices/list"))["devices"]
    return {device["name"] for device in devices if device["device_id"] == "cellar"}


def _health(hub: Hub, *, bad: bool) -> Callable[[], Awaitable[bool]]:
    async def tells() -> bool:
        return (hub.house.last("bridge/health")["storage_trouble"] is not None) == bad

    return tells
