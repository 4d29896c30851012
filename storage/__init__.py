"""Where the gateway remembers: SQLite with every PIN sealed, its key, and backups of both.

Start with `store` (the one writer), then `sqlite` (a unit and its statements) and `vault` (what seals).
"""
