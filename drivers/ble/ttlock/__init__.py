"""Locks of the TTLock family, protocol V3 (2016 and newer), sold under many brands.

`frames` and `cipher` are the bytes on the air, `passcodes`, `records`, `features`, `times` and `adverts` what
they mean; all of these are pure. `conversation` asks and waits for the answer, `clock` keeps the lock's clock
right, `slots` names the codes of a lock that has no names for them, `codes` and `log` are what is done in one
connection, `session` and `lock` are the contract, `pairing` takes over a lock that is new or whose keys are
known.

The protocol is not published. What is here was worked out from how other people's clients talk, and from one
recorded answer of a real lock; docs/bluetooth-ttlock.md says what rests on reading alone.
"""
