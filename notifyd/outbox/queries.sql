-- name: add
INSERT OR IGNORE INTO deliveries (id, channel, grp, event_type, subject, content, state, created, due)
VALUES (:id, :channel, :grp, :event_type, :subject, :content, 'pending', :created, :created);

-- name: next
-- The oldest delivery of a channel that may be tried now. A group waits for its first
-- pending delivery, so that one job's story stays in order whatever is retried.
SELECT id, channel, content, attempts, created
FROM deliveries AS d
WHERE channel = :channel AND state = 'pending' AND due <= :now
  AND NOT EXISTS (
    SELECT 1 FROM deliveries AS earlier
    WHERE earlier.channel = d.channel AND earlier.grp = d.grp
      AND earlier.state = 'pending' AND earlier.seq < d.seq)
ORDER BY seq
LIMIT 1;

-- name: next_due
-- When a delivery of a channel may be tried, counting only the first of each group.
SELECT min(due)
FROM deliveries AS d
WHERE channel = :channel AND state = 'pending'
  AND NOT EXISTS (
    SELECT 1 FROM deliveries AS earlier
    WHERE earlier.channel = d.channel AND earlier.grp = d.grp
      AND earlier.state = 'pending' AND earlier.seq < d.seq);

-- name: postpone
UPDATE deliveries SET due = :due, attempts = attempts + :counted, detail = :detail
WHERE id = :id AND state = 'pending';

-- name: finish
UPDATE deliveries
SET state = :state, finished = :now, attempts = attempts + :counted, detail = :detail
WHERE id = :id AND state = 'pending';

-- name: add_attempt
INSERT INTO attempts (delivery, number, at, seconds, outcome, detail)
VALUES (:id, (SELECT count(*) + 1 FROM attempts WHERE delivery = :id), :at, :seconds, :outcome, :detail);

-- name: backlog
SELECT channel, count(*) AS pending, min(created) AS oldest
FROM deliveries WHERE state = 'pending' GROUP BY channel;

-- name: history
SELECT seq, id, channel, event_type, subject, content, state, attempts, created, due, finished, detail
FROM deliveries
WHERE :channel IS NULL OR channel = :channel
ORDER BY seq DESC
LIMIT :limit;

-- name: attempts_of
SELECT number, at, seconds, outcome, detail FROM attempts WHERE delivery = :id ORDER BY number;

-- name: suppress_orphans
-- What is owed to channels that nobody has configured for a while.
UPDATE deliveries
SET state = 'suppressed', finished = :now, detail = :why
WHERE state = 'pending' AND created < :before
  AND channel NOT IN (SELECT value FROM json_each(:channels));

-- name: purge
DELETE FROM deliveries WHERE state <> 'pending' AND finished < :before;

-- name: note
SELECT value FROM notes WHERE name = :name;

-- name: write_note
INSERT INTO notes (name, value) VALUES (:name, :value)
ON CONFLICT (name) DO UPDATE SET value = excluded.value;

-- name: watched
SELECT name, value FROM watched WHERE watch = :watch;

-- name: remember
INSERT INTO watched (watch, name, value) VALUES (:watch, :name, :value)
ON CONFLICT (watch, name) DO UPDATE SET value = excluded.value;

-- name: forget
DELETE FROM watched WHERE watch = :watch AND name = :name;
