"""Locks of several makes behind one command: one PIN that all of them take."""

from datetime import timedelta
from random import Random

import pytest
from msgspec.structs import replace

from drivers.simulated.models import CHOOSER, READABLE, Model
from gateway.domain.driver import LockAlive, LockAsleep
from gateway.domain.lock import PinRules, Reach
from tests.engine.commands.house import house

ZWAVE = READABLE
"""Four to eight digits, any of them."""
NUKI = CHOOSER
"""Exactly six digits from 1 to 9, not beginning with 12."""


def like(
    model: Model, lengths: tuple[int, ...], reach: Reach = Reach.ALWAYS, *, prefix_free: bool = False
) -> Model:
    """Return the same kind of lock with other lengths."""
    rules = PinRules(lengths=lengths, prefix_free=prefix_free)
    return replace(
        model,
        capabilities=replace(model.capabilities, pin_rules=rules, reach=reach),
    )


YALE = like(READABLE, (6,))
TTLOCK = like(CHOOSER, tuple(range(4, 10)), Reach.ON_TOUCH, prefix_free=True)


async def test_a_made_up_pin_suits_every_lock_every_time() -> None:
    """The hub looks for what all of them take; each lock itself confirms it."""
    async with house(zwave=ZWAVE, nuki=NUKI, yale=YALE, ttlock=TTLOCK) as it:
        it.engine.shop.chance.randbelow = Random(7).randrange
        pins = set()
        for _ in range(12):
            codes = await it.create_multiple("zwave", "nuki", "yale", "ttlock")
            [pin] = {code["code"] for code in codes}
            pins.add(pin)
            await it.settle()
            assert all(pin in it.on_lock(door) for door in it.locks)

        assert len(pins) == 12
        assert [pin for pin in pins if len(pin) != 6 or "0" in pin or pin.startswith("12")] == []
        codes = (await it.do("access_codes/list"))["access_codes"]
        assert {code["status"] for code in codes} == {"set"}
        assert [code for code in codes if code["errors"] or code["warnings"]] == []


@pytest.mark.parametrize("order", [("zwave", "nuki"), ("nuki", "zwave")])
async def test_the_order_of_the_locks_does_not_matter(order: tuple[str, str]) -> None:
    """Neither of them decides alone."""
    async with house(zwave=ZWAVE, nuki=NUKI) as it:
        [pin] = {code["code"] for code in await it.create_multiple(*order)}
        assert len(pin) == 6


async def test_a_wish_for_another_length_gives_way_to_what_all_take() -> None:
    """Four digits are fine for one of them only."""
    async with house(zwave=ZWAVE, nuki=NUKI) as it:
        [pin] = {code["code"] for code in await it.create_multiple("zwave", "nuki", preferred_code_length=4)}
        assert len(pin) == 6


async def test_a_pin_of_the_caller_that_both_take() -> None:
    """It is on both."""
    async with house(zwave=ZWAVE, nuki=NUKI) as it:
        await it.create_multiple("zwave", "nuki", code="471193")
        await it.settle()
        assert it.on_lock("zwave") == it.on_lock("nuki") == ["471193"]


@pytest.mark.parametrize(
    ("pin", "why"),
    [
        ("4711", "6 characters, this one has 4"),
        ("47119345", "6 characters, this one has 8"),
        ("471190", "only the characters 123456789"),
        ("124711", "starts with 12"),
    ],
)
async def test_a_pin_that_only_one_takes_is_refused_by_name(pin: str, why: str) -> None:
    """The error names lock and rule, and nothing is created on the other one."""
    async with house(zwave=ZWAVE, nuki=NUKI) as it:
        reply = await it.ask("access_codes/create_multiple", device_ids=["zwave", "nuki"], code=pin)
        assert reply["error"]["data"]["device_id"] == "nuki"
        assert why in reply["error"]["message"]
        assert (await it.do("access_codes/list"))["access_codes"] == []


async def test_whoever_cannot_share_does_not_part_the_others() -> None:
    """An old keypad of four digits gets a PIN of its own; the rest still have one in common."""
    async with house(zwave=ZWAVE, nuki=NUKI, old=like(READABLE, (4,)), yale=YALE) as it:
        codes = await it.create_multiple(
            "zwave", "nuki", "old", "yale", behavior_when_code_cannot_be_shared="create_random_code"
        )
        zwave, nuki, old, yale = (code["code"] for code in codes)
        assert zwave == nuki == yale
        assert len(old) == 4
        keys = [code["common_code_key"] for code in codes]
        assert keys[0] == keys[1] == keys[3] is not None
        assert keys[2] is None


async def test_a_code_that_joins_later_must_suit_its_lock_too() -> None:
    """A group that began on a Z-Wave lock may have a PIN that no Nuki takes."""
    async with house(zwave=ZWAVE, nuki=NUKI) as it:
        await it.do("access_codes/create", device_id="zwave", code="4711", common_code_key="stay")
        reply = await it.ask("access_codes/create", device_id="nuki", common_code_key="stay")
        assert reply["error"]["type"] == "invalid_input"
        assert "6 characters" in reply["error"]["message"]


async def test_one_that_sleeps_does_not_keep_the_others_waiting() -> None:
    """Two are set at once; the third says what it waits for, and is set at a touch."""
    async with house(zwave=ZWAVE, nuki=NUKI, ttlock=TTLOCK) as it:
        it.drivers["ttlock"].closed = LockAsleep("the lock listens only after a touch")
        codes = await it.create_multiple("zwave", "nuki", "ttlock")
        pin = codes[0]["code"]
        await it.settle()
        it.clock.pass_by(timedelta(minutes=1))

        shown = {
            code["device_id"]: (code["status"], [warning["warning_code"] for warning in code["warnings"]])
            for code in (await it.do("access_codes/list"))["access_codes"]
        }
        assert shown == {
            "zwave": ("set", []),
            "nuki": ("set", []),
            "ttlock": ("setting", ["waiting_for_touch"]),
        }

        it.drivers["ttlock"].closed = None
        await it.tell(LockAlive(device_id="ttlock"))
        assert it.on_lock("ttlock") == [pin]


async def test_a_pin_that_begins_like_another_is_refused_where_the_keypad_cannot_tell() -> None:
    """At the command, with no digits in the words; a lock that can tell takes both."""
    async with house(zwave=ZWAVE, ttlock=TTLOCK) as it:
        await it.create_multiple("zwave", "ttlock", code="471100")
        refused = await it.ask("access_codes/create", device_id="ttlock", code="4711", name="B")
        assert refused["error"]["type"] == "duplicate_access_code"
        assert "begins alike" in refused["error"]["message"]
        assert "4711" not in refused["error"]["message"]
        await it.do("access_codes/create", device_id="zwave", code="4711", name="B")


async def test_a_lock_that_nobody_has_seen_yet_gets_a_pin_of_its_kind() -> None:
    """The configuration tells what a Nuki keypad takes, before it was ever reached."""
    async with house(("nuki",), zwave=ZWAVE, nuki=NUKI) as it:
        it.engine.shop.chance.randbelow = Random(7).randrange
        for _ in range(5):
            [pin] = {code["code"] for code in await it.create_multiple("zwave", "nuki")}
            assert len(pin) == 6
            assert "0" not in pin
        refused = await it.ask("access_codes/create", device_id="nuki", code="123456", name="B")
        assert refused["error"]["type"] == "invalid_input"
