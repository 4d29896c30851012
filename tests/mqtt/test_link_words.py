"""What the link says of its troubles and settings, and how long it waits before the next try."""

import random
import socket
import ssl
from pathlib import Path

import pytest

from gateway.mqtt.link_backoff import Backoff
from gateway.mqtt.link_settings import LinkSettings, TlsSettings
from gateway.mqtt.link_state import LinkKind, not_reached, refused
from tests.mqtt.link_bed import WILL


class TestWords:
    """States and settings as people see them."""

    @pytest.mark.parametrize("code", range(0x80, 0xA3))
    def test_every_refusal_has_a_sentence(self, code: int) -> None:
        """Codes without words of their own still say where to look."""
        state = refused(code)
        assert state.kind is LinkKind.REFUSED
        assert f"0x{code:02x}" in state.message
        assert state.message.count(". ") >= 1

    @pytest.mark.parametrize(
        ("trouble", "kind", "word"),
        [
            (socket.gaierror(-2, "4711"), LinkKind.UNREACHABLE, "DNS"),
            (UnicodeError("4711"), LinkKind.UNREACHABLE, "DNS"),
            (ConnectionRefusedError(111, "4711"), LinkKind.UNREACHABLE, "Nothing listens"),
            (TimeoutError("4711"), LinkKind.UNREACHABLE, "firewalls"),
            (OSError(113, "4711"), LinkKind.UNREACHABLE, "OSError"),
            (ssl.SSLError(1, "4711"), LinkKind.TLS_FAILED, "8883"),
        ],
    )
    def test_no_foreign_text_gets_in(self, trouble: Exception, kind: LinkKind, word: str) -> None:
        """The kind of an exception is used, what it says is not."""
        state = not_reached(trouble)
        assert state.kind is kind
        assert word in state.message
        assert "4711" not in state.message

    def test_the_password_does_not_print(self) -> None:
        """The settings do not hold it."""
        how = LinkSettings("h", 1, "hub", WILL, username="hub", password=lambda: "correct horse")
        assert "horse" not in f"{how} {how!r}"
        assert how.password() == "correct horse"

    @pytest.mark.parametrize("code", [0x86, 0x87])
    def test_a_password_that_the_broker_refuses_may_be_one_of_the_start(self, code: int) -> None:
        """A credential of systemd stays what it was, however its file changes."""
        assert "credential is renewed by a restart" in refused(code).message

    @pytest.mark.parametrize(
        "wrong",
        [
            {"port": 0},
            {"keepalive_s": 4},
            {"receive_maximum": 0},
            {"session_expiry_s": -1},
            {"max_payload_bytes": 0},
        ],
    )
    def test_settings_out_of_range_are_refused_by_name(self, wrong: dict[str, int]) -> None:
        """The message names the setting."""
        with pytest.raises(ValueError, match=next(iter(wrong))):
            LinkSettings(**{"host": "h", "port": 1, "client_id": "hub", "will": WILL} | wrong)  # type: ignore[arg-type]

    def test_a_client_id_is_required(self) -> None:
        """Without one there is no session to come back to."""
        with pytest.raises(ValueError, match="client_id"):
            LinkSettings("h", 1, "", WILL)

    def test_half_a_client_certificate_is_refused(self) -> None:
        """Certificate and key belong together."""
        with pytest.raises(ValueError, match="key_file"):
            TlsSettings(cert_file=Path("hub.pem"))


class TestBackoff:
    """Delays between tries."""

    def test_doubles_to_a_minute_with_a_random_part(self) -> None:
        """Each delay is its base up to a quarter more."""
        backoff = Backoff(random.Random(7))
        delays = [backoff.next() for _ in range(9)]
        bases = [1, 2, 4, 8, 16, 32, 60, 60, 60]
        assert all(base <= delay <= base * 1.25 for base, delay in zip(bases, delays, strict=True))
        assert len({delay / base for base, delay in zip(bases, delays, strict=True)}) == 9

    def test_begins_again_after_success(self) -> None:
        """Reset means the shortest delay."""
        backoff = Backoff(random.Random(7))
        backoff.to_longest()
        assert backoff.next() >= 60
        backoff.reset()
        assert backoff.next() <= 1.25
