"""The Bluetooth connection layer, on a radio that is not there."""
