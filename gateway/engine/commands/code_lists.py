"""Use cases that look at access codes: one, or those that fit."""

from msgspec import UnsetType

from gateway.domain.errors import InvalidInput, NotFound
from gateway.domain.pin import Pin
from gateway.engine import views
from gateway.engine.commands.common import found, page, reply, snapshots
from gateway.engine.commands.context import Context
from gateway.engine.commands.params import GetCode, ListCodes
from gateway.engine.desire import is_over
from gateway.engine.replies import CodeReply, CodesReply


def get(context: Context, asked: GetCode) -> CodeReply:
    """Return one code with its PIN."""
    if (asked.access_code_id is None) == (asked.device_id is None or asked.code is None):
        raise InvalidInput("give access_code_id, or device_id and code", field="access_code_id")
    if asked.access_code_id is not None:
        if asked.code is not None:
            raise InvalidInput("give access_code_id or code, not both", field="code")
        code, snap = found(context, asked.access_code_id, asked.device_id, deleted_too=True)
        return reply(context, code.access_code_id, snap)
    snap, pin = context.snapshot(asked.device_id or ""), Pin(asked.code or "")
    fitting = [code for code in snap.codes.values() if code.pin == pin and code.backup != "waiting"]
    if not fitting:
        raise NotFound("no managed code on this lock has this PIN")
    # A PIN may have gone from code to code: one that still counts is meant, or else the last that had it.
    meant = max(fitting, key=lambda code: (not is_over(code, snap, context.t), code.created_at))
    return reply(context, meant.access_code_id, snap)


def list_codes(context: Context, asked: ListCodes) -> CodesReply:
    """Return the managed codes that fit with their PINs, oldest first; without backups nobody pulled."""
    wanted = set(asked.access_code_ids) if asked.access_code_ids is not None else None
    fitting = [
        shown
        for snap in snapshots(context, asked.device_id)
        for shown in views.codes_of(
            snap, context.tx.issues(snap.device.device_id), context.t, context.rules.timing
        )
        if (wanted is None or shown.access_code_id in wanted)
        and asked.common_code_key in (None, shown.common_code_key)
        and asked.type in (None, shown.type)
        and asked.status in (None, shown.status)
        and matches(asked.search, shown.name, shown.code, shown.access_code_id)
    ]
    shown_codes, pagination = page(
        fitting, lambda c: f"{c.created_at} {c.access_code_id}", asked.limit, asked.page_cursor
    )
    return CodesReply(access_codes=shown_codes, pagination=pagination)


def matches(search: str | None, *texts: str | UnsetType | None) -> bool:
    """Say whether one of the texts holds what is searched for, capitals left aside."""
    if search is None:
        return True
    folded = search.casefold()
    return any(folded in text.casefold() for text in texts if isinstance(text, str))
