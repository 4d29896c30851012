"""The bytes: against a recorded answer of a real lock, against somebody else's code, and damaged."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ttlock_ble import commands as theirs
from ttlock_ble.crypto import aes_encrypt, crc_compute
from ttlock_ble.models import LockVersion
from ttlock_ble.protocol import Frame as TheirFrame

from drivers.ble.ttlock.adverts import beacon_of
from drivers.ble.ttlock.cipher import decrypt, encrypt
from drivers.ble.ttlock.features import read_features
from drivers.ble.ttlock.frames import HEADER, TRAILER, Assembler, Version, crc8, encode, pieces
from drivers.ble.ttlock.passcodes import Entry, Kind, add, delete, read_page
from drivers.ble.ttlock.records import read_log_page
from drivers.ble.ttlock.times import OPEN_END, OPEN_START, Window, read_date

KEY = bytes(range(16))


@given(st.binary(max_size=60))
def test_checksums_are_those_of_another_client(data: bytes) -> None:
    """It has them in a table taken from the vendor's library."""
    assert crc8(data) == crc_compute(data)


@pytest.mark.parametrize(
    "recorded",
    [
        "7f5a0503010001000107aa10ade4c30cccffef87e7a4b85e76213d43fe0d0a",
        "7f5a0503020001000154aa102d2f9276f7eea8794974e465f0e99e18090d0a",
        "7f5a0503020001000154aa20df862dda9de19dbdf73afce5eb29d32a24feca385bf44991075a85692353d6acd00d0a",
    ],
)
def test_checksums_are_those_of_a_real_lock(recorded: str) -> None:
    """The last two were published for having a wrong one: they have the vendor's."""
    (frame,) = Assembler().feed(bytes.fromhex(recorded))
    assert frame.crc_fits


@given(st.binary(max_size=200))
def test_encryption_is_that_of_another_client(data: bytes) -> None:
    """And comes back."""
    assert encrypt(data, KEY) == aes_encrypt(data, KEY)
    assert decrypt(encrypt(data, KEY), KEY) == data


def test_a_frame_is_that_of_another_client() -> None:
    """Byte by byte, with the end mark."""
    version = LockVersion(protocolType=5, protocolVersion=3, scene=1, groupId=1, orgId=1)
    frame = TheirFrame.for_lock(version, 0x03, b"\x01").encrypt_data(KEY)
    assert encode(Version(), 0x03, encrypt(b"\x01", KEY)) == frame.build()


def test_requests_are_those_of_another_client() -> None:
    """Add and delete, as far as it has them."""
    window = Window(read_date(bytes((26, 7, 1, 15, 0))), read_date(bytes((26, 7, 4, 11, 30))))
    assert add("4711", window) == theirs.payload_passcode_add(3, "4711", "2607011500", "2607041130")
    assert add("4711", None) == theirs.payload_passcode_add(1, "4711", "0001010000")
    entry = Entry(kind=Kind.PERMANENT, current="4711", original="1234")
    assert delete(entry, entry.current) == theirs.payload_passcode_delete(1, "4711")


def test_a_recorded_list_is_understood() -> None:
    """A real lock answered this."""
    page = read_page(bytes.fromhex("001700b4140106313233343536063132333435360001010000"))
    assert page.entries == (Entry(kind=1, current="123456", original="123456"),)
    assert page.following == 0xB4
    assert (page.entries[0].start, page.entries[0].end) == (OPEN_START, OPEN_END)


@given(st.lists(st.binary(min_size=1, max_size=255), min_size=1, max_size=4), st.data())
def test_frames_are_found_whatever_the_pieces(datas: list[bytes], data: st.DataObject) -> None:
    """Split anywhere, with noise before."""
    stream = b"\x7f\x00" + b"".join(encode(Version(), 0x54, each) for each in datas)
    assembler, found = Assembler(), []
    while stream:
        size = data.draw(st.integers(1, 60))
        found += assembler.feed(stream[:size])
        stream = stream[size:]
    assert [frame.data for frame in found] == datas
    assert all(frame.crc_fits for frame in found)


def test_a_wrong_checksum_is_told_and_no_reason_to_drop_a_frame() -> None:
    """The trailer and the length are right."""
    frame = bytearray(encode(Version(), 0x54, b"abc"))
    frame[-3] ^= 1
    (found,) = Assembler().feed(bytes(frame))
    assert found.data == b"abc"
    assert not found.crc_fits


def test_the_end_mark_and_the_head_may_stand_in_the_data() -> None:
    """The length says where a frame ends."""
    data = b"12" + TRAILER + HEADER + b"34" + TRAILER
    (found,) = Assembler().feed(encode(Version(), 0x54, data))
    assert found.data == data


def test_a_lost_piece_costs_one_frame_only() -> None:
    """The next one is found."""
    torn = pieces(encode(Version(), 0x54, bytes(40)))
    assembler = Assembler()
    assert assembler.feed(torn[0] + torn[2]) == []
    found = assembler.feed(encode(Version(), 0x54, b"next") + encode(Version(), 0x54, b"after"))
    assert [frame.data for frame in found][-1] == b"after"


@given(st.binary(max_size=80))
def test_nonsense_is_an_error_and_shows_nothing(data: bytes) -> None:
    """Lists and logs of a broken lock end in ValueError at most."""
    for read in (read_page, read_log_page):
        try:
            read(data)
        except ValueError as error:
            assert not any(digit in str(error) for digit in "0123456789")  # noqa: PT017 - it need not be raised


def test_digits_of_a_wrong_code_are_dropped_at_once() -> None:
    """They may be the PIN of another door."""
    record = bytes((7, 26, 7, 1, 15, 0, 0, 90, 4)) + b"4711"
    page = read_log_page(len(record).to_bytes(2) + b"\0\1" + bytes((len(record),)) + record)
    assert (page.records[0].original, page.records[0].typed) == ("", "")
    assert "4711" not in repr(page.records)


def test_features_count_across_words() -> None:
    """The first word has the lowest bits; the battery comes before."""
    told = read_features(bytes((55,)) + (1 << 7).to_bytes(4) + (1 << 8).to_bytes(4))
    assert told.bits == 1 << 7 | 1 << 40
    assert told.battery == pytest.approx(0.55)


def test_an_advertisement_is_understood() -> None:
    """The two bytes that Bluetooth takes for a company belong to it."""
    data = bytes((2, 0b1110, 80)) + bytes(5) + bytes.fromhex("0605040302c1")
    beacon = beacon_of({0x0305: data})
    assert beacon is not None
    assert (beacon.new_records, beacon.setting_mode, beacon.touched, beacon.unlocked) == (
        True,
        True,
        True,
        False,
    )
    assert (beacon.battery, beacon.address) == (0.8, "C1:02:03:04:05:06")
    assert beacon_of({0x004C: data}) is None
    assert beacon_of({0x0305: data[:8]}) is None


def test_a_date_that_is_none_does_not_hide_the_other_codes() -> None:
    """A lock that wrote zeros for a date, or was told nonsense by somebody's app, is managed all the same."""
    digits = bytes((4,)) + b"4711"
    odd = bytes((3,)) + digits + digits + bytes(5) + bytes((99, 99, 99, 99, 99))
    good = bytes((1,)) + bytes((4,)) + b"1234" + bytes((4,)) + b"1234" + bytes((26, 1, 1, 0, 0))
    records = bytes((len(odd),)) + odd + bytes((len(good),)) + good
    page = read_page((len(records) + 2).to_bytes(2) + b"\0\0" + records)
    assert [entry.current for entry in page.entries] == ["4711", "1234"]
    assert (page.entries[0].start, page.entries[0].end) == (OPEN_START, OPEN_END)


def test_pages_show_nothing() -> None:
    """Not the digits, nor the bytes that have them."""
    typed = bytes((7, 26, 1, 1, 0, 0, 0, 80, 4)) + b"4711"
    page = read_log_page((len(typed) + 3).to_bytes(2) + b"\0\1" + bytes((len(typed),)) + typed)
    assert page.raw == (typed,)
    assert "4711" not in repr(page)
