"""What can be wrong with the broker, or between it and us."""

from collections.abc import Iterator
from datetime import datetime

from msgspec.structs import replace

from gateway.config import BrokerUrl
from gateway.doctor.finding import Finding, Kind, fine, note, problem, warning
from gateway.doctor.probe_broker import BrokerFacts
from gateway.doctor.probe_tls import days_left

SOON_DAYS = 21
"""A certificate that ends within so many days is told."""

_ACL = "Compare its access list with docs/mosquitto.acl, and let mosquitto read it again (SIGHUP)."
KINDS = (
    problem(
        "broker_nobody_listens",
        "nothing listens at {url}",
        "The broker does not run, or listens on another address or port.",
        "Start it (`systemctl status mosquitto`), or correct mqtt.url.",
    ),
    problem(
        "broker_name_not_found",
        "the name in {url} is not found",
        "It is mistyped, or this machine has no name server at the moment.",
        "Correct mqtt.url, or write the address in numbers.",
    ),
    problem(
        "broker_silent",
        "{url} does not answer",
        "The machine is off, or a firewall swallows what is sent.",
        "Look whether the machine is on and reachable, and whether its firewall lets this port through.",
    ),
    problem(
        "broker_unreachable",
        "{url} cannot be reached",
        "This machine has no way to that network.",
        "Look at cable, Wi-Fi and address of this machine.",
    ),
    problem(
        "broker_closed",
        "{url} takes the connection and then hangs up or says nothing",
        "It is not an MQTT broker, or it wants TLS on this port, or it does not take our certificate.",
        "Check the port (1883 plain, 8883 TLS) and mqtts:// in mqtt.url; its log says more.",
    ),
    problem(
        "broker_wants_certificate",
        "{url} hangs up after the encrypted connection was made",
        "Most often it asks for a certificate of this hub, and mqtt.cert_file names none.",
        "Set mqtt.cert_file and mqtt.key_file, or let the broker not ask (`require_certificate false`).",
    ),
    problem(
        "broker_no_tls",
        "no encrypted connection comes about with {url}",
        "The port is not one for TLS, or the two agree on no version of it.",
        "Use the broker's port for TLS, most often 8883.",
    ),
    problem(
        "broker_tls_files",
        "mqtt.ca_file, cert_file or key_file cannot be used",
        "A file is missing, not PEM, encrypted, or key and certificate do not belong together.",
        "Put the right files there, readable for the user of the daemon.",
    ),
    problem(
        "broker_certificate_expired",
        "the certificate of {url} has expired",
        "Nobody renewed it, or the clock of this machine is ahead.",
        "Renew the broker's certificate and restart the broker; check the time with `date`.",
    ),
    problem(
        "broker_certificate_not_yet_valid",
        "the certificate of {url} is not valid yet",
        "Most often the clock of this machine is behind.",
        "Check the time with `date`, and whether a time server is reached (`timedatectl`).",
    ),
    problem(
        "broker_certificate_untrusted",
        "the certificate of {url} is not believed",
        "mqtt.ca_file is not the authority that signed it, or is not set and the system does not know it.",
        "Set mqtt.ca_file to the certificate of the authority that signed the broker's.",
    ),
    problem(
        "broker_certificate_for_another_name",
        "the certificate of {url} is for another name",
        "mqtt.url calls the broker by a name or address that its certificate does not have.",
        "Use the name in the certificate, or make a certificate that names this one.",
    ),
    warning(
        "broker_certificate_ends_soon",
        "the certificate of {url} ends in {days} days",
        "Certificates end. From then on the hub cannot tell or be told anything.",
        "Renew it now and restart the broker.",
    ),
    problem(
        "own_certificate_expired",
        "the hub's certificate mqtt.cert_file has expired",
        "Nobody renewed it.",
        "Make a new one and put it into mqtt.cert_file and mqtt.key_file.",
    ),
    warning(
        "own_certificate_ends_soon",
        "the hub's certificate mqtt.cert_file ends in {days} days",
        "Certificates end.",
        "Make a new one before that.",
    ),
    problem(
        "broker_wrong_password",
        "{url} does not accept user and password",
        "mqtt.username or the content of mqtt.password_file is not what the broker knows.",
        "Correct them, or set the password anew at the broker (`mosquitto_passwd`, then SIGHUP).",
    ),
    problem(
        "broker_no_password",
        "{url} does not let the user of mqtt.username in without a password",
        "mqtt.password_file names none. Where systemd gives it to the service as the credential "
        "mqtt-password, this command sees it as root only, and while the service runs.",
        "With a credential: `systemctl start pinsmith`, then `sudo pinsmith doctor`. Without: set "
        "mqtt.password_file.",
    ),
    warning(
        "broker_not_visited",
        "{url} was not visited: this command does not see what it takes to get in",
        "mqtt.key_file or mqtt.password_file is a credential that systemd gives to the service alone. Root "
        "sees it while the service runs.",
        "`systemctl start pinsmith`, then `sudo pinsmith doctor`.",
    ),
    problem(
        "broker_not_authorised",
        "{url} does not let this user in",
        "It allows nobody without a password, or this user is not on its list.",
        "Set mqtt.username and mqtt.password_file, and add the user at the broker.",
    ),
    problem(
        "broker_wrong_version",
        "{url} does not speak MQTT {version}, but {other}",
        "An older or smaller broker, or one told to speak one version only.",
        'Set version = "{other}" in [mqtt].',
    ),
    problem(
        "broker_refuses",
        "{url} refuses the connection (code 0x{code:02x})",
        "The broker has a reason of its own; its log says which.",
        "Look into the broker's log.",
    ),
    problem(
        "broker_may_not_answer",
        "{url} does not pass answers of the gateway on",
        "The user of mqtt.username may not write below response/, or not read its own answers there.",
        _ACL,
    ),
    problem(
        "broker_may_not_read_requests",
        "commands do not get through {url} to the gateway",
        "The user of mqtt.username may not read request/#. The broker drops them without a word.",
        _ACL,
    ),
    problem(
        "daemon_silent",
        "a daemon is online at the broker and does not answer",
        "Commands do not reach it (it may not read request/#), or it hangs or has another root of topics.",
        f"Look into its log (`journalctl -u pinsmith`). {_ACL}",
    ),
    note(
        "daemon_not_running",
        "no daemon of this gateway is at the broker",
        "It is stopped, it did not start, or it was never started. If the broker still calls it online, that "
        "is an older word: a power cut leaves it standing.",
        "`systemctl start pinsmith`, unless you stopped it yourself.",
    ),
    problem(
        "daemon_not_at_broker",
        "a daemon runs here and is not at the broker",
        "It cannot get in, or it has another configuration than this one.",
        "Look into its log (`journalctl -u pinsmith`), and restart it once the broker is right.",
    ),
    problem(
        "two_hubs",
        "another hub is at the broker under the name {gateway}",
        "Two daemons have the same gateway.id: a second machine, or a copied card.",
        "Stop one of them, or give it its own gateway.id. Two hubs on one lock undo each other's codes.",
    ),
    problem(
        "client_id_taken_over",
        "the daemon was thrown out of the broker {count} times by another client of the same id",
        "Two hubs have the same gateway.id, and the broker keeps only the newer connection.",
        "Stop one of them, or give it its own gateway.id.",
    ),
    warning(
        "events_waiting",
        "{count} events wait for the broker",
        "The broker was away for long, or refuses them.",
        "If the number does not fall, look whether this user may write below event/.",
    ),
    warning(
        "states_refused",
        "the broker refused {count} messages of the daemon that show how it, its locks and codes are",
        "Its user may not write below lock/, access_code/ or bridge/, or not below homeassistant/.",
        "Compare the broker's access list with `docs/mosquitto.acl`.",
    ),
    problem(
        "configuration_refused",
        "the daemon did not take over the configuration: {mistake}",
        "The file was read again and has a mistake, or what it asks for is not possible now.",
        "Correct that, then `systemctl reload pinsmith`. Until then the daemon runs by the file of before.",
    ),
    warning(
        "restart_needed",
        "not taken over before a restart: {settings}",
        "These settings were changed in the file since the daemon was started.",
        "When it suits: `systemctl restart pinsmith`.",
    ),
    problem(
        "daemon_storage_trouble",
        "the daemon says that its database cannot be used",
        "The disk is full or read-only, or the file is damaged.",
        "See what is said here about disk and database, and its log.",
    ),
)
_BY_ID: dict[str, Kind] = {kind.id: kind for kind in KINDS}
_WRONG_PASSWORD, _NOT_AUTHORISED, _NO_SUCH_VERSION = 0x86, 0x87, 0x84
_MANY_EVENTS = 1000


def as_of_now(facts: BrokerFacts, *, runs_here: bool | None) -> BrokerFacts:
    """Return a visit without what the broker still has of a daemon that is gone.

    A will does not outlive a power cut, and the retained "online" and the health of before do. So without a
    daemon here they count only where one answers, which is another hub then.
    """
    if runs_here is False and facts.daemon_answers is False:
        return replace(facts, state="offline", health=None, daemon_answers=None)
    return facts


def check_broker(
    facts: BrokerFacts,
    *,
    url: BrokerUrl,
    version: str,
    has_user: bool,
    has_password: bool,
    gateway: str,
    runs_here: bool | None,
    now: datetime,
) -> Iterator[Finding]:
    """Judge a visit to the broker.

    `has_user`, `has_password`: we gave a name, and a password with it. `runs_here`: a daemon works on our
    data directory; None: not known.
    """
    yield from _certificates(facts, url, now)
    if facts.other_version is not None:
        yield _BY_ID["broker_wrong_version"].found(
            "broker", url=url, version=version, other=facts.other_version
        )
    elif facts.failure is not None:
        yield _BY_ID[f"broker_{facts.failure}"].found("broker", url=url)
    elif facts.refusal is not None:
        # mosquitto says "not authorised" of a wrong password too.
        wrong = "broker_wrong_password" if has_password else "broker_no_password"
        name = {_WRONG_PASSWORD: wrong, _NOT_AUTHORISED: wrong if has_user else "broker_not_authorised"}
        kind = _BY_ID[name.get(facts.refusal, "broker_refuses")]
        yield kind.found("broker", url=url, code=facts.refusal)
    else:
        yield from _rights(facts, url)
        yield from _daemon(facts, gateway, runs_here)


def _certificates(facts: BrokerFacts, url: BrokerUrl, now: datetime) -> Iterator[Finding]:
    if facts.expiry.broker is not None and (days := days_left(facts.expiry.broker, now)) < SOON_DAYS:
        yield _BY_ID["broker_certificate_ends_soon"].found("broker", url=url, days=days)
    if facts.expiry.own is not None and (days := days_left(facts.expiry.own, now)) < SOON_DAYS:
        name = "own_certificate_expired" if days < 0 else "own_certificate_ends_soon"
        yield _BY_ID[name].found("broker", days=days)


def _rights(facts: BrokerFacts, url: BrokerUrl) -> Iterator[Finding]:
    wrong = False
    if not (facts.may_read_answers and facts.may_send_answers):
        wrong = True
        yield _BY_ID["broker_may_not_answer"].found("broker", url=url)
    if facts.may_read_requests is False:
        wrong = True
        yield _BY_ID["broker_may_not_read_requests"].found("broker", url=url)
    if not wrong:
        yield fine("broker", f"{url} takes us, and messages come through")


def _daemon(facts: BrokerFacts, gateway: str, runs_here: bool | None) -> Iterator[Finding]:  # noqa: FBT001 - a fact
    if facts.state == "online":
        if runs_here is False:
            yield _BY_ID["two_hubs"].found("broker", gateway=gateway)
        if facts.daemon_answers is False:
            yield _BY_ID["daemon_silent"].found("broker")
    elif runs_here:
        yield _BY_ID["daemon_not_at_broker"].found("broker")
    else:
        yield _BY_ID["daemon_not_running"].found("broker")
    health = facts.health if facts.state == "online" else None
    if health is None:
        return
    if taken := int((health.get("mqtt") or {}).get("taken_over") or 0):
        yield _BY_ID["client_id_taken_over"].found("broker", count=taken)
    if (waiting := int(health.get("events_waiting") or 0)) > _MANY_EVENTS:
        yield _BY_ID["events_waiting"].found("broker", count=waiting)
    if refused := int((health.get("counters") or {}).get("states_refused") or 0):
        yield _BY_ID["states_refused"].found("broker", count=refused)
    configuration = health.get("configuration") or {}
    for mistake in configuration.get("mistakes") or ():
        yield _BY_ID["configuration_refused"].found("broker", mistake=mistake)
    if later := configuration.get("restart_needed"):
        yield _BY_ID["restart_needed"].found("broker", settings=", ".join(map(str, later)))
    if health.get("storage_trouble"):
        yield _BY_ID["daemon_storage_trouble"].found("database")
