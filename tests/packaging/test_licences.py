"""What comes with the product may be passed on under the product's own licence."""

import re
from importlib.metadata import Distribution, distribution

from packaging.requirements import Requirement

# GPL, LGPL, AGPL, with or without a version; and the long names that classifiers use.
COPYLEFT = re.compile(r"\b[AL]?GPL|\bGNU\b|General Public License", re.IGNORECASE)


def run_time_requirements() -> dict[str, Distribution]:
    """Every installed distribution that pinsmith with its demo extra pulls in, by name."""
    found: dict[str, Distribution] = {}
    seen: set[tuple[str, frozenset[str]]] = set()
    waiting = [Requirement("pinsmith[demo]")]
    while waiting:
        requirement = waiting.pop()
        key = (requirement.name.lower(), frozenset(requirement.extras))
        if key in seen:
            continue
        seen.add(key)
        installed = distribution(requirement.name)
        found[requirement.name.lower()] = installed
        for text in installed.requires or []:
            needed = Requirement(text)
            extras = requirement.extras or {""}
            if needed.marker is None or any(needed.marker.evaluate({"extra": extra}) for extra in extras):
                waiting.append(needed)
    del found["pinsmith"]
    return found


def licence(installed: Distribution) -> str:
    """What a distribution says of its licence; of a licence given in full, the heading."""
    metadata = installed.metadata
    heading = (metadata.get("License") or "").strip().split("\n", maxsplit=1)[0]
    classifiers = [text for text in metadata.get_all("Classifier") or [] if text.startswith("License ::")]
    return " | ".join(filter(None, [metadata.get("License-Expression"), heading, *classifiers]))


def test_the_walk_reaches_direct_transitive_and_demo_requirements() -> None:
    """A walk that stops early would prove nothing."""
    assert {"msgspec", "websockets", "amqtt"} <= run_time_requirements().keys()


def test_every_requirement_states_a_licence() -> None:
    """Silence is not permission."""
    assert [name for name, installed in run_time_requirements().items() if not licence(installed)] == []


def test_no_requirement_is_under_a_gpl() -> None:
    """The product is Apache-2.0 and must stay free of GPL, LGPL and AGPL parts."""
    stated = {name: licence(installed) for name, installed in run_time_requirements().items()}

    assert {name: text for name, text in stated.items() if COPYLEFT.search(text)} == {}
