"""What Home Assistant makes of discovery: pages, payloads and, in `make test-homeassistant`, itself."""
