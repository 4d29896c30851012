"""Takes any bytes as a command and answers.

Durable before it returns; a repeat gets the stored reply (rule 7).
"""

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct

from gateway.domain.errors import (
    CommandError,
    Expired,
    InternalError,
    InvalidInput,
    NotFound,
    Overloaded,
    TransactionReused,
)
from gateway.domain.store import LastingFailure, StorageFailed, Tx
from gateway.engine.commands import (
    code_lists,
    codes,
    devices,
    groups,
    looking,
    pairing,
    params,
    planning,
    pool,
    timeline,
    unmanaged,
)
from gateway.engine.commands.context import Context
from gateway.engine.commands.requests import Params, convert
from gateway.engine.engine import Engine
from gateway.engine.mistakes import place
from gateway.engine.replies import DryRun
from gateway.engine.wire import Wire

_log = logging.getLogger(__name__)
_TRANSACTION_LENGTH = 128


class Verb(Struct, frozen=True):
    """One command: its parameters, its use case, and whether it changes anything."""

    params: type[Params]
    use_case: Callable[[Context, Any], Wire]
    changes: bool


VERBS: dict[str, Verb] = {
    "access_codes/create": Verb(params.CreateCode, codes.create, changes=True),
    "access_codes/create_multiple": Verb(params.CreateMultiple, groups.create_multiple, changes=True),
    "access_codes/update": Verb(params.UpdateCode, codes.update, changes=True),
    "access_codes/update_multiple": Verb(params.UpdateMultiple, groups.update_multiple, changes=True),
    "access_codes/delete": Verb(params.DeleteCode, codes.delete, changes=True),
    "access_codes/get": Verb(params.GetCode, code_lists.get, changes=False),
    "access_codes/list": Verb(params.ListCodes, code_lists.list_codes, changes=False),
    "access_codes/generate_code": Verb(params.GenerateCode, pool.generate_code, changes=False),
    "access_codes/pull_backup_access_code": Verb(params.OneCode, pool.pull, changes=True),
    "access_codes/report_device_constraints": Verb(
        params.ReportConstraints, pool.report_constraints, changes=True
    ),
    "access_codes/get_timeline": Verb(params.Timeline, timeline.timeline, changes=False),
    "access_codes/unmanaged/list": Verb(params.ListUnmanaged, unmanaged.list_unmanaged, changes=False),
    "access_codes/unmanaged/get": Verb(params.GetCode, unmanaged.get, changes=False),
    "access_codes/unmanaged/convert_to_managed": Verb(params.Convert, unmanaged.convert, changes=True),
    "access_codes/unmanaged/delete": Verb(params.OneCode, unmanaged.delete, changes=True),
    "devices/list": Verb(params.Nothing, devices.list_devices, changes=False),
    "devices/get": Verb(params.OneDevice, devices.get, changes=False),
    "devices/update": Verb(params.UpdateDevice, devices.update, changes=True),
    "devices/sync": Verb(params.OneDevice, devices.sync, changes=True),
    "devices/remove_guest_codes": Verb(params.RemoveGuestCodes, devices.remove_guest_codes, changes=True),
    "devices/pause": Verb(params.Pause, devices.pause, changes=True),
    "devices/resume": Verb(params.OneDevice, devices.resume, changes=True),
    "devices/retire": Verb(params.OneDevice, devices.retire, changes=True),
    "devices/forget": Verb(params.OneDevice, devices.forget, changes=True),
    "devices/replace": Verb(params.OneDevice, devices.replace_lock, changes=True),
    "devices/refill": Verb(params.OneDevice, devices.refill, changes=True),
    "devices/pair": Verb(params.PairDevice, pairing.pair, changes=True),
    "devices/unpair": Verb(params.OneDevice, pairing.unpair, changes=True),
    "events/list": Verb(params.ListEvents, looking.events, changes=False),
    "events/get": Verb(params.OneEvent, looking.event, changes=False),
    "action_attempts/get": Verb(params.OneAttempt, looking.attempt, changes=False),
    "action_attempts/list": Verb(params.ListAttempts, looking.list_attempts, changes=False),
    "plan/get": Verb(params.MaybeDevice, planning.plans, changes=False),
    "clock/get": Verb(params.Nothing, looking.clock, changes=False),
    "clock/trust": Verb(params.Nothing, looking.trust_clock, changes=True),
    "restore/confirm": Verb(params.Nothing, devices.confirm_restore, changes=True),
}


class CommandDesk:
    """The one way in for commands."""

    def __init__(self, engine: Engine, told: Callable[[str], None]) -> None:
        """Carry commands out on `engine`; `told` hears of every lock with news."""
        self._engine = engine
        self._told = told

    async def execute(self, client: str, verb: str, body: bytes) -> bytes:
        """Carry out one command and return its reply, which never fails but for the database.

        A mistake of ours is answered too, and so are rows that do not open: not acknowledged, the command
        would come back for ever, and let no other one in.

        Raises:
            StorageFailed: nothing happened; the command must be delivered again.
        """
        try:
            asked = _object(body)
        except InvalidInput as error:
            return _refusal(None, error)
        transaction = asked.pop("transaction", None)
        try:
            known = _known(verb)
            transaction = _transaction(transaction, required=known.changes)
            return await self._carry_out(client, verb, known, transaction, asked, body)
        except CommandError as error:
            return _refusal(transaction if isinstance(transaction, str) else None, error)
        except LastingFailure as error:
            return _refusal(transaction, InternalError(f"nothing was changed: {error}"))
        except StorageFailed:
            raise
        except Exception as error:  # noqa: BLE001 - see above
            _log.error("%s: a mistake of pinsmith: %s", verb, place(error))
            return _refusal(
                transaction, InternalError("a mistake of pinsmith; nothing was changed, see its log")
            )

    def too_large(self, limit: int) -> bytes:
        """Return the reply to a command that was not even read."""
        return _refusal(None, Overloaded(f"a command has at most {limit} bytes", limit=limit))

    async def _carry_out(
        self, client: str, verb: str, known: Verb, transaction: str | None, asked: dict[str, Any], body: bytes
    ) -> bytes:
        shop = self._engine.shop
        dry_run = _dry_run(asked, known)
        touched: list[str] = []
        once_durable: list[Callable[[], None]] = []

        def unit(tx: Tx) -> bytes:
            digest = tx.digest(body)
            if known.changes and transaction is not None and not dry_run:
                earlier = tx.reply(client, verb, transaction)
                if earlier is not None:
                    return _replay(digest, earlier)
            context = Context(
                tx,
                shop.guard.view(),
                shop.rules,
                shop.chance,
                shop.guard,
                pairings=self._engine.pairings,
                radio=self._engine.radio,
            )
            try:
                with tx.part():
                    reply = _answer(context, known, transaction, asked)
            except CommandError as error:
                reply = _refusal(transaction, error)
            else:
                touched.extend(context.touched)
                once_durable.extend(context.once_durable)
            if dry_run:
                raise _RolledBack(reply)
            if known.changes and transaction is not None:
                tx.save_reply(client, verb, transaction, digest, reply, context.t.at)
            return reply

        try:
            reply = await shop.store.run(unit)
        except _RolledBack as tried:
            return tried.reply
        for change in once_durable:
            change()
        for device_id in touched:
            self._told(device_id)
            self._engine.wake(device_id)
        return reply


class _RolledBack(Exception):
    """Ends a unit that was only tried: nothing of it is stored."""

    def __init__(self, reply: bytes) -> None:
        super().__init__()
        self.reply = reply


def _dry_run(asked: dict[str, Any], known: Verb) -> bool:
    """Say whether a command is only to be tried; looking changes nothing anyway."""
    wish = asked.get("dry_run", False)
    if not isinstance(wish, bool):
        raise InvalidInput("dry_run: true or false", field="dry_run")
    if wish and not known.changes:
        raise InvalidInput("dry_run is for commands that change something", field="dry_run")
    return wish


def _known(verb: str) -> Verb:
    known = VERBS.get(verb)
    if known is None:
        raise NotFound(f"there is no such command; known are: {', '.join(VERBS)}")
    return known


def _answer(context: Context, known: Verb, transaction: str | None, asked: dict[str, Any]) -> bytes:
    """Carry out a use case; raise CommandError where it refuses."""
    _check_expiry(context, asked.pop("expires_at", None))
    dry_run = asked.pop("dry_run", False)
    data: Wire = known.use_case(context, convert(asked, known.params))
    if dry_run:
        plans = [planning.plan_view(context, context.snapshot(d)) for d in dict.fromkeys(context.touched)]
        data = DryRun(dry_run=True, would_reply=data, plans=plans)
    return msgspec.json.encode({"transaction": transaction, "status": "ok", "data": data, "error": None})


def _replay(digest: bytes, earlier: tuple[bytes, bytes]) -> bytes:
    before, reply = earlier
    if before != digest:
        raise TransactionReused("this transaction was used before with other parameters; use a new one")
    return reply


def _refusal(transaction: str | None, error: CommandError) -> bytes:
    told = {"type": error.type, "message": error.message, "data": error.data}
    return msgspec.json.encode({"transaction": transaction, "status": "error", "data": None, "error": told})


def _object(body: bytes) -> dict[str, Any]:
    """Parse a JSON object; nothing of it is echoed."""
    try:
        found = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError, ValueError):
        raise InvalidInput("the payload is not JSON") from None
    if not isinstance(found, dict):
        raise InvalidInput("the payload must be a JSON object")
    return found


def _transaction(given: object, *, required: bool) -> str | None:
    if given is None and not required:
        return None
    if not isinstance(given, str) or not 1 <= len(given) <= _TRANSACTION_LENGTH:
        raise InvalidInput(
            f"transaction: a text of 1 to {_TRANSACTION_LENGTH} characters, new for every command"
        )
    return given


def _check_expiry(context: Context, given: object) -> None:
    if given is None:
        return
    try:
        expires_at = msgspec.convert(given, datetime)
        passed = expires_at <= context.t.at
    except (msgspec.ValidationError, TypeError):
        raise InvalidInput("expires_at: a time in ISO 8601 with its zone", field="expires_at") from None
    if passed:
        raise Expired("the command came after its expires_at and was not carried out")
