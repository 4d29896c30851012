"""The newest lines of the log, where the journal has them and this user may read it."""

import json
import logging
import re
import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from gateway.cli.report.scrub import Scrub
from gateway.journal import PRIORITIES

UNIT = "pinsmith"
MOST = 2_000
_PATIENCE_S = 30.0
_OURS = re.compile(r"(?:DEBUG|INFO|WARNING|ERROR|CRITICAL) (?:gateway|drivers|storage)[\w.]*: ")
_ELSEWHERE = "(not written by pinsmith's own log, so left out)"
_CLIENT = re.compile(r" client=([\w-]+)")
"""Where fields stand behind the words."""
_SHAPES = {
    "PINSMITH_CODE": re.compile(r"[0-9a-f-]{36}"),
    "PINSMITH_EVENT": re.compile(r"[a-z_.]{1,64}"),
    "PINSMITH_SEQ": re.compile(r"\d{1,15}"),
    "PINSMITH_ATTEMPT": re.compile(r"\d{1,3}"),
    "PINSMITH_TROUBLE": re.compile(r"[a-z_]{1,64}"),
    "PINSMITH_STATE": re.compile(r"begins|ends"),
    "PINSMITH_LASTED_S": re.compile(r"\d{1,9}"),
    "CODE_LINE": re.compile(r"\d{1,5}"),
}


def log_lines(scrub: Scrub) -> object:
    """Return the newest lines, or in words why there are none."""
    command = shutil.which("journalctl")
    if command is None:
        return "there is no journalctl on this machine"
    try:
        done = subprocess.run(  # noqa: S603 - a fixed command
            [command, "-u", UNIT, "-o", "json", "-n", str(MOST), "--no-pager", "--quiet"],
            capture_output=True,
            timeout=_PATIENCE_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return "journalctl did not answer"
    if done.returncode != 0:
        return "this user may not read the journal: run it with sudo, or join the group systemd-journal"
    return list(entries(done.stdout, scrub)) or f"the journal has no lines of the unit {UNIT}"


def entries(output: bytes, scrub: Scrub) -> Iterator[dict[str, object]]:
    """Yield what may be handed on of each line that journalctl printed as JSON."""
    for line in output.splitlines():
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if isinstance(entry, dict):
            yield _entry(_unpacked(entry), scrub)


def _unpacked(entry: dict[str, Any]) -> dict[str, Any]:
    """Return an entry of `logs.format = "json"` with the fields that the journal's own format has."""
    try:
        told = json.loads(entry["MESSAGE"])
        level = logging.getLevelNamesMapping()[told.pop("level").upper()]
        message, _ = told.pop("message"), told.pop("time")
    except (KeyError, TypeError, ValueError, AttributeError):
        return entry
    fields = {f"PINSMITH_{name.upper()}": str(value) for name, value in told.items()}
    return entry | fields | {"MESSAGE": message, "PRIORITY": str(PRIORITIES.get(level, 5))}


def _entry(entry: dict[str, Any], scrub: Scrub) -> dict[str, object]:
    kept: dict[str, object] = {"time": _time(entry.get("__REALTIME_TIMESTAMP"))}
    priority = entry.get("PRIORITY")
    if isinstance(priority, str) and re.fullmatch(r"[0-7]", priority):
        kept["priority"] = int(priority)
    for field in ("PINSMITH_LOGGER", "PINSMITH_LOCK"):
        if isinstance(entry.get(field), str):
            kept[field.removeprefix("PINSMITH_").lower()] = scrub.text(entry[field])
    for field, shape in _SHAPES.items():
        if isinstance(entry.get(field), str) and shape.fullmatch(entry[field]):
            kept[field.removeprefix("PINSMITH_").lower()] = entry[field]
    if isinstance(entry.get("CODE_FILE"), str):
        kept["code_file"] = scrub.text("/".join(entry["CODE_FILE"].split("/")[-2:]))
    message = entry.get("MESSAGE")
    if isinstance(message, str) and _is_ours(entry):
        kept["message"] = scrub.text(_without_client(message, entry.get("PINSMITH_CLIENT")))
    else:
        kept["message"] = _ELSEWHERE
    return kept


def _without_client(message: str, client: object) -> str:
    """Take out what the MQTT client calls itself that a line is about: it may be somebody's name."""
    return Scrub(names=[str(client or ""), *_CLIENT.findall(message)]).known(message)


def _is_ours(entry: dict[str, Any]) -> bool:
    """Say whether our own logging wrote the line, or systemd about the unit: neither quotes exceptions.

    A traceback, or what a library prints, may quote anything.
    """
    logger = entry.get("PINSMITH_LOGGER")
    if isinstance(logger, str):
        return logger.split(".")[0] in {"gateway", "drivers", "storage"}
    if entry.get("SYSLOG_IDENTIFIER") == "systemd" and entry.get("_PID") == "1":
        return True
    return _OURS.match(str(entry.get("MESSAGE"))) is not None


def _time(microseconds: object) -> str | None:
    if not isinstance(microseconds, str) or not re.fullmatch(r"\d{1,16}", microseconds):
        return None
    at = datetime.fromtimestamp(int(microseconds) / 1e6, UTC)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
