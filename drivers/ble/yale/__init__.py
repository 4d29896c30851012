"""Locks by Yale and August, and those with a Yale Access module, through the library yalexs-ble.

`lock` is one configured lock and opens its connections, `session` the work in one of them; `pairing` tries
the keys that somebody gave. `activity` and `advert` read what the lock noted and what it advertises, `errors`
puts the library's errors into our words, `keys` is what the vault keeps.
"""
