-- From 1 to 2: what is known of each job has a row of its own. What version 1 knew of them was one
-- text under a name; it is forgotten, and the first look adopts what is in the queue.
CREATE TABLE watched (
    watch       TEXT NOT NULL,
    name        TEXT NOT NULL,
    value       TEXT NOT NULL,
    PRIMARY KEY (watch, name)
) WITHOUT ROWID;
DELETE FROM notes WHERE name NOT IN ('mutes');
