"""Packs the parts into one file for its owner alone."""

import io
import json
import tarfile
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from gateway.cli.exits import Failure
from storage.private_files import write_new


def pack(target: Path, parts: Mapping[str, object], at: datetime) -> None:
    """Write `target` (.tar.gz, mode 0600), with a JSON file for each part. Raises Failure."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, content in parts.items():
            text = json.dumps(content, ensure_ascii=False, indent=1, default=str).encode()
            # Nothing of the user and the machine: the defaults say root and no name.
            member = tarfile.TarInfo(f"pinsmith-diagnostics/{name}.json")
            member.size, member.mode, member.mtime = len(text), 0o600, int(at.timestamp())
            archive.addfile(member, io.BytesIO(text))
    try:
        write_new(target.absolute(), [packed.getvalue()])
    except FileExistsError:
        raise Failure(f"{target} is there already: nothing was written") from None
    except OSError as error:
        raise Failure(f"{target} cannot be written: {error.strerror}") from None
