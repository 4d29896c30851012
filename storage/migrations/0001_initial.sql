-- Times are milliseconds since 1970, UTC. `sealed` and `pin` are AES-GCM under the key beside the database and
-- bound to their row; nothing else in here may hold a PIN or be computed from one.
-- Foreign keys are checked at the end of a unit, so that its statements may come in any order.

CREATE TABLE meta (
  key   TEXT NOT NULL PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE device (
  device_id TEXT NOT NULL PRIMARY KEY,
  sealed    BLOB NOT NULL
) STRICT;

CREATE TABLE access_code (
  access_code_id TEXT NOT NULL PRIMARY KEY,
  device_id      TEXT NOT NULL REFERENCES device ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
  name           TEXT NOT NULL,
  pin            BLOB NOT NULL,
  revision       INTEGER NOT NULL,
  created_at     INTEGER NOT NULL,
  updated_at     INTEGER NOT NULL,
  starts_at      INTEGER,
  ends_at        INTEGER,
  is_external_modification_allowed INTEGER NOT NULL CHECK (is_external_modification_allowed IN (0, 1)),
  prefer_native_scheduling         INTEGER NOT NULL CHECK (prefer_native_scheduling IN (0, 1)),
  deleted_at     INTEGER
) STRICT;
CREATE INDEX access_code_by_device ON access_code (device_id, created_at);

CREATE TABLE placement (
  access_code_id TEXT NOT NULL PRIMARY KEY
    REFERENCES access_code ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
  device_id      TEXT NOT NULL,
  sealed         BLOB NOT NULL
) STRICT;

CREATE TABLE slot (
  device_id TEXT NOT NULL REFERENCES device ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
  slot      TEXT NOT NULL,
  sealed    BLOB NOT NULL,
  PRIMARY KEY (device_id, slot)
) STRICT;

-- The journal. It outlives locks and codes; what was written goes when the outcome is known.
CREATE TABLE intent (
  number         INTEGER PRIMARY KEY,
  intent_id      TEXT NOT NULL UNIQUE,
  device_id      TEXT NOT NULL,
  access_code_id TEXT,
  slot           TEXT,
  kind           TEXT NOT NULL,
  revision       INTEGER NOT NULL,
  opened_at      INTEGER NOT NULL,
  closed_at      INTEGER,
  outcome        TEXT,
  sealed         BLOB,
  CHECK ((closed_at IS NULL) = (outcome IS NULL)),
  CHECK ((closed_at IS NULL) = (sealed IS NOT NULL))
) STRICT;
CREATE INDEX intent_open ON intent (device_id) WHERE closed_at IS NULL;
CREATE INDEX intent_closed ON intent (closed_at) WHERE closed_at IS NOT NULL;

CREATE TABLE issue (
  device_id      TEXT NOT NULL REFERENCES device ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
  position       INTEGER NOT NULL,
  access_code_id TEXT,
  body           TEXT NOT NULL,
  PRIMARY KEY (device_id, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE announced (
  access_code_id TEXT NOT NULL PRIMARY KEY
    REFERENCES access_code ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
  device_id      TEXT NOT NULL,
  body           TEXT NOT NULL
) STRICT;
CREATE INDEX announced_by_device ON announced (device_id);

-- AUTOINCREMENT: a number once given is never given again, whatever was deleted.
CREATE TABLE event (
  seq            INTEGER PRIMARY KEY AUTOINCREMENT,
  event_id       TEXT NOT NULL UNIQUE,
  event_type     TEXT NOT NULL,
  device_id      TEXT NOT NULL,
  access_code_id TEXT,
  occurred_at    INTEGER NOT NULL,
  created_at     INTEGER NOT NULL,
  security       INTEGER NOT NULL CHECK (security IN (0, 1)),
  payload        TEXT NOT NULL,
  delivered_at   INTEGER
) STRICT;
CREATE INDEX event_undelivered ON event (seq) WHERE delivered_at IS NULL;
CREATE INDEX event_by_device ON event (device_id, seq);
CREATE INDEX event_by_code ON event (access_code_id, seq) WHERE access_code_id IS NOT NULL;

CREATE TABLE reply (
  client         TEXT NOT NULL,
  verb           TEXT NOT NULL,
  transaction_id TEXT NOT NULL,
  digest         BLOB NOT NULL,
  sealed         BLOB NOT NULL,
  stored_at      INTEGER NOT NULL,
  PRIMARY KEY (client, verb, transaction_id)
) STRICT;
CREATE INDEX reply_by_age ON reply (stored_at);

CREATE TABLE tombstone (
  topic TEXT NOT NULL PRIMARY KEY
) STRICT, WITHOUT ROWID;
