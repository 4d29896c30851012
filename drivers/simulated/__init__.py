"""Locks that exist only in a file: for a first look without hardware, and for tests.

`lock` is one lock as a state machine, `models` the kinds there are. `driver` is the hub's side of the files,
`keypad` the side of a person at the door.
"""
