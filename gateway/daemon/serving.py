"""Starting and ending."""

import asyncio
import faulthandler
import logging
import os
import signal
import time
from collections.abc import Coroutine, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from gateway import logs
from gateway.config import Settings
from gateway.daemon.attendant import Attendant
from gateway.daemon.description import start_line
from gateway.daemon.notify import Notifier
from gateway.daemon.reload import Reloader
from gateway.daemon.wiring import Gateway
from gateway.domain.clock import Clock
from gateway.domain.pulse import Limits, Pulse
from gateway.domain.store import StorageFailed
from gateway.system_clock import SystemClock
from storage.keys import load_key
from storage.store import SqliteStore
from storage.vault import Vault

_log = logging.getLogger(__name__)


def run(settings: Settings) -> None:
    """Run the gateway until SIGINT or SIGTERM; a second signal ends the process at once.

    Raises:
        StorageFailed: the store cannot be used; the message says what to do.
        SystemExit: something unforeseen ended the gateway; the log says what.
    """
    logs.set_up(os.environ, settings.logs)
    # When the watchdog of systemd ends a daemon that hangs, the log says where it hung: files and lines only.
    faulthandler.enable()
    run_until_signalled(serve(settings))


def run_until_signalled(serving: Coroutine[Any, Any, None]) -> None:
    """Run `serving` in an event loop of its own, and cancel it on SIGINT or SIGTERM. Raises as `run` does."""
    try:
        asyncio.run(_until_signalled(serving))
    except StorageFailed:
        raise
    except (BaseExceptionGroup, Exception) as ended:  # noqa: BLE001 - Python would print its words, maybe a secret
        for error in _leaves(ended):
            _log.critical("Something unforeseen ended the gateway: %s", logs.place(error))
        raise SystemExit(1) from None


async def serve(settings: Settings, *, clock: Clock | None = None, limits: Limits | None = None) -> None:
    """Run the gateway until cancelled, then leave broker and database in order.

    The service manager named by the environment is told how it is. SIGHUP has the configuration read again.
    `clock` is that of the machine unless another is given; `limits` say when a task counts as stuck.

    Raises:
        StorageFailed: the store cannot be used.
        BaseExceptionGroup: something unforeseen ended a part.
    """
    asyncio.get_running_loop().set_exception_handler(_without_words)
    hangup = _hangups()
    notifier, pulse = Notifier(os.environ, time.monotonic), Pulse(time.monotonic, limits)
    directory = settings.gateway.data_directory
    credentials = os.environ.get("CREDENTIALS_DIRECTORY")
    key = load_key(directory, Path(credentials) if credentials else None)
    clock = clock or SystemClock()
    store = await SqliteStore.open(directory, Vault(key), boot=clock.boot)
    try:
        gateway = Gateway(settings, store, clock, pulse)
        attendant = Attendant(
            notifier, pulse, store, broker=lambda: gateway.link_state.kind, clock=clock.boot
        )
        gateway.heard = attendant.told
        await gateway.engine.start()
        _log.info("%s", start_line(settings))
        async with asyncio.TaskGroup() as group:
            group.create_task(gateway.run(), name="gateway")
            group.create_task(attendant.run(), name="attendant")
            await gateway.engine.planned()
            notifier.ready()
            reloader = Reloader(gateway, attendant, notifier, settings, pulse.beat("reload"))
            group.create_task(reloader.run(hangup), name="reload")
    finally:
        await store.close()
        _log.info("Stopped")


def _hangups() -> asyncio.Event:
    """Return what SIGHUP sets. On a terminal it keeps its meaning: the terminal is gone."""
    hangup = asyncio.Event()
    if not os.isatty(0):
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, hangup.set)
    return hangup


async def _until_signalled(serving: Coroutine[Any, Any, None]) -> None:
    task = asyncio.ensure_future(serving)
    loop = asyncio.get_running_loop()

    def stop() -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
            # By the kernel and not by an exception, so that nothing can hold up the second signal.
            signal.signal(number, signal.SIG_DFL)
        _log.info("Stopping")
        task.cancel()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)
    with suppress(asyncio.CancelledError):
        await task


def _without_words(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Log what nobody caught, without the text of the exception."""
    error = context.get("exception")
    what = logs.place(error) if isinstance(error, BaseException) else "no exception"
    _log.error("A task failed and nobody noticed: %s", what)


def _leaves(ended: BaseException) -> Iterator[BaseException]:
    if isinstance(ended, BaseExceptionGroup):
        for error in ended.exceptions:
            yield from _leaves(error)
    else:
        yield ended
