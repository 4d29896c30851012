"""A client that goes on wishing while the gateway is killed, and what must have come of its wishes.

What the locks hold is the truth, the messages that the client got are the promises.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from itertools import pairwise

from tests.daemon.bed import ROOT, Somebody
from tests.e2e.house import in_time
from tests.mqtt.broker import eventually

type Held = Counter[tuple[str, str]]
"""How often a PIN stands on a lock, by lock and PIN."""

_PATIENCE_S = 90
"""Until all that was asked for is done: a Z-Wave lock is spoken to every 2 s at most."""


class Wishes:
    """A client that never gives up: now and then it sends again whatever was not answered.

    The broker keeps commands for a gateway that is away, so repeats are not what gets them there: they try
    whether a repeat has an effect.
    """

    def __init__(self, app: Somebody, *locks: str) -> None:
        self._app = app
        self._locks = locks
        self.wanted: dict[str, tuple[str, str]] = {}
        """Lock and PIN by transaction of the creation."""
        self.unwanted: dict[str, str] = {}
        """Transaction of the creation by transaction of the deletion."""

    def send_some(self, rng: random.Random) -> None:
        """Ask for one more code, now and then for the end of one, now and then again for all not answered."""
        number = len(self.wanted)
        self.wanted[f"create-{number}"] = self._locks[number % len(self._locks)], f"7{number:03}5193"
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

    async def fulfilled(self, held: Callable[[], Awaitable[Held]]) -> None:
        """Let the client get its last answers, and the locks become what was asked for."""
        self.repeat()
        await eventually(
            lambda: self.wanted.keys() | self.unwanted.keys() <= self.answers().keys(), _PATIENCE_S
        )

        async def is_so() -> bool:
            await asyncio.sleep(0.2)  # asking more often would keep the machine from its work
            return await held() == self._expected()

        await in_time(is_so, _PATIENCE_S)
        # The news of the last ones may come behind their answers.
        wanted = {"access_code.created": len(self.wanted), "access_code.deleted": len(self.unwanted)}

        def told() -> bool:
            counted = Counter(str(event["event_type"]) for event in _once(self._app))
            return all(counted[kind] >= number for kind, number in wanted.items())

        await eventually(told, _PATIENCE_S)

    def were_told_once(self) -> None:
        """Fail if a code was told twice or not at all, or if first arrivals do not count up by one."""
        events = _once(self._app)
        seqs = [int(str(event["seq"])) for event in events]
        assert seqs[0] == 1
        assert all(later == earlier + 1 for earlier, later in pairwise(seqs))
        for kind in ("access_code.created", "access_code.set_on_device", "access_code.deleted"):
            told = Counter(event["access_code_id"] for event in events if event["event_type"] == kind)
            assert set(told.values()) <= {1}, kind
            if kind == "access_code.created":
                assert len(told) == len(self.wanted)

    def _expected(self) -> Held:
        """Return what belongs on the locks, once each."""
        gone = set(self.unwanted.values())
        return Counter(place for transaction, place in self.wanted.items() if transaction not in gone)

    def _create(self, transaction: str) -> None:
        lock, pin = self.wanted[transaction]
        self._send("create", transaction, f'"device_id":"{lock}","code":"{pin}"')

    def _delete(self, transaction: str) -> None:
        code_id = self.answers()[self.unwanted[transaction]]
        self._send("delete", transaction, f'"access_code_id":"{code_id}"')

    def _send(self, verb: str, transaction: str, parameters: str) -> None:
        body = f'{{"transaction":"{transaction}",{parameters}}}'
        self._app.client.publish(f"{ROOT}/request/app/access_codes/{verb}", body, 1)


def _once(app: Somebody) -> list[dict[str, object]]:
    """Return the events in the order of their first arrival, without repeats."""
    first: dict[object, dict[str, object]] = {}
    for event in app.events():
        first.setdefault(event["event_id"], event)
    return list(first.values())
