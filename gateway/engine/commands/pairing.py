"""Use cases of pairing. What is given for it passes through memory only: nothing here stores or shows it."""

from collections.abc import Callable

from gateway.domain.attempts import PAIRINGS, ActionAttempt, ActionType
from gateway.domain.errors import DeviceRefused, UnsupportedDevice
from gateway.engine import attempts
from gateway.engine.commands.common import attempt_of
from gateway.engine.commands.context import Context
from gateway.engine.commands.devices import shown
from gateway.engine.commands.params import OneDevice, PairDevice
from gateway.engine.replies import DeviceReply
from gateway.engine.work import Work


def pair(context: Context, asked: PairDevice) -> DeviceReply:
    """Begin to pair with a lock; its attempt and events tell how it goes on."""
    context.configured(asked.device_id)
    return _begin(
        context, asked.device_id, "PAIR_DEVICE", lambda attempt: context.pairings.pair(attempt, asked.given)
    )


def unpair(context: Context, asked: OneDevice) -> DeviceReply:
    """Begin to forget the keys of a lock."""
    if context.device(asked.device_id).policy is None:
        raise DeviceRefused("the lock is no longer in the configuration", device_id=asked.device_id)
    return _begin(context, asked.device_id, "UNPAIR_DEVICE", context.pairings.unpair)


def _begin(
    context: Context, device_id: str, action: ActionType, once_stored: Callable[[ActionAttempt], None]
) -> DeviceReply:
    if not context.pairings.concerns(device_id):
        raise UnsupportedDevice("locks of this kind are not paired by the hub", device_id=device_id)
    if any(attempt.action_type in PAIRINGS for attempt in context.tx.pending_attempts(device_id)):
        raise DeviceRefused("pairing with this lock is under way already", device_id=device_id)
    begun: list[ActionAttempt] = []

    def absorb(work: Work) -> None:
        begun.append(attempts.begin(work, action, None))
        context.tx.save_attempt(begun[0])

    context.change(device_id, absorb)
    context.once_durable.append(lambda: once_stored(begun[0]))
    return DeviceReply(
        device=shown(context, device_id), action_attempt=attempt_of(context, begun[0].action_attempt_id)
    )
