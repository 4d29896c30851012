"""`attempt_for_offline_device`: wait for a lock that is away, or be refused at once."""

from typing import Any

import pytest

from drivers.simulated.models import READABLE
from gateway.domain.driver import AuthorityLost, LockAlive, LockDead, LockEvent
from tests.engine.build import DOOR, HOUR
from tests.engine.conftest import Hang

PIN = "471134"


async def test_by_default_a_code_waits_for_its_lock(hang: Hang) -> None:
    """It is set as soon as the lock answers."""
    bench = await hang(READABLE)
    await bench.tell(LockDead(device_id=DOOR))
    code_id = await bench.create(PIN)
    assert (await bench.shown(code_id))["status"] == "setting"
    await bench.tell(LockAlive(device_id=DOOR))
    await bench.settle(HOUR)
    assert (await bench.shown(code_id))["status"] == "set"


@pytest.mark.parametrize("gone", [LockDead(device_id=DOOR), AuthorityLost(device_ids=(DOOR,))])
async def test_who_does_not_want_to_wait_is_refused(hang: Hang, gone: LockEvent) -> None:
    """Nothing is stored, nothing changed; a lock that answers takes the same command."""
    bench = await hang(READABLE)
    code_id = await bench.create("582245")
    await bench.settle(HOUR)
    now: dict[str, Any] = {"attempt_for_offline_device": False}
    await bench.do("access_codes/update", access_code_id=code_id, name="Ana", **now)
    await bench.tell(gone)
    for verb, asked in (
        ("access_codes/create", {"device_id": DOOR, "code": PIN}),
        ("access_codes/create_multiple", {"device_ids": [DOOR], "code": PIN}),
        ("access_codes/update", {"access_code_id": code_id, "name": "Bo"}),
    ):
        reply = await bench.ask(verb, **asked, **now)
        assert (reply["error"]["type"], reply["error"]["data"]) == ("device_refused", {"device_id": DOOR})
    [code] = bench.snap().codes.values()
    assert code.name == "Ana"
