"""Use cases on PINs without a code of their own: backups, previews, and what a lock takes."""

from datetime import timedelta

from msgspec.structs import replace

from gateway.domain.code import AccessCode
from gateway.domain.errors import InvalidInput, NoBackup, NotTimeBound
from gateway.engine.backups import available
from gateway.engine.commands.common import found, shown
from gateway.engine.commands.context import Context
from gateway.engine.commands.devices import device_reply
from gateway.engine.commands.params import GenerateCode, OneCode, ReportConstraints
from gateway.engine.desire import is_over
from gateway.engine.pins import choose_pin
from gateway.engine.replies import DeviceReply, GeneratedCode, GeneratedReply, PulledReply
from gateway.engine.work import Work


def pull(context: Context, asked: OneCode) -> PulledReply:
    """Give out a backup in place of a code; asked again for the same code, the same backup."""
    code, snap = found(context, asked.access_code_id)
    if code.ends_at is None or code.backup is not None:
        raise NotTimeBound("backups replace access codes with an end only: the backup ends with the code")
    if is_over(code, snap, context.t):
        raise InvalidInput("the access code has ended or was used up", field="access_code_id")
    pulled = snap.codes.get(code.pulled_backup_access_code_id or "")
    if pulled is None or is_over(pulled, snap, context.t):
        _demand_open(context, code)
        ready = available(snap, context.t, context.rules.timing)
        if not ready:
            raise NoBackup(
                "no backup code is ready on this lock; see the errors of the lock", device_id=code.device_id
            )
        pulled = ready[0]
        backup_id, ends_at = pulled.access_code_id, code.ends_at

        def hand_over(work: Work) -> None:
            backup = work.codes[backup_id]
            work.set_code(
                replace(
                    backup,
                    backup="pulled",
                    # By the time that the hub goes by, or it would begin when a clock that is ahead says so.
                    starts_at=work.t.at,
                    ends_at=ends_at,
                    is_one_time_use=code.is_one_time_use,
                    first_used_at=None,
                    revision=backup.revision + 1,
                    updated_at=work.now,
                )
            )
            original = work.codes[code.access_code_id]
            work.set_code(replace(original, pulled_backup_access_code_id=backup_id))
            work.tell(
                "access_code.backup_access_code_pulled",
                code.access_code_id,
                backup_access_code_id=backup_id,
            )

        snap = context.change(code.device_id, hand_over)
    return PulledReply(
        access_code=shown(context, code.access_code_id, snap),
        backup_access_code=shown(context, pulled.access_code_id, snap),
    )


def _demand_open(context: Context, code: AccessCode) -> None:
    """Refuse a backup where it would open the door at times when the code itself does not."""
    if code.recurrence is not None:
        raise InvalidInput(
            "a backup opens at any time until the code ends, and this one is for certain times only "
            "(recurrence): create a code with the same recurrence",
            field="access_code_id",
        )
    lead = context.rules.timing.lead
    if code.starts_at is not None and context.t.at < code.starts_at - lead:
        raise InvalidInput(
            "a backup opens at once, and this code does not begin yet (starts_at): "
            f"pull one from {lead // timedelta(minutes=1)} minutes before its start on",
            field="access_code_id",
        )


def generate_code(context: Context, asked: GenerateCode) -> GeneratedReply:
    """Return a PIN that would do now; nothing is created and nothing reserved."""
    snap = context.configured(asked.device_id)
    pin = choose_pin(snap, context.chance.randbelow, asked.preferred_code_length)
    return GeneratedReply(generated_code=GeneratedCode(device_id=asked.device_id, code=pin.reveal()))


def report_constraints(context: Context, asked: ReportConstraints) -> DeviceReply:
    """Take an operator's word on the PIN lengths of a lock; it can only narrow what the driver knows."""
    snap = context.configured(asked.device_id)
    lengths = _lengths(asked)
    can = snap.device.capabilities
    possible = tuple(sorted(length for length in lengths if can is None or length in can.pin_rules.lengths))
    if not possible:
        known = ", ".join(str(length) for length in sorted(can.pin_rules.lengths)) if can is not None else ""
        raise InvalidInput(
            f"the driver of this lock sends PINs of {known} digits only", field="supported_code_lengths"
        )
    context.change(asked.device_id, lambda work: work.set_device(reported_lengths=possible))
    return device_reply(context, asked.device_id)


def _lengths(asked: ReportConstraints) -> set[int]:
    low, high = asked.min_code_length, asked.max_code_length
    if asked.supported_code_lengths is not None and (low is not None or high is not None):
        raise InvalidInput(
            "give supported_code_lengths, or min_code_length and max_code_length, not both",
            field="supported_code_lengths",
        )
    if asked.supported_code_lengths is not None:
        return set(asked.supported_code_lengths)
    if low is None or high is None:
        raise InvalidInput(
            "give supported_code_lengths, or both min_code_length and max_code_length",
            field="supported_code_lengths",
        )
    if low > high:
        raise InvalidInput("min_code_length is above max_code_length", field="min_code_length")
    return set(range(low, high + 1))
