"""Names as a lock can store them."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.names import fit


class TestFitting:
    """Printable ASCII, cut, unique where possible."""

    def test_a_name_that_fits_stays(self) -> None:
        """Nothing is changed that need not be."""
        assert fit("Ana Lopez", 20, ()) == "Ana Lopez"

    def test_a_lock_without_names_gets_none(self) -> None:
        """Length 0 means that it stores none."""
        assert fit("Ana", 0, ()) is None

    def test_other_characters_and_blanks_are_made_plain(self) -> None:
        """The number of blanks and what is not ASCII do not matter."""
        assert fit("  Ana\t \u00c1lvarez\n", 20, ()) == "Ana? ?lvarez?"
        assert fit("   ", 20, ()) == "Code"

    def test_a_taken_name_gets_the_next_number(self) -> None:
        """Also where it has to be cut for that."""
        assert fit("Guest", 20, {"Guest"}) == "Guest 2"
        assert fit("Guest", 20, {"Guest", "Guest 2"}) == "Guest 3"
        assert fit("Guest", 5, {"Guest"}) == "Gue 2"

    def test_where_no_number_fits_the_name_is_doubled(self) -> None:
        """A name never stands between a guest and the door."""
        assert fit("G", 1, {"G"}) == "G"
        assert fit("Guest", 6, {"Guest", *(f"Gues {n}" for n in range(10)), *(f"Gue {n}" for n in range(100)),
                                *(f"Gu {n}" for n in range(1000)), *(f"Guest{n}" for n in range(10)),
                                *(f"Guest {n}" for n in range(10))}) == "Guest"  # fmt: skip

    def test_a_number_needs_a_name_before_it(self) -> None:
        """A name that begins with a blank would come back from the lock without it."""
        assert fit("Guest", 2, {"Gu"}) == "Gu"

    def test_a_stored_name_stays_while_it_fits(self) -> None:
        """Deleting one of ten guests rewrites none of the others."""
        assert fit("Guest", 20, (), stored="Guest 7") == "Guest 7"
        assert fit("Guest", 20, {"Guest 7"}, stored="Guest 7") == "Guest"
        assert fit("Ana", 20, (), stored="Guest 7") == "Ana"
        assert fit("Guest", 20, (), stored="Guest 07") == "Guest"
        assert fit("Guest", 20, (), stored="Guest 1") == "Guest"
        assert fit("Guest", 5, (), stored="Gue 2") == "Gue 2"

    @given(st.text(max_size=40), st.integers(1, 24), st.lists(st.text(max_size=20), max_size=4))
    def test_what_was_chosen_is_kept_when_others_go(self, name: str, length: int, others: list[str]) -> None:
        """Whatever was taken when it was chosen."""
        taken = {fit(other, length, ()) or "" for other in [name, *others]}
        chosen = fit(name, length, taken)
        assert fit(name, length, taken - {chosen or ""}, stored=chosen) == chosen
        assert fit(name, length, (), stored=chosen) == chosen

    @given(
        st.text(max_size=40) | st.text(alphabet="Gu ", max_size=6),
        st.integers(1, 24),
        st.sets(st.text(alphabet="Gu 2", max_size=5)),
    )
    def test_whatever_is_given_the_lock_can_store_it(self, name: str, length: int, taken: set[str]) -> None:
        """Not empty, not too long, printable, without blanks at its ends; the same for the same input."""
        found = fit(name, length, taken)
        assert found is not None
        assert 1 <= len(found) <= length
        assert all(" " <= character <= "~" for character in found)
        assert found == found.strip()
        assert found == fit(name, length, taken)

    @given(
        st.text(alphabet="Gu \u00e9", max_size=6),
        st.integers(1, 8),
        st.sets(st.sampled_from([*"G?u", "Gu", "Gu 2", "G 2", "G 3", "? 2", "Code", "Code 2", "Co 2"])),
    )
    def test_a_name_is_doubled_only_where_no_number_fits(
        self, name: str, length: int, taken: set[str]
    ) -> None:
        """With so few names taken a number that is free always exists."""
        found = fit(name, length, taken)
        assert found not in taken or length < len("G 2")
