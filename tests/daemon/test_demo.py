"""The first look: a broker of its own, and words that lead on."""

import asyncio
import shlex
import signal
import sys
from pathlib import Path

import pytest

from gateway import demo
from gateway.cli.main import make_parser
from gateway.config import BrokerUrl, Settings
from tests.daemon.bed import settings
from tests.daemon.process import PROJECT, ended, put_away, start
from tests.mqtt.broker import eventually, free_port


@pytest.fixture
def how(tmp_path: Path) -> Settings:
    """A gateway that brings its broker."""
    return settings(tmp_path, free_port(), mqtt_extra="embedded_broker = true")


@pytest.mark.slow
async def test_it_runs_without_anything_else(how: Settings, tmp_path: Path) -> None:
    """Started with the command, it is answered by the command, and ends in order."""
    log = tmp_path / "demo.log"
    process = await start(how.file, log)
    try:
        await eventually(lambda: "Connected to the broker" in log.read_text())
        asking = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "gateway.cli.main", "--config", str(how.file), "codes", "create", "front"),
            cwd=PROJECT,
            stdout=asyncio.subprocess.PIPE,
        )
        answer, _ = await asking.communicate()
        assert (asking.returncode, b"front" in answer) == (0, True)
        await eventually(lambda: "access_code.set_on_device" in log.read_text())
        process.send_signal(signal.SIGINT)
        assert await ended(process) == 0
    finally:
        await put_away(process)
    text = log.read_text()
    assert "Ctrl-C ends it." in text
    assert "transitions" not in text
    assert "Traceback" not in text


def test_every_command_it_offers_can_be_typed(how: Settings) -> None:
    """What people copy from the screen is understood by the command."""
    lines = demo.first_steps(how, "/somewhere/bin/pinsmith").splitlines()
    typed = [shlex.split(line) for line in lines if line.startswith("  /somewhere/bin/pinsmith")]
    assert len(typed) >= 4
    for words in typed:
        args = make_parser().parse_args(words[1:])
        assert args.config == how.file


def test_paths_are_short_where_they_can_be(how: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Below the working directory nobody needs to type where that is."""
    monkeypatch.chdir(how.file.parent)
    text = demo.first_steps(how, ".venv/bin/pinsmith")
    assert "\n  .venv/bin/pinsmith --config pinsmith.toml codes list" in text


async def test_a_missing_extra_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the broker's package there is a way out in the message, and no traceback."""
    monkeypatch.setitem(sys.modules, "amqtt.broker", None)
    with pytest.raises(SystemExit, match=r"pinsmith\[demo\]"):
        async with demo.embedded_broker(BrokerUrl(scheme="mqtt", host="127.0.0.1", port=free_port())):
            pass
