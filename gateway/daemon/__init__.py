"""The daemon: the one place that knows drivers, storage and MQTT all together.

`serving` starts and ends it, `attendant` tells the service manager (`notify`) how it is, `reload` has another
configuration taken over (`takeover`). `wiring` puts the parts together, `drivers` makes those that the
configuration needs (`bluetooth` the one for three families), `broker` and `description` turn settings into
what the link and the people who watch want to know.
"""

from gateway.daemon.serving import run, run_until_signalled, serve

__all__ = ["run", "run_until_signalled", "serve"]
