-- What an access code can be beyond a PIN with two times. Nothing here holds a PIN.
ALTER TABLE access_code ADD COLUMN common_code_key TEXT;
ALTER TABLE access_code ADD COLUMN recurrence TEXT;
ALTER TABLE access_code ADD COLUMN is_one_time_use INTEGER NOT NULL DEFAULT 0 CHECK (is_one_time_use IN (0, 1));
ALTER TABLE access_code ADD COLUMN backup TEXT CHECK (backup IN ('waiting', 'pulled'));
ALTER TABLE access_code ADD COLUMN pulled_backup_access_code_id TEXT;
ALTER TABLE access_code ADD COLUMN first_used_at INTEGER;
CREATE INDEX access_code_by_key ON access_code (common_code_key) WHERE common_code_key IS NOT NULL;

-- What became of commands that need the lock. Kept like events.
CREATE TABLE action_attempt (
  number            INTEGER PRIMARY KEY,
  action_attempt_id TEXT NOT NULL UNIQUE,
  action_type       TEXT NOT NULL,
  device_id         TEXT NOT NULL,
  access_code_id    TEXT,
  revision          INTEGER NOT NULL,
  status            TEXT NOT NULL CHECK (status IN ('pending', 'success', 'error')),
  error_type        TEXT,
  error_message     TEXT,
  created_at        INTEGER NOT NULL,
  finished_at       INTEGER,
  CHECK ((status = 'pending') = (finished_at IS NULL)),
  CHECK ((status = 'error') = (error_type IS NOT NULL))
) STRICT;
CREATE INDEX action_attempt_pending ON action_attempt (device_id) WHERE status = 'pending';
