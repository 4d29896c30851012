"""The Z-Wave server, and what is seen of it as a program on this machine: where it listens, its files.

Its own protocol tells neither. Both are seen only where it runs on this machine, and the files only by users
who may read them.
"""

import asyncio
import json
import stat
import sys
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from urllib.parse import urlsplit

from msgspec import Struct

from drivers.zwave.settings import ZwaveSettings
from drivers.zwave.survey import ServerFacts, survey

_DEFAULT_PORT = 80
"""Of ws://."""
_LISTEN = "0A"
_PROGRAMS = ("zwave-server", "zwave-js-server")


class FileFacts(Struct, frozen=True, kw_only=True):
    """A file or folder of the server."""

    path: Path
    others: bool
    """Group or others may do anything with it."""


class LocalServerFacts(Struct, frozen=True, kw_only=True):
    """What this machine shows of the server; None and empty where it shows nothing."""

    exposed_at: tuple[str, ...] = ()
    """Addresses other than loopback at which the port is open."""
    config: FileFacts | None = None
    cache: FileFacts | None = None
    keeps_codes: bool | None = None
    """Its configuration has `interview.queryAllUserCodes`."""


async def probe_server(settings: ZwaveSettings) -> tuple[ServerFacts, LocalServerFacts]:
    """Look at the server, and at its program where that is on this machine."""
    address = urlsplit(settings.url)
    server, local = await survey(settings.url), LocalServerFacts()
    if address.scheme == "ws" and not settings.in_clear:
        port = address.port or _DEFAULT_PORT
        local = await asyncio.to_thread(probe_local_server, port)
    return server, local


def probe_local_server(port: int, proc: Path = Path("/proc")) -> LocalServerFacts:
    """Look for a server that listens at `port`; `proc` is the kernel's view of processes and sockets."""
    exposed = tuple(sorted({str(at) for at in _listeners(port, proc / "net") if not at.is_loopback}))
    for process in proc.iterdir():
        if not process.name.isdecimal():
            continue
        try:
            line = (process / "cmdline").read_bytes().decode(errors="replace").split("\0")
        except OSError:
            continue
        if any(Path(word).name in _PROGRAMS for word in line) and _port_of(line) == port:
            try:
                folder = (process / "cwd").readlink()
            except OSError:
                folder = Path("/")
            return _files(line, folder, exposed)
    return LocalServerFacts(exposed_at=exposed)


def _files(line: list[str], folder: Path, exposed: tuple[str, ...]) -> LocalServerFacts:
    given = _option(line, "--config")
    if given is None:
        return LocalServerFacts(exposed_at=exposed, keeps_codes=False)
    config = folder / given
    facts = _mode(config)
    try:
        content = json.loads(config.read_text(encoding="utf-8"))
        cache = (content.get("storage") or {}).get("cacheDir")
        keeps = (content.get("interview") or {}).get("queryAllUserCodes") is True
    except (OSError, ValueError, AttributeError):
        return LocalServerFacts(exposed_at=exposed, config=facts)
    return LocalServerFacts(
        exposed_at=exposed,
        config=facts,
        cache=_mode(folder / cache) if isinstance(cache, str) else None,
        keeps_codes=keeps,
    )


def _mode(path: Path) -> FileFacts | None:
    try:
        mode = path.stat().st_mode
    except OSError:
        return None
    return FileFacts(path=path, others=bool(stat.S_IMODE(mode) & (stat.S_IRWXG | stat.S_IRWXO)))


def _option(line: list[str], name: str) -> str | None:
    for index, word in enumerate(line):
        if word == name and index + 1 < len(line):
            return line[index + 1]
        if word.startswith(f"{name}="):
            return word.partition("=")[2]
    return None


def _port_of(line: list[str]) -> int | None:
    given = _option(line, "--port") or "3000"
    return int(given) if given.isdecimal() else None


def _listeners(port: int, net: Path) -> Iterator[IPv4Address | IPv6Address]:
    for name in ("tcp", "tcp6"):
        try:
            rows = (net / name).read_text().splitlines()[1:]
        except OSError:
            continue
        for row in rows:
            _, local, _, state, *_ = row.split()
            address, _, number = local.partition(":")
            if state == _LISTEN and int(number, 16) == port:
                yield _address(address)


def _address(digits: str) -> IPv4Address | IPv6Address:
    """Return what the kernel writes as words of four bytes, each backwards on most machines."""
    raw = bytes.fromhex(digits)
    if sys.byteorder == "little":
        raw = b"".join(raw[at : at + 4][::-1] for at in range(0, len(raw), 4))
    found = ip_address(raw)
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return mapped or found
