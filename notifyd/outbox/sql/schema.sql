-- What notifyd still owes and what became of it. Kept to what SQLite 3.24 knows, which is
-- what login nodes with RHEL 8 have.

-- A delivery is one event owed to one channel. Its id is derived from both, so that telling
-- the same event again changes nothing.
CREATE TABLE deliveries (
    seq          INTEGER PRIMARY KEY,      -- the order in which things were observed
    id           TEXT NOT NULL UNIQUE,
    channel      TEXT NOT NULL,
    target       TEXT NOT NULL DEFAULT '', -- the address behind the channel, where there are several
    lane         TEXT NOT NULL,            -- one job's story at one target: kept in order
    head         INTEGER NOT NULL,         -- 1: nothing of its lane is owed before it
    turn         REAL NOT NULL,            -- the order in which the channel serves its lanes
    event_type   TEXT NOT NULL,
    subject      TEXT NOT NULL,
    rule         TEXT NOT NULL DEFAULT 'channel',
    content      TEXT NOT NULL,            -- the event and its rendered message, as JSON
    fingerprint  TEXT,                     -- the same for messages that say the same
    state        TEXT NOT NULL,            -- pending or leased until it has its end: delivered, dead, suppressed
    attempts     INTEGER NOT NULL DEFAULT 0,
    created      REAL NOT NULL,
    due          REAL NOT NULL,            -- not to be tried before
    expires      REAL NOT NULL,            -- tried until then
    owner        TEXT,                     -- who has it in hand
    alone        INTEGER NOT NULL DEFAULT 0, -- 1: never told in the message of another
    tried        INTEGER NOT NULL DEFAULT 0, -- 1: it may have been sent under its own id
    fence        INTEGER NOT NULL DEFAULT 0, -- the number of its last lease, or its leader's: an outcome with another one is too late
    leased_until REAL,                     -- NULL for what is in hand with the delivery that tells it
    told_in      TEXT,                     -- the delivery whose message tells this one too
    ref          TEXT,                     -- the service's own id of the message
    finished     REAL,                     -- NULL for what is still owed
    detail       TEXT,                     -- why it is dead, suppressed or late
    told         TEXT,                     -- the message that was sent, as JSON, where it told others too
    CHECK (state IN ('pending', 'leased', 'delivered', 'dead', 'suppressed')),
    CHECK ((state IN ('pending', 'leased')) = (finished IS NULL))
);

-- Most speak of `finished` rather than of `state`, so that taking something in hand moves nothing.
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
    status      INTEGER,                   -- the service's own code
    detail      TEXT,
    PRIMARY KEY (delivery, number)
) WITHOUT ROWID;

-- The message of a channel that is kept up to date for one story.
CREATE TABLE cards (
    channel     TEXT NOT NULL,
    lane        TEXT NOT NULL,
    ref         TEXT NOT NULL,
    written     REAL NOT NULL,
    PRIMARY KEY (channel, lane)
) WITHOUT ROWID;
CREATE INDEX written ON cards (written);

-- What the daemon knows of the jobs it watches, a row a job, so that only what changes is written.
CREATE TABLE watched (
    watch       TEXT NOT NULL,             -- which cluster, where there are several
    name        TEXT NOT NULL,
    value       TEXT NOT NULL,
    PRIMARY KEY (watch, name)
) WITHOUT ROWID;

-- What the daemon itself remembers, such as mutes and the state of its gates.
CREATE TABLE notes (
    name        TEXT PRIMARY KEY,
    value       TEXT NOT NULL
);
