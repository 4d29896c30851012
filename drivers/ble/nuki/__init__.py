"""Nuki smart locks with a keypad, by their Bluetooth protocol.

`settings` is what the configuration names. Pure, from the bytes upwards: `frames` (checksum, sealing, putting
indications together), `messages`, `limits` and `records` (what the bytes mean), `errors` (what the lock's
refusals mean), `pairing`. With a connection: `conversation` asks and waits for answers, `session` is the work
on one lock, `log` what it noted, `lock` the configured lock, `introduction` how it is paired. `keys` is what
is kept of a lock in the vault. Where facts come from, and what was never tried on a real lock:
docs/bluetooth.md.
"""
