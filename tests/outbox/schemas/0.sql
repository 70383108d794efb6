-- A delivery is one event owed to one channel. Its id is derived from both, so that telling
-- the same event again changes nothing.
CREATE TABLE deliveries (
    seq         INTEGER PRIMARY KEY,      -- the order in which things were observed
    id          TEXT NOT NULL UNIQUE,
    channel     TEXT NOT NULL,
    grp         TEXT NOT NULL,            -- one job's story: kept in order on each channel
    event_type  TEXT NOT NULL,
    subject     TEXT NOT NULL,
    content     TEXT NOT NULL,            -- the event and its rendered message, as JSON
    state       TEXT NOT NULL CHECK (state IN ('pending', 'delivered', 'dead', 'suppressed')),
    attempts    INTEGER NOT NULL DEFAULT 0,
    created     REAL NOT NULL,
    due         REAL NOT NULL,            -- not to be tried before
    finished    REAL,
    detail      TEXT                      -- why it is dead, suppressed or late
) STRICT;

CREATE INDEX pending ON deliveries (channel, grp, seq) WHERE state = 'pending';
CREATE INDEX finished ON deliveries (finished) WHERE state <> 'pending';

CREATE TABLE attempts (
    delivery    TEXT NOT NULL REFERENCES deliveries (id) ON DELETE CASCADE,
    number      INTEGER NOT NULL,
    at          REAL NOT NULL,
    seconds     REAL NOT NULL,
    outcome     TEXT NOT NULL,
    detail      TEXT,
    PRIMARY KEY (delivery, number)
) STRICT, WITHOUT ROWID;

-- What the daemon itself remembers: the tracker's memory, mutes.
CREATE TABLE notes (
    name        TEXT PRIMARY KEY,
    value       TEXT NOT NULL
) STRICT;
