"""What ends the gateway unforeseen is named in the log, and its words are not repeated."""

import asyncio
import logging

import pytest

from gateway.daemon import run_until_signalled
from gateway.daemon.serving import _without_words
from gateway.domain.store import StorageFailed

PIN = "821471921"


async def _raise(error: BaseException) -> None:
    raise error


async def _fail(within_groups: int) -> None:
    if within_groups == 0:
        raise ValueError(f"cannot write {PIN}")
    async with asyncio.TaskGroup() as group:
        group.create_task(_fail(within_groups - 1))
        group.create_task(asyncio.Event().wait())


@pytest.mark.parametrize("depth", [0, 1, 3])
def test_a_failing_part_ends_the_process_with_a_place(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str], depth: int
) -> None:
    """Exit status 1, one line with type and place, no traceback and no text."""
    with pytest.raises(SystemExit) as ended:
        run_until_signalled(_fail(depth))
    assert ended.value.code == 1
    assert "ValueError in _fail" in caplog.text
    assert PIN not in caplog.text + "".join(capfd.readouterr())


def test_what_says_what_to_do_is_left_to_the_command(caplog: pytest.LogCaptureFixture) -> None:
    """It is no mystery: the words are for the person who starts it."""
    with pytest.raises(StorageFailed, match="the disk is full"):
        run_until_signalled(_raise(StorageFailed("the disk is full")))
    with pytest.raises(SystemExit, match="pip install"):
        run_until_signalled(_raise(SystemExit("pip install")))
    assert caplog.text == ""


async def test_a_task_that_nobody_watched_is_named_only(caplog: pytest.LogCaptureFixture) -> None:
    """The event loop's own report would quote the exception."""
    caplog.set_level(logging.INFO)
    loop = asyncio.get_running_loop()
    _without_words(loop, {"message": PIN, "exception": ValueError(PIN)})
    _without_words(loop, {"message": PIN})
    assert [line.split(": ")[-1] for line in caplog.messages] == ["ValueError", "no exception"]
