"""Which PINs a lock takes, and choosing one fairly."""

from collections.abc import Callable, Collection
from functools import lru_cache
from itertools import pairwise, product

from gateway.domain.errors import InvalidInput
from gateway.domain.lock import ConstraintType, PinRules
from gateway.domain.pin import Pin

_TRIES = 20_000
_SHORTEST = 4
"""Shorter PINs are found by trying at the door; they are chosen only where the lock takes no other."""
_DISTINCT = 3
_RUN = 3


def broken_rule(pin: Pin, rules: PinRules) -> str | None:
    """Say in plain words which rule is broken, or None. The sentence does not hold the PIN."""
    digits = pin.reveal()
    if len(digits) not in rules.lengths:
        return f"the lock takes PINs of {_listed(rules.lengths)} characters, this one has {len(digits)}"
    if any(character not in rules.alphabet for character in digits):
        return f"the lock takes only the characters {rules.alphabet}"
    for constraint in rules.constraints:
        broken, sentence = _CONSTRAINTS[constraint]
        if broken(digits):
            return sentence
    return None


def generate(
    rules: PinRules, taken: Collection[Pin], randbelow: Callable[[int], int], *, length: int | None = None
) -> Pin:
    """Draw a PIN that keeps the rules and is not taken, each such PIN with equal chance.

    `length` is used where the lock takes it, otherwise the shortest length of at least four, otherwise the
    shortest. `randbelow(n)` returns a uniform integer in 0..n-1 from a secure source.

    Raises:
        InvalidInput: no free PIN was found; the lock's rules leave too few. Where so few PINs exist that all
            may be taken, that is known without a draw: a lock in this state is asked about on every turn.
    """
    lengths = sorted(rules.lengths)
    usual = next((enough for enough in lengths if enough >= _SHORTEST), lengths[0])
    chosen = length if length in lengths else usual
    for _ in range(0 if _is_used_up(rules, taken, chosen) else _TRIES):
        pin = Pin("".join(rules.alphabet[randbelow(len(rules.alphabet))] for _ in range(chosen)))
        if pin not in taken and broken_rule(pin, rules) is None and not _clashes(pin, taken, rules):
            return pin
    raise InvalidInput(
        "no free PIN is left that keeps the rules of this lock; choose a longer one", field="code"
    )


def clash(one: Pin, other: Pin, rules: PinRules) -> bool:
    """Say whether a lock cannot tell two PINs apart: equal ones, on some locks those that begin alike."""
    if not rules.prefix_free:
        return one == other
    digits, others = one.reveal(), other.reveal()
    return digits.startswith(others) or others.startswith(digits)


def _clashes(pin: Pin, taken: Collection[Pin], rules: PinRules) -> bool:
    return rules.prefix_free and any(clash(pin, other, rules) for other in taken)


def _is_used_up(rules: PinRules, taken: Collection[Pin], length: int) -> bool:
    """Say whether every PIN of this length that keeps the rules is taken; False where there are too many."""
    if len(rules.alphabet) ** length > _TRIES:
        return False
    fitting = sum(len(pin) == length and broken_rule(pin, rules) is None for pin in set(taken))
    return fitting >= _count(rules.alphabet, length, rules.constraints)


@lru_cache(maxsize=16)
def _count(alphabet: str, length: int, constraints: tuple[ConstraintType, ...]) -> int:
    """Return how many PINs of a length keep the rules; some milliseconds for four digits, hence kept."""
    tests = [_CONSTRAINTS[constraint][0] for constraint in constraints]
    space = map("".join, product(sorted(set(alphabet)), repeat=length))
    return sum(not any(broken(digits) for broken in tests) for digits in space)


def _listed(lengths: tuple[int, ...]) -> str:
    return ", ".join(str(length) for length in sorted(lengths))


def _run(digits: str) -> bool:
    """Say whether three neighbours are equal or consecutive, as in 111, 123 or 987."""
    steps = [ord(b) - ord(a) for a, b in pairwise(digits)]
    return any(one == two and one in {-1, 0, 1} for one, two in pairwise(steps))


def _sequence(digits: str) -> bool:
    steps = {ord(b) - ord(a) for a, b in pairwise(digits)}
    return len(digits) >= _RUN and steps in ({1}, {-1})


_CONSTRAINTS: dict[ConstraintType, tuple[Callable[[str], bool], str]] = {
    "no_zeros": (lambda digits: "0" in digits, "the lock does not take the digit 0"),
    "cannot_start_with_12": (
        lambda digits: digits.startswith("12"),
        "the lock takes no PIN that starts with 12",
    ),
    "no_triple_consecutive_ints": (_run, "the lock takes no three equal or consecutive digits in a row"),
    "no_ascending_or_descending_sequence": (_sequence, "the lock takes no ascending or descending sequence"),
    "at_least_three_unique_digits": (
        lambda digits: len(set(digits)) < _DISTINCT,
        "the lock wants at least three different digits",
    ),
    "no_all_same_digits": (lambda digits: len(set(digits)) == 1, "the lock takes no PIN of one digit only"),
    "unique_first_four_digits": (
        lambda digits: len(set(digits[:4])) < len(digits[:4]),
        "the lock wants the first four digits all different",
    ),
    "cannot_contain_089": (
        lambda digits: any(d in "089" for d in digits),
        "the keypad of this lock has no 0, 8 and 9",
    ),
    "cannot_contain_0789": (
        lambda digits: any(d in "0789" for d in digits),
        "the keypad of this lock has no 0, 7, 8 and 9",
    ),
}
