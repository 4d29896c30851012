"""What `init` asks about Bluetooth: virtual locks on the air, and a machine with and without adapter."""

import asyncio
import io
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from drivers.ble.survey import HeardLock, listen_for_locks
from gateway.cli.init.bluetooth import LISTEN_S, ask_heard
from gateway.cli.init.draft import Draft, LockDraft, text_of
from gateway.cli.init.questions import Questions
from gateway.cli.terminal import Terminal
from gateway.config import Settings, load
from tests.ble_bed.backend import bleak_on
from tests.ble_bed.doors import ADDRESSES, hung_up
from tests.ble_bed.radio import Air
from tests.ble_bed.virtual import in_virtual_time
from tests.doctor.bus import bluez, bus
from tests.init.person import Answers, Person, alone, at_terminal


def asked(heard: Sequence[HeardLock], answers: Answers, taken: Sequence[str] = ()) -> list[LockDraft]:
    """What a person makes of the locks that were heard."""
    shown = io.StringIO()
    terminal = Terminal(stdin=Person(answers, shown), stderr=shown)
    return list(ask_heard(Questions(terminal, from_stdin=False), heard, taken))


def read(folder: Path, locks: Sequence[LockDraft]) -> Settings:
    """The settings of a configuration with these locks."""
    file = folder / "pinsmith.toml"
    gateway, mqtt = {"id": "hub", "time_zone": "UTC"}, {"url": "mqtt://127.0.0.1:1883"}
    file.write_text(text_of(Draft(gateway=gateway, mqtt=mqtt, zwave={}, locks=tuple(locks))))
    return load(file, {})


ADDRESS = "AA:BB:CC:DD:EE:FF"


def heard(family: str, name: str | None = None, rssi: int = -60, address: str = ADDRESS) -> HeardLock:
    """A lock on the air."""
    return HeardLock(family=family, address=address, name=name, rssi=rssi, is_pairing=False)


@in_virtual_time
async def test_locks_on_the_air_become_locks_of_the_configuration(tmp_path: Path) -> None:
    """One of each family; each has its way to be found, and its command to pair."""
    air = Air()
    with bleak_on(air):
        for door in (await hung_up(air, lambda: datetime.now(UTC))).values():
            await door.show()
        found = await listen_for_locks(LISTEN_S)
    assert found is not None
    locks = asked(found, {"Is it yours": "yes"})
    settings = read(tmp_path, locks)
    assert (len(settings.nuki_locks), len(settings.yale_locks), len(settings.ttlock_locks)) == (1, 1, 1)
    [nuki], [yale], [ttlock] = settings.nuki_locks, settings.yale_locks, settings.ttlock_locks
    named = {lock.address: lock.name for lock in found}
    assert settings.yale_locks[yale].bluetooth_name == named[ADDRESSES["attic"]]
    assert settings.policies[yale].managed_slots == tuple(str(slot) for slot in range(6, 11))
    assert {lock.pair for lock in locks} == {
        f"pair nuki {nuki} --address {ADDRESSES['cellar']}",
        f"pair yale {yale} --key-slot N",
        f"pair ttlock {ttlock}",
    }
    assert air.connects == {}


def test_a_weak_lock_may_be_a_neighbours() -> None:
    """Enter takes what is near and leaves what is far."""
    far = heard("nuki", "Nuki_2", -95, "AA:BB:CC:DD:EE:00")
    assert [lock.id for lock in asked([heard("nuki", "Nuki_1"), far], {})] == ["nuki_1"]


def test_a_nuki_beside_a_bridge_is_registered_as_an_app(tmp_path: Path) -> None:
    """As a second bridge it would push the first one out."""
    settings = read(tmp_path, asked([heard("nuki")], {"Nuki Bridge": "yes"}))
    assert [lock.register_as for lock in settings.nuki_locks.values()] == ["app"]


def test_a_yale_without_a_name_goes_by_its_address(tmp_path: Path) -> None:
    """Names are not in every advertisement."""
    settings = read(tmp_path, asked([heard("yale")], {}))
    assert [lock.address for lock in settings.yale_locks.values()] == [ADDRESS]


def test_names_from_the_air_steer_nothing(tmp_path: Path) -> None:
    """Neither the terminal nor the file: anybody can advertise anything."""
    name = 'x"\n[gateway]\x1b[2J\x7f\\'
    locks = asked([heard("yale", name)], {})
    [policy] = read(tmp_path, locks).policies.values()
    assert policy.name == 'x"\N{REPLACEMENT CHARACTER}[gateway]\N{REPLACEMENT CHARACTER}[2J' + "\ufffd\\"


def test_two_locks_get_two_ids() -> None:
    """Also where they are called the same, or another kind of lock has the name."""
    both = [heard("ttlock", "Door"), heard("ttlock", "Door", address="AA:BB:CC:DD:EE:00")]
    assert [lock.id for lock in asked(both, {}, ["door"])] == ["door-2", "door-3"]


def test_without_an_adapter_nothing_is_asked(file: Path) -> None:
    """The doctor's words say why; the rest goes on."""
    told = at_terminal(file, alone())
    assert "the system's D-Bus does not answer" in told.err
    assert told.was_asked("Listen") == 0
    assert file.exists()


async def test_an_adapter_that_cannot_listen(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is told, and may be tried again."""
    async with bus(tmp_path, monkeypatch), bluez({"hci0": True}):
        told = await asyncio.to_thread(at_terminal, file, alone() | {"Listen again": "no"})
    assert "hci0 is on" in told.err
    assert "cannot listen now" in told.err
    assert told.was_asked("Listen") == 2
    assert load(file, {}).policies == {}
