"""`pinsmith keypad`: be the person at the door of a simulated lock."""

from pathlib import Path

from gateway.cli.arguments import command, group, takes_device, takes_pin
from gateway.cli.context import Commands, Context
from gateway.cli.exits import Failure, UsageError
from gateway.cli.output import show_table
from gateway.domain.pin import Pin


def add(commands: Commands) -> None:
    """Add the commands of this group."""
    keypad = group(commands, "keypad", "change simulated locks as somebody at the door would")
    show = command(keypad, "show", "show what is really in the slots of a simulated lock")
    show.set_defaults(do=_show)
    takes_device(show)
    show.add_argument("--show-pins", action="store_true", help="show PINs")
    store = command(keypad, "set", "type a code into a slot at the keypad")
    store.set_defaults(do=_set)
    takes_device(store)
    store.add_argument("slot", metavar="SLOT", nargs="?", help="slot; the lowest free one without it")
    takes_pin(store, "the PIN", required=True)
    delete = command(keypad, "delete", "delete a slot at the keypad")
    delete.set_defaults(do=_delete)
    takes_device(delete)
    delete.add_argument("slot", metavar="SLOT", help="slot")
    clear = command(keypad, "clear", "delete all codes at the keypad")
    clear.set_defaults(do=_clear)
    takes_device(clear)
    opening = command(keypad, "open", "type a PIN and see whether the door opens")
    opening.set_defaults(do=_open)
    takes_device(opening)
    takes_pin(opening, "the PIN", required=True)


def _lock(context: Context) -> tuple[Path, str]:
    """Return the folder of the simulated locks and the id of the one meant."""
    settings, device_id = context.settings, context.args.device
    if device_id not in settings.simulated_locks:
        known = ", ".join(settings.simulated_locks) or "none is configured"
        raise UsageError(f"{device_id} is not a simulated lock; there are: {known}")
    return settings.gateway.data_directory / settings.simulated.directory, device_id


def _show(context: Context) -> None:
    from drivers.simulated import keypad  # noqa: PLC0415 - no other command needs it

    slots = keypad.show(*_lock(context))
    shown = [
        {
            "slot": slot,
            "code": held.pin.reveal() if context.args.show_pins else None,
            "enabled": held.enabled,
            "name": held.name,
        }
        for slot, held in slots.items()
    ]
    if not context.json({"slots": shown}):
        columns = ("slot", "PIN", "enabled", "name")
        show_table(context.terminal, columns, (tuple(slot.values()) for slot in shown))


def _set(context: Context) -> None:
    from drivers.simulated import keypad  # noqa: PLC0415 - no other command needs it

    stored = keypad.set_code(*_lock(context), context.args.slot, _pin(context), at=context.now())
    if not context.json({"slot": stored}):
        context.terminal.say(f"stored in slot {stored}")


def _delete(context: Context) -> None:
    from drivers.simulated import keypad  # noqa: PLC0415 - no other command needs it

    keypad.delete(*_lock(context), context.args.slot, at=context.now())
    if not context.json({"slot": context.args.slot}):
        context.terminal.say(f"slot {context.args.slot} deleted")


def _clear(context: Context) -> None:
    from drivers.simulated import keypad  # noqa: PLC0415 - no other command needs it

    keypad.delete_all(*_lock(context), at=context.now())
    if not context.json({}):
        context.terminal.say("all codes deleted")


def _open(context: Context) -> None:
    from drivers.simulated import keypad  # noqa: PLC0415 - no other command needs it

    slot = keypad.open_door(*_lock(context), _pin(context), at=context.now())
    if context.json({"opened": slot is not None, "slot": slot}):
        return
    if slot is None:
        raise Failure("the door stays shut")
    context.terminal.say(f"the door opens, with slot {slot}")


def _pin(context: Context) -> Pin:
    return context.terminal.pin(from_stdin=context.args.pin_stdin, twice=False)
