"""The life of the service in a guest, in this order: each step finds the hub as the one before left it.

The PINs on the locks are compared whole, so that a code that is missing, left over or there twice shows.
"""

import json

from tests.hub_guest.common import CONFIG_FILE, DATA, PINS, Step, pair, silent
from tests.hub_guest.credentials import handed_over
from tests.hub_guest.hub import Hub, until

WATCHDOG_S = 10
EXPOSURE = 15
"""Most that systemd itself may find, in tenths: as tests/packaging asks of the file without running it."""
STOP_ONE_THREAD = """
import ctypes
import os
import sys

libc, thread = ctypes.CDLL(None, use_errno=True), int(sys.argv[1])
for order in (0x4206, 0x4207):  # PTRACE_SEIZE, PTRACE_INTERRUPT
    if libc.ptrace(order, thread, None, None) != 0:
        sys.exit(os.strerror(ctypes.get_errno()))
print("stopped", flush=True)
while os.WIFSTOPPED(os.waitpid(thread, 0)[1]):
    pass  # Systemd hears of its end only once we have.
"""


async def start(hub: Hub) -> None:
    """Configure and start it: `systemctl start` returns when the daemon has said READY. It is well caged.

    Its password and both its keys come from systemd. It does without the one that the installation has made.
    """
    await handed_over(hub.guest)
    await hub.guest.order(f"""
        rm {DATA}/key
        mkdir -p /etc/systemd/system/pinsmith.service.d
        printf '[Service]\\nWatchdogSec={WATCHDOG_S}s\\n' >/etc/systemd/system/pinsmith.service.d/test.conf
        cat >{CONFIG_FILE} <<'END'
{hub.config}
END
        systemctl daemon-reload
        systemctl enable --now pinsmith 2>&1
        test ! -e {DATA}/key
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
    await pair(hub)
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
    """The event loop stands still while other threads go on: the watchdog ends it, systemd starts it anew."""
    before = await hub.shows("MainPID")
    await hub.guest.order(f"""
        cat >/tmp/stop.py <<'END'
{STOP_ONE_THREAD}
END
        python3 /tmp/stop.py {before} >/tmp/stopped 2>&1 &
        for turn in $(seq 50); do
            ! grep -q stopped /tmp/stopped || exit 0
            sleep 0.2
        done
        cat /tmp/stopped
        exit 1
    """)
    await hub.runs_again(before)
    said = await hub.guest.order("journalctl -o cat _PID=1 UNIT=pinsmith.service")
    assert "Watchdog timeout" in said, said
    await hub.set("front", PINS["wedged"])
    await hub.holds("front", PINS["ongoing"], PINS["killed"], PINS["wedged"])


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


async def rebooted(hub: Hub) -> None:
    """The machine starts anew: the daemon too, with its codes and its keys to the Bluetooth lock."""
    await hub.guest.reboot()
    await hub.runs_again("0")
    await hub.set("cellar", PINS["rebooted"])
    await hub.holds("front", *_front("wedged"))
    await hub.holds("cellar", *_cellar("rebooted"))


async def deleted(hub: Hub) -> None:
    """Every code comes off both locks."""
    for lock in ("front", "cellar"):
        for code in (await hub.ask("access_codes/list", device_id=lock))["access_codes"]:
            await hub.ask("access_codes/delete", access_code_id=code["access_code_id"])
        await hub.holds(lock)


LIFE: tuple[Step, ...] = (
    start,
    zwave,
    bluetooth,
    fields,
    killed,
    wedged,
    deaf,
    reloaded,
    rebooted,
    deleted,
    silent,
)


def _front(upto: str) -> list[str]:
    """Return what the Z-Wave lock holds after a step."""
    names = ["ongoing", "killed", "wedged"]
    return [PINS[name] for name in names[: names.index(upto) + 1]]


def _cellar(upto: str) -> list[str]:
    """Return what the Nuki holds after a step."""
    names = ["bluetooth", "deaf", "rebooted"]
    return [PINS[name] for name in names[: names.index(upto) + 1]]


async def _code_id(hub: Hub, name: str) -> str:
    found = await hub.ask("access_codes/get", device_id="front", code=PINS[name])
    code_id: str = found["access_code"]["access_code_id"]
    return code_id


async def _names(hub: Hub) -> set[str]:
    """Return the name of the lock in the cellar, as outside sees it."""
    devices = (await hub.ask("devices/list"))["devices"]
    return {device["name"] for device in devices if device["device_id"] == "cellar"}
