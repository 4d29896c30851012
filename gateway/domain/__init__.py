"""Types, rules and the interfaces that drivers and storage implement.

Nothing here does I/O, starts tasks or reads a clock. Start with `credential` (what a lock can hold),
`placement` (desired, confirmed and observed kept apart), then `driver`
and `store` (the two contracts).
"""
