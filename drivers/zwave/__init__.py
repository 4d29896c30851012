"""Locks on a Z-Wave network, by way of a zwave-js server.

`settings` is what the configuration names and imports no radio library. `driver` implements the contract;
`connection` keeps the link to the server, `network` knows which node is which lock, `events` turns what the
server tells into what the engine understands, and `session` reads and writes slots: their `codes`, and the
`schedules` of locks that keep windows by themselves, whose `clocks` are kept right.
"""
