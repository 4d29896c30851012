"""Use cases on several codes at once: one PIN for several locks, and the codes of one key."""

from collections.abc import Sequence
from functools import reduce

from msgspec.structs import replace

from gateway.domain.code import AccessCode
from gateway.domain.errors import DuplicateCode, InvalidInput, NotFound
from gateway.domain.lock import PinRules
from gateway.domain.pin import Pin
from gateway.domain.pins import generate
from gateway.domain.placement import Snapshot
from gateway.engine.commands.codes import add, group_of, put
from gateway.engine.commands.common import (
    agreed,
    demand_a_window,
    demand_backup_fits,
    demand_own_pin,
    demand_pool,
    demand_reachable,
    demand_shut,
    given,
    pin_for,
    recurrence,
    window,
)
from gateway.engine.commands.context import Context
from gateway.engine.commands.params import CreateMultiple, UpdateMultiple
from gateway.engine.pins import choose_pin, known_pins, rules_of
from gateway.engine.replies import CodesReply


def create_multiple(context: Context, asked: CreateMultiple) -> CodesReply:
    """Create one code on each lock, with one PIN that all take, or refuse all."""
    if len(set(asked.device_ids)) != len(asked.device_ids):
        raise InvalidInput("device_ids: each lock once", field="device_ids")
    snaps = [context.configured(device_id) for device_id in asked.device_ids]
    for snap in snaps:
        demand_reachable(snap, attempt_for_offline_device=asked.attempt_for_offline_device)
    starts_at, ends_at = window(context, asked.starts_at, asked.ends_at)
    windows = recurrence(context, asked.recurrence, starts_at, ends_at)
    if asked.use_backup_access_code_pool and ends_at is None:
        raise InvalidInput("the backup pool is for codes with an end", field="use_backup_access_code_pool")
    if asked.use_backup_access_code_pool:
        for snap in snaps:
            demand_pool(snap)
    allowed = agreed(
        asked.is_external_modification_allowed, asked.allow_external_modification, otherwise=False
    )
    # A PIN of the caller's own makes no group: nobody promises to keep it the same.
    key = None if asked.code is not None else f"auto_set_by_create_multiple_{context.chance.new_id()}"
    pins, alone = _shared(context, snaps, asked)
    created = []
    for snap, pin in zip(snaps, pins, strict=True):
        code = AccessCode(
            access_code_id=context.chance.new_id(),
            device_id=snap.device.device_id,
            name=asked.name or "Access code",
            pin=pin,
            created_at=context.t.now,
            updated_at=context.t.now,
            starts_at=starts_at,
            ends_at=ends_at,
            recurrence=windows,
            is_external_modification_allowed=allowed,
            prefer_native_scheduling=asked.prefer_native_scheduling,
            common_code_key=None if snap.device.device_id in alone else key,
        )
        demand_shut(snap, code)
        created.append(add(context, code, with_pool=asked.use_backup_access_code_pool).access_code)
    return CodesReply(access_codes=created)


def _shared(context: Context, snaps: Sequence[Snapshot], asked: CreateMultiple) -> tuple[list[Pin], set[str]]:
    """Return the PIN for each lock, and the locks that cannot share it."""
    alone: set[str] = set()
    if asked.code is not None:
        pins = []
        for snap in snaps:
            try:
                pins.append(pin_for(context, snap, asked.code))
            except (InvalidInput, DuplicateCode) as error:
                if asked.behavior_when_code_cannot_be_shared == "throw":
                    error.data["device_id"] = snap.device.device_id
                    raise
                alone.add(snap.device.device_id)
                pins.append(choose_pin(snap, context.chance.randbelow, asked.preferred_code_length))
        return pins, alone
    length = asked.preferred_code_length
    together: list[Snapshot] = []
    shared: Pin | None = None
    for snap in snaps:
        try:
            shared = _common(context, [*together, snap], length)
        except InvalidInput:
            if asked.behavior_when_code_cannot_be_shared == "throw":
                raise InvalidInput(
                    "no PIN suits all of these locks: give fewer of them, or ask for create_random_code",
                    field="device_ids",
                ) from None
            alone.add(snap.device.device_id)
        else:
            together.append(snap)
    return [
        choose_pin(snap, context.chance.randbelow, length)
        if shared is None or snap.device.device_id in alone
        else shared
        for snap in snaps
    ], alone


def _common(context: Context, snaps: Sequence[Snapshot], length: int | None) -> Pin:
    rules = reduce(_both, (rules_of(snap) for snap in snaps))
    if not rules.lengths or not rules.alphabet:
        raise InvalidInput("these locks take no PIN in common", field="device_ids")
    taken = set().union(*(known_pins(snap) for snap in snaps))
    return generate(rules, taken, context.chance.randbelow, length=length)


def _both(one: PinRules, other: PinRules) -> PinRules:
    return PinRules(
        lengths=tuple(length for length in one.lengths if length in other.lengths),
        alphabet="".join(character for character in one.alphabet if character in other.alphabet),
        constraints=tuple(dict.fromkeys((*one.constraints, *other.constraints))),
        prefix_free=one.prefix_free or other.prefix_free,
    )


def update_multiple(context: Context, asked: UpdateMultiple) -> CodesReply:
    """Change name and times of every code of one key; all or none."""
    group = group_of(context, asked.common_code_key)
    if not group:
        raise NotFound("no access codes have this common_code_key")
    shown = []
    for code in group:
        snap = context.snapshot(code.device_id)
        starts_at, ends_at = given(asked.starts_at, code.starts_at), given(asked.ends_at, code.ends_at)
        if (starts_at, ends_at) != (code.starts_at, code.ends_at):
            starts_at, ends_at = window(context, starts_at, ends_at)
        changed = replace(code, name=given(asked.name, code.name), starts_at=starts_at, ends_at=ends_at)
        if (starts_at, ends_at) != (code.starts_at, code.ends_at):
            demand_a_window(context, changed)
        demand_backup_fits(context, snap, code, changed)
        demand_own_pin(context, snap, code, changed)
        shown.append(put(context, code, changed, snap).access_code)
    return CodesReply(access_codes=shown)
