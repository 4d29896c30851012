"""The lists that clients build on: errors of commands, errors and warnings of codes and locks, events."""

import re
from datetime import UTC, datetime

import pytest

from gateway.domain import errors
from gateway.domain.catalogue import CATALOGUE
from gateway.domain.errors import CommandError
from gateway.domain.events import SECURITY_EVENTS, Event
from gateway.domain.issues import Issue

NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)


class TestCommandErrors:
    """Their `type` is what goes over MQTT."""

    def test_the_types_are_the_published_ones(self) -> None:
        """A client that branches on them must not be surprised."""
        assert {kind.__name__: kind.type for kind in CommandError.__subclasses__()} == {
            "InvalidInput": "invalid_input",
            "NotFound": "not_found",
            "DuplicateCode": "duplicate_access_code",
            "NotTimeBound": "access_code_not_time_bound",
            "NoBackup": "backup_access_code_not_found",
            "UnsupportedDevice": "unsupported_device",
            "DeviceRefused": "device_refused",
            "TransactionReused": "transaction_reused",
            "Expired": "expired",
            "Overloaded": "overloaded",
            "AnswerNotDelivered": "answer_not_delivered",
            "InternalError": "internal_error",
        }

    def test_every_error_is_drawn_in_the_tree(self) -> None:
        """The picture at the top of the module names each."""
        assert errors.__doc__ is not None
        for kind in CommandError.__subclasses__():
            assert kind.__name__ in errors.__doc__

    def test_message_and_data_are_kept(self) -> None:
        """The message for people, the data for programs."""
        error = errors.InvalidInput("say it otherwise", field="name")
        assert (error.message, error.data, str(error)) == (
            "say it otherwise",
            {"field": "name"},
            "say it otherwise",
        )


class TestIssues:
    """Every error and warning says what to do."""

    @pytest.mark.parametrize("code", sorted(CATALOGUE))
    def test_an_entry_is_complete(self, code: str) -> None:
        """Its code is a name, its remedy a sentence, its event one of a code, a lock or the hub."""
        kind = CATALOGUE[code]
        assert kind.code == code
        assert re.fullmatch(r"[a-z_]+", code)
        assert kind.remedy.endswith(".")
        assert kind.event is None or re.fullmatch(r"(access_code|device|gateway)\.[a-z_]+", kind.event)
        assert Issue(code=code, message="").kind is kind


class TestEvents:
    """What is kept when space runs out."""

    def test_security_events_are_kept_longest(self) -> None:
        """Rule 8: who came in, who changed what, what could not be removed."""
        for event_type in (
            "lock.unlocked",
            "access_code.failed_to_expire",
            "device.wiped",
            "access_code.created",
        ):
            event = Event(
                event_id="e", event_type=event_type, device_id="d", occurred_at=NOON, created_at=NOON
            )
            assert event.security is (event_type != "access_code.created")

    def test_the_events_of_failed_removals_are_security_events(self) -> None:
        """An issue whose event says that a PIN may still open the door must not be dropped first."""
        for code in (
            "failed_to_remove_from_device",
            "failed_to_expire",
            "device_wiped",
            "clock_step_held",
            "removed_from_configuration",
        ):
            assert CATALOGUE[code].event in SECURITY_EVENTS
