"""A real D-Bus daemon of its own in place of the system's, and a stand-in for BlueZ on it."""

import asyncio
import contextlib
import shutil
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest
from dbus_fast import BusType, Message, MessageType, Variant
from dbus_fast.aio import MessageBus

_CONFIG = """<busconfig><type>system</type><listen>unix:path={socket}</listen><auth>EXTERNAL</auth>
<policy context="default"><allow send_destination="*" eavesdrop="false"/><allow own="*"/><allow user="*"/>
<allow send_type="signal"/><allow receive_type="method_call"/><allow receive_type="method_return"/>
<allow receive_type="error"/><allow receive_type="signal"/>
{rule}</policy></busconfig>
"""
DENIED = '<deny send_destination="org.bluez"/>'
"""What stricter rules than Debian's say, to users that are not in a group of theirs."""


@contextlib.asynccontextmanager
async def bus(folder: Path, monkeypatch: pytest.MonkeyPatch, rule: str = "") -> AsyncIterator[None]:
    """Run a D-Bus daemon, and have programs of this process take it for the system's."""
    program = shutil.which("dbus-daemon")
    if program is None:
        pytest.skip("there is no dbus-daemon on this machine")
    address = folder / "bus"
    (folder / "bus.conf").write_text(_CONFIG.format(socket=address, rule=rule))
    process = await asyncio.create_subprocess_exec(
        program, f"--config-file={folder / 'bus.conf'}", "--nofork", "--nopidfile", "--print-address",
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    assert await process.stdout.readline()
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={address}")
    try:
        yield
    finally:
        process.kill()
        await process.wait()


@contextlib.asynccontextmanager
async def bluez(adapters: Mapping[str, bool]) -> AsyncIterator[None]:
    """Own the name of BlueZ and tell of adapters, by name, and whether they are on."""
    async with asyncio.timeout(10):
        own = await MessageBus(bus_type=BusType.SYSTEM).connect()

    def answer(message: Message) -> Message | None:
        if message.message_type is MessageType.METHOD_CALL and message.member == "GetManagedObjects":
            objects = {
                f"/org/bluez/{name}": {"org.bluez.Adapter1": {"Powered": Variant("b", is_on)}}
                for name, is_on in adapters.items()
            }
            return Message.new_method_return(message, "a{oa{sa{sv}}}", [objects])
        return None

    own.add_message_handler(answer)
    await own.request_name("org.bluez")
    try:
        yield
    finally:
        own.disconnect()
