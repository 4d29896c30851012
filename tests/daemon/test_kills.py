"""kill -9 at any moment: nothing promised is lost and nothing is done twice (rules 7, 8 and 12).

The files of the simulated lock are the truth, the messages that a client got are the promises.
"""

import asyncio
import random
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest

from drivers.simulated import keypad
from tests.daemon.bed import ROOT, Somebody, running, settings
from tests.daemon.process import put_away, start
from tests.mqtt.broker import Broker, eventually

pytestmark = [pytest.mark.mosquitto, pytest.mark.slow]

KILLS = 60
LOCK = (
    '[locks.front]\ndriver = "simulated"\nmodel = "native"\nslots = 60\n[timing]\nreads_per_hour = 100000\n'
)
_LIFE_S = (0.0, 1.8, 1.4)
"""Shortest, longest and most frequent life. A start takes 0.8 s: kills fall before, into and after it."""


class Wishes:
    """A client that never gives up: now and then it sends again whatever was not answered.

    The broker keeps commands for a gateway that is away, so repeats are not what gets them there: they try
    whether a repeat has an effect.
    """

    def __init__(self, app: Somebody) -> None:
        self._app = app
        self.wanted: dict[str, str] = {}
        """PIN by transaction of its creation."""
        self.unwanted: dict[str, str] = {}
        """Transaction of the creation by transaction of the deletion."""

    def send_some(self, rng: random.Random) -> None:
        """Ask for one more code, now and then for the end of one, now and then again for all not answered."""
        number = len(self.wanted)
        self.wanted[f"create-{number}"] = f"7{number:03}5193"
        self._create(f"create-{number}")
        answered = self.answers()
        removable = [t for t in self.wanted if t in answered and t not in self.unwanted.values()]
        if len(removable) > 3 and rng.random() < 0.4:
            transaction = f"delete-{len(self.unwanted)}"
            self.unwanted[transaction] = rng.choice(removable)
            self._delete(transaction)
        if rng.random() < 0.2:
            self.repeat()

    def repeat(self) -> None:
        """Send every command that was not answered yet."""
        answered = self.answers()
        for transaction in self.wanted.keys() - answered.keys():
            self._create(transaction)
        for transaction in self.unwanted.keys() - answered.keys():
            self._delete(transaction)

    def answers(self) -> dict[str, str]:
        """Return the code's id (empty for deletions) by transaction; fail on refusals and contradictions."""
        found: dict[str, str] = {}
        for message in self._app.under("response/app/access_codes/"):
            answer = message.json
            assert answer["status"] == "ok", answer["error"]
            code_id = (answer["data"].get("access_code") or {}).get("access_code_id", "")
            assert found.setdefault(answer["transaction"], code_id) == code_id
        return found

    def expected(self) -> Counter[str]:
        """Return the PINs that belong on the lock, once each."""
        gone = set(self.unwanted.values())
        return Counter(pin for transaction, pin in self.wanted.items() if transaction not in gone)

    def _create(self, transaction: str) -> None:
        self._send("create", transaction, f'"device_id":"front","code":"{self.wanted[transaction]}"')

    def _delete(self, transaction: str) -> None:
        code_id = self.answers()[self.unwanted[transaction]]
        self._send("delete", transaction, f'"access_code_id":"{code_id}"')

    def _send(self, verb: str, transaction: str, parameters: str) -> None:
        body = f'{{"transaction":"{transaction}",{parameters}}}'
        self._app.client.publish(f"{ROOT}/request/app/access_codes/{verb}", body, 1)


async def test_killed_again_and_again_it_loses_nothing_and_doubles_nothing(
    tmp_path: Path, broker: Broker, app: Somebody
) -> None:
    """Every code promised is on the lock once, every deleted one is gone, and all is told in order."""
    rng = random.Random(20261121)
    how = settings(tmp_path, broker.port, locks=LOCK)
    folder = tmp_path / "data/simulated"
    wishes = Wishes(app)
    async with running(how, app):
        wishes.send_some(rng)
        await eventually(wishes.answers)
    for _ in range(KILLS):
        process = await start(how.file, tmp_path / "daemon.log")
        try:
            if rng.random() < 0.7:
                wishes.send_some(rng)
            await asyncio.sleep(rng.triangular(*_LIFE_S))
            assert process.returncode is None, (tmp_path / "daemon.log").read_text()
        finally:
            await put_away(process)
    async with running(how):
        await converge(wishes, app, folder)
    assert seqs_are_complete(app)
    told = Counter(
        event["access_code_id"] for event in once(app) if event["event_type"] == "access_code.created"
    )
    assert set(told.values()) == {1}
    assert len(told) == len(wishes.wanted)


async def converge(wishes: Wishes, app: Somebody, folder: Path) -> None:
    """Let the client get its last answers, and the lock become what was asked for."""

    def held() -> Counter[str]:
        return Counter(taken.pin.reveal() for taken in keypad.show(folder, "front").values())

    wishes.repeat()
    await eventually(lambda: wishes.wanted.keys() | wishes.unwanted.keys() <= wishes.answers().keys(), 60)
    await eventually(lambda: held() == wishes.expected(), 60)
    # The news of the last ones may come behind their answers.
    wanted = {"access_code.created": len(wishes.wanted), "access_code.deleted": len(wishes.unwanted)}

    def told() -> bool:
        counted = Counter(str(event["event_type"]) for event in once(app))
        return all(counted[kind] >= number for kind, number in wanted.items())

    await eventually(told, 60)


def once(app: Somebody) -> list[dict[str, object]]:
    """Return the events in the order of their first arrival, without repeats."""
    first: dict[object, dict[str, object]] = {}
    for event in app.events():
        first.setdefault(event["event_id"], event)
    return list(first.values())


def seqs_are_complete(app: Somebody) -> bool:
    """Say whether first arrivals count up by one without a gap."""
    seqs = [int(str(event["seq"])) for event in once(app)]
    assert seqs[0] == 1
    return all(later == earlier + 1 for earlier, later in pairwise(seqs))
