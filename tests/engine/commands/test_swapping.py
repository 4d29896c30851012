"""PINs that change hands between codes of one lock: each waits until the one before has let go of its own."""

from typing import Any

import pytest

from drivers.simulated.models import CHOOSER, READABLE, Model
from gateway.domain.driver import AuthorityUp, LockUnreachable
from tests.engine.bench import Bench
from tests.engine.build import DAY, DOOR, HOUR
from tests.engine.conftest import Hang

PINS, SPARE = ["471134", "998877", "582245"], "369258"


async def hold(bench: Bench, count: int) -> list[str]:
    """Create so many codes, wait until all are set, and take the lock out of reach."""
    codes = [await bench.create(pin) for pin in PINS[:count]]
    await bench.settle(HOUR)
    bench.driver.closed = LockUnreachable("away")
    return codes


async def come_back(bench: Bench) -> None:
    """Bring the lock back into reach, for long enough."""
    bench.driver.closed = None
    await bench.engine.handle(AuthorityUp(device_ids=(DOOR,)))
    await bench.engine.handle(bench.seen())
    await bench.settle(HOUR)


async def ask(bench: Bench, code_id: str, pin: str) -> dict[str, Any]:
    """Ask for another PIN; return the error, empty where there is none."""
    return (await bench.ask("access_codes/update", access_code_id=code_id, code=pin)).get("error") or {}


async def pins_of(bench: Bench, *codes: str) -> list[str]:
    """Return the PIN that the lock has for each code, all of which are well."""
    shown = [await bench.shown(code_id) for code_id in codes]
    assert [(it["status"], it["errors"]) for it in shown] == [("set", [])] * len(codes)
    return [bench.on_lock()[it["slot"]] for it in shown]


@pytest.mark.parametrize("model", [READABLE, CHOOSER])
@pytest.mark.parametrize("count", [2, 3])
async def test_a_swap_is_refused_until_the_lock_has_its_first_step(
    hang: Hang, model: Model, count: int
) -> None:
    """Each code would wait for the next one for ever, with its PIN under the dates of another guest."""
    bench = await hang(model)
    codes = await hold(bench, count)
    assert await ask(bench, codes[0], SPARE) == {}
    for code_id, pin in zip(codes[1:], PINS[: count - 1], strict=True):
        assert await ask(bench, code_id, pin) == {}
    refused = await ask(bench, codes[0], PINS[count - 1])
    assert (refused["type"], refused["data"]) == ("duplicate_access_code", {"access_code_id": codes[-1]})
    assert "still has this PIN" in refused["message"]
    await come_back(bench)
    assert await pins_of(bench, *codes) == [SPARE, *PINS[: count - 1]]
    assert await ask(bench, codes[0], PINS[count - 1]) == {}
    await bench.settle(HOUR)
    assert await pins_of(bench, *codes) == [PINS[count - 1], *PINS[: count - 1]]


async def test_a_pin_that_another_code_lets_go_of_may_be_asked_for_at_once(hang: Hang) -> None:
    """It is written as soon as the other one has its new PIN."""
    bench = await hang(READABLE)
    codes = await hold(bench, 3)
    for code_id, pin in zip(codes, [SPARE, *PINS], strict=False):
        assert await ask(bench, code_id, pin) == {}
    await come_back(bench)
    assert await pins_of(bench, *codes) == [SPARE, *PINS[:2]]


async def test_the_pin_of_a_code_that_is_deleted_may_be_asked_for_though_it_waited_too(hang: Hang) -> None:
    """It goes off the lock and waits for nobody."""
    bench = await hang(READABLE)
    one, other = await hold(bench, 2)
    assert await ask(bench, one, SPARE) == {}
    assert await ask(bench, other, PINS[0]) == {}
    await bench.do("access_codes/delete", access_code_id=other)
    assert await ask(bench, one, PINS[1]) == {}
    await come_back(bench)
    await bench.settle(DAY)
    assert await pins_of(bench, one) == [PINS[1]]
