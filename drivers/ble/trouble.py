"""Why there is no scan, in words for people. Texts of foreign errors go nowhere."""

from bleak.exc import BleakBluetoothNotAvailableError, BleakBluetoothNotAvailableReason, BleakDBusError

_REASONS = {
    BleakBluetoothNotAvailableReason.NO_BLUETOOTH: "there is no Bluetooth adapter",
    BleakBluetoothNotAvailableReason.NO_BLE_CENTRAL_ROLE: "the adapter cannot do Bluetooth LE",
    BleakBluetoothNotAvailableReason.POWERED_OFF: "the Bluetooth adapter is switched off",
    BleakBluetoothNotAvailableReason.DENIED_BY_USER: "access to Bluetooth is denied",
    BleakBluetoothNotAvailableReason.DENIED_BY_SYSTEM: "access to Bluetooth is denied by the system",
    BleakBluetoothNotAvailableReason.DENIED_BY_UNKNOWN: "access to Bluetooth is denied",
}
_DBUS = {
    "org.freedesktop.DBus.Error.ServiceUnknown": "BlueZ does not run: is bluetooth.service started?",
    "org.freedesktop.DBus.Error.NameHasNoOwner": "BlueZ does not run: is bluetooth.service started?",
    "org.freedesktop.DBus.Error.AccessDenied": "access to BlueZ is denied by the rules of D-Bus",
    "org.freedesktop.DBus.Error.UnknownObject": "the Bluetooth adapter is gone",
    "org.freedesktop.DBus.Error.UnknownMethod": "the Bluetooth adapter is gone",
    "org.bluez.Error.NotReady": "the Bluetooth adapter is switched off",
    "org.bluez.Error.NotAuthorized": "access to BlueZ is denied",
    "org.bluez.Error.InProgress": "another program keeps the Bluetooth adapter busy",
}


def in_words(error: BaseException, adapter: str | None) -> str:
    """Return what is wrong with the adapter (None: whichever there is), going by an error of bleak."""
    if isinstance(error, BleakBluetoothNotAvailableError):
        return _REASONS.get(error.reason, "Bluetooth is not available")
    if isinstance(error, BleakDBusError):
        return _DBUS.get(error.dbus_error, "BlueZ refuses to scan")
    if isinstance(error, FileNotFoundError | ConnectionError | EOFError):
        return "there is no way to BlueZ: the system's D-Bus does not answer"
    if adapter is not None and "not found" in str(error):
        return f"there is no Bluetooth adapter {adapter}"
    if isinstance(error, TimeoutError):
        return "BlueZ does not answer"
    return "scanning for Bluetooth devices does not start"
