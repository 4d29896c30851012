"""A first look without hardware and without another program: a broker inside the process.

It speaks MQTT 3.1.1 on loopback, has no passwords and forgets everything at the end.
"""

import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from gateway import logs
from gateway.config import BrokerUrl, Settings
from gateway.daemon import run_until_signalled, serve


def run(settings: Settings) -> None:
    """Run broker and gateway until SIGINT or SIGTERM, and say what to try.

    Raises as `gateway.daemon.run`; SystemExit also where the extra `demo` is not installed.
    """
    logs.set_up(os.environ, settings.logs)
    run_until_signalled(_serve_with_broker(settings))


async def _serve_with_broker(settings: Settings) -> None:
    async with embedded_broker(settings.mqtt.url):
        print(first_steps(settings, sys.argv[0]), flush=True)
        await serve(settings)


@asynccontextmanager
async def embedded_broker(url: BrokerUrl) -> AsyncIterator[None]:
    """Keep a broker running at `url`, which the configuration has found to be on loopback."""
    try:
        from amqtt.broker import Broker  # noqa: PLC0415 - an extra that the product does without
    except ModuleNotFoundError:
        raise SystemExit(
            "pinsmith: mqtt.embedded_broker needs the extra: pip install 'pinsmith[demo]'; "
            "or set it to false and run a broker such as mosquitto"
        ) from None
    host = f"[{url.host}]" if ":" in url.host else url.host
    broker = Broker(
        {
            "listeners": {"default": {"type": "tcp", "bind": f"{host}:{url.port}"}},
            "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
        }
    )
    await broker.start()
    try:
        yield
    finally:
        await broker.shutdown()


def first_steps(settings: Settings, started_as: str) -> str:
    """Return what runs, where its topics are and what to type next.

    `started_as` is the path of the running command, for one that is not on everybody's PATH.
    """
    root, url = settings.topic_root, settings.mqtt.url
    command = f"{_from_here(Path(started_as).absolute())} --config {_from_here(settings.file)}"
    lock = next(iter(settings.policies), "LOCK")
    return f"""
Pinsmith runs with a broker of its own on {url.host}:{url.port}; locks: {", ".join(settings.policies)}.
Everything it tells is below {root}/. In another terminal, in this folder:

  {command} codes create {lock} --name "First guest"
  {command} codes list --show-pins
  {command} keypad show {lock} --show-pins
  {command} keypad clear {lock}
  {command} events

Or as any other program would, here with the clients of mosquitto:

  mosquitto_sub -h {url.host} -p {url.port} -v -t '{root}/#'
  mosquitto_pub -h {url.host} -p {url.port} -t {root}/request/me/access_codes/create \\
    -m '{{"transaction": "1", "device_id": "{lock}", "name": "Second guest"}}'

Ctrl-C ends it.
"""


def _from_here(path: Path) -> Path:
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path
