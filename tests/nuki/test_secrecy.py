"""What a whole life of a lock leaves behind in logs, messages and events."""

import asyncio
import logging
import random

import pytest

from drivers.ble.driver import BleDriver
from drivers.ble.link import connect
from drivers.ble.nuki.family import configured
from drivers.ble.nuki.keys import decode
from drivers.ble.nuki.settings import NukiLockSettings
from drivers.ble.settings import BleSettings
from gateway.domain.credential import Credential
from gateway.domain.driver import DriverError
from gateway.domain.pin import Pin
from tests.ble_bed.backend import bleak_on
from tests.ble_bed.keyring import MemoryKeyring
from tests.ble_bed.nuki.brain import Brain
from tests.ble_bed.nuki.on_air import NukiOnAir
from tests.ble_bed.radio import Air
from tests.ble_bed.virtual import VirtualClock, in_virtual_time
from tests.nuki.house import ADDRESS
from tests.simulated.running import Recorder

SECURITY_PIN, GUEST, TWIN, TYPED = "2468", "385274", "469731", "571968"


@in_virtual_time
async def a_whole_life(told: list[str], secrets: list[str]) -> None:
    """Pair, write, clash, use, mistype, lose the link and the right PIN; note all that is told."""
    air, vault, sink, dice = Air(), MemoryKeyring(), Recorder(), random.Random(7)
    clock = VirtualClock(asyncio.get_running_loop())
    brain = Brain(now=clock.now, random=dice.randbytes)
    door = configured(
        "door",
        NukiLockSettings(),
        keyring=vault,
        clock=clock,
        random=dice.randbytes,
        connect=connect,
    )
    driver = BleDriver(BleSettings(), {"door": door}, clock=clock, random=dice, keyring=vault)

    async def progress(words: str, _seconds_left: float | None = None) -> None:
        told.append(words)

    with bleak_on(air):
        lock = await NukiOnAir.hang_up(air, ADDRESS, brain)
        task = asyncio.create_task(driver.run(sink))
        await asyncio.sleep(1)
        brain.pairing = True
        await lock.advertise()
        await driver.pair("door", {"security_pin": SECURITY_PIN}, progress)
        keys = decode(vault.secrets["door"])
        assert keys is not None
        secrets += [keys.shared_key.hex(), str(keys.shared_key), SECURITY_PIN, GUEST, TWIN, TYPED]
        await lock.advertise()
        async with driver.session("door") as session:
            for pin in (GUEST, GUEST, TWIN, "120000"):
                try:
                    told.append(str(await session.write(None, Credential(pin=Pin(pin)), replaces=None)))
                except DriverError as error:
                    told.append(str(error))
            told.append(str(await session.read_all()))
        brain.type_code(int(GUEST))
        brain.type_code(int(TYPED))
        await lock.advertise()
        await asyncio.sleep(120)
        brain.pin = 1357
        lock.peripheral.lose_after = 1
        for _ in range(3):
            try:
                async with driver.session("door") as session:
                    await session.read_all()
            except DriverError as error:
                told.append(str(error))
        told.extend(map(str, sink.events))
        told.append(f"{driver.health} {driver.problems} {driver.warnings} {keys!r} {door!r}")
        task.cancel()
        await asyncio.wait({task})
    assert any("CodeUsed" in line for line in told)
    assert any("AccessDenied" in line for line in told)
    assert any("security PIN" in line for line in told)


@pytest.mark.slow
def test_no_key_and_no_digits_are_told_anywhere(caplog: pytest.LogCaptureFixture) -> None:
    """Not even with our own loggers at their most talkative."""
    caplog.set_level(logging.DEBUG, logger="drivers")
    caplog.set_level(logging.DEBUG, logger="gateway")
    told: list[str] = []
    secrets: list[str] = []
    a_whole_life(told, secrets)
    told += [record.getMessage() for record in caplog.records if not record.name.startswith("bumble")]
    assert secrets
    assert not [line for line in told for secret in secrets if secret in line]
