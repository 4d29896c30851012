"""The key is made once, kept private, and never made up beside a database that needs another."""

import stat
from pathlib import Path

import pytest

from storage.errors import KeyUnusable, SealBroken, WrongKey
from storage.keys import existing_key, load_key
from storage.store import SqliteStore
from storage.vault import Vault
from tests.storage.samples import KEY, store_everything


def test_is_made_at_the_first_start_and_found_again(data_dir: Path) -> None:
    """A new hub needs no preparation."""
    key = load_key(data_dir, None, random=lambda length: KEY[:length])

    assert key == KEY
    assert load_key(data_dir, None) == KEY
    assert stat.S_IMODE((data_dir / "key").stat().st_mode) == 0o600
    assert [path.name for path in data_dir.iterdir()] == ["key"]


def test_two_hubs_have_different_keys(tmp_path: Path) -> None:
    """The default draws from the system."""
    assert load_key(tmp_path / "one", None) != load_key(tmp_path / "two", None)


def test_a_credential_of_systemd_goes_first(data_dir: Path, tmp_path: Path) -> None:
    """And no key file is made then."""
    (tmp_path / "pinsmith.key").write_text(KEY.hex())

    assert load_key(data_dir, tmp_path) == KEY
    assert not data_dir.exists()


def test_a_credentials_folder_without_ours_changes_nothing(data_dir: Path, tmp_path: Path) -> None:
    """The unit may hand over the broker's password only."""
    assert load_key(data_dir, tmp_path) == load_key(data_dir, None)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o660])
def test_a_key_open_to_others_is_refused(data_dir: Path, mode: int) -> None:
    """The message says the one command that mends it."""
    load_key(data_dir, None)
    (data_dir / "key").chmod(mode)

    with pytest.raises(KeyUnusable, match="chmod 600"):
        load_key(data_dir, None)


@pytest.mark.parametrize(
    "content",
    [b"", KEY.hex().encode()[:-1], KEY.hex().encode() * 2, b"g" * 64, b"\xff" * 64],
    ids=["empty", "cut short", "twice", "no digits", "no text"],
)
def test_a_damaged_key_is_refused_and_not_shown(data_dir: Path, content: bytes) -> None:
    """Guessing at half a key would seal new PINs with it."""
    load_key(data_dir, None)
    (data_dir / "key").write_bytes(content)

    with pytest.raises(KeyUnusable, match="put the right file back") as refused:
        load_key(data_dir, None)
    assert KEY.hex()[:20] not in str(refused.value)


async def test_a_lost_key_is_not_replaced_by_a_new_one(data_dir: Path) -> None:
    """A new one could not open what is there, and would hide that the old one is missing."""
    store = await SqliteStore.open(data_dir, Vault(load_key(data_dir, None)))
    await store.close()
    (data_dir / "key").unlink()

    with pytest.raises(KeyUnusable, match="pinsmith restore"):
        load_key(data_dir, None)
    assert not (data_dir / "key").exists()


def test_a_command_makes_no_key(data_dir: Path, tmp_path: Path) -> None:
    """Only a daemon has a first start. The way to a credential goes before a restore, which costs codes."""
    with pytest.raises(KeyUnusable, match=r"CREDENTIALS_DIRECTORY=/run/credentials/.*install\.md.*restore"):
        existing_key(data_dir, None)
    assert not data_dir.exists()

    (tmp_path / "pinsmith.key").write_text(KEY.hex())
    assert existing_key(data_dir, tmp_path) == KEY
    assert load_key(data_dir, None) == existing_key(data_dir, None)


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    """For instance where a file is in the way."""
    (tmp_path / "data").write_text("")

    with pytest.raises(KeyUnusable, match="cannot be created"):
        load_key(tmp_path / "data", None)


def test_a_key_that_is_no_file_is_named(data_dir: Path) -> None:
    """For instance a folder mounted by mistake."""
    (data_dir / "key").mkdir(parents=True, mode=0o700)

    with pytest.raises(KeyUnusable, match="cannot be read"):
        load_key(data_dir, None)


async def test_a_wrong_key_is_noticed_at_start(data_dir: Path) -> None:
    """Not at the first PIN that does not open, days later."""
    store = await SqliteStore.open(data_dir, Vault(KEY))
    await store.run(store_everything)
    await store.close()

    with pytest.raises(WrongKey, match="restore FILE"):
        await SqliteStore.open(data_dir, Vault(bytes(32)))

    again = await SqliteStore.open(data_dir, Vault(KEY))
    assert await again.run(lambda tx: tx.snapshot("front"))
    await again.close()


def test_a_sealed_value_cut_short_does_not_open(vault: Vault) -> None:
    """At whatever length."""
    sealed = vault.seal(b"1234", b"place")
    assert vault.open(sealed, b"place") == b"1234"

    for length in range(len(sealed)):
        with pytest.raises(SealBroken):
            vault.open(sealed[:length], b"place")
