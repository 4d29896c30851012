"""The sealed file of a backup: any length, and nothing left out, swapped or mixed."""

import io

import pytest

from storage.errors import BackupUnreadable
from storage.sealed_file import Cost, seal, unseal
from tests.storage.samples import KEY
from tests.storage.test_backup import CHEAP, WORDS

PIECE = 64 * 1024


@pytest.mark.parametrize("size", [0, 1, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE])
def test_the_sealed_file_holds_any_length(size: int) -> None:
    """Also those that end exactly with a piece."""
    content = bytes(number % 251 for number in range(size))
    sealed = b"".join(seal(io.BytesIO(content), KEY, WORDS, CHEAP))

    key, pieces = unseal(io.BytesIO(sealed), WORDS)

    assert key == KEY
    assert b"".join(pieces) == content


def test_pieces_cannot_be_left_out_swapped_or_cut_off() -> None:
    """Each is bound to its place, and the last one is marked."""
    front, *pieces = seal(io.BytesIO(bytes(3 * PIECE)), KEY, WORDS, CHEAP)
    one, two, three = pieces

    for forged in (
        [one, two],
        [one],
        [],
        [two, three],
        [one, three],
        [two, one, three],
        [one, two, two, three],
    ):
        _, opened = unseal(io.BytesIO(front + b"".join(forged)), WORDS)
        with pytest.raises(BackupUnreadable):
            list(opened)


def test_pieces_of_two_backups_do_not_mix() -> None:
    """Even under the same passphrase."""
    first, second = (list(seal(io.BytesIO(b"x"), KEY, WORDS, CHEAP)) for _ in range(2))

    _, opened = unseal(io.BytesIO(first[0] + second[1]), WORDS)
    with pytest.raises(BackupUnreadable):
        list(opened)


@pytest.mark.slow
def test_the_default_cost_opens_again() -> None:
    """What users get: 64 MiB, twice."""
    sealed = b"".join(seal(io.BytesIO(b"content"), KEY, WORDS, Cost()))

    key, pieces = unseal(io.BytesIO(sealed), WORDS)
    assert (key, b"".join(pieces)) == (KEY, b"content")
    assert Cost().bearable
