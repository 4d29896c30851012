"""Z-Wave: looks for the server, shows which of its nodes are locks, and asks which to manage."""

import asyncio
from collections.abc import Collection, Iterator, Mapping
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from drivers.zwave.settings import ZwaveLockSettings, ZwaveSettings
from drivers.zwave.survey import NodeFacts, ServerFacts
from gateway.cli.init.draft import LockDraft, Table
from gateway.cli.init.locks import SLOTS_WHY, ask_name_and_id, ask_slots
from gateway.cli.init.questions import NONE, Questions
from gateway.cli.output import plain
from gateway.config.errors import Unexpected
from gateway.doctor.finding import Finding, Severity
from gateway.doctor.probe_zwave import LocalServerFacts, probe_server
from gateway.doctor.zwave import check_node, check_server

HERE = ZwaveSettings()
"""Where the server listens if it is on this machine, and nobody chose another port."""
_UNWISE = {"node_without_security", "node_other_lock"}


class ZwaveDraft(Struct, frozen=True, kw_only=True):
    """What was answered, and what the server knows."""

    table: Table = {}
    nodes: Mapping[int, NodeFacts] = {}


def ask_server(questions: Questions, first: ZwaveSettings = HERE) -> ZwaveDraft:
    """Ask where the server is until one answers, or the person goes on without.

    `first` is looked at before anything is asked.
    """
    questions.heading("Z-Wave")
    server, local = _look(questions, first)
    looked_at, default = first, first.url
    if server.failure is not None:
        questions.say("No Z-Wave server answers there.")
        default = NONE
    while True:
        settings = _ask_url(questions, default)
        if settings is None:
            return ZwaveDraft()
        if settings.url != looked_at.url:
            server, local = _look(questions, settings)
            looked_at = settings
        findings = list(check_server(server, local, settings.url))
        questions.findings(findings)
        table = {"url": settings.url, "allow_plaintext": settings.allow_plaintext or None}
        if server.failure is None:
            return ZwaveDraft(table=table, nodes=server.nodes)
        if questions.one_of("Answer again, or keep it as it is", ("again", "keep"), "again") == "keep":
            return ZwaveDraft(table=table)
        default, looked_at = settings.url, ZwaveSettings(url="ws://127.0.0.1:0")


def ask_nodes(
    questions: Questions, nodes: Mapping[int, NodeFacts], taken: Collection[str]
) -> Iterator[LockDraft]:
    """Show the locks among the nodes, and ask which to manage. `taken` are ids of other locks."""
    locks = [node for node in nodes.values() if node.is_lock]
    unknown = [node for node in nodes.values() if not (node.ready or node.is_lock or node.is_controller)]
    questions.say(f"{len(locks) or 'No'} lock{'' if len(locks) == 1 else 's'} in its network.")
    if unknown:
        questions.say(
            "Not interviewed yet, so they may be locks: "
            + ", ".join(f"node {node.node_id}" for node in unknown)
            + ". Wake them up and start again, or add them to the file later."
        )
    if locks:
        questions.say(SLOTS_WHY)
    ids = set(taken)
    for node in locks:
        findings = list(check_node(f"node {node.node_id}", _as_lock(node), nodes, None))
        questions.list([""])
        questions.list([describe(node)])
        questions.findings(finding for finding in findings if finding.severity is not Severity.OK)
        if not questions.yes(f"Manage node {node.node_id}", default=_is_fit(findings)):
            continue
        name, device_id = ask_name_and_id(questions, node.name or f"Lock {node.node_id}", ids)
        ids.add(device_id)
        yield LockDraft(
            id=device_id,
            settings={
                "name": name,
                "driver": "zwave",
                "node": node.node_id,
                "managed_slots": ask_slots(questions, node.slots),
            },
            found_as=plain(describe(node)),
        )


def describe(node: NodeFacts) -> str:
    """Return a node in one line."""
    parts = [
        f"node {node.node_id}",
        node.name,
        node.label or f"manufacturer {node.identity.manufacturer}",
        None if node.security is None else f"security {node.security}",
        None if node.slots is None else f"{node.slots} slots",
        None if node.battery is None else f"battery {node.battery:.0%}",
    ]
    return ", ".join(part for part in parts if part)


def _look(questions: Questions, settings: ZwaveSettings) -> tuple[ServerFacts, LocalServerFacts]:
    with questions.progress(f"Looking for a Z-Wave server at {settings.url} (up to 30 s)"):
        return asyncio.run(probe_server(settings))


def _ask_url(questions: Questions, default: str) -> ZwaveSettings | None:
    """Return None where there is no Z-Wave."""
    while True:
        settings = questions.ask(f"Address of zwave-js-server ({NONE}: no Z-Wave)", default, _read_url)
        if settings is None or not settings.in_clear:
            return settings
        questions.say(
            "It is another machine: with ws:// everybody on the way can read PINs; wss:// is encrypted."
        )
        if questions.yes("Send PINs over the network in clear", default=False):
            return settings


def _read_url(typed: str) -> ZwaveSettings | None:
    if typed == NONE:
        return None
    expected = f"expected ws://host:port or wss://host:port, or {NONE}"
    try:
        _ = urlsplit(typed).port
        settings = msgspec.convert({"url": typed, "allow_plaintext": True}, ZwaveSettings)
    except (msgspec.ValidationError, ValueError):
        raise Unexpected(expected) from None
    return settings if settings.in_clear else ZwaveSettings(url=typed)


def _as_lock(node: NodeFacts) -> ZwaveLockSettings:
    return ZwaveLockSettings(node=node.node_id)


def _is_fit(findings: Collection[Finding]) -> bool:
    return all(one.severity is not Severity.PROBLEM and one.id not in _UNWISE for one in findings)
