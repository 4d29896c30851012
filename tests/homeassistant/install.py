"""Prints what the integrations of Home Assistant that the test needs want to have installed.

Runs with the Python that has Home Assistant, which would otherwise fetch these when it starts.
"""

import json
import sys
from importlib.util import find_spec
from pathlib import Path

NEEDED = ("automation", "frontend", "mqtt")


def requirements(components: Path) -> set[str]:
    """Return the requirements of the integrations and of all on which they depend."""
    found: set[str] = set()
    known: set[str] = set()
    ahead = list(NEEDED)
    while ahead:
        domain = ahead.pop()
        if domain not in known:
            known.add(domain)
            manifest = json.loads((components / domain / "manifest.json").read_text())
            found.update(manifest.get("requirements", ()))
            ahead += manifest.get("dependencies", ())
    return found


if __name__ == "__main__":
    spec = find_spec("homeassistant")
    if spec is None or spec.origin is None:
        sys.exit("Home Assistant is not installed here")
    sys.stdout.write("\n".join(sorted(requirements(Path(spec.origin).parent / "components"))) + "\n")
