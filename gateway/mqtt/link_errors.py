"""What can go wrong with the link, as its users see it.

LinkError
|-- LinkDown        no connection, or lost before the acknowledgement
|-- NotConnected    a connection did not come about; never leaves the link
`-- PublishRefused  an MQTT 5 broker said no to a message
    `-- MessageTooLarge  or would, because it is larger than the broker takes
NotStored           raised by the handler, not by the link
"""

from gateway.mqtt.link_state import LinkState


class LinkError(Exception):
    """Something went wrong between the hub and the broker."""


class LinkDown(LinkError):
    """There is no connection, or it broke before the broker acknowledged: it may or may not have arrived."""


class PublishRefused(LinkError):
    """An MQTT 5 broker answered a message with an error: trying the same again will not help by itself."""


class MessageTooLarge(PublishRefused):
    """An MQTT 5 broker does not take a message of this size."""


class NotConnected(LinkError):
    """No connection came about; `state` says why."""

    def __init__(self, state: LinkState) -> None:
        super().__init__(state.message)
        self.state = state


class NotStored(Exception):
    """Raised by a handler that could not make a message durable: the broker shall send it again."""
