"""What can be wrong with the Z-Wave server and with the nodes that are locks."""

from collections.abc import Iterator, Mapping

from drivers.zwave.network import UNTESTED_DRIVER
from drivers.zwave.settings import ZwaveLockSettings
from drivers.zwave.survey import NodeFacts, ServerFacts
from gateway.doctor.finding import Finding, Kind, fine, note, problem, warning
from gateway.doctor.probe_zwave import LocalServerFacts
from gateway.domain.lock import Identity

OLDEST_DRIVER = (15, 25)
"""zwave-js before 15.25 was not tried."""

KINDS = (
    problem(
        "zwave_nobody_listens",
        "no Z-Wave server listens at {url}",
        "zwave-js-server does not run, or listens on another port.",
        "Start it, or correct drivers.zwave.url.",
    ),
    problem(
        "zwave_name_not_found",
        "the name in {url} is not found",
        "It is mistyped, or there is no name server at the moment.",
        "Correct drivers.zwave.url, or write the address in numbers.",
    ),
    problem(
        "zwave_no_tls",
        "no encrypted connection comes about with {url}",
        "The proxy in front of the server has no certificate that this machine believes, or speaks no TLS.",
        "Mend the proxy's certificate; on this machine itself use ws://127.0.0.1.",
    ),
    problem(
        "zwave_no_server",
        "what listens at {url} is no zwave-js-server",
        "The port belongs to another program; Z-Wave JS UI has its pages and its server on two ports.",
        "Use the port of the websocket server: 3000 unless changed.",
    ),
    problem(
        "zwave_silent",
        "{url} does not answer",
        "The machine is off, a firewall swallows what is sent, or the server hangs.",
        "Look whether the machine is reachable, and restart the server.",
    ),
    problem(
        "zwave_not_ready",
        "the Z-Wave server at {url} hangs up at once",
        "Its driver has not started: the stick is not there, or another program uses it.",
        "Look into the server's log; put the stick in, and end other programs that open it.",
    ),
    problem(
        "zwave_wrong_version",
        "the Z-Wave server at {url} (server {server}) speaks schema {low} to {high}",
        "It is too old or too new for this release, which speaks 49 and 50.",
        "Install @zwave-js/server 3.10 with zwave-js 15.",
    ),
    warning(
        "zwave_driver_untested",
        "zwave-js {driver} runs the stick",
        "This release was tried with zwave-js 15.25 to 15.x; 16 tells changes at the keypad in another way.",
        "Stay with zwave-js 15, or read CHANGELOG.md whether a newer pinsmith knows this one.",
    ),
    problem(
        "zwave_exposed",
        "the Z-Wave server is open to the network at {where}",
        "Unless told otherwise it listens everywhere, without a password: whoever reaches it opens doors.",
        "Start it with `--host 127.0.0.1`; in a container publish the port on 127.0.0.1 only.",
    ),
    problem(
        "zwave_erases_codes",
        "the Z-Wave server erases each lock in its first interview",
        "Its own configuration lacks `interview.queryAllUserCodes`; after a lost cache every interview is a "
        "first one. pinsmith sets the option when it connects, which may be too late.",
        'Put `"interview": {{"queryAllUserCodes": true}}` into the file given with --config, and restart it.',
    ),
    note(
        "zwave_codes_kept_unknown",
        "whether the Z-Wave server erases locks in their first interview could not be seen",
        "A server tells nobody its options, and its process and configuration are not visible from here: on "
        "another machine, in a container, inside Z-Wave JS UI, or of a user whose files you may not read. "
        "pinsmith sets the option when it connects, which may be too late.",
        "Run this with sudo where the server runs. Where that does not help, see for yourself that its "
        "configuration has `interview.queryAllUserCodes` (docs/zwave.md).",
    ),
    warning(
        "zwave_config_open",
        "the Z-Wave server's configuration {path} is open to other users",
        "It was made with the usual mode. It holds the keys of the network.",
        "`chmod 600 {path}`",
    ),
    warning(
        "zwave_cache_open",
        "the Z-Wave server's cache {path} is open to other users",
        "It was made with the usual mode. It holds PINs in clear.",
        "`chmod 700 {path}`",
    ),
    problem(
        "node_missing",
        "{count} nodes of the Z-Wave network fit this lock's configuration; one is needed",
        "The number or name is mistyped, or the lock was excluded. Locks that are there: {locks}.",
        "Correct node or node_name, or include the lock.",
    ),
    problem(
        "node_is_controller",
        "node {node} is the stick itself",
        "The stick has number 1, locks have later ones.",
        "Put the lock's number into node. Locks that are there: {locks}.",
    ),
    problem(
        "node_dead",
        "node {node} does not answer the Z-Wave server, which calls it dead",
        "Its batteries are empty, it is out of range, or it was reset.",
        "Change the batteries and ping it in the server. If that is not it, put a repeater between that can "
        "wake locks (beaming).",
    ),
    warning(
        "node_asleep",
        "node {node} sleeps",
        "Locks listen all the time in short intervals; one that sleeps was included wrongly or is none.",
        "Wake it at the lock; if it stays so, exclude and include it again near the stick.",
    ),
    problem(
        "node_interview_incomplete",
        "the interview of node {node} is not complete",
        "It was out of reach while the server asked what it can do, or the server has just started.",
        "Wait some minutes; then wake the lock and interview it again in the server. First see that the "
        "server keeps codes (queryAllUserCodes).",
    ),
    problem(
        "node_no_codes",
        "node {node} ({label}) offers no user codes",
        "It is not a lock with a keypad, or it was included without security and hides them.",
        "Correct node, or exclude the lock and include it with S2. Locks that are there: {locks}.",
    ),
    problem(
        "node_user_credential",
        "node {node} is managed by User Credential (command class 131)",
        "It is a newer lock than this release knows.",
        "Nothing helps but another lock, or a later pinsmith.",
    ),
    problem(
        "node_without_security",
        "node {node} was included without security",
        "Its keys were not confirmed during inclusion. Anybody nearby can read PINs from the air.",
        "Exclude the lock and include it again with S2 Access Control.",
    ),
    warning(
        "node_s0",
        "node {node} was included with S0",
        "The lock knows nothing better, or inclusion fell back. S0 costs three times the battery.",
        "If its manual mentions S2, exclude it and include it again with its DSK.",
    ),
    note(
        "node_low_class",
        "node {node} has the security class {security}, not S2 Access Control",
        "Another class was granted during inclusion.",
        "It works; to have it as locks should, include it again and grant Access Control.",
    ),
    problem(
        "node_other_lock",
        "node {node} is another lock than the one that pinsmith knows here",
        "The lock was swapped, or the network was made anew and numbers moved.",
        "If you swapped it: `pinsmith locks replace {lock}`; else correct node. Till then it is not written.",
    ),
)
_BY_ID: dict[str, Kind] = {kind.id: kind for kind in KINDS}


def check_server(facts: ServerFacts, local: LocalServerFacts, url: str) -> Iterator[Finding]:
    """Judge the server."""
    if facts.failure == "wrong_version":
        low, high = facts.schemas or (0, 0)
        yield _BY_ID["zwave_wrong_version"].found(
            "zwave", url=url, server=facts.server_version, low=low, high=high
        )
    elif facts.failure is not None:
        yield _BY_ID[f"zwave_{facts.failure}"].found("zwave", url=url)
    else:
        yield fine("zwave", f"server {facts.server_version} with zwave-js {facts.driver_version} answers")
        if not _is_tried(facts.driver_version or ""):
            yield _BY_ID["zwave_driver_untested"].found("zwave", driver=facts.driver_version)
    if local.exposed_at:
        yield _BY_ID["zwave_exposed"].found("zwave", where=", ".join(local.exposed_at))
    if local.keeps_codes is False:
        yield _BY_ID["zwave_erases_codes"].found("zwave")
    elif local.keeps_codes is None and facts.failure is None:
        yield _BY_ID["zwave_codes_kept_unknown"].found("zwave")
    if local.config is not None and local.config.others:
        yield _BY_ID["zwave_config_open"].found("zwave", path=local.config.path)
    if local.cache is not None and local.cache.others:
        yield _BY_ID["zwave_cache_open"].found("zwave", path=local.cache.path)


def check_node(
    lock: str, settings: ZwaveLockSettings, nodes: Mapping[int, NodeFacts], pinned: Identity | None
) -> Iterator[Finding]:
    """Judge the node of one lock; `pinned` is who it was when it was first seen."""
    fitting = [node for node in nodes.values() if _fits(node, settings)]
    locks = ", ".join(
        f"{node.node_id} ({node.name or node.label or '?'})" for node in nodes.values() if node.is_lock
    )
    if len(fitting) != 1:
        yield _BY_ID["node_missing"].found(lock, count=len(fitting), locks=locks or "none")
        return
    [node] = fitting
    found = list(_of_node(lock, node, locks or "none", pinned))
    yield from found
    if not found:
        yield fine(lock, f"node {node.node_id} ({node.label or 'a lock'}) is as it should be")


def _of_node(lock: str, node: NodeFacts, locks: str, pinned: Identity | None) -> Iterator[Finding]:
    about = {"node": node.node_id, "locks": locks, "label": node.label or "unknown", "lock": lock}
    if node.is_controller:
        yield _BY_ID["node_is_controller"].found(lock, **about)
        return
    if node.status in {"dead", "asleep"}:
        yield _BY_ID[f"node_{node.status}"].found(lock, **about)
    if not node.ready:
        yield _BY_ID["node_interview_incomplete"].found(lock, **about)
        return
    if not node.is_lock:
        yield _BY_ID["node_no_codes"].found(lock, **about)
    elif not node.has_user_code or node.uses_user_credential:
        yield _BY_ID["node_user_credential"].found(lock, **about)
    if pinned is not None and pinned.contradicts(node.identity):
        yield _BY_ID["node_other_lock"].found(lock, **about)
    match node.security:
        case "NONE":
            yield _BY_ID["node_without_security"].found(lock, **about)
        case "S0_LEGACY":
            yield _BY_ID["node_s0"].found(lock, **about)
        case "S2_ACCESS_CONTROL" | None:
            pass
        case other:
            yield _BY_ID["node_low_class"].found(lock, security=other, **about)


def _fits(node: NodeFacts, settings: ZwaveLockSettings) -> bool:
    if settings.node is not None:
        return node.node_id == settings.node
    return node.name == settings.node_name


def _is_tried(version: str) -> bool:
    parts = version.split(".")
    if len(parts) < len(OLDEST_DRIVER) or not all(part.isdecimal() for part in parts[:2]):
        return False
    return OLDEST_DRIVER <= (int(parts[0]), int(parts[1])) < (UNTESTED_DRIVER, 0)
