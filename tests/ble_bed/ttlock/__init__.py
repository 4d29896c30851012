"""A virtual TTLock of the third generation.

`wire` and `lock` are bytes in and bytes out; `on_air` puts one on the virtual radio. Written from the same
notes as the driver, but of none of its code: a slip of the pen in one of them shows in the other. A slip in
the notes does not; for that there is a client by somebody else (tests/ttlock/test_ttlock_foreign_client.py).
"""
