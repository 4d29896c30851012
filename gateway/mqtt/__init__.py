"""MQTT: topics, wire formats and the link to the broker. Knows engine and domain, no lock and no database."""
