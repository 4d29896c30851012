"""Lists: filters, search, pages; and PINs to preview."""

from typing import Any

import pytest

from drivers.simulated.models import READABLE
from gateway.engine.mutations import instant
from tests.engine.bench import Bench
from tests.engine.build import DAY, DOOR, HOUR, NOON, SECOND
from tests.engine.conftest import Hang


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        ({}, ["Ana", "Bo", "Cy"]),
        ({"search": "AN"}, ["Ana"]),
        ({"search": "5822"}, ["Bo"]),
        ({"type": "time_bound"}, ["Cy"]),
        ({"status": "unset"}, ["Cy"]),
        ({"common_code_key": "stay"}, ["Bo"]),
        ({"access_code_ids": ["nobody"]}, []),
        ({"search": "zzz"}, []),
    ],
)
async def test_codes_are_found_by_everything_given(
    hang: Hang, asked: dict[str, Any], names: list[str]
) -> None:
    """Oldest first."""
    bench = await hang(READABLE)
    await bench.create("471134", name="Ana")
    bench.clock.pass_by(SECOND)
    await bench.create("582245", name="Bo", common_code_key="stay")
    bench.clock.pass_by(SECOND)
    await bench.create("693356", name="Cy", starts_at=instant(NOON + DAY), ends_at=instant(NOON + 2 * DAY))
    found = (await bench.do("access_codes/list", device_id=DOOR, **asked))["access_codes"]
    assert [code["name"] for code in found] == names


async def test_several_are_found_by_their_ids(hang: Hang) -> None:
    """Those that there are, of any lock, in the order of creation."""
    bench = await hang(READABLE)
    ids = []
    for pin in ("471134", "582245", "693356"):
        ids.append(await bench.create(pin))
        bench.clock.pass_by(SECOND)
    asked = [ids[2], "nobody", ids[0]]
    found = (await bench.do("access_codes/list", access_code_ids=asked))["access_codes"]
    assert [code["access_code_id"] for code in found] == [ids[0], ids[2]]
    found = (await bench.do("access_codes/list", access_code_ids=asked, search="693"))["access_codes"]
    assert [code["access_code_id"] for code in found] == [ids[2]]


@pytest.mark.parametrize(
    ("low", "high", "lengths"), [(4, 6, [4, 5, 6]), (7, 7, [7]), (8, 20, [8]), (4, 20, [4, 5, 6, 7, 8])]
)
async def test_a_range_of_lengths_narrows_what_the_lock_takes(
    hang: Hang, low: int, high: int, lengths: list[int]
) -> None:
    """The lock takes 4 to 8 digits; what lies beyond is left out, and the rest counts for PINs."""
    bench = await hang(READABLE)
    bounds = {"min_code_length": low, "max_code_length": high}
    done = await bench.do("access_codes/report_device_constraints", device_id=DOOR, **bounds)
    assert done["device"]["properties"]["supported_code_lengths"] == lengths
    chosen = await bench.do("access_codes/generate_code", device_id=DOOR)
    assert len(chosen["generated_code"]["code"]) == lengths[0]
    for length in range(4, 9):
        reply = await bench.ask(
            "access_codes/create", device_id=DOOR, code=str(length) + "81920371"[: length - 1]
        )
        assert (reply["status"] == "ok") is (length in lengths), reply["error"]


@pytest.mark.parametrize(("reported", "lengths"), [([4], [4]), ([4, 6, 9], [4, 6]), ([9], [4, 5, 6, 7, 8])])
async def test_lengths_told_before_the_lock_was_seen_widen_nothing(
    reported: list[int], lengths: list[int]
) -> None:
    """Nobody could say then what the driver knows; where nothing is left of them, it alone counts."""
    bench = Bench(READABLE)
    await bench.engine.start()
    await bench.do("access_codes/report_device_constraints", device_id=DOOR, supported_code_lengths=reported)
    await bench.start()
    shown = (await bench.do("devices/get", device_id=DOOR))["device"]
    assert shown["properties"]["supported_code_lengths"] == lengths
    await bench.create()
    await bench.settle(HOUR)
    assert (len(bench.on_lock()), bench.issues()) == (1, set())
    bench.store.close()


async def test_pages_follow_each_other_without_gap_or_repeat(hang: Hang) -> None:
    """Also when a code is created meanwhile."""
    bench = await hang(READABLE)
    ids = []
    for number in range(5):
        ids.append(await bench.create(f"4711{number:02}"))
        bench.clock.pass_by(SECOND)
    seen: list[str] = []
    asked: dict[str, Any] = {"limit": 2}
    while True:
        page = await bench.do("access_codes/list", **asked)
        seen += [code["access_code_id"] for code in page["access_codes"]]
        if not page["pagination"]["has_next_page"]:
            break
        asked["page_cursor"] = page["pagination"]["next_page_cursor"]
        if len(seen) == 2:
            ids.append(await bench.create("998877"))
    assert seen == ids


async def test_a_cursor_that_is_none_is_refused(hang: Hang) -> None:
    """By name."""
    bench = await hang(READABLE)
    reply = await bench.ask("access_codes/list", page_cursor="!!!")
    assert reply["error"]["data"] == {"field": "page_cursor"}


async def test_a_generated_pin_is_only_a_proposal(hang: Hang) -> None:
    """It fits the lock; nothing is stored."""
    bench = await hang(READABLE)
    before = bench.store.dump()
    found = await bench.do("access_codes/generate_code", device_id=DOOR, preferred_code_length=6)
    assert len(found["generated_code"]["code"]) == 6
    found = await bench.do("access_codes/generate_code", device_id=DOOR, preferred_code_length=30)
    assert len(found["generated_code"]["code"]) == 4
    assert bench.store.dump() == before
