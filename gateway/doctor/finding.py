"""What a check says: one finding, of a kind that stands in the table of its subject."""

from enum import StrEnum

from msgspec import Struct


class Severity(StrEnum):
    """How bad it is."""

    OK = "ok"
    """Looked at, and as it should be."""
    NOTE = "note"
    """Worth knowing; nothing has to be done."""
    WARNING = "warning"
    """Works today, and will hurt one day."""
    PROBLEM = "problem"
    """Something does not work, or is open to others."""


class Finding(Struct, frozen=True, kw_only=True):
    """One thing that was found. Texts are ours alone and hold no secret."""

    id: str
    severity: Severity
    where: str
    """What it is about: `broker`, `disk`, a lock's id, a key of the configuration."""
    what: str
    cause: str = ""
    remedy: str = ""


class Kind(Struct, frozen=True, kw_only=True):
    """An entry of the table: texts with {places} for what differs from case to case."""

    id: str
    severity: Severity
    what: str
    cause: str
    remedy: str

    def found(self, where: str, /, **values: object) -> Finding:
        """Return a finding of this kind; `values` fill the places."""
        return Finding(
            id=self.id,
            severity=self.severity,
            where=where,
            what=self.what.format(**values),
            cause=self.cause.format(**values),
            remedy=self.remedy.format(**values),
        )


def note(kind_id: str, what: str, cause: str, remedy: str) -> Kind:
    """Return an entry that is worth knowing."""
    return Kind(id=kind_id, severity=Severity.NOTE, what=what, cause=cause, remedy=remedy)


def warning(kind_id: str, what: str, cause: str, remedy: str) -> Kind:
    """Return an entry that will hurt one day."""
    return Kind(id=kind_id, severity=Severity.WARNING, what=what, cause=cause, remedy=remedy)


def problem(kind_id: str, what: str, cause: str, remedy: str) -> Kind:
    """Return an entry about what does not work, or is open to others."""
    return Kind(id=kind_id, severity=Severity.PROBLEM, what=what, cause=cause, remedy=remedy)


def fine(where: str, what: str) -> Finding:
    """Return what was looked at and is as it should be."""
    return Finding(id="fine", severity=Severity.OK, where=where, what=what)
