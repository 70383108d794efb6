-- From 2 to 3: leases, turns, expiry, folding, cards. Without STRICT, which SQLite knows since 3.37.
DROP INDEX IF EXISTS pending;
DROP INDEX IF EXISTS queue;
DROP INDEX IF EXISTS finished;
ALTER TABLE deliveries RENAME TO deliveries_2;
ALTER TABLE attempts RENAME TO attempts_2;
ALTER TABLE watched RENAME TO watched_2;
ALTER TABLE notes RENAME TO notes_2;

CREATE TABLE deliveries (
    seq          INTEGER PRIMARY KEY,
    id           TEXT NOT NULL UNIQUE,
    channel      TEXT NOT NULL,
    target       TEXT NOT NULL DEFAULT '',
    lane         TEXT NOT NULL,
    head         INTEGER NOT NULL,
    turn         REAL NOT NULL,
    event_type   TEXT NOT NULL,
    subject      TEXT NOT NULL,
    rule         TEXT NOT NULL DEFAULT 'channel',
    content      TEXT NOT NULL,
    fingerprint  TEXT,
    state        TEXT NOT NULL,
    attempts     INTEGER NOT NULL DEFAULT 0,
    created      REAL NOT NULL,
    due          REAL NOT NULL,
    expires      REAL NOT NULL,
    owner        TEXT,
    alone        INTEGER NOT NULL DEFAULT 0,
    tried        INTEGER NOT NULL DEFAULT 0,
    fence        INTEGER NOT NULL DEFAULT 0,
    leased_until REAL,
    told_in      TEXT,
    ref          TEXT,
    finished     REAL,
    detail       TEXT,
    CHECK (state IN ('pending', 'leased', 'delivered', 'dead', 'suppressed')),
    CHECK ((state IN ('pending', 'leased')) = (finished IS NULL))
);

CREATE INDEX ready ON deliveries (channel, turn, seq, due)
    WHERE head = 1 AND told_in IS NULL AND finished IS NULL;
CREATE INDEX due ON deliveries (channel, due)
    WHERE head = 1 AND told_in IS NULL AND finished IS NULL;
CREATE INDEX lanes ON deliveries (channel, lane, seq, created, finished) WHERE finished IS NULL;
CREATE INDEX expiring ON deliveries (channel, expires, seq)
    WHERE head = 1 AND told_in IS NULL AND finished IS NULL;
CREATE INDEX leases ON deliveries (channel, leased_until) WHERE state = 'leased';
CREATE INDEX folded ON deliveries (told_in) WHERE told_in IS NOT NULL;
CREATE INDEX alike ON deliveries (channel, fingerprint, created) WHERE fingerprint IS NOT NULL;
CREATE INDEX channels ON deliveries (channel, seq);
CREATE INDEX dead ON deliveries (seq, channel, state) WHERE state = 'dead';
CREATE INDEX finished ON deliveries (finished) WHERE finished IS NOT NULL;

CREATE TABLE attempts (
    delivery    INTEGER NOT NULL REFERENCES deliveries (seq) ON DELETE CASCADE ON UPDATE CASCADE,
    number      INTEGER NOT NULL,
    at          REAL NOT NULL,
    seconds     REAL NOT NULL,
    outcome     TEXT NOT NULL,
    status      INTEGER,
    detail      TEXT,
    PRIMARY KEY (delivery, number)
) WITHOUT ROWID;

CREATE TABLE cards (
    channel     TEXT NOT NULL,
    lane        TEXT NOT NULL,
    ref         TEXT NOT NULL,
    written     REAL NOT NULL,
    PRIMARY KEY (channel, lane)
) WITHOUT ROWID;
CREATE INDEX written ON cards (written);

CREATE TABLE watched (
    watch       TEXT NOT NULL,
    name        TEXT NOT NULL,
    value       TEXT NOT NULL,
    PRIMARY KEY (watch, name)
) WITHOUT ROWID;

CREATE TABLE notes (
    name        TEXT PRIMARY KEY,
    value       TEXT NOT NULL
);

INSERT INTO deliveries (seq, id, channel, lane, head, turn, event_type, subject, content, tried, state,
                        attempts, created, due, expires, finished, detail)
SELECT seq, id, channel, grp, 0, created, event_type, subject, content, attempts > 0, state,
       attempts, created, due, created + 86400,
       CASE WHEN state <> 'pending' THEN coalesce(finished, created) END, detail
FROM deliveries_2;
UPDATE deliveries SET head = 1 WHERE seq IN (
    SELECT min(seq) FROM deliveries WHERE finished IS NULL GROUP BY channel, lane);
INSERT INTO attempts (delivery, number, at, seconds, outcome, detail)
SELECT seq, number, at, seconds, outcome, attempts_2.detail
FROM attempts_2 JOIN deliveries ON id = delivery;
INSERT INTO watched (watch, name, value) SELECT watch, name, value FROM watched_2;
INSERT INTO notes (name, value) SELECT name, value FROM notes_2;
DROP TABLE attempts_2;
DROP TABLE deliveries_2;
DROP TABLE watched_2;
DROP TABLE notes_2;
