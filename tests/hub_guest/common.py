"""What both guests are given and asked: PINs, places, and what a person at a hub does."""

from collections.abc import Awaitable, Callable

from tests.hub_guest.hub import Hub, until
from tests.hub_guest.nuki_bed import SECURITY_PIN

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
CLEANER = "765483"
"""A code of others."""
CONFIG_FILE, DATA = "/etc/pinsmith/config.toml", "/var/lib/pinsmith"

type Step = Callable[[Hub], Awaitable[None]]


async def pair(hub: Hub) -> None:
    """Pair the Nuki as root, who finds the broker's password by itself, and see what is on it already."""
    of_others = hub.nuki.app_adds(CLEANER)
    await hub.nuki.press_button(pairing=True)
    said = await hub.guest.order(
        f"echo {SECURITY_PIN} | pinsmith pair nuki cellar --stdin --config {CONFIG_FILE}"
    )
    assert "paired" in said, said
    await hub.nuki.press_button(pairing=False)

    async def listed() -> bool:
        found = await hub.ask("access_codes/unmanaged/list", device_id="cellar")
        return [code["name"] for code in found["unmanaged_access_codes"]] == ["Cleaner"]

    await until(listed, "the code of others is listed")
    hub.nuki.app_deletes(of_others)


async def both(hub: Hub) -> None:
    """Put a code on each of the locks."""
    for lock, name in (("front", "ongoing"), ("cellar", "bluetooth")):
        await hub.set(lock, PINS[name])
        await hub.holds(lock, PINS[name])


async def silent(hub: Hub) -> None:
    """No PIN is in the journal, whatever happened."""
    pins = "\n".join([*PINS.values(), CLEANER])
    code, said = await hub.guest.attempt(f"journalctl -u pinsmith -o verbose | grep -F '{pins}'")
    assert code == 1, f"a PIN is in the journal: {len(said.splitlines())} lines"
