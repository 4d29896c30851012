"""A PIN keeps its secret, whatever is done to it."""

import copy
import json
import pickle

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.credential import Credential, Known
from gateway.domain.errors import InvalidInput
from gateway.domain.pin import Pin

SECRET = "739184"
SHAPES = st.text(alphabet=st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=32)


class TestSecrecy:
    """The digits come out by `reveal` and by nothing else."""

    @pytest.mark.parametrize("show", [repr, str, ascii, "{}".format, "{!r:>20}".format])
    def test_printing_hides_the_digits(self, show: object) -> None:
        """No way of formatting shows them."""
        assert callable(show)
        assert SECRET not in str(show(Pin(SECRET)))

    def test_what_contains_a_pin_hides_it_too(self) -> None:
        """A credential, a reading and an exception that hold one print without digits."""
        credential = Credential(pin=Pin(SECRET), name="Ana")
        for holder in (credential, Known(credential), [credential], ValueError(Pin(SECRET))):
            assert SECRET not in repr(holder)

    def test_it_is_not_pickled_or_copied(self) -> None:
        """Pickle, and copying by way of it, refuse."""
        for way in (pickle.dumps, copy.copy, copy.deepcopy):
            with pytest.raises(TypeError, match="a Pin is not pickled"):
                way(Pin(SECRET))

    def test_it_is_not_encoded_by_accident(self) -> None:
        """Neither JSON encoder takes it."""
        with pytest.raises(TypeError) as told:
            json.dumps({"code": Pin(SECRET)})
        assert SECRET not in str(told.value)
        with pytest.raises(TypeError) as said:
            msgspec.json.encode({"code": Pin(SECRET)})
        assert SECRET not in str(said.value)

    def test_it_does_not_change(self) -> None:
        """No attribute can be set, old or new."""
        pin = Pin(SECRET)
        for field in ("_digits", "other"):
            with pytest.raises(AttributeError, match="a Pin does not change"):
                setattr(pin, field, "1234")
        assert pin.reveal() == SECRET


class TestShape:
    """1 to 32 printable ASCII characters without blanks."""

    @given(SHAPES)
    def test_every_such_text_is_kept_as_it_is(self, digits: str) -> None:
        """What goes in comes out, and its length is known."""
        assert Pin(digits).reveal() == digits
        assert len(Pin(digits)) == len(digits)

    @pytest.mark.parametrize(
        "digits",
        [
            "",
            "1" * 33,
            "12 34",
            "1234\n",
            "\n1234",
            "12\x7f4",
            "12\u00e94",
            "\uff11\uff12\uff13\uff14",
            "12\x004",
        ],
    )
    def test_any_other_is_refused_without_echo(self, digits: str) -> None:
        """The refusal names the field and never the value."""
        with pytest.raises(InvalidInput) as told:
            Pin(digits)
        assert told.value.data == {"field": "code"}
        assert told.value.message == "a PIN is 1 to 32 printable ASCII characters without blanks"

    @given(SHAPES, SHAPES)
    def test_pins_are_equal_by_their_digits(self, one: str, other: str) -> None:
        """Also as members of a set; and never equal to the bare text."""
        assert (Pin(one) == Pin(other)) == (one == other)
        assert len({Pin(one), Pin(one)}) == 1
        assert Pin(one) != one
