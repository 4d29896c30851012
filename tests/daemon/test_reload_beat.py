"""What a reload shows to whoever watches over the daemon, and what it does for the log."""

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from gateway import logs
from gateway.config import LogSettings, Settings
from gateway.daemon.attendant import Attendant
from gateway.daemon.notify import Notifier
from gateway.daemon.reload import Reloader
from gateway.daemon.wiring import Gateway
from gateway.domain.pulse import Beat, Limits
from gateway.mqtt.health import ConfigurationState
from tests.daemon.bed import settings


class Hanging:
    """A gateway that never has taken over what it was given."""

    def __init__(self) -> None:
        self.began = asyncio.Event()

    async def take_over(self, _: Settings, _beat: Beat) -> None:
        self.began.set()
        await asyncio.Event().wait()


async def test_a_reload_that_never_ends_is_told_and_waiting_for_one_is_life(tmp_path: Path) -> None:
    """Nobody may ask for one in years."""
    time = [0.0]
    beat, gateway, asked = Beat(lambda: time[0], Limits(radio_s=100)), Hanging(), asyncio.Event()
    how = settings(tmp_path, 1)
    reloader = Reloader(
        cast("Gateway", gateway), cast("Attendant", None), Notifier({}, lambda: 0.0), how, beat
    )
    task = asyncio.create_task(reloader.run(asked))
    await asyncio.sleep(0)
    time[0] += 100_000_000
    assert beat.stuck() is None
    asked.set()
    await gateway.began.wait()
    time[0] += 99
    assert beat.stuck() is None
    time[0] += 2
    assert beat.stuck() == "at the radio, 1 s overdue"
    task.cancel()


async def test_another_level_of_the_log_counts_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody wants to restart what he looks into; what is refused changes nothing."""
    wanted: list[LogSettings] = []
    monkeypatch.setattr(logs, "set_up", lambda _, how: wanted.append(how))
    state = ConfigurationState()

    async def take_over(_: Settings, _beat: Beat) -> ConfigurationState:
        return state

    how = settings(tmp_path, 1)
    reloader = Reloader(
        cast("Gateway", SimpleNamespace(take_over=take_over)),
        cast("Attendant", None),
        Notifier({}, lambda: 0.0),
        how,
        Beat(),
    )
    await reloader._reload()
    assert wanted == []
    how.file.write_text(how.file.read_text() + '[logs]\nlevel = "debug"\n')
    state = ConfigurationState(mistakes=("a lock is missing",))
    await reloader._reload()
    assert wanted == []
    state = ConfigurationState()
    await reloader._reload()
    await reloader._reload()
    assert wanted == [LogSettings(level="debug")]
