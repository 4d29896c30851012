"""What systemd hands to the daemon, and a broker that asks for it."""

from pathlib import Path
from tempfile import TemporaryDirectory

from tests.hub_guest.guest import Guest
from tests.mqtt.certificates import Authority, Pair

STORE = "/etc/credstore"
CA_FILE, CERT_FILE = "/etc/pinsmith/ca.pem", "/etc/pinsmith/hub.pem"
_BROKER = "/etc/mosquitto/tls"


async def handed_over(guest: Guest) -> None:
    """Put a password, a key to the database and one for TLS into the store; have the broker ask for the last.

    The broker still takes others in clear: who talks to the hub from outside comes through a tunnel.
    """
    with TemporaryDirectory() as folder:
        authority = Authority(Path(folder))
        broker, hub = authority.issue("broker"), authority.issue("hub")
        files = {
            CA_FILE: authority.ca_file,
            CERT_FILE: hub.cert,
            f"{STORE}/pinsmith.tls-key": hub.key,
            f"{_BROKER}/ca.pem": authority.ca_file,
            **_named(broker),
        }
        scripts = [_written(path, file.read_text()) for path, file in files.items()]
    lines = "\n".join(scripts)
    await guest.order(f"""
        install -d -m 700 {STORE}
        printf of-the-hub | install -m 600 /dev/stdin {STORE}/mqtt-password
        head -c 32 /dev/urandom | od -An -v -tx1 | tr -d ' \\n' >{STORE}/pinsmith.key
        chmod 600 {STORE}/*
        install -d {_BROKER}
{lines}
        chown -R mosquitto: {_BROKER}
        chmod 644 {CA_FILE} {CERT_FILE}
        cat >/etc/mosquitto/conf.d/tls.conf <<'END'
listener 8883 127.0.0.1
cafile {_BROKER}/ca.pem
certfile {_BROKER}/broker.pem
keyfile {_BROKER}/broker.key
require_certificate true
END
        systemctl restart mosquitto
    """)


def _named(pair: Pair) -> dict[str, Path]:
    return {f"{_BROKER}/{file.name}": file for file in (pair.cert, pair.key)}


def _written(path: str, text: str) -> str:
    return f"install -m 600 /dev/stdin {path} <<'END'\n{text}END"
