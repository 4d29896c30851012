"""The broker: asked for, and tried before it is believed."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from gateway.cli.asking import client_name
from gateway.cli.init.draft import Table
from gateway.cli.init.questions import NONE, Questions
from gateway.cli.init.writing import PASSWORD_FILE
from gateway.config import BrokerUrl, MqttSettings
from gateway.config.errors import Unexpected
from gateway.config.values import broker_url, username
from gateway.doctor.broker import check_broker
from gateway.doctor.finding import Severity
from gateway.doctor.probe_broker import BrokerFacts, Version, probe_broker

_PLAIN_PORT, _TLS_PORT = 1883, 8883
_WANTS_CERTIFICATE = "wants_certificate"


class BrokerDraft(Struct, frozen=True, kw_only=True):
    """What was answered."""

    url: BrokerUrl = BrokerUrl(scheme="mqtt", host="127.0.0.1", port=_PLAIN_PORT)
    version: Version = "5"
    allow_plaintext: bool = False
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None
    user: str | None = None
    password: str | None = None
    """To be written to the file beside the configuration. Never in a table."""
    password_file: Path | None = None
    """One that was there already."""
    is_online: bool = False
    """A gateway of this id is at the broker now."""

    def __repr__(self) -> str:
        """Say nothing of the password."""
        return f"BrokerDraft({self.url})"

    @property
    def table(self) -> Table:
        """Return the section `[mqtt]`."""
        new = PASSWORD_FILE if self.password is not None else None
        return {
            "url": str(self.url),
            "allow_plaintext": self.allow_plaintext or None,
            "version": None if self.version == "5" else self.version,
            "username": self.user,
            "password_file": new or _text(self.password_file),
            "ca_file": _text(self.ca_file),
            "cert_file": _text(self.cert_file),
            "key_file": _text(self.key_file),
        }


def ask_broker(questions: Questions, gateway_id: str, folder: Path, *, replace_files: bool) -> BrokerDraft:
    """Ask until the broker takes us, or the person goes on nevertheless.

    `folder` is that of the configuration. With `replace_files` a password file there may be written anew.
    """
    questions.heading("The broker")
    questions.say(
        "Commands and events go through an MQTT broker, such as mosquitto on this machine. Answers can hold "
        "PINs: give the hub a user of its own there, and an access list (docs/mosquitto.acl)."
    )
    draft, failure = BrokerDraft(), None
    while True:
        draft = _ask_address(questions, draft)
        if draft.url.scheme == "mqtts":
            draft = _ask_certificates(questions, draft, own=failure == _WANTS_CERTIFICATE)
        draft = _ask_user(questions, draft, folder / PASSWORD_FILE, replace_files=replace_files)
        draft, facts, fits = _try(questions, draft, gateway_id)
        draft, failure = replace(draft, is_online=facts.state == "online"), facts.failure
        if fits:
            return draft
        if questions.one_of("Answer again, or keep it as it is", ("again", "keep"), "again") == "keep":
            return draft


def _try(questions: Questions, draft: BrokerDraft, gateway_id: str) -> tuple[BrokerDraft, BrokerFacts, bool]:
    """Visit the broker and show what is wrong; return what was learned, and whether it fits."""
    facts = _visit(questions, draft, gateway_id)
    if facts.other_version is not None:
        draft = replace(draft, version=facts.other_version)
        questions.say(f"It speaks MQTT {draft.version} and not the newer version: so be it.")
        facts = _visit(questions, draft, gateway_id)
    findings = [
        finding
        for finding in check_broker(
            facts,
            url=draft.url,
            version=draft.version,
            has_user=draft.user is not None,
            has_password=draft.password is not None or draft.password_file is not None,
            gateway=gateway_id,
            runs_here=None,
            now=datetime.now(UTC),
        )
        if finding.id != "daemon_not_running"  # There is none yet.
    ]
    questions.findings(findings)
    return draft, facts, all(finding.severity is not Severity.PROBLEM for finding in findings)


def _visit(questions: Questions, draft: BrokerDraft, gateway_id: str) -> BrokerFacts:
    with (
        _password_file(draft) as password_file,
        questions.progress(f"Trying {draft.url} (up to 20 s)"),
    ):
        settings = MqttSettings(
            url=draft.url,
            version=draft.version,
            username=draft.user,
            password_file=password_file,
            ca_file=draft.ca_file,
            cert_file=draft.cert_file,
            key_file=draft.key_file,
        )
        return probe_broker(settings, f"pinsmith/{gateway_id}", client_name(draft.user))


@contextmanager
def _password_file(draft: BrokerDraft) -> Iterator[Path | None]:
    """Give out a file with the password; a new one is in memory alone, so that nothing is left of it."""
    if draft.password is None:
        yield draft.password_file
        return
    handle = os.memfd_create(PASSWORD_FILE)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(draft.password)
        file.flush()
        yield Path(f"/proc/self/fd/{handle}")


def _ask_address(questions: Questions, last: BrokerDraft) -> BrokerDraft:
    while True:
        url = questions.ask("Address of the broker", str(last.url), broker_url)
        if url.scheme == "mqtts" or url.loopback:
            return replace(last, url=url, allow_plaintext=False)
        questions.say("It is another machine: without encryption everybody on the way can read PINs.")
        if questions.yes("Does it take encrypted connections (TLS)", default=True):
            port = _TLS_PORT if url.port == _PLAIN_PORT else url.port
            secure = BrokerUrl(scheme="mqtts", host=url.host, port=port)
            return replace(last, url=secure, allow_plaintext=False)
        if questions.yes("Send PINs over the network in clear", default=False):
            return replace(last, url=url, allow_plaintext=True)


def _ask_certificates(questions: Questions, last: BrokerDraft, *, own: bool) -> BrokerDraft:
    ca_file = questions.ask(
        f"File with the certificate of who vouches for the broker ({NONE}: the system knows it)",
        _text(last.ca_file) or NONE,
        _file,
    )
    if not own and last.cert_file is None:
        return replace(last, ca_file=ca_file)
    return replace(
        last,
        ca_file=ca_file,
        cert_file=(
            cert_file := questions.ask(
                f"File with a certificate of this hub ({NONE}: the broker asks for none)",
                _text(last.cert_file) or NONE,
                _file,
            )
        ),
        key_file=cert_file
        and questions.ask("File with the key of that certificate", _text(last.key_file) or "", _file),
    )


def _ask_user(questions: Questions, last: BrokerDraft, place: Path, *, replace_files: bool) -> BrokerDraft:
    user = questions.ask(
        f"User of the hub at the broker ({NONE}: it asks for none)",
        last.user or NONE,
        lambda typed: None if typed == NONE else username(typed),
    )
    if user is None:
        return replace(last, user=None, password=None, password_file=None)
    existing = place if place.is_file() and place.stat().st_size else None
    enter = f"Enter: what is in {place}" if existing else "it is tried, and kept in a file of its own"
    while True:
        typed = questions.hidden(f"Password of {user} ({enter})")
        if typed and existing and not replace_files:
            questions.say(f"{place} is there already: press Enter to use it, or start anew with --replace.")
            continue
        return replace(last, user=user, password=typed or None, password_file=None if typed else existing)


def _file(typed: str) -> Path | None:
    if typed == NONE:
        return None
    file = Path(typed).expanduser().absolute()
    if not file.is_file() or not os.access(file, os.R_OK):
        raise Unexpected(f"expected a file that this user may read, or {NONE}")
    return file


def _text(file: Path | None) -> str | None:
    return None if file is None else str(file)
