"""What topics say, and where answers may go."""

import pytest

from gateway.mqtt.topics import Request, Topics

TOPICS = Topics("pinsmith/hub")
ME = Request("me", "access_codes/list")
OWN = "pinsmith/hub/response/me/access_codes/list"


@pytest.mark.parametrize(
    ("tail", "request_"),
    [
        ("me/devices/list", Request("me", "devices/list")),
        ("A-b_9/access_codes/unmanaged/list", Request("A-b_9", "access_codes/unmanaged/list")),
        ("me", None),
        ("me/", None),
        ("/devices/list", None),
        ("me/devices//list", None),
        ("me/devices/list/", None),
        ("m e/devices/list", None),
        ("mé/devices/list", None),
        ("me\n/devices/list", None),
        ("me/devices/list\n", None),
        ("x" * 65 + "/devices/list", None),
        ("me/" + "/".join("abcde"), None),
    ],
)
def test_client_and_verb_are_read_or_refused(tail: str, request_: Request | None) -> None:
    """A request topic has a plain client name and a plain verb, or it is no request."""
    assert TOPICS.request(f"pinsmith/hub/request/{tail}") == request_


def test_topics_of_others_are_no_requests() -> None:
    """Below another root, or none at all, nothing is a request."""
    assert TOPICS.request("pinsmith/other/request/me/devices/list") is None
    assert TOPICS.request("") is None


@pytest.mark.parametrize(
    ("wanted", "answered"),
    [
        (None, OWN),
        ("pinsmith/hub/response/me/my/own/place", "pinsmith/hub/response/me/my/own/place"),
        ("pinsmith/hub/response/other/x", OWN),
        ("pinsmith/hub/response/me", OWN),
        ("pinsmith/hub/response/me/", OWN),
        ("pinsmith/hub/response/me/#", OWN),
        ("pinsmith/hub/response/me/+/x", OWN),
        ("x/pinsmith/hub/response/me/y", OWN),
        ("", OWN),
        ("pinsmith/hub/response/me/1/2/3/4/5/6/7/8", "pinsmith/hub/response/me/1/2/3/4/5/6/7/8"),
        ("pinsmith/hub/response/me/1/2/3/4/5/6/7/8/9", OWN),
        ("pinsmith/hub/response/me" + "/x" * 250, OWN),
        ("pinsmith/hub/response/me/" + "x" * 231, "pinsmith/hub/response/me/" + "x" * 231),
        ("pinsmith/hub/response/me/" + "x" * 232, OWN),
        ("pinsmith/hub/response/me/" + "é" * 116, OWN),
        ("pinsmith/hub/response/me/\ufeffx", OWN),
        ("pinsmith/hub/response/me/\x01", OWN),
        ("pinsmith/hub/response/me/\ufdd0", OWN),
        ("pinsmith/hub/response/me/my place", "pinsmith/hub/response/me/my place"),
    ],
)
def test_answers_stay_with_the_client(wanted: str | None, answered: str) -> None:
    """Whatever response topic comes with a command, the answer goes below the client's own."""
    assert TOPICS.response(ME, wanted) == answered
