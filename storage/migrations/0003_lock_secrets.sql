-- What pairing with a lock yielded (keys, its security PIN), as one sealed value that only its driver can read.
-- It goes with its lock.
CREATE TABLE lock_secret (
  device_id TEXT NOT NULL PRIMARY KEY REFERENCES device ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
  sealed    BLOB NOT NULL
) STRICT;
