"""Any bytes are answered; a command is carried out once (rule 7)."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.simulated.models import READABLE
from gateway.domain.store import StorageFailed
from tests.engine.bench import Bench
from tests.engine.build import DAY, DOOR, HOUR, NOON, SECOND
from tests.engine.conftest import Hang

CREATE = "access_codes/create"
BODY = {"transaction": "t1", "device_id": DOOR, "code": "471134"}
NOT_JSON = "the payload is not JSON"
NO_OBJECT = "the payload must be a JSON object"
TRANSACTION = "transaction: a text of 1 to 128 characters, new for every command"
WHEN = "expires_at: a time in ISO 8601 with its zone"


def encoded(**changes: object) -> bytes:
    """Return the body of a create command."""
    return msgspec.json.encode(BODY | changes)


class TestAnyBytes:
    """What comes in is not trusted."""

    @pytest.mark.parametrize(
        ("body", "told"),
        [
            (b"", NOT_JSON),
            (b"471134x", NOT_JSON),
            (b"\xff\xfe", NOT_JSON),
            (b'{"transaction": "t1"', NOT_JSON),
            (b'{"code": "\xc3"}', NOT_JSON),
            (b'{"code": "\\ud800"}', NOT_JSON),
            (b"[" * 100_000, NOT_JSON),
            (b'{"a":' * 100_000, NOT_JSON),
            (b"null", NO_OBJECT),
            (b"[]", NO_OBJECT),
            (b"471134", NO_OBJECT),
            (b'"471134"', NO_OBJECT),
        ],
    )
    async def test_what_is_no_command_is_refused_without_echo(
        self, hang: Hang, body: bytes, told: str
    ) -> None:
        """And stores nothing."""
        bench = await hang(READABLE)
        before = bench.store.dump()
        reply = await bench.send(CREATE, body)
        assert reply == {
            "transaction": None,
            "status": "error",
            "data": None,
            "error": {"type": "invalid_input", "message": told, "data": {}},
        }
        assert bench.store.dump() == before

    @given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
    def test_no_bytes_make_it_fail(self, body: bytes) -> None:
        """There is always an answer in JSON; whatever they are, no lock has come to be."""
        bench = Bench()
        coroutine = bench.desk.execute("me", "devices/list", body)
        with pytest.raises(StopIteration) as done:
            coroutine.send(None)
        assert msgspec.json.decode(done.value.value)["status"] in {"ok", "error"}
        bench.store.close()

    async def test_an_unknown_verb_is_told_the_known_ones(self, hang: Hang) -> None:
        """With the transaction it came with."""
        bench = await hang(READABLE)
        reply = await bench.send("access_codes/shred", encoded())
        assert (reply["transaction"], reply["error"]["type"]) == ("t1", "not_found")
        assert CREATE in reply["error"]["message"]
        assert (await bench.send("", b'{"transaction": 7}'))["transaction"] is None

    async def test_too_large_is_an_answer_too(self, hang: Hang) -> None:
        """To what was not even read."""
        bench = await hang(READABLE)
        reply = msgspec.json.decode(bench.desk.too_large(65536))
        assert reply["error"] == {
            "type": "overloaded",
            "message": "a command has at most 65536 bytes",
            "data": {"limit": 65536},
        }


class TestTransactions:
    """The identity of a command is (client, verb, transaction)."""

    @pytest.mark.parametrize("transaction", [None, "", "x" * 129, 7, ["t"], {}])
    async def test_a_command_that_changes_needs_one(self, hang: Hang, transaction: object) -> None:
        """One that only looks does not; but a wrong one is refused there too."""
        bench = await hang(READABLE)
        assert (await bench.send(CREATE, encoded(transaction=transaction)))["error"]["message"] == TRANSACTION
        look = await bench.send("devices/list", msgspec.json.encode({"transaction": transaction}))
        assert look["status"] == ("ok" if transaction is None else "error")

    async def test_a_repeat_gets_the_stored_reply(self, hang: Hang) -> None:
        """Byte for byte, also after a restart; nothing happens twice."""
        bench = await hang(READABLE)
        first = await bench.desk.execute("me", CREATE, encoded())
        await bench.settle(HOUR)
        bench.boot()
        await bench.start()
        before = bench.store.dump()
        assert await bench.desk.execute("me", CREATE, encoded()) == first
        assert bench.store.dump() == before

    async def test_a_refusal_is_repeated_too(self, hang: Hang) -> None:
        """Although it would succeed now."""
        bench = await hang(READABLE)
        code_id = await bench.create("471134")
        first = await bench.desk.execute("me", CREATE, encoded())
        await bench.do("access_codes/delete", access_code_id=code_id)
        assert await bench.desk.execute("me", CREATE, encoded()) == first
        assert b"duplicate_access_code" in first

    async def test_another_body_under_the_same_identity_is_refused(self, hang: Hang) -> None:
        """Another client, verb or transaction is another identity."""
        bench = await hang(READABLE)
        await bench.send(CREATE, encoded())
        reused = await bench.send(CREATE, encoded(code="582245"))
        assert reused["error"] == {
            "type": "transaction_reused",
            "message": "this transaction was used before with other parameters; use a new one",
            "data": {},
        }
        assert reused["transaction"] == "t1"
        assert (await bench.send(CREATE, encoded(code="582245"), client="you"))["status"] == "ok"
        assert (await bench.send(CREATE, encoded(code="693356", transaction="t2")))["status"] == "ok"
        paused = msgspec.json.encode({"transaction": "t1", "device_id": DOOR})
        assert (await bench.send("devices/pause", paused))["status"] == "ok"

    async def test_a_look_is_carried_out_anew_every_time(self, hang: Hang) -> None:
        """Its reply is not kept."""
        bench = await hang(READABLE)
        body = msgspec.json.encode({"transaction": "t1"})
        assert (await bench.send("access_codes/list", body))["data"]["access_codes"] == []
        await bench.create("471134")
        assert len((await bench.send("access_codes/list", body))["data"]["access_codes"]) == 1

    async def test_neither_pin_nor_reply_is_stored_in_clear(self, hang: Hang) -> None:
        """Rule 9: the reply shows the PIN, the database does not."""
        bench = await hang(READABLE)
        assert b"471134" in await bench.desk.execute("me", CREATE, encoded())
        assert not [line for line in bench.store.dump() if "471134" in line]


class TestExpiry:
    """A command that comes too late is not carried out."""

    @pytest.mark.parametrize(
        ("expires_at", "kind"),
        [
            ("2026-07-01T12:00:01Z", None),
            (None, None),
            ("2026-07-01T12:00:00Z", "expired"),
            ("2026-07-01T13:59:59+02:00", "expired"),
            ("0001-01-01T00:00:00+23:59", "expired"),
            ("9999-12-31T23:59:59-23:59", None),
            ("2026-07-01T12:00:01", "invalid_input"),
            ("soon", "invalid_input"),
            (1782907201, "invalid_input"),
            ({}, "invalid_input"),
        ],
    )
    async def test_by_the_clock(self, hang: Hang, expires_at: object, kind: str | None) -> None:
        """A time needs its zone."""
        bench = await hang(READABLE)
        reply = await bench.send(CREATE, encoded(expires_at=expires_at))
        assert (reply["error"] or {}).get("type") == kind
        assert len(bench.snap().codes) == (1 if kind is None else 0)

    async def test_a_repeat_of_one_that_was_carried_out_in_time_is_answered(self, hang: Hang) -> None:
        """It is a repeat, not a command."""
        bench = await hang(READABLE)
        body = encoded(expires_at="2026-07-01T12:00:01Z")
        first = await bench.desk.execute("me", CREATE, body)
        bench.clock.pass_by(HOUR)
        assert await bench.desk.execute("me", CREATE, body) == first


class TestWithoutTime:
    """A hub that starts in 1970 goes by the lower bound of time, not by its wall clock."""

    async def lost(self, hang: Hang) -> Bench:
        """Return a hub that lost power and does not know the time."""
        bench = await hang(READABLE)
        bench.clock.synced = False
        bench.clock.reboot(datetime(1970, 1, 1, tzinfo=UTC))
        bench.boot()
        await bench.start()
        return bench

    async def test_a_repeat_is_known_although_old_replies_were_dropped(self, hang: Hang) -> None:
        """The reply was noted by the same time that pruning goes by."""
        bench = await self.lost(hang)
        first = await bench.desk.execute("me", CREATE, encoded())
        a_week_ago = bench.guard.view().at - 7 * DAY
        bench.store.do(lambda tx: tx.prune(replies_before=a_week_ago, events_before=a_week_ago))
        assert await bench.desk.execute("me", CREATE, encoded()) == first
        assert len(bench.snap().codes) == 1

    @pytest.mark.parametrize(("after", "kind"), [(-SECOND, "expired"), (HOUR, None)])
    async def test_what_expired_for_certain_is_not_carried_out(
        self, hang: Hang, after: timedelta, kind: str | None
    ) -> None:
        """And what may still be in time is."""
        bench = await self.lost(hang)
        reply = await bench.send(CREATE, encoded(expires_at=(NOON + after).isoformat()))
        assert (reply["error"] or {}).get("type") == kind


class TestDurability:
    """Durable before it is answered."""

    async def test_when_the_database_fails_there_is_no_answer_and_nothing_happened(self, hang: Hang) -> None:
        """The command is delivered again, and then carried out."""
        bench = await hang(READABLE)
        bench.store.failing = True
        with pytest.raises(StorageFailed):
            await bench.desk.execute("me", CREATE, encoded())
        bench.store.failing = False
        assert bench.snap().codes == {}
        assert (await bench.send(CREATE, encoded()))["status"] == "ok"

    async def test_a_mistake_of_ours_is_answered_and_changes_nothing(
        self, hang: Hang, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Nothing of it is stored, nor said: its text may hold a PIN."""
        bench = await hang(READABLE)
        before = bench.store.dump()
        broken = ValueError("471134")

        def new_id() -> str:
            raise broken

        sound, bench.engine.shop.chance.new_id = bench.engine.shop.chance.new_id, new_id
        reply = await bench.send(CREATE, encoded())
        assert reply["error"]["type"] == "internal_error"
        assert bench.store.dump() == before
        assert "ValueError in new_id" in caplog.text
        assert "471134" not in caplog.text + str(reply)
        bench.engine.shop.chance.new_id = sound
        assert (await bench.send(CREATE, encoded()))["status"] == "ok"

    async def test_whoever_is_concerned_hears_of_it(self, hang: Hang) -> None:
        """The lock of the code; of a look nobody."""
        bench = await hang(READABLE)
        bench.told.clear()
        await bench.do("devices/list")
        assert bench.told == []
        await bench.send(CREATE, encoded())
        assert bench.told == [DOOR]
        bench.clock.pass_by(SECOND)
        bench.told.clear()
        await bench.do("clock/trust")
        assert bench.told == [DOOR]
