"""`pinsmith doctor`: what is wrong around the hub, why, and what to do."""

import asyncio
import shutil
import textwrap
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from gateway.cli.arguments import command, takes_device
from gateway.cli.asking import client_name
from gateway.cli.context import Commands, Context
from gateway.cli.exits import Exit, UsageError
from gateway.cli.output import plain

if TYPE_CHECKING:
    from gateway.doctor.finding import Finding

_NAMES = {"problem": "PROBLEM", "warning": "warning", "note": "note", "ok": "ok"}
_INDENT = " " * 10


def add(commands: Commands) -> None:
    """Add this command."""
    parser = command(commands, "doctor", "look for what is wrong, and say why and what to do about it")
    parser.set_defaults(do=_doctor)
    takes_device(parser, optional=True)


def _doctor(context: Context) -> Exit:
    settings, lock = context.settings, context.args.device
    if lock is not None and lock not in settings.policies and not _is_remembered(context, lock):
        known = ", ".join(settings.policies) or "none is configured"
        raise UsageError(f"there is no lock {lock}; there are: {known}")
    findings = findings_of(context, lock)
    counted = Counter(finding.severity.value for finding in findings)
    told = {name: counted[name] for name in _NAMES}
    if not context.json({"findings": [_as_json(finding) for finding in findings], "counts": told}):
        terminal = context.terminal
        width = shutil.get_terminal_size().columns if terminal.stdout.isatty() else 0
        show_findings(terminal.say, findings, width)
        context.terminal.say(
            f"{counted['problem']} problems, {counted['warning']} warnings, {counted['note']} notes, "
            f"{counted['ok']} in order"
        )
    return Exit.FAILED if counted["problem"] else Exit.OK


def findings_of(context: Context, lock: str | None = None) -> "list[Finding]":
    """Look at everything, or at one lock; worst first. Raises ConfigError."""
    # Loads storage and cryptography, and what the configured drivers need.
    from gateway.doctor.examine import examine  # noqa: PLC0415 - see above

    return asyncio.run(
        examine(
            context.settings,
            client=client_name(context.settings.mqtt.username),
            credentials=_credentials(context),
            lock=lock,
        )
    )


def _is_remembered(context: Context, lock: str) -> bool:
    """Say whether the database knows a lock that is out of the configuration, such as a retired one."""
    from gateway.doctor.probe_memory import probe_memory  # noqa: PLC0415 - loads storage and cryptography

    memory = probe_memory(context.settings.gateway.data_directory, _credentials(context))
    return any(device.device_id == lock for device in memory.devices)


def _credentials(context: Context) -> Path | None:
    named = context.env.get("CREDENTIALS_DIRECTORY")
    return Path(named) if named else None


def show_findings(say: Callable[[str], None], findings: "Iterable[Finding]", width: int) -> None:
    """Print findings line by line through `say`, no wider than `width` columns; 0: as wide as they are."""
    for finding in findings:
        name = f"{_NAMES[finding.severity]:<{len(_INDENT)}}"
        _wrapped(say, f"{name}{plain(finding.where)}: {plain(finding.what)}", _INDENT, width)
        for label, text in (("why: ", finding.cause), ("do:  ", finding.remedy)):
            if text:
                _wrapped(say, f"{_INDENT}{label}{plain(text)}", _INDENT + " " * len(label), width)


def _wrapped(say: Callable[[str], None], line: str, indent: str, width: int) -> None:
    """Print a line, wrapped where a person reads it; commands to copy are not cut."""
    lines = (
        [line]
        if width <= 2 * len(indent)
        else textwrap.wrap(
            line, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
        )
    )
    for one in lines:
        say(one)


def _as_json(finding: "Finding") -> dict[str, str]:
    return {
        "id": finding.id,
        "severity": finding.severity.value,
        "where": finding.where,
        "what": finding.what,
        "cause": finding.cause,
        "remedy": finding.remedy,
    }
