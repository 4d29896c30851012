"""Starting and ending the daemon, as a process."""

import signal
import time
from pathlib import Path

import pytest

from drivers.simulated import keypad
from tests.daemon.bed import PINS, Somebody, online, running, settings
from tests.daemon.process import ended, put_away, start
from tests.mqtt.broker import Broker, eventually

pytestmark = [pytest.mark.mosquitto, pytest.mark.slow]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_it_in_order(
    tmp_path: Path, broker: Broker, app: Somebody, number: signal.Signals
) -> None:
    """It says that it leaves, closes the database and reports success; its log opens with what it is."""
    how = settings(tmp_path, broker.port)
    log = tmp_path / "daemon.log"
    process = await start(how.file, log)
    try:
        await online(app)
        await app.create(PINS[0])
        process.send_signal(number)
        assert await ended(process) == 0
    finally:
        await put_away(process)
    await eventually(lambda: app.last("bridge/state") == {"state": "offline"})
    lines = log.read_text().splitlines()
    assert "gateway hub; locks: front (simulated); broker mqtt://127.0.0.1" in lines[0]
    assert lines[-1].endswith("Stopped")
    # The last connection to leave takes the write-ahead log along, if it leaves in order.
    assert not (tmp_path / "data/pinsmith.db-wal").exists()


async def test_a_second_signal_ends_it_at_once(tmp_path: Path, broker: Broker, app: Somebody) -> None:
    """Even while it waits for a broker that hangs."""
    how = settings(tmp_path, broker.port)
    log = tmp_path / "daemon.log"
    process = await start(how.file, log)
    assert broker._process is not None
    try:
        await online(app)
        broker._process.send_signal(signal.SIGSTOP)
        process.send_signal(signal.SIGTERM)
        await eventually(lambda: "Stopping" in log.read_text())
        process.send_signal(signal.SIGTERM)
        assert await ended(process, 2.0) == -signal.SIGTERM
    finally:
        broker._process.send_signal(signal.SIGCONT)
        await put_away(process)


async def test_it_leaves_a_broker_that_hangs(tmp_path: Path, broker: Broker, app: Somebody) -> None:
    """One signal is enough: the broker gets some seconds, then it is left to notice by itself."""
    how = settings(tmp_path, broker.port)
    process = await start(how.file, tmp_path / "daemon.log")
    assert broker._process is not None
    try:
        await online(app)
        broker._process.send_signal(signal.SIGSTOP)
        process.send_signal(signal.SIGTERM)
        assert await ended(process, 15.0) == 0
    finally:
        broker._process.send_signal(signal.SIGCONT)
        await put_away(process)


async def test_a_second_gateway_on_the_same_data_is_refused(
    tmp_path: Path, broker: Broker, app: Somebody
) -> None:
    """It says what to do and disturbs nobody."""
    how = settings(tmp_path, broker.port)
    log = tmp_path / "second.log"
    async with running(how, app):
        second = await start(how.file, log)
        try:
            assert await ended(second) == 1
        finally:
            await put_away(second)
        assert (await app.ask("devices/list"))["status"] == "ok"
    assert log.read_text().splitlines()[-1].startswith("pinsmith: another pinsmith works on")


async def test_a_code_ends_by_the_wall_clock(tmp_path: Path, broker: Broker, app: Somebody) -> None:
    """With the clock set past its end, a code leaves the lock within seconds."""
    how = settings(tmp_path, broker.port)
    offset, folder = tmp_path / "offset", tmp_path / "data/simulated"
    process = await start(how.file, tmp_path / "daemon.log", offset=offset)
    try:
        await online(app)
        ends_at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600))
        await app.create(PINS[0], ends_at=ends_at)
        (tmp_path / "offset.new").write_text("3700")
        (tmp_path / "offset.new").rename(offset)
        await eventually(lambda: "access_code.removed_from_device" in app.event_types(), 10)
        assert keypad.show(folder, "front") == {}
    finally:
        await put_away(process)
