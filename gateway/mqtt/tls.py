"""Whom to believe on an encrypted connection to the broker."""

import ssl

from gateway.mqtt.link_settings import TlsSettings


def broker_context(tls: TlsSettings) -> ssl.SSLContext:
    """Return what a connection to the broker checks and shows. Reads files: raises OSError or ValueError.

    The broker's certificate must be signed by the authority, be in date and name the host. That it also
    names its signer's key, as Python asks from 3.13 on, is not insisted on: an authority made with a few
    openssl commands, as mosquitto's own pages show it, leaves that out, and it adds no safety.
    """
    context = ssl.create_default_context(cafile=tls.ca_file)
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    if tls.cert_file is not None:
        # Without a password OpenSSL would ask for one on the terminal.
        context.load_cert_chain(tls.cert_file, tls.key_file, password="")
    return context
