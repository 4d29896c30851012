"""Another configuration while everything runs."""

import asyncio
import contextlib
import signal
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from drivers.simulated import keypad
from tests.daemon.bed import PINS, ROOT, Somebody, online, settings
from tests.daemon.manager import Manager, managing
from tests.daemon.process import put_away, start
from tests.mqtt.broker import Broker, eventually

pytestmark = [pytest.mark.mosquitto, pytest.mark.slow]

FRONT = '[locks.front]\ndriver = "simulated"\n'
BACK = '[locks.back]\ndriver = "simulated"\n'


class Hub:
    """A gateway as a process, and who reloads it."""

    def __init__(self, folder: Path, port: int, process: Process, manager: Manager) -> None:
        self.folder = folder
        self.process = process
        self.manager = manager
        self._port = port

    @property
    def log(self) -> str:
        """All that was logged."""
        return (self.folder / "daemon.log").read_text()

    async def reload(self, locks: str, *, mqtt_extra: str = "") -> None:
        """Write another configuration and have it read."""
        settings(self.folder, self._port, mqtt_extra=mqtt_extra, locks=locks)
        await self.hang_up()

    async def hang_up(self) -> None:
        """Do what `systemctl reload` does, and wait until that is through."""
        times = self.manager.lines().count("READY=1")
        self.process.send_signal(signal.SIGHUP)
        await self.manager.ready(times + 1)


@contextlib.asynccontextmanager
async def started(folder: Path, broker: Broker, app: Somebody, locks: str) -> AsyncIterator[Hub]:
    """Start one with these locks, seen by `app`; it must run until the block ends."""
    how = settings(folder, broker.port, locks=locks)
    already = len(app.under("bridge/state")), len(app.under("bridge/health"))
    (folder / "notify").unlink(missing_ok=True)
    async with managing(folder) as manager:
        process = await start(how.file, folder / "daemon.log", told=manager.env())
        try:
            await manager.ready()
            await eventually(lambda: len(app.under("bridge/state")) > already[0])
            await online(app)
            await eventually(lambda: len(app.under("bridge/health")) > already[1])
            yield Hub(folder, broker.port, process, manager)
            assert process.returncode is None
        finally:
            await put_away(process)


@pytest.fixture
async def hub(tmp_path: Path, broker: Broker, app: Somebody) -> AsyncIterator[Hub]:
    """One with the lock `front`."""
    async with started(tmp_path, broker, app, FRONT) as one:
        await eventually(lambda: app.under("lock/front/state"))
        yield one


def front(app: Somebody) -> dict[str, Any]:
    """Return what is retained about the lock `front`."""
    return app.last("lock/front/state")


def errors(app: Somebody) -> list[str]:
    """Return the errors of the lock `front`."""
    return [error["error_code"] for error in front(app)["errors"]]


async def test_a_new_name_disturbs_nothing(hub: Hub, app: Somebody) -> None:
    """The lock is shown under it, and neither the broker nor the lock's driver notices anything."""
    await app.create(PINS[0])
    before = len(app.under("bridge/state")), len(app.events())
    await hub.reload(FRONT + 'name = "Front door"\n')
    await eventually(lambda: front(app)["name"] == "Front door")
    assert front(app)["properties"]["online"] is True
    assert (len(app.under("bridge/state")), len(app.events())) == before
    assert all(
        message.json["properties"]["online"]
        for message in app.under("lock/front/state")
        if message.json["name"] == "Front door"
    )


async def test_a_new_lock_is_worked_on(hub: Hub, app: Somebody) -> None:
    """It takes codes at once, those on the other lock stay, and systemd is told how many locks there are."""
    await app.create(PINS[0])
    await hub.reload(FRONT + BACK)
    answer = await app.ask("access_codes/create", device_id="back", code=PINS[1])
    assert answer["status"] == "ok"
    folder = hub.folder / "data/simulated"
    await eventually(lambda: (folder / "back.json").exists() and len(keypad.show(folder, "back")) == 1)
    assert len(keypad.show(folder, "front")) == 1
    await eventually(lambda: app.last("bridge/info")["device_ids"] == ["back", "front"])
    await eventually(lambda: hub.manager.status() == "2 codes on 2 locks; broker: connected")


async def test_a_lock_that_left_while_it_holds_codes_is_refused(hub: Hub, app: Somebody) -> None:
    """What ran runs on and the lock is looked after; once it is empty it may go."""
    folder = hub.folder / "data/simulated"
    code_id = await app.create(PINS[0])
    await hub.reload(BACK)
    await eventually(lambda: len(app.last("bridge/health")["configuration"]["mistakes"]) == 1)
    (mistake,) = app.last("bridge/health")["configuration"]["mistakes"]
    assert "locks.front: missing, and a code of the hub is or may be on this lock" in mistake
    assert "`pinsmith locks retire front`" in mistake
    assert "`pinsmith locks forget front`" in mistake
    assert mistake in hub.log
    assert "configuration refused: " in hub.manager.status()
    assert errors(app) == []
    assert app.last("bridge/info")["device_ids"] == ["front"]
    assert (await app.ask("devices/retire", device_id="front"))["status"] == "ok"
    await eventually(lambda: keypad.show(folder, "front") == {})
    await eventually(lambda: not app.last(f"access_code/{code_id}/state"))
    await hub.hang_up()
    await eventually(lambda: app.last("bridge/info")["device_ids"] == ["back"])
    await eventually(lambda: app.last("bridge/health")["configuration"]["mistakes"] == [])


async def test_so_is_one_whose_codes_are_to_come(hub: Hub, app: Somebody) -> None:
    """A lock that got another name: its guests would stand before a door that knows nothing of them."""
    later = (datetime.now(UTC) + timedelta(days=20)).isoformat()
    answer = await app.ask("access_codes/create", device_id="front", code=PINS[0], starts_at=later)
    assert answer["status"] == "ok"
    await hub.reload(BACK)
    await eventually(lambda: len(app.last("bridge/health")["configuration"]["mistakes"]) == 1)
    (mistake,) = app.last("bridge/health")["configuration"]["mistakes"]
    assert "locks.front: missing, and a code of the hub is to come onto this lock" in mistake
    assert app.last("bridge/info")["device_ids"] == ["front"]


async def test_a_lock_that_was_given_up_may_leave(hub: Hub, app: Somebody) -> None:
    """`forget` is the way for a lock that is gone: its codes need not come off."""
    folder = hub.folder / "data/simulated"
    await app.create(PINS[0])
    assert (await app.ask("devices/forget", device_id="front"))["status"] == "ok"
    await hub.reload(BACK)
    await eventually(lambda: app.last("bridge/info")["device_ids"] == ["back"])
    assert len(keypad.show(folder, "front")) == 1


async def test_a_lock_that_was_missing_at_the_start_is_let_alone_until_it_is_back(
    tmp_path: Path, broker: Broker, app: Somebody
) -> None:
    """Nothing is taken off it, and no file without it is taken over; once it is back all is done."""
    folder = tmp_path / "data/simulated"
    async with started(tmp_path, broker, app, FRONT):
        code_id = await app.create(PINS[0])
    async with started(tmp_path, broker, app, BACK) as hub:
        await eventually(lambda: errors(app) == ["removed_from_configuration"])
        assert (await app.ask("access_codes/delete", access_code_id=code_id))["status"] == "ok"
        await asyncio.sleep(1.0)
        assert len(keypad.show(folder, "front")) == 1
        await hub.reload(BACK + 'name = "Shed"\n')
        await eventually(lambda: len(app.last("bridge/health")["configuration"]["mistakes"]) == 1)
        await hub.reload(FRONT + BACK)
        await eventually(lambda: keypad.show(folder, "front") == {})
        await eventually(lambda: errors(app) == [])


async def test_timings_count_at_once(hub: Hub, app: Somebody) -> None:
    """A code that the longer lead time brings near is put on the lock now."""
    folder = hub.folder / "data/simulated"
    answer = await app.ask(
        "access_codes/create",
        device_id="front",
        code=PINS[0],
        starts_at="2030-01-01T00:00:00Z",
        ends_at="2030-01-02T00:00:00Z",
    )
    assert answer["data"]["access_code"]["status"] == "unset"
    assert keypad.show(folder, "front") == {}
    await hub.reload('[timing]\nlead = "3650d"\n' + FRONT)
    await eventually(lambda: len(keypad.show(folder, "front")) == 1)


async def test_a_broken_file_is_refused_with_all_its_mistakes(hub: Hub, app: Somebody) -> None:
    """They are in the log, in the health report and in the status; what ran runs on."""
    file = hub.folder / "pinsmith.toml"
    right = file.read_text()
    file.write_text(right.replace("Europe/Berlin", "Europe/Bärlin") + "[locks.back]\ndriver = 7\n")
    await hub.hang_up()
    await eventually(lambda: len(app.last("bridge/health")["configuration"]["mistakes"]) == 2)
    assert hub.log.count("The configuration was not taken over: ") == 2
    assert "configuration refused: " in hub.manager.status()
    assert "(and 1 more)" in hub.manager.status()
    await app.create(PINS[0])
    file.write_text(right)
    await hub.hang_up()
    await eventually(lambda: app.last("bridge/health")["configuration"]["mistakes"] == [])
    assert "refused" not in hub.manager.status()


async def test_what_needs_a_restart_is_named_and_the_rest_counts(hub: Hub, app: Somebody) -> None:
    """Who the hub is and how it reaches the broker stay as they are."""
    await hub.reload(FRONT + 'name = "Main"\n', mqtt_extra="publish_names = true\noutbox_limit = 5000")
    await eventually(lambda: front(app)["name"] == "Main")
    await eventually(
        lambda: (
            app.last("bridge/health")["configuration"]["restart_needed"]
            == ["mqtt.publish_names", "mqtt.outbox_limit"]
        )
    )
    assert "restart needed for mqtt.publish_names, mqtt.outbox_limit" in hub.manager.status()


async def test_commands_sent_meanwhile_are_not_lost(hub: Hub, app: Somebody) -> None:
    """Thirty codes while the locks' driver is made anew again and again: each is answered and set once."""
    pins = [f"7{number:02}5193" for number in range(30)]
    wanted = list[str]()

    def answers() -> list[str]:
        return [message.json["transaction"] for message in app.under("response/app/access_codes/create")]

    def few_wait() -> bool:
        return len(answers()) >= len(wanted) - 12

    for number, pin in enumerate(pins):
        if number % 6 == 0:
            # No more than the broker may send at once: else mosquitto at times makes the hub connect anew.
            await eventually(few_wait, 30)
            extra = BACK if number % 12 == 0 else ""
            settings(hub.folder, hub._port, locks=FRONT + "slots = 60\n" + extra)
            hub.process.send_signal(signal.SIGHUP)
        await app.send(
            f"{ROOT}/request/app/access_codes/create",
            f'{{"transaction": "{number}", "device_id": "front", "code": "{pin}"}}'.encode(),
        )
        wanted.append(str(number))

    await eventually(lambda: len(answers()) >= len(wanted))
    assert answers() == wanted
    folder = hub.folder / "data/simulated"
    await eventually(lambda: len(keypad.show(folder, "front")) == len(pins), 30)

    def told() -> list[str]:
        return [e["access_code_id"] for e in app.events() if e["event_type"] == "access_code.set_on_device"]

    await eventually(lambda: len(told()) >= len(pins))
    assert len(set(told())) == len(told()) == len(pins)
    assert len(app.under("bridge/state")) == 1, "the broker was not left"
    assert "mistake of pinsmith" not in hub.log


async def test_reloads_that_come_close_together_end_with_the_last_file(hub: Hub, app: Somebody) -> None:
    """Ten signals in a row, each with another name."""
    for number in range(10):
        settings(hub.folder, hub._port, locks=FRONT + f'name = "Door {number}"\n')
        hub.process.send_signal(signal.SIGHUP)
    await eventually(lambda: front(app)["name"] == "Door 9")
