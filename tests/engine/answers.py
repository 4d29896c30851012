"""Operations as a driver answers them, and what the hub makes of the answer."""

from gateway.domain.credential import Evidence, Reading
from gateway.domain.driver import (
    Written,
)
from gateway.domain.placement import Intent, Placement
from gateway.engine.outcomes import (
    absorb_cleared,
    absorb_written,
)
from gateway.engine.work import Work
from tests.engine.build import (
    NOON,
    SECOND,
    Fact,
    clearing,
    code,
    intent,
)
from tests.engine.working import working

RESERVED = Placement(access_code_id="ana", slot="20")
LEAVING = code(deleted_at=NOON)
NEW = intent(opened_at=NOON - SECOND)
CLEAR = clearing(opened_at=NOON - SECOND)


def written(reading: Reading | None = None, evidence: Evidence = Evidence.SENT) -> Written:
    """Return what the driver says of a write to slot 20."""
    return Written(slot="20", evidence=evidence, reading=reading)


def wrote(outcome: Written, *facts: Fact) -> Work:
    """Take in the outcome of writing Ana's code at noon."""
    tried = next((fact for fact in facts if isinstance(fact, Intent)), NEW)
    work = working(*facts) if tried in facts else working(*facts, tried)
    absorb_written(work, tried, outcome)
    return work


def cleared(outcome: Written, *facts: Fact, of: Intent = CLEAR) -> Work:
    """Take in the outcome of clearing slot 20 at noon."""
    work = working(*facts, of)
    absorb_cleared(work, of, outcome)
    return work
