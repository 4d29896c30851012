"""Record the database of the current format: python -m tests.storage.record_golden.

Run once for each migration, before it is released; a recorded database is never changed again.
"""

from contextlib import closing
from itertools import count
from pathlib import Path

from storage.schema import migrations
from storage.sqlite import check_key, open_database, run_unit
from storage.vault import Vault
from tests.storage.samples import KEY, store_everything


def record() -> None:
    """Write one of everything as SQL text. FileExistsError where the format has been recorded."""
    numbers = count()
    # Numbered instead of random, so that recording again gives the same bytes.
    vault = Vault(KEY, nonce=lambda: next(numbers).to_bytes(12))
    version = migrations()[-1][0]
    with closing(open_database(":memory:")) as connection:
        run_unit(connection, vault, check_key(vault))
        run_unit(connection, vault, store_everything)
        statements = [*connection.iterdump(), f"PRAGMA user_version = {version};"]
    with (Path(__file__).parent / "golden" / f"v{version}.sql").open("x", encoding="utf-8") as file:
        file.writelines(f"{statement}\n" for statement in statements)


if __name__ == "__main__":
    record()
