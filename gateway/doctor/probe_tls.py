"""The certificates on the way to the broker."""

import socket
import ssl
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from msgspec import Struct

from gateway.config import MqttSettings
from gateway.mqtt.link_settings import TlsSettings
from gateway.mqtt.tls import broker_context

_TIMEOUT_S = 5.0
# Numbers of X509_verify_cert_error_string in OpenSSL.
_NOT_YET_VALID, _EXPIRED = 9, 10
_WRONG_NAME = (62, 64)


class Expiry(Struct, frozen=True, kw_only=True):
    """When certificates end; None where there is none, or it was not seen."""

    broker: datetime | None = None
    own: datetime | None = None


def expiries(settings: MqttSettings) -> tuple[str | None, Expiry]:
    """Shake hands with the broker; return why that fails, if it does, and when certificates end."""
    own = _end_of(settings.cert_file) if settings.cert_file is not None else None
    expiry = Expiry(own=own)
    try:
        context = broker_context(TlsSettings(settings.ca_file, settings.cert_file, settings.key_file))
    except (OSError, ValueError):
        return "tls_files", expiry
    host, port = settings.url.host, settings.url.port
    try:
        with (
            socket.create_connection((host, port), timeout=_TIMEOUT_S) as raw,
            context.wrap_socket(raw, server_hostname=host) as secured,
        ):
            der = secured.getpeercert(binary_form=True)
    except (OSError, ValueError) as error:
        return failure_of(error), expiry
    if der is None:
        return None, expiry
    return None, Expiry(broker=x509.load_der_x509_certificate(der).not_valid_after_utc, own=own)


def failure_of(error: Exception) -> str:
    """Return a word for why no connection came about; of the error only type and numbers are used."""
    if isinstance(error, ssl.SSLCertVerificationError):
        if error.verify_code == _EXPIRED:
            return "certificate_expired"
        if error.verify_code == _NOT_YET_VALID:
            return "certificate_not_yet_valid"
        return "certificate_for_another_name" if error.verify_code in _WRONG_NAME else "certificate_untrusted"
    if isinstance(error, ssl.SSLError | ConnectionResetError | BrokenPipeError):
        return "no_tls"
    if isinstance(error, socket.gaierror | UnicodeError):
        return "name_not_found"
    if isinstance(error, ConnectionRefusedError):
        return "nobody_listens"
    if isinstance(error, TimeoutError):
        return "silent"
    return "unreachable"


def _end_of(file: Path) -> datetime | None:
    try:
        return x509.load_pem_x509_certificate(file.read_bytes()).not_valid_after_utc
    except (OSError, ValueError):
        return None


def days_left(end: datetime, now: datetime) -> int:
    """Return whole days until `end`; negative once it is over."""
    return (end - now.astimezone(UTC)).days
