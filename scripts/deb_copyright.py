"""The copyright file of the Debian package: what is inside, and under which licences."""

from email.message import Message
from email.parser import HeaderParser
from pathlib import Path

_HEAD = """Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: pinsmith
Comment: The Python packages in /usr/lib/pinsmith are those of others. What each
 says of its licence stands below, with the texts that came with it.

Files: *
Copyright: the pinsmith contributors
License: Apache-2.0

License: Apache-2.0
 On Debian systems the text of the Apache License, version 2.0, is in
 /usr/share/common-licenses/Apache-2.0.
"""


def copyright_of(packages: Path) -> str:
    """Return the file for the Python packages that are installed in a folder."""
    parts = [_HEAD]
    for folder in sorted(packages.glob("*.dist-info")):
        facts = HeaderParser().parsestr((folder / "METADATA").read_text(encoding="utf-8"))
        if facts["Name"] == "pinsmith":
            continue
        texts = [f"{file.relative_to(folder)}:\n\n{_text(file)}" for file in _files(folder)]
        parts.append(_paragraph(facts, "\n\n".join(texts)))
    return "\n".join(parts)


def _files(folder: Path) -> list[Path]:
    known = ("licen", "copying", "notice", "authors")
    return sorted(
        file
        for file in folder.rglob("*")
        if file.is_file() and (file.name.lower().startswith(known) or "licenses" in file.parts)
    )


def _text(file: Path) -> str:
    """Return a text of a licence. Debian wants those that every system has to be named only."""
    text = file.read_text(encoding="utf-8", errors="replace")
    if "TERMS AND CONDITIONS FOR USE, REPRODUCTION" in text and "Apache License" in text:
        return "The Apache License, version 2.0, as above."
    return text


def _paragraph(facts: Message, texts: str) -> str:
    name = facts["Name"]
    home = facts["Home-page"] or next(
        (url.partition(", ")[2] for url in facts.get_all("Project-URL") or []), "not stated"
    )
    people = facts["Author-email"] or facts["Author"] or facts["Maintainer"] or "see the texts below"
    lines = [
        f"Files: usr/lib/pinsmith (the package {name} {facts['Version']})",
        f"Source: {home}",
        f"Copyright: {' '.join(people.split())}",
        f"License: {name}-says",
        f" {_stated(facts)}",
        *(f" {line.rstrip() or '.'}" for line in texts.splitlines()),
    ]
    return "\n".join(lines) + "\n"


def _stated(facts: Message) -> str:
    """Return what the package says of its licence; of one given in full, the heading."""
    heading = (facts["License"] or "").strip().split("\n", maxsplit=1)[0]
    classifiers = [text for text in facts.get_all("Classifier") or [] if text.startswith("License ::")]
    return "; ".join(filter(None, [facts["License-Expression"], heading, *classifiers])) or "see below"
