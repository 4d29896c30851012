"""Writes docs/errors.md from the catalogue in the code: python -m scripts.make_errors_page."""

from pathlib import Path

from gateway.domain.catalogue import CATALOGUE, IssueKind

PAGE = Path(__file__).parent.parent / "docs" / "errors.md"
_HEAD = """# Errors and warnings

On codes and locks, in `errors` and `warnings`, each with `message`, `remedy` and `created_at`. They go by
themselves when their cause has gone. Errors of a lock are repeated on each of its codes, with
`is_device_error`; a code's own have `is_access_code_error`. Programs branch on the code and must expect codes
that are new to them.

This page is made from the code (`python -m scripts.make_errors_page`).
"""


def page() -> str:
    """Return the page as it should be."""
    sections = [_HEAD]
    for level, title in (("error", "Errors"), ("warning", "Warnings")):
        kinds = [kind for kind in CATALOGUE.values() if kind.level == level]
        sections.append(f"## {title}\n\n" + "\n".join(_section(kind) for kind in kinds))
    return "\n".join(sections)


def _section(kind: IssueKind) -> str:
    told = f"\n\nTold as event: `{kind.event}`." if kind.event is not None else ""
    return f"### `{kind.code}`\n\n{kind.meaning}\n\n**What to do:** {kind.remedy}{told}\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
