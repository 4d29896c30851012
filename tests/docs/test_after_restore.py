"""What the page on operation has people do about topics that the hub does not know (any more)."""

import asyncio
import os
from pathlib import Path

import pytest

from tests.daemon.bed import somebody
from tests.docs.pages import ROOT, blocks
from tests.mqtt.broker import Broker, eventually

PASSWORDS = {"pinsmith": "p1", "homeassistant": "h1"}
CODES = ("access_code/one/state", "access_code/two/state")
OTHERS = ("lock/front-door/state", "bridge/info", "bridge/state")
EVERY = ("hub", "former")


@pytest.mark.mosquitto
@pytest.mark.slow
@pytest.mark.parametrize(
    ("mark", "emptied"),
    [
        ("access_code/+/state", {f"pinsmith/hub/{path}" for path in CODES}),
        ("pinsmith/former/#", {f"pinsmith/former/{path}" for path in (*CODES, *OTHERS)}),
    ],
    ids=["after a restore", "after another root"],
)
async def test_what_is_meant_leaves_the_broker(tmp_path: Path, mark: str, emptied: set[str]) -> None:
    """With the access list of the documentation, under which nobody may both read and empty them."""
    [block] = [block for block in blocks("docs/operation.md") if mark in block.text]
    acl = (ROOT / "docs" / "mosquitto.acl").read_text()
    there = {f"pinsmith/{hub}/{path}" for hub in EVERY for path in (*CODES, *OTHERS)}
    async with Broker(tmp_path, passwords=PASSWORDS, acl=acl) as broker:
        for client, user in (("mosquitto_sub", "homeassistant"), ("mosquitto_pub", "pinsmith")):
            (tmp_path / client).write_text(f"-p {broker.port}\n-P {PASSWORDS[user]}\n")
        async with somebody(broker.port, "hub", user="pinsmith", password=PASSWORDS["pinsmith"]) as hub:
            for topic in there:
                hub.client.publish(topic, b"{}", 1, retain=True).wait_for_publish(5)

        process = await asyncio.create_subprocess_exec(
            *("/bin/sh", "-euc", block.text), env={**os.environ, "XDG_CONFIG_HOME": str(tmp_path)}
        )
        assert await asyncio.wait_for(process.wait(), 60) == 0

        async with somebody(
            broker.port, "late", user="homeassistant", password=PASSWORDS["homeassistant"]
        ) as late:
            await eventually(lambda: late.heard)
            await asyncio.sleep(0.5)  # the broker sends all that it keeps at once
            assert {message.topic for message in late.heard} == there - emptied
