-- What is not kept: the outcomes that one call settles, so that each statement takes all of them.
PRAGMA temp_store = MEMORY;
CREATE TEMP TABLE outcomes (
    seq         INTEGER PRIMARY KEY,
    id          TEXT NOT NULL UNIQUE,
    fence       INTEGER NOT NULL,
    state       TEXT NOT NULL,
    tried       INTEGER NOT NULL,
    counted     INTEGER NOT NULL,
    due         REAL,
    detail      TEXT,
    ref         TEXT,
    sent        INTEGER NOT NULL,          -- 1: tried just now
    told        TEXT,
    finished    REAL
);
