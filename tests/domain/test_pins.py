"""Which PINs a lock takes, and choosing one fairly."""

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from itertools import cycle, product
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.domain.errors import InvalidInput
from gateway.domain.lock import ConstraintType, PinRules
from gateway.domain.pin import Pin
from gateway.domain.pins import broken_rule, clash, generate

TABLE: dict[ConstraintType, tuple[str, str]] = {
    # constraint: (PINs that keep it, PINs that break it)
    "no_zeros": ("1234 9999", "0123 1230 1203"),
    "cannot_start_with_12": ("2112 1321 11212", "1234 1200 12345"),
    "no_triple_consecutive_ints": ("1124 1242 8998 1357", "1112 0123 9873 4321 55577 90127"),
    "no_ascending_or_descending_sequence": ("1235 1243 1111 8901 43215", "1234 4321 3456 98765 012345"),
    "at_least_three_unique_digits": ("1123 4747479", "1111 1212 747474"),
    "no_all_same_digits": ("1112 2111", "1111 777777"),
    "unique_first_four_digits": ("1234 12344444 9071", "1123 1231 12331"),
    "cannot_contain_089": ("1234 7777", "1034 1834 1934"),
    "cannot_contain_0789": ("1234 6666", "1034 1734 1834 1934"),
}
CONSTRAINTS: list[ConstraintType] = list(TABLE)


class TestRules:
    """Each rule of a keypad, in plain words."""

    @pytest.mark.parametrize("constraint", CONSTRAINTS)
    def test_a_constraint_tells_good_pins_from_bad(self, constraint: ConstraintType) -> None:
        """By the table above; the sentence never holds the PIN."""
        rules = PinRules(constraints=(constraint,))
        good, bad = TABLE[constraint]
        for digits in good.split():
            assert broken_rule(Pin(digits), rules) is None, digits
        for digits in bad.split():
            sentence = broken_rule(Pin(digits), rules)
            assert sentence is not None, digits
            assert digits not in sentence

    def test_lengths_are_a_set_and_no_range(self) -> None:
        """A lock that takes 4 or 6 digits takes no 5."""
        rules = PinRules(lengths=(6, 4))
        assert broken_rule(Pin("7391"), rules) is None
        assert broken_rule(Pin("73918"), rules) == "the lock takes PINs of 4, 6 characters, this one has 5"

    def test_only_the_characters_of_the_keypad_are_taken(self) -> None:
        """A letter, or a digit that the keypad lacks, is refused."""
        assert broken_rule(Pin("12a4"), PinRules()) == "the lock takes only the characters 0123456789"
        assert broken_rule(Pin("1239"), PinRules(alphabet="12345678")) is not None

    def test_every_constraint_counts(self) -> None:
        """The first one broken is told."""
        rules = PinRules(constraints=("no_zeros", "no_all_same_digits"))
        assert broken_rule(Pin("7777"), rules) == "the lock takes no PIN of one digit only"
        assert broken_rule(Pin("0000"), rules) == "the lock does not take the digit 0"


def odometer(alphabet: int, length: int) -> Callable[[int], int]:
    """Return a `randbelow` whose draws run through every combination once before any comes again."""
    draws = cycle(digit for combination in product(range(alphabet), repeat=length) for digit in combination)

    def randbelow(n: int) -> int:
        assert n == alphabet
        return next(draws)

    return randbelow


def replayed(stream: tuple[int, ...]) -> Callable[[int], int]:
    """Return a `randbelow` that gives these draws and then fails."""
    left = list(stream)
    return lambda _: left.pop(0)


class TestChoosing:
    """A generated PIN is any of those allowed, each with equal chance."""

    @settings(max_examples=60)
    @given(
        alphabet=st.sets(st.sampled_from("0123456789"), min_size=1, max_size=6).map("".join),
        length=st.integers(1, 4),
        constraints=st.sets(st.sampled_from(CONSTRAINTS), max_size=3),
        data=st.data(),
    )
    def test_over_the_whole_space_every_allowed_pin_comes_equally_often(
        self, alphabet: str, length: int, constraints: set[ConstraintType], data: st.DataObject
    ) -> None:
        """Drawing every combination once gives every free PIN that keeps the rules exactly once."""
        rules = PinRules(lengths=(length,), alphabet=alphabet, constraints=tuple(sorted(constraints)))
        space = [Pin("".join(chosen)) for chosen in product(alphabet, repeat=length)]
        taken = set(data.draw(st.lists(st.sampled_from(space), max_size=5)))
        allowed = {pin for pin in space if broken_rule(pin, rules) is None} - taken
        randbelow = odometer(len(alphabet), length)
        for _ in range(2):
            found = Counter(generate(rules, taken, randbelow) for _ in allowed)
            assert found == Counter(allowed)

    def test_whatever_the_source_gives_no_pin_is_favoured(self) -> None:
        """Over every stream of three draws: a refused draw leaves no trace in the one that follows."""
        rules = PinRules(lengths=(2,), alphabet="123", constraints=("no_all_same_digits",))
        for tries in (1, 2, 3):
            found: Counter[Pin] = Counter()
            for stream in product(range(3), repeat=2 * tries):
                with suppress(IndexError):
                    found[generate(rules, {Pin("13")}, replayed(stream))] += 1
            assert set(found) == {Pin(digits) for digits in ("12", "21", "23", "31", "32")}
            assert len(set(found.values())) == 1

    def test_every_digit_comes_equally_often_in_every_place(self) -> None:
        """Chi-square over 20,000 PINs of six digits; 27.9 is passed once in a thousand by a fair source."""
        rng = Random(1)
        drawn = [generate(PinRules(lengths=(6,)), (), rng.randrange).reveal() for _ in range(20_000)]
        for digits in zip(*drawn, strict=True):
            counts = Counter(digits)
            assert sum((counts[digit] - 2000) ** 2 / 2000 for digit in "0123456789") < 27.9

    def test_the_length_asked_for_is_used_where_the_lock_takes_it(self) -> None:
        """Otherwise the shortest of at least four, because shorter ones are guessed at the door."""
        rules = PinRules(lengths=(2, 6, 4))
        for asked, got in ((6, 6), (2, 2), (5, 4), (None, 4)):
            assert len(generate(rules, (), lambda _: 7, length=asked)) == got

    def test_a_lock_with_short_pins_only_gets_its_shortest(self) -> None:
        """Nothing else is possible there."""
        assert len(generate(PinRules(lengths=(3, 2)), (), lambda _: 7)) == 2

    @settings(max_examples=100)
    @given(
        alphabet=st.sets(st.sampled_from("0123456789"), min_size=1, max_size=5).map("".join),
        length=st.integers(1, 4),
        constraints=st.sets(st.sampled_from(CONSTRAINTS), max_size=3),
        others=st.sets(st.sampled_from(("7", "77", "12345", "88888")).map(Pin)),
        data=st.data(),
    )
    def test_not_one_pin_is_drawn_where_none_is_left_and_the_last_one_is_found(
        self,
        alphabet: str,
        length: int,
        constraints: set[ConstraintType],
        others: set[Pin],
        data: st.DataObject,
    ) -> None:
        """Whatever else is taken: PINs of other lengths, or such as the rules forbid."""
        rules = PinRules(lengths=(length,), alphabet=alphabet, constraints=tuple(sorted(constraints)))
        space = {Pin("".join(chosen)) for chosen in product(alphabet, repeat=length)}
        allowed = {pin for pin in space if broken_rule(pin, rules) is None}
        forbidden = others | (space - allowed)
        with pytest.raises(InvalidInput, match="no free PIN is left"):
            generate(rules, allowed | forbidden, replayed(()))
        if allowed:
            last = data.draw(st.sampled_from(sorted(allowed, key=Pin.reveal)))
            left = generate(rules, (allowed | forbidden) - {last}, odometer(len(alphabet), length))
            assert left == last

    def test_a_space_without_free_pins_is_an_answer_and_no_endless_search(self) -> None:
        """The refusal names the field and says what to do."""
        taken = [Pin(str(digit)) for digit in range(10)]
        with pytest.raises(InvalidInput, match="no free PIN is left") as told:
            generate(PinRules(lengths=(1,)), taken, odometer(10, 1))
        assert told.value.data == {"field": "code"}


class TestBeginningAlike:
    """On some keypads the shorter of two codes that begin alike opens, whichever is typed."""

    RULES = PinRules(lengths=(4, 5, 6), prefix_free=True)

    @given(one=st.text("0123", min_size=4, max_size=6), other=st.text("0123", min_size=4, max_size=6))
    def test_two_pins_clash_exactly_where_one_begins_with_the_other(self, one: str, other: str) -> None:
        """Whichever is the longer one. Elsewhere only equal ones do."""
        shared = min(len(one), len(other))
        assert clash(Pin(one), Pin(other), self.RULES) == (one[:shared] == other[:shared])
        assert clash(Pin(other), Pin(one), self.RULES) == clash(Pin(one), Pin(other), self.RULES)
        assert clash(Pin(one), Pin(other), PinRules()) == (one == other)

    @settings(max_examples=60)
    @given(
        taken=st.lists(st.text("012", min_size=4, max_size=6).map(Pin), max_size=20),
        length=st.sampled_from((4, 5, 6)),
        seed=st.integers(0, 1000),
    )
    def test_a_generated_pin_begins_like_no_other(self, taken: list[Pin], length: int, seed: int) -> None:
        """Shorter and longer ones alike."""
        rules = PinRules(lengths=(4, 5, 6), alphabet="012", prefix_free=True)
        pin = generate(rules, taken, Random(seed).randrange, length=length)
        digits = pin.reveal()
        for other in (one.reveal() for one in taken):
            assert not digits.startswith(other)
            assert not other.startswith(digits)
