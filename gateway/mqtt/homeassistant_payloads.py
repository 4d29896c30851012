"""What Home Assistant is told to make of the hub and its locks: device discovery. Pure.

One retained message per device, https://www.home-assistant.io/integrations/mqtt/#discovery-payload. All
values come from the topics of `homeassistant_states`, what happens from the events that everybody gets.
"""

from collections.abc import Collection
from typing import Any

from msgspec import UNSET, Struct

from gateway.engine import wire
from gateway.mqtt.topics import Topics

NODE = "pinsmith"
"""Second part of every discovery topic, so that an access list can allow these and no others."""
_EXPIRY_MINUTES = 5
"""A press of a button that reaches the hub later than this is not meant any more."""
_OUTSIDE = ("access_code.modified_external_to_gateway", "access_code.deleted_external_to_gateway")
_OTHERS = ("access_code.unmanaged.created", "access_code.unmanaged.removed")
_TAMPER = ("device.tampered", "device.wiped", "device.replaced", "lock.access_denied")

type Json = dict[str, Any]


class Discovery(Struct, frozen=True, kw_only=True):
    """Where discovery goes, and who speaks. `user` names Home Assistant in the topics of its requests."""

    topics: Topics
    gateway_id: str
    version: str
    prefix: str
    user: str

    @property
    def hub_topic(self) -> str:
        """Return where the hub is told."""
        return f"{self.prefix}/device/{NODE}/{self.gateway_id}/config"

    @property
    def hub_state_topic(self) -> str:
        """Return where the hub's values are."""
        return self.topics.below("bridge/homeassistant")

    def lock_topic(self, device_id: str) -> str:
        """Return where a lock is told. Ids have no capitals: no hub and no lock share one topic."""
        return f"{self.prefix}/device/{NODE}/{self.gateway_id}-LOCK-{device_id}/config"

    def lock_state_topic(self, device_id: str) -> str:
        """Return where a lock's values are."""
        return self.topics.below(f"lock/{device_id}/homeassistant")

    def hub(self, drivers: Collection[str], all_drivers: Collection[str]) -> Json:
        """Return the payload of the hub with a link for each of `drivers`, and none for other ones."""
        it = _Device(self, None, self.hub_state_topic)
        components: Json = {
            # Itself without availability: it says so when everything else is unavailable.
            "online": it.entity(
                "binary_sensor",
                "online",
                "Online",
                state_topic=self.topics.bridge_state,
                value_template="{{ value_json.state }}",
                payload_on="online",
                payload_off="offline",
                device_class="connectivity",
                availability=[],
            ),
            "clock_trusted": it.shown("binary_sensor", "clock_trusted", "Clock trusted", "clock_trusted"),
            "events_waiting": it.entity(
                "sensor",
                "events_waiting",
                "Events waiting for the broker",
                state_topic=self.topics.bridge_health,
                value_template="{{ value_json.events_waiting }}",
                state_class="measurement",
                entity_category="diagnostic",
            ),
            "storage": it.entity(
                "binary_sensor",
                "storage",
                "Storage problem",
                state_topic=self.topics.bridge_health,
                value_template="{{ 'ON' if value_json.storage_trouble else 'OFF' }}",
                device_class="problem",
            ),
            "codes_in_trouble": it.shown(
                "sensor",
                "codes_in_trouble",
                "Codes in trouble",
                "codes_in_trouble",
                state_class="measurement",
            ),
        }
        for driver in sorted(all_drivers):
            key = f"link_{driver}"
            components[key] = (
                it.shown(
                    "binary_sensor", key, f"Link {driver}", f"links.{driver}", device_class="connectivity"
                )
                if driver in drivers
                else _gone("binary_sensor")
            )
        about = {"name": f"Pinsmith {self.gateway_id}", "model": "hub", "sw_version": self.version}
        return it.payload({"manufacturer": "Pinsmith", **about}, [self._bridge], components)

    def lock(self, shown: wire.Device) -> Json:
        """Return the payload of a lock."""
        device_id, known = shown.device_id, shown.properties
        state_topic = self.lock_state_topic(device_id)
        it = _Device(self, device_id, state_topic)
        # While the lock does not answer, what is known stays worth seeing, errors even more so, and somebody
        # may want it looked at.
        always: Json = {"availability": [self._bridge]}
        components: Json = {
            "problem": it.shown(
                "binary_sensor",
                "problem",
                "Problem",
                "problem",
                details="problem_details",
                device_class="problem",
                **always,
            ),
            "in_sync": it.shown("binary_sensor", "in_sync", "In sync", "in_sync"),
            "arrival_at_risk": it.shown(
                "binary_sensor",
                "arrival_at_risk",
                "Arrival at risk",
                "arrival_at_risk",
                details="arrival_details",
                device_class="problem",
                **always,
            ),
            "battery": it.shown(
                "sensor",
                "battery",
                "Battery",
                "battery",
                device_class="battery",
                state_class="measurement",
                unit_of_measurement="%",
                entity_category="diagnostic",
            )
            if known.battery is not UNSET
            else _gone("sensor"),
            "slots_free": it.shown("sensor", "slots_free", "Slots free", "slots_free"),
            "codes": it.shown("sensor", "codes", "Codes on the lock", "codes_on_lock", details="codes"),
            "last_error": it.shown(
                "sensor",
                "last_error",
                "Last error",
                "last_error",
                details="last_error_details",
                entity_category="diagnostic",
                **always,
            ),
            "tamper": it.event("tamper", "Tampering", _TAMPER, **always),
            "outside_change": it.event("outside_change", "Outside change", _OUTSIDE, **always),
            "other_code": it.event("other_code", "Code of others", _OTHERS, **always),
            "resync": it.entity(
                "button",
                "resync",
                "Resync",
                command_topic=self.topics.below(f"request/{self.user}/devices/sync"),
                command_template=_command(device_id),
                qos=1,
                entity_category="config",
                **always,
            ),
        }
        components |= self._uses(it, always, reported=known.has_native_entry_events is not False)
        about = {
            "name": shown.name,
            "manufacturer": known.manufacturer or None,
            "model": known.model or None,
            "serial_number": known.serial_number or None,
            "via_device": f"{NODE}/{self.gateway_id}",
        }
        link = {"topic": state_topic, "value_template": "{{ value_json.link }}"}
        return it.payload(about, [self._bridge, link], components)

    def _uses(self, it: "_Device", always: Json, *, reported: bool) -> Json:
        """Return who came in, unless the lock is known not to tell."""
        if not reported:
            return {"last_use": _gone("sensor"), "use": _gone("event"), "first_use": _gone("event")}
        return {
            "last_use": it.shown(
                "sensor",
                "last_use",
                "Last use",
                "last_used_at",
                details="last_use",
                device_class="timestamp",
                **always,
            ),
            "use": it.event("use", "Use", ("lock.unlocked",), **always),
            "first_use": it.event("first_use", "First use", ("access_code.first_used",), **always),
        }

    @property
    def _bridge(self) -> Json:
        return {"topic": self.topics.bridge_state, "value_template": "{{ value_json.state }}"}


class _Device:
    """Makes the components of one device; `device_id` None: of the hub."""

    def __init__(self, discovery: Discovery, device_id: str | None, state_topic: str) -> None:
        self._discovery = discovery
        self._device_id = device_id
        self._state_topic = state_topic
        self._id = "/".join(filter(None, (NODE, discovery.gateway_id, device_id)))

    def payload(self, about: Json, availability: list[Json], components: Json) -> Json:
        """Return the whole message; what is not known of the device stays away."""
        told = {key: value for key, value in about.items() if value is not None}
        return {
            "device": {"identifiers": [self._id], **told},
            "origin": {"name": "Pinsmith", "sw_version": self._discovery.version},
            "availability": availability,
            "availability_mode": "all",
            "qos": 1,
            "components": components,
        }

    def entity(self, platform: str, key: str, name: str, **more: object) -> Json:
        """Return one component."""
        prefix = f"{NODE}_{self._device_id or self._discovery.gateway_id}".replace("-", "_")
        return {
            "platform": platform,
            "unique_id": f"{self._id}/{key}",
            "default_entity_id": f"{platform}.{prefix}_{key}",
            "name": name,
            **more,
        }

    def shown(
        self, platform: str, key: str, name: str, field: str, details: str | None = None, **more: object
    ) -> Json:
        """Return a component that shows one field of the state, with another one as its attributes."""
        if details is not None:
            template = f"{{{{ value_json.{details} | to_json }}}}"
            more |= {"json_attributes_topic": self._state_topic, "json_attributes_template": template}
        template = f"{{{{ value_json.{field} }}}}"
        return self.entity(
            platform, key, name, state_topic=self._state_topic, value_template=template, **more
        )

    def event(self, key: str, name: str, event_types: Collection[str], **more: object) -> Json:
        """Return a component for events of the lock, whose fields become attributes.

        All listen to one filter and choose by template: on MQTT 5 mosquitto delivers a message once for each
        filter of a client that fits, and Home Assistant hands every copy to all entities that it fits.
        """
        return self.entity(
            "event",
            key,
            name,
            state_topic=self._discovery.topics.event(self._device_id or self._discovery.gateway_id, "+"),
            value_template=f"{{{{ value if value_json.event_type in {list(event_types)} else '' }}}}",
            event_types=list(event_types),
            **more,
        )


def _gone(platform: str) -> Json:
    """Return what makes Home Assistant drop a component that it may know from earlier."""
    return {"platform": platform}


def _command(device_id: str) -> str:
    """Return the template of a command: another transaction each time, and refused when it comes late."""
    expires = f"(utcnow() + timedelta(minutes={_EXPIRY_MINUTES})).strftime('%Y-%m-%dT%H:%M:%SZ')"
    return (
        '{"transaction": "homeassistant-{{ utcnow().timestamp() }}-{{ range(100000) | random }}", '
        f'"expires_at": "{{{{ {expires} }}}}", "device_id": "{device_id}"}}'
    )
