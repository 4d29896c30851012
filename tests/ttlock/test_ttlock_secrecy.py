"""A full run: no key, no PIN and no administrator's number in any message, event or log line."""

import logging
from contextlib import suppress
from datetime import UTC, datetime

import pytest

from gateway.domain.driver import DriverError, PairingFailed
from tests.ble_bed.virtual import in_virtual_time
from tests.ttlock.home import KEY, home, wanted
from tests.ttlock.test_ttlock_log import read_log
from tests.ttlock.test_ttlock_pairing import KEYS, pair

PINS = ("90817263", "91827364", "13579246", "97531864")
OURS = ("drivers", "gateway", "storage")


def test_nothing_secret_is_said(caplog: pytest.LogCaptureFixture) -> None:
    """Pairing, all operations, refusals, a lost link, the log, refused keys."""
    said: list[str] = []

    @in_virtual_time
    async def run() -> None:
        first, second, third, mistyped = PINS
        async with home(paired=False) as at:
            voice = await pair(at)
            numbers = (at.secret.admin_ps, at.secret.unlock_key, at.secret.admin_passcode)
            secrets.extend(map(str, numbers))
            window = wanted(third, datetime(2026, 7, 1, 13, 0, tzinfo=UTC), 1)
            for cut in (None, 9):
                with suppress(DriverError):
                    async with at.session() as session:
                        at.on_air.peripheral.lose_after = cut
                        slot = (await session.write(None, wanted(first), replaces=None)).slot
                        for credential in (wanted(second), window):
                            written = await session.write(slot, credential, replaces=None)
                            said.append(repr(written))
                        with pytest.raises(DriverError) as error:
                            await session.write(None, window, replaces=None)
                        said.append(str(error.value))
                        said.append(repr(await session.read_all()))
            assert at.on_air.peripheral.lose_after is None, "the link held"
            at.lock.type_in(third)
            at.lock.type_in(mistyped)
            at.lock.faults.wrong_checksum_on = frozenset(range(256))
            await read_log(at)
            at.lock.admin = (1, 2)
            with pytest.raises(DriverError) as refused:
                await at.listed()
            said.append(str(refused.value))
            with pytest.raises(PairingFailed) as failed:
                await pair(at, KEYS)
            said.extend((str(failed.value), *voice.said, repr(at.told.events), repr(at.secret)))

    secrets = [*PINS, KEY.hex(), *(KEYS[name] for name in ("admin_ps", "unlock_key"))]
    caplog.set_level(logging.INFO)
    for name in OURS:
        caplog.set_level(logging.DEBUG, name)
    run()
    said.extend(record.getMessage() for record in caplog.records)
    assert len(said) > 10
    assert [text for text in said for secret in secrets if secret in text] == []
