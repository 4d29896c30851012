"""Reads the configuration: one TOML file into typed, frozen settings, every mistake named at once.

`settings` says what there is, `load` reads it. Nothing here connects to anything, and of the drivers only
their settings modules are known.
"""

from gateway.config.errors import ConfigError, Mistake
from gateway.config.left_out import left_out
from gateway.config.load import load
from gateway.config.settings import (
    BrokerUrl,
    ClockSettings,
    GatewaySettings,
    HomeAssistantSettings,
    LogSettings,
    MqttSettings,
    Settings,
)

__all__ = [
    "BrokerUrl",
    "ClockSettings",
    "ConfigError",
    "GatewaySettings",
    "HomeAssistantSettings",
    "LogSettings",
    "Mistake",
    "MqttSettings",
    "Settings",
    "left_out",
    "load",
]
