"""`pinsmith diagnostics`: one file for a bug report, without a secret and without a name."""

from pathlib import Path

from gateway.cli.arguments import command
from gateway.cli.context import Commands, Context


def add(commands: Commands) -> None:
    """Add this command."""
    diagnostics = command(
        commands, "diagnostics", "make one file for a bug report, without secrets and names"
    )
    diagnostics.set_defaults(do=_diagnostics)
    diagnostics.add_argument(
        "--out", type=Path, metavar="FILE", help="file to write; default: a dated name in this folder"
    )


def _diagnostics(context: Context) -> None:
    # Reads all that can be known of a hub: modules that no other command needs.
    from gateway.cli.report.archive import pack  # noqa: PLC0415 - see above
    from gateway.cli.report.parts import PARTS, gather  # noqa: PLC0415 - same

    say, now = context.terminal.warn, context.now()
    target: Path = context.args.out or Path(f"pinsmith-diagnostics-{now:%Y%m%dT%H%M%SZ}.tar.gz")
    say(f"{target} is going to hold:")
    for part in PARTS:
        say(f"  {part.name:<14} {part.explained}")
    say("No PIN, key or password, no name of a guest, a lock, a user or a machine. Ids of locks are in it.")
    found = gather(context)
    if "trouble" in found.answers:
        say("The daemon does not answer, so what only it knows is missing.")
    pack(target, {part.name: part.make(found) for part in PARTS}, now)
    if not context.json({"file": str(target.absolute()), "parts": [part.name for part in PARTS]}):
        context.terminal.say(
            f"written to {target.absolute()}, for you alone; look into it before you hand it on"
        )
