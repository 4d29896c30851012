"""Lost answers, locks that fall silent, and a lock that is another one."""

import pytest

from tests.daemon.bed import PINS
from tests.e2e.conftest import Start
from tests.e2e.house import NODES
from tests.zwave_bed.config import Faults, Model

pytestmark = [pytest.mark.zwave_bed, pytest.mark.mosquitto, pytest.mark.slow]
ALIVE_S = 5.0
"""From the first sign of life until a lock has been served, with the pauses that a lock wants."""
in_real_time = pytest.mark.flaky(reruns=3)
"""About four of the five seconds are pauses: a machine that others keep busy gets more chances."""


@pytest.mark.parametrize("model", ["v2_s2", "v2_plain"])
async def test_a_write_whose_answer_got_lost_is_found_and_not_repeated(start: Start, model: Model) -> None:
    """Supervised or not: where digits are readable, one look is enough, and there is one slot."""
    node = NODES[model].node_id
    async with start(model) as house:
        await house.settled(model)
        await house.bed.fault(node, Faults(lose_answers=1))
        code_id = await house.create(model, PINS[0])
        await house.until(
            lambda: house.told("access_code.set_on_device") or house.errors(house.code(code_id))
        )
        sent = (await house.radio(model)).set
        house.let_pass(minutes=2)
        await house.hears("access_code.set_on_device", code_id)
        house.let_pass(minutes=10)
        await house.settled(model)
        assert await house.on_lock(model) == {3: PINS[0]}
        # The radio itself repeats an unacknowledged frame up to twice.
        assert (await house.radio(model)).set == sent <= 3
        await house.until(lambda: not house.code(code_id)["errors"])


@in_real_time
async def test_a_dead_lock_is_served_at_its_first_sign_of_life(start: Start) -> None:
    """Not when the waiting is over that began with its silence; meanwhile it is told as disconnected."""
    node = NODES["v2_s2"].node_id
    async with start("v2_s2") as house:
        await house.settled("v2_s2")
        await house.bed.fault(node, Faults(dead=True))
        code_id = await house.create("v2_s2", PINS[0])
        await house.hears("device.disconnected")
        await house.until(lambda: "device_disconnected" in house.errors(house.lock("v2_s2")))
        house.let_pass(minutes=20)
        await house.gate_is("v2_s2", "backing_off")
        house.clock.pauses_pass = False
        await house.bed.alive(node)
        await house.becomes("v2_s2", PINS[0], seconds=ALIVE_S)
        await house.hears("access_code.set_on_device", code_id)
        await house.hears("device.connected")
        await house.until(lambda: not house.errors(house.lock("v2_s2")))


@in_real_time
async def test_a_removal_waits_for_a_dead_lock_and_is_an_alarm_meanwhile(start: Start) -> None:
    """Two minutes past its end; as soon as the lock answers the code goes."""
    node = NODES["v2_s2"].node_id
    async with start("v2_s2") as house:
        code_id = await house.create_set("v2_s2", PINS[0], ends_at=house.in_time(hours=1))
        await house.settled("v2_s2")
        await house.bed.fault(node, Faults(dead=True))
        house.let_pass(hours=1)
        await house.hears("device.disconnected")
        house.let_pass(minutes=2)
        await house.hears("access_code.failed_to_expire", code_id)
        await house.gate_is("v2_s2", "backing_off")
        assert house.code(code_id)["status"] == "removing"
        house.clock.pauses_pass = False
        await house.bed.alive(node)
        await house.becomes("v2_s2", seconds=ALIVE_S)
        await house.hears("access_code.removed_from_device", code_id)


async def test_another_lock_on_a_known_node_is_not_written_until_somebody_says_so(start: Start) -> None:
    """New codes wait too; after `devices/replace` it gets all of them."""
    node = NODES["tiny"].node_id
    async with start("tiny") as house:
        first = await house.create_set("tiny", PINS[0])
        await house.settled("tiny")
        await house.bed.replace(node, (0x1234, 1, 3), serial="another")
        await house.hears("device.replaced")
        await house.forget_radio("tiny")
        second = await house.create("tiny", PINS[1])
        house.let_pass(hours=1)
        await house.until(lambda: "device_replaced" in house.errors(house.code(second)))
        (plan,) = (await house.do("plan/get", device_id="tiny"))["plans"]
        assert (plan["gate"], plan["steps"]) == ("replaced", [])
        assert (await house.radio("tiny")).user_code == 0
        await house.do("devices/replace", device_id="tiny")
        await house.becomes("tiny", PINS[0], PINS[1])
        await house.until(lambda: house.code(first)["status"] == house.code(second)["status"] == "set")
        assert house.errors(house.lock("tiny")) == set()


async def test_a_lock_that_dies_delays_no_other(start: Start) -> None:
    """While one is waited for, the next gets its code."""
    async with start("v2_s2", "tiny") as house:
        await house.settled("v2_s2")
        await house.settled("tiny")
        await house.bed.fault(NODES["v2_s2"].node_id, Faults(dead=True))
        await house.create("v2_s2", PINS[0])
        code_id = await house.create("tiny", PINS[0])
        await house.hears("access_code.set_on_device", code_id)
        await house.hears("device.disconnected", "v2_s2")
        assert not house.told("device.disconnected", "tiny")


async def test_a_lock_that_wakes_during_an_attempt_is_not_left_waiting(start: Start) -> None:
    """The attempt fails, but its failure is older than the sign of life."""
    node = NODES["v2_s2"].node_id
    async with start("v2_s2") as house:
        await house.create_set("v2_s2", PINS[0], ends_at=house.in_time(hours=1))
        await house.settled("v2_s2")
        await house.bed.fault(node, Faults(dead=True))
        house.let_pass(hours=1)
        await house.gate_is("v2_s2", "backing_off")
        await house.forget_radio("v2_s2")
        house.let_pass(minutes=2)
        await house.radio_reaches("v2_s2", security=1)
        await house.bed.alive(node)
        await house.becomes("v2_s2")


async def test_a_lock_that_comes_and_goes_is_told_as_flaky_until_it_stays(start: Start) -> None:
    """Lost three times within an hour of each other; over when it was there for an hour."""
    node = NODES["v2_s2"].node_id
    async with start("v2_s2") as house:
        await house.settled("v2_s2")
        for times in (1, 2, 3):
            assert not house.told("device.connection_became_flaky")
            await house.bed.fault(node, Faults(dead=True))
            await house.do("devices/sync", device_id="v2_s2")
            await house.hears("device.disconnected", times=times)
            house.let_pass(minutes=10)
            await house.bed.alive(node)
            await house.hears("device.connected", times=times)
            await house.settled("v2_s2")
        await house.hears("device.connection_became_flaky")
        house.let_pass(hours=1, minutes=1)
        await house.hears("device.connection_stabilized")
        await house.until(lambda: not house.warnings(house.lock("v2_s2")))


async def test_a_keypad_that_is_switched_off_is_a_warning_and_codes_are_kept_in_step(start: Start) -> None:
    """It is about who types, not about what the lock holds."""
    node = NODES["v2_s2"].node_id
    async with start("v2_s2") as house:
        await house.bed.keypad_mode(node, 2)
        await house.until(lambda: house.warnings(house.lock("v2_s2")) == {"privacy_mode"})
        await house.create_set("v2_s2", PINS[0])
        await house.bed.keypad_mode(node, 0)
        await house.until(lambda: not house.warnings(house.lock("v2_s2")))
