"""Locks that speak Bluetooth LE: one connection layer, one folder per family of locks.

`settings` is what the configuration names and imports no radio library. `driver` implements the contract for
the locks of all families; `adapter` has the one scan and gives the turns to connect, `link` is an open
connection. `family` is what a family must bring; no family knows another.
"""
