"""What goes wrong on the air and in the lock: no code is doubled, lost or taken for somebody else's."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from unittest.mock import patch

import pytest

from gateway.domain.credential import Credential, Known, SlotRef
from gateway.domain.driver import DriverError, LockUnreachable, NoAnswer, Refused
from gateway.domain.placement import Refusal
from tests.ble_bed.ttlock.lock import NO_PERMISSION, No, VirtualLock
from tests.ble_bed.ttlock.wire import seal
from tests.ble_bed.virtual import LONG_S, in_virtual_time
from tests.ttlock.direct import Direct
from tests.ttlock.home import DOOR, code, home, wanted, without_modify
from tests.ttlock.test_ttlock_codes import SUMMER

MOST_PIECES, MOST_ANSWERS = 40, 14
"""More than any operation here takes."""
STAY = wanted("4711", SUMMER, 3)


async def until_done(at: Direct, slot: SlotRef | None, before: Credential | None, after: Credential) -> None:
    """Do what the engine does: try, and after a failure list before the next try."""
    for _ in range(5):
        with suppress(LockUnreachable, NoAnswer):  # a refusal would be a mistake
            async with at.session() as session:
                listed = await session.read_all()
                found = [s for s, reading in listed.items() if s == slot or reading == Known(after)]
                written = await session.write(found[0] if found else slot, after, replaces=before)
                if written.reading == Known(after):
                    assert slot in {None, written.slot}
                    return
    raise AssertionError("it did not come to an end")


async def until_gone(at: Direct, slot: SlotRef, before: Credential) -> None:
    """Delete as the engine does."""
    for _ in range(5):
        with suppress(LockUnreachable, NoAnswer):
            async with at.session() as session:
                await session.clear(slot, holds=before)
                if slot not in await session.read_all():
                    return
    raise AssertionError("it did not come to an end")


@pytest.mark.parametrize("what", ["pieces", "answers"])
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
def test_a_link_lost_anywhere_leaves_one_code_in_the_end(
    before: Credential | None,
    after: Credential | None,
    change: Callable[[VirtualLock], None],
    what: str,
) -> None:
    """Wherever it breaks: during the login, a list, the operation or the look afterwards; then a restart."""
    broke: list[bool] = []

    @in_virtual_time
    async def lost_after(count: int) -> None:
        at = Direct(change)
        slot = None
        if before is not None:
            async with at.session() as session:
                slot = (await session.write(None, before, replaces=None)).slot
        if what == "pieces":
            at.wire.pieces_left = count
        else:
            at.wire.answers_left = count
        if after is not None:
            await until_done(at, slot, before, after)
        elif slot is not None and before is not None:
            await until_gone(at, slot, before)
        broke.append(at.wire.has_broken)
        assert [code.current for code in at.lock.codes] == ([] if after is None else [after.pin.reveal()])

    for count in range(MOST_PIECES if what == "pieces" else MOST_ANSWERS):
        lost_after(count)
    assert broke[0]
    assert broke == sorted(broke, reverse=True)
    assert not broke[-1], "the operation is longer than all that was tried"


@pytest.mark.parametrize("is_done", [True, False])
@in_virtual_time
async def test_an_add_whose_answer_is_lost_is_found_under_the_name_it_was_given(*, is_done: bool) -> None:
    """The name was saved before the code was sent. `is_done`: the lock carried it out."""
    async with home() as at:
        if is_done:
            at.on_air.lose_before_answer_to = 0x03
        else:
            at.lock.faults.deaf_on = frozenset({0x03})
        with pytest.raises(DriverError) as error:
            async with at.session() as session:
                await session.write(None, wanted("4711"), replaces=None)
        assert error.value.may_have_been_applied
        (kept,) = at.secret.held
        assert at.on_air.lose_before_answer_to is None, "the link held"
        assert at.lock.ignored == ([] if is_done else [0x03])
        at.lock.faults.deaf_on = frozenset()
        assert dict(await at.listed()) == ({kept.slot: Known(wanted("4711"))} if is_done else {})


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
    record = code("4711").record()
    listed = b"\x07\x01" + (len(record) + 2).to_bytes(2) + b"\xff\xff" + record
    keys = (number.to_bytes(16) for number in range(1, 100_000))
    key = next(key for key in keys if b"\r\n" in seal(listed, key))

    def change(lock: VirtualLock) -> None:
        lock.key = key
        lock.store(code("4711"))

    async with home(change=change) as at:
        assert list((await at.listed()).values()) == [Known(wanted("4711"))]


@in_virtual_time
async def test_keys_that_are_refused_are_not_tried_on_and_on() -> None:
    """The lock says so under its key: tried once, and then when a person asks for it."""
    async with home() as at:
        at.lock.admin = (1, 2)
        for _ in range(4):
            with pytest.raises(Refused, match="pair it again"):
                await at.listed()
        assert at.lock.asked.count(0x41) == 1
        assert "pair it again" in at.driver.problems[DOOR]
        assert "locks sync" in at.driver.problems[DOOR]
        await asyncio.sleep(LONG_S)
        for _ in range(4):
            with pytest.raises(Refused, match="pair it again"):
                await at.listed()
        assert at.lock.asked.count(0x41) == 1


@in_virtual_time
async def test_refused_keys_are_tried_once_more_when_a_person_asks() -> None:
    """Where it was put right, the lock is as it was; where not, that was one attempt."""
    async with home() as at:
        at.lock.admin, right = (1, 2), at.lock.admin
        for attempt in (1, 2):
            with pytest.raises(Refused, match="pair it again"):
                await at.listed()
            assert at.lock.asked.count(0x41) == attempt
            at.driver.ask_again(DOOR)
        at.lock.admin = right
        assert await at.listed() == {}
        assert at.driver.problems == {}


@in_virtual_time
async def test_refused_keys_are_told_of_a_lock_that_sleeps() -> None:
    """A touch would change nothing, so nobody is asked for one."""
    async with home() as at:
        at.lock.admin = (1, 2)
        with pytest.raises(Refused, match="pair it again"):
            await at.listed()
        await asyncio.sleep(60)
        with pytest.raises(Refused, match="pair it again"):
            async with at.driver.session(DOOR):
                pass


@in_virtual_time
async def test_a_lock_with_another_key_looks_out_of_reach() -> None:
    """It does not even understand the question and answers nothing: nothing tells that from a bad link."""
    async with home() as at:
        at.lock.key = bytes(16)
        with pytest.raises(DriverError):
            await at.listed()
        assert at.lock.asked == []


@in_virtual_time
async def test_an_answer_under_another_key_is_a_refusal_too() -> None:
    """Whether the lock was set up anew, or somebody answers in its place: a person has to look."""

    def answer(data: bytes, _: bytes) -> bytes:
        return seal(data, bytes(16))

    async with home() as at:
        with patch("tests.ble_bed.ttlock.lock.seal", answer):
            for _ in range(4):
                with pytest.raises(Refused, match="pair it again"):
                    await at.listed()
        assert at.lock.asked.count(0x41) == 1
        await asyncio.sleep(LONG_S)
        assert "locks sync" in at.driver.problems[DOOR]
        at.driver.ask_again(DOOR)
        assert await at.listed() == {}
        assert at.driver.problems == {}


@pytest.mark.parametrize(("command", "failure"), [(0x41, 0x12), (0x30, 0x08), (0x30, 0x12)])
@in_virtual_time
async def test_a_login_that_is_refused_is_not_tried_on_and_on(command: int, failure: int) -> None:
    """By whichever words: which of them a real lock uses is not documented."""
    async with home() as at:
        at.lock.faults.fails = {command: failure}
        for _ in range(4):
            with pytest.raises(Refused, match="pair it again"):
                await at.listed()
        assert at.lock.asked.count(command) == 1


@in_virtual_time
async def test_an_answer_under_another_key_after_the_login_is_a_refusal_too() -> None:
    """The next connection would end in the same way, and so on."""

    def answer(data: bytes, key: bytes) -> bytes:
        return seal(data, bytes(16) if data[0] == 0x07 else key)

    async with home() as at:
        with patch("tests.ble_bed.ttlock.lock.seal", answer):
            for _ in range(4):
                with pytest.raises(DriverError):
                    await at.listed()
        assert at.lock.asked.count(0x07) == 1
        assert "pair it again" in at.driver.problems[DOOR]


@in_virtual_time
async def test_a_lock_that_is_being_set_up_is_busy() -> None:
    """By somebody with its app: that passes."""
    async with home() as at:
        at.lock.faults.fails = {0x03: 0x05}
        with pytest.raises(Refused, match="setting the lock up") as refused:
            async with at.session() as session:
                await session.write(None, wanted("4711"), replaces=None)
        assert refused.value.reason is Refusal.BUSY
        at.lock.faults.fails = {}
        async with at.session() as session:
            await session.write(None, wanted("4711"), replaces=None)
        assert at.pins() == ["4711"]


@pytest.mark.parametrize("command", [0x03, 0x07])
@in_virtual_time
async def test_keys_that_may_not_manage_codes_are_not_offered_on_and_on(command: int) -> None:
    """The lock takes them and then does not let them: once, and then when a person asks for it."""
    async with home() as at:
        at.lock.faults.forbids = frozenset({command})
        for _ in range(4):
            with pytest.raises(Refused, match="does not let these keys"):
                async with at.session() as session:
                    await session.write(None, wanted("4711"), replaces=None)
        assert at.lock.asked.count(command) == 1
        assert at.lock.asked.count(0x41) == 1
        assert "does not let these keys" in at.driver.problems[DOOR]
        at.lock.faults.forbids = frozenset()
        await asyncio.sleep(LONG_S)
        assert "does not let these keys" in at.driver.problems[DOOR]
        at.driver.ask_again(DOOR)
        async with at.session() as session:
            await session.write(None, wanted("4711"), replaces=None)
        assert at.driver.problems == {}
        at.lock.faults.forbids = frozenset({command})
        with pytest.raises(Refused, match="does not let these keys"):
            async with at.session() as session:
                await session.write(None, wanted("4712"), replaces=None)
        assert "does not let these keys" in at.driver.problems[DOOR]


@in_virtual_time
async def test_a_batch_of_removals_is_no_batch_of_refusals() -> None:
    """Each begins with a look at the codes: what was refused is not asked again in the same connection."""
    async with home() as at:
        at.lock.faults.forbids = frozenset({0x07})
        async with at.session() as session:
            for slot in "12345":
                with pytest.raises(Refused, match="does not let these keys"):
                    await session.clear(slot, holds=None)
        assert at.lock.asked.count(0x07) == 1


@pytest.mark.parametrize(("step", "after"), [("_add", STAY), ("_find", wanted("815815"))])
@in_virtual_time
async def test_a_change_that_is_refused_half_way_is_not_tried_on(step: str, after: Credential) -> None:
    """Nor is the code before stored again where storing is what the keys may not do."""
    async with home(change=without_modify) as at:
        async with at.session() as session:
            slot = (await session.write(None, wanted("4711"), replaces=None)).slot
        at.lock.asked.clear()
        with patch.object(VirtualLock, step, side_effect=No(NO_PERMISSION)):
            async with at.session() as session:
                with pytest.raises(NoAnswer):
                    await session.write(slot, after, replaces=wanted("4711"))
            with pytest.raises(Refused, match="does not let these keys"):
                async with at.session():
                    pass
        assert at.lock.asked.count(0x03) == 2


@pytest.mark.parametrize(
    ("command", "words"), [(0x01, "say what it is"), (0x25, "read its log"), (0x43, "set its clock")]
)
@in_virtual_time
async def test_what_is_refused_beside_the_codes_is_left_alone_and_holds_up_no_code(
    command: int, words: str
) -> None:
    """In no other connection either, before a person asks for it."""
    async with home() as at:
        at.lock.faults.forbids = frozenset({command})
        at.lock.cut_power()
        for digits in ("4711", "4712", "4713"):
            async with at.session() as session:
                await session.write(None, wanted(digits), replaces=None)
            await asyncio.sleep(LONG_S)
        assert at.pins() == ["4711", "4712", "4713"]
        assert at.lock.asked.count(command) == 1
        assert words in at.driver.problems[DOOR]
        at.driver.ask_again(DOOR)
        await at.listed()
        assert at.lock.asked.count(command) == 2
        at.driver.ask_again(DOOR)
        at.lock.faults.forbids = frozenset()
        await asyncio.sleep(LONG_S)
        await at.listed()
        assert at.lock.asked.count(command) > 2
        assert at.driver.problems == {}
