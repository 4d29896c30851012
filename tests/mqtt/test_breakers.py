"""A message that breaks the connection is known by its content when it comes again."""

from gateway.mqtt.link_breakers import MOST_BREAKS, Breakers
from gateway.mqtt.link_connection import Incoming


def message(number: int) -> Incoming:
    """Return one of several messages, made anew each time as when it comes again."""
    return Incoming("t", b"%d" % number, retain=False)


def test_each_is_given_up_though_they_come_in_turns() -> None:
    """A broker need not send again in the same order."""
    breakers = Breakers()
    for _ in range(MOST_BREAKS):
        assert not breakers.given_up(message(1))
        breakers.broke(message(1))
        breakers.broke(message(2))
    assert breakers.given_up(message(1))
    assert breakers.given_up(message(2))
    assert not breakers.given_up(message(3))


def test_one_that_got_through_starts_afresh() -> None:
    """Only breaks in a row count."""
    breakers = Breakers()
    for _ in range(2 * MOST_BREAKS):
        breakers.broke(message(1))
        breakers.settled(message(1))
    assert not breakers.given_up(message(1))


def test_one_that_was_answered_shortly_has_one_more_chance() -> None:
    """Sent again later it is tried once, and given up at the next break."""
    breakers = Breakers()
    for _ in range(MOST_BREAKS):
        breakers.broke(message(1))
    breakers.answered_shortly(message(1))
    assert not breakers.given_up(message(1))
    breakers.broke(message(1))
    assert breakers.given_up(message(1))


def test_few_are_remembered() -> None:
    """Messages may be large, and most never come again: the oldest is forgotten for the newest."""
    breakers = Breakers()
    for number in range(100):
        for _ in range(MOST_BREAKS):
            breakers.broke(message(number))
    assert [number for number in range(100) if breakers.given_up(message(number))] == list(range(80, 100))
