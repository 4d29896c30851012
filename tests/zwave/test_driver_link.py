"""The link to the server: made, lost, made anew; and what it must not do."""

import asyncio
import logging
from random import Random

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from drivers.zwave.driver import ZwaveDriver
from drivers.zwave.settings import ZwaveLockSettings, ZwaveSettings
from gateway.domain.credential import Credential, Empty, Evidence
from gateway.domain.driver import (
    AuthorityDown,
    AuthorityLost,
    AuthorityUp,
    LockDead,
    LockSeen,
    LockUnreachable,
    NoAnswer,
)
from gateway.domain.pin import Pin
from tests.zwave.running import BERLIN, NODES, CountingClock, Told, ready, running, settings_for
from tests.zwave_bed.bed import ZwaveBed
from tests.zwave_bed.client import Heard, connected
from tests.zwave_bed.config import BedConfig, Faults, NodeConfig

pytestmark = pytest.mark.zwave_bed


async def test_the_server_is_announced_before_its_locks(bed: ZwaveBed) -> None:
    """So that a look at the locks finds the link standing."""
    async with running(bed, settings_for("v1", "tiny")) as run:
        events = await run.told.until(lambda told: sum(isinstance(event, LockSeen) for event in told) == 2)
        assert events[0] == AuthorityUp(device_ids=("v1", "tiny"))
        assert (run.driver.warnings, run.driver.problems) == ((), {})


async def test_a_restart_of_the_server_is_told_and_survived(bed: ZwaveBed) -> None:
    """Lost, up, and every lock seen anew; then work goes on."""
    async with ready(bed, "v2_s2") as run:
        run.told.forget()
        await bed.restart_server()
        events = await run.told.until(lambda told: any(isinstance(event, LockSeen) for event in told))
        assert [type(event) for event in events] == [AuthorityLost, AuthorityUp, LockSeen]
        async with run.driver.session("v2_s2") as session:
            assert await session.read("1") == Empty()


async def test_a_dead_lock_is_found_again_without_being_called_alive(bed: ZwaveBed) -> None:
    """The server knows what it is, and that it does not answer."""
    async with ready(bed, "v2_s2") as run:
        await bed.fault(NODES["v2_s2"].node_id, Faults(dead=True))
        async with run.driver.session("v2_s2") as session:
            with pytest.raises(LockUnreachable):
                await session.read("1")
        await run.told.one(LockDead)
        run.told.forget()
        await bed.restart_server()
        events = await run.told.until(lambda told: any(isinstance(event, LockDead) for event in told))
        assert [event.heard for event in events if isinstance(event, LockSeen)] == [False]


async def test_a_restart_of_the_driver_is_told_and_survived(bed: ZwaveBed) -> None:
    """The server turns clients away until its driver is ready."""
    async with ready(bed, "v2_s2") as run:
        run.told.forget()
        await bed.restart_driver()
        events = await run.told.until(lambda told: any(isinstance(event, LockSeen) for event in told))
        assert isinstance(events[0], AuthorityLost)
        async with run.driver.session("v2_s2") as session:
            assert await session.read("1") == Empty()


async def test_a_long_code_can_be_the_first_command_after_a_restart_of_the_driver(bed: ZwaveBed) -> None:
    """S2 synchronises anew then, which leaves it no room in the frame: a look at the slot goes ahead."""
    node = NODES["v2_s2"].node_id
    async with ready(bed, "v2_s2") as run:
        run.told.forget()
        await bed.restart_driver()
        await run.told.one(LockSeen)
        await bed.reset_counters(node)
        async with run.driver.session("v2_s2") as session:
            written = await session.write("3", Credential(pin=Pin("8147192581")), replaces=None)
        assert written.evidence is Evidence.ACCEPTED
        counters = await bed.counters(node)
        assert (counters.get, counters.set) == (1, 1)


async def test_work_under_way_when_the_link_breaks_may_have_been_applied(bed: ZwaveBed) -> None:
    """The command had gone out: its answer is lost, not its effect."""
    node = NODES["v2_s2"].node_id
    async with ready(bed, "v2_s2") as run:
        await bed.fault(node, Faults(answer_delay_ms=400))

        async def write() -> None:
            async with run.driver.session("v2_s2") as session:
                with pytest.raises(NoAnswer):
                    await session.write("3", Credential(pin=Pin("4711")), replaces=None)

        async def restart_when_set() -> None:
            while (await bed.counters(node)).set == 0:
                pass
            await bed.restart_server()

        await asyncio.gather(write(), restart_when_set())
        assert set(await bed.slots(node)) == {3}


async def test_without_a_server_nothing_is_sent_and_the_engine_knows() -> None:
    """The loss is told once, however often the attempt fails."""
    locks = {"door": ZwaveLockSettings(node=2)}
    clock = CountingClock()
    told = Told()
    driver = ZwaveDriver(
        ZwaveSettings(url="ws://127.0.0.1:1"), locks, clock=clock, zone=BERLIN, random=Random(7)
    )
    task = asyncio.create_task(driver.run(told))
    await clock.slept(6)
    with pytest.raises(AuthorityDown):
        async with driver.session("door"):
            pass
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert told.events == [AuthorityLost(device_ids=("door",))]
    assert "no link" in driver.warnings[0]
    assert driver.problems == {"door": "the Z-Wave server is not reached"}
    assert all(
        0.5 * most <= pause <= most for pause, most in zip(clock.pauses, (1, 2, 4, 8, 16, 32), strict=False)
    )


async def test_a_server_that_is_not_ready_is_asked_again() -> None:
    """It turns clients away with code 1013 while its driver starts; that is no fault."""
    turned_away = 0

    async def not_ready(request: web.Request) -> web.WebSocketResponse:
        nonlocal turned_away
        turned_away += 1
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.close(code=1013, message=b"Driver is not ready")
        return socket

    application = web.Application()
    application.router.add_get("/", not_ready)
    async with TestServer(application) as server:
        clock, told = CountingClock(), Told()
        settings = ZwaveSettings(url=f"ws://127.0.0.1:{server.port}")
        locks = {"door": ZwaveLockSettings(node=2)}
        driver = ZwaveDriver(settings, locks, clock=clock, zone=BERLIN, random=Random(7))
        task = asyncio.create_task(driver.run(told))
        await clock.slept(3)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert turned_away >= 3
    assert told.events == [AuthorityLost(device_ids=("door",))]


async def test_connecting_keeps_the_server_from_erasing_locks() -> None:
    """The option is set on each connection, shown here by what a new interview asks for.

    Without it the server trusts its memory of the slots of a lock that it knows, and erases one that it does
    not; with it every slot is asked for.
    """
    nodes = [NodeConfig(node_id=2, model="v2_plain", slots=2)]
    async with ZwaveBed.start(BedConfig(nodes=nodes, query_all_user_codes=False)) as bed:
        await bed.edit(2, 1, "4711", "silent")
        await interview(bed, 2)  # learns the checksum
        assert await gets_of_an_interview(bed, 2) == 0
        async with running(bed, {"door": ZwaveLockSettings(node=2)}) as run:
            await run.told.one(LockSeen)
        assert await gets_of_an_interview(bed, 2) == 2
        assert set(await bed.slots(2)) == {1}


async def test_a_server_does_not_tell_whether_its_own_configuration_keeps_codes() -> None:
    """So the hub cannot warn of one that lacks it; should a later server tell, it is to be used."""
    told = []
    for keeps in (True, False):
        async with (
            ZwaveBed.start(BedConfig(nodes=(), query_all_user_codes=keeps)) as bed,
            connected(bed) as driver,
        ):
            told.append(await driver.client.async_send_command({"command": "driver.get_config"}))
    assert told[0] == told[1]
    assert "logConfig" in told[0]["config"]
    assert "queryAllUserCodes" not in str(told)


async def gets_of_an_interview(bed: ZwaveBed, node: int) -> int:
    """Interview a node and count how many slots the server asked for."""
    await bed.reset_counters(node)
    await interview(bed, node)
    return (await bed.counters(node)).get


async def interview(bed: ZwaveBed, node: int) -> None:
    """Interview a node anew, as its operator would."""
    async with connected(bed) as driver:
        ready = Heard(driver.controller.nodes[node], "ready")
        await driver.controller.nodes[node].async_refresh_info()
        await ready.next()


async def test_no_pin_gets_into_any_log(bed: ZwaveBed, caplog: pytest.LogCaptureFixture) -> None:
    """Also where the hub logs everything: the libraries would log whole messages."""
    caplog.set_level(logging.DEBUG)
    node = NODES["v1"].node_id
    async with ready(bed, "v1") as run:
        async with run.driver.session("v1") as session:
            await session.write("3", Credential(pin=Pin("471182")), replaces=None)
        await bed.edit(node, 2, "582293", "report")
        await run.told.until(lambda told: len(told) > 0)
    assert caplog.text
    assert "471182" not in caplog.text
    assert "582293" not in caplog.text
