"""What goes wrong on the air and in the lock: no code is doubled, lost or taken for somebody else's."""

from collections.abc import Callable

import pytest

from gateway.domain.credential import Credential, Known
from gateway.domain.driver import DriverError, LockUnreachable, Refused
from tests.ble_bed.ttlock.lock import VirtualLock
from tests.ble_bed.ttlock.wire import seal
from tests.ble_bed.virtual import in_virtual_time
from tests.ttlock.home import Home, code, home, wanted, without_modify
from tests.ttlock.test_ttlock_codes import SUMMER

MOST_WRITES = 40
"""More pieces than any operation here sends."""
STAY = wanted("4711", SUMMER, 3)


async def until_done(at: Home, before: Credential | None, after: Credential | None, lose_after: int) -> None:
    """Do what the engine does: try, and after a failure list before the next try."""
    slot = None
    if before is not None:
        async with at.session() as session:
            slot = (await session.write(None, before, replaces=None)).slot
    at.on_air.peripheral.lose_after = lose_after
    for _ in range(5):
        try:
            async with at.session() as session:
                listed = await session.read_all()
                now = {s: r.credential for s, r in listed.items() if isinstance(r, Known)}
                held = next((s for s, credential in now.items() if s == slot or credential == after), None)
                if after is None:
                    if held is None:
                        return
                    await session.clear(held, holds=before)
                elif held is None or now[held] != after:
                    slot = (await session.write(held, after, replaces=before)).slot
                else:
                    if slot is not None:
                        assert held == slot
                    # Half of a change in two steps may be there still: writing the same again ends it.
                    await session.write(held, after, replaces=after)
                    return
        except DriverError as error:
            assert not isinstance(error, Refused)
    raise AssertionError("it did not come to an end")


@pytest.mark.parametrize(
    ("before", "after", "change"),
    [
        pytest.param(None, wanted("4711"), lambda _: None, id="add"),
        pytest.param(None, STAY, lambda _: None, id="add with dates"),
        pytest.param(wanted("4711"), wanted("815815"), lambda _: None, id="modify"),
        pytest.param(wanted("4711"), wanted("815815"), without_modify, id="add and delete"),
        pytest.param(wanted("4711"), STAY, lambda _: None, id="delete and add"),
        pytest.param(wanted("4711"), None, lambda _: None, id="delete"),
    ],
)
@pytest.mark.slow
def test_a_link_lost_at_any_piece_leaves_one_code_in_the_end(
    before: Credential | None, after: Credential | None, change: Callable[[VirtualLock], None]
) -> None:
    """Wherever it breaks: during the login, a list, the operation or the look afterwards."""

    @in_virtual_time
    async def lost_after(pieces: int) -> None:
        async with home(change=change) as at:
            await until_done(at, before, after, pieces)
            assert at.pins() == ([] if after is None else [after.pin.reveal()])

    for pieces in range(0, MOST_WRITES, 1):
        lost_after(pieces)


@pytest.mark.parametrize("answered", [False, True])
@in_virtual_time
async def test_an_add_whose_answer_is_lost_is_found_under_the_name_it_was_given(answered: bool) -> None:  # noqa: FBT001
    """The name was saved before the code was sent. `answered`: the lock did not even carry it out."""
    async with home() as at:
        if answered:
            at.lock.faults.deaf_on = frozenset({0x03})
        at.on_air.lose_before_answer_to = 0x03
        with pytest.raises(DriverError) as error:
            async with at.session() as session:
                await session.write(None, wanted("4711"), replaces=None)
        assert error.value.may_have_been_applied
        (kept,) = at.secret.held
        at.lock.faults.deaf_on = frozenset()
        at.on_air.lose_before_answer_to = None
        assert dict(await at.listed()) == ({} if answered else {kept.slot: Known(wanted("4711"))})


@in_virtual_time
async def test_a_change_in_two_steps_that_broke_shows_the_old_code_until_it_is_ended() -> None:
    """So that the engine ends it. Deleting ends it too, both codes at once."""
    async with home(change=without_modify) as at:
        slots = []
        for old, new in [("4711", "815815"), ("1234", "5678")]:
            async with at.session() as session:
                slots.append((await session.write(None, wanted(old), replaces=None)).slot)
            at.on_air.lose_before_answer_to = 0x03
            with pytest.raises(DriverError):
                async with at.session() as session:
                    await session.write(slots[-1], wanted(new), replaces=wanted(old))
        assert at.pins() == ["1234", "4711", "5678", "815815"]
        await at.restart()
        async with at.running(), at.session() as session:
            readings = await session.read_all()
            assert dict(readings) == dict(zip(slots, map(Known, map(wanted, ("4711", "1234"))), strict=True))
            await session.write(slots[0], wanted("815815"), replaces=wanted("4711"))
            assert at.pins() == ["1234", "5678", "815815"]
            await session.clear(slots[1], holds=wanted("1234"))
            assert at.pins() == ["815815"]


@pytest.mark.parametrize("weather", ["tiny pieces", "slow", "doubled", "chatter"])
@in_virtual_time
async def test_weather_on_the_air_changes_nothing(weather: str) -> None:
    """Answers in pieces of three bytes, delayed, every piece twice, with unasked reports in between."""
    async with home() as at:
        at.on_air.peripheral.weather.split = 3 if weather == "tiny pieces" else 20
        at.on_air.peripheral.weather.delay_s = 0.2 if weather == "slow" else 0.0
        at.on_air.peripheral.weather.doubled = weather == "doubled"
        at.lock.faults.chatters = weather == "chatter"
        for number in range(5):
            at.lock.store(code(f"{1234 + number}"))
        async with at.session() as session:
            slot = (await session.write(None, STAY, replaces=None)).slot
            assert await session.read(slot) == Known(STAY)
            assert len(await session.read_all()) == 6
            await session.clear(slot, holds=STAY)
        assert len(at.lock.codes) == 5


@in_virtual_time
async def test_wrong_checksums_are_taken() -> None:
    """Some locks send them on some answers."""
    async with home() as at:
        at.lock.faults.wrong_checksum_on = frozenset(range(256))
        async with at.session() as session:
            written = await session.write(None, wanted("4711"), replaces=None)
            assert written.reading == Known(wanted("4711"))


@in_virtual_time
async def test_the_end_mark_inside_encrypted_data_ends_no_frame() -> None:
    """The key is chosen so that the list has 0D 0A in it."""
    listed = bytes.fromhex("07010016ffff") + code("4711").record()
    key = next(
        key
        for key in (number.to_bytes(16) for number in range(1, 100_000))
        if b"\r\n" in seal(listed[:4] + listed[4:], key)
    )

    def change(lock: VirtualLock) -> None:
        lock.key = key
        lock.store(code("4711"))

    async with home(change=change) as at:
        listed_now = at.lock._list(b"\0\0")
        assert b"\r\n" in seal(b"\x07\x01" + listed_now, key)
        assert list((await at.listed()).values()) == [Known(wanted("4711"))]


@in_virtual_time
async def test_keys_that_are_refused_are_not_tried_again() -> None:
    """Somebody reset the lock and set it up anew, or its keys are others."""
    async with home() as at:
        at.lock.admin = (1, 2)
        for _ in range(3):
            with pytest.raises(LockUnreachable, match="pair it again"):
                await at.listed()
        assert at.lock.asked.count(0x41) == 1


@in_virtual_time
async def test_a_lock_with_another_key_is_not_tried_again() -> None:
    """It does not even understand the question, and answers nothing."""
    async with home() as at:
        at.lock.key = bytes(16)
        with pytest.raises(DriverError):
            await at.listed()
        assert at.lock.asked == []
