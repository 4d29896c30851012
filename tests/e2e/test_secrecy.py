"""What finds secrets finds them, in each shape they may have got out in."""

import base64

import pytest

from tests.e2e.secrecy import found

KEY = bytes(range(200, 232))
PIN = "385274"


@pytest.mark.parametrize(
    "leak",
    [
        b"x" + KEY,
        KEY.hex().encode(),
        KEY.hex(":").upper().replace(":", "").encode(),
        KEY[8:16].hex(" ").encode(),
        base64.b64encode(KEY),
        base64.b64encode(b"a" + KEY + b"b"),
        base64.urlsafe_b64encode(b"ab" + KEY),
        repr(b"Q" + KEY).encode(),
        str(list(KEY)).encode(),
        str(int.from_bytes(KEY)).encode(),
    ],
)
def test_a_key_is_found(leak: bytes) -> None:
    """Whole or a piece of it."""
    assert found(KEY, b"before " + leak + b" after")


@pytest.mark.parametrize(
    "leak",
    [
        PIN.encode(),
        f"7{PIN}7".encode(),
        PIN.encode().hex().encode(),
        base64.b64encode(b"code: " + PIN.encode()),
        base64.b64encode(b"pin " + PIN.encode()),
        str(list(PIN.encode())).encode(),
        str(list(map(int, PIN))).encode(),
        int(PIN).to_bytes(4, "little"),
        int(PIN).to_bytes(4, "big").hex().encode(),
    ],
)
def test_a_number_is_found(leak: bytes) -> None:
    """As text and as a lock is told it."""
    assert found(PIN, b"before " + leak + b" after")


def test_a_short_number_counts_where_it_stands_alone() -> None:
    """Four digits are in ids and longer numbers by chance."""
    assert "digits" in found("9731", b"the PIN=9731!")
    assert found("9731", b'{"uptime":197310,"id":"00009731-9731-9731-9731-000000009731"}') == []


def test_nothing_is_found_in_nothing() -> None:
    """A text without the secret."""
    assert found(KEY, bytes(1000)) == found(PIN, b"385 274") == []
    # As four bytes it has an asterisk, which is no pattern.
    assert found("469731", b"\x00\xe3 \x07\x00") == []
