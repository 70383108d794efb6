-- What became of what was in hand, and of what was told with it.

-- name: outcomes
-- Those that are still theirs: of the others the lease was over, and somebody else has them in hand.
INSERT OR IGNORE INTO temp.outcomes (seq, id, fence, state, tried, counted, due, detail, ref, sent,
    told, finished)
SELECT deliveries.seq, deliveries.id, deliveries.fence, json_extract(value, '$.state'),
    json_extract(value, '$.tried'), json_extract(value, '$.counted'), json_extract(value, '$.due'),
    json_extract(value, '$.detail'), json_extract(value, '$.ref'),
    json_extract(value, '$.sent'), json_extract(value, '$.told'), json_extract(value, '$.finished')
FROM json_each(:outcomes) JOIN deliveries ON deliveries.id = json_extract(value, '$.id')
WHERE deliveries.state = 'leased' AND deliveries.fence = json_extract(value, '$.fence');

-- name: settled
SELECT id, fence FROM temp.outcomes;

-- name: settle
-- What is put back keeps the reason of its last try.
UPDATE deliveries
SET (state, attempts, due, detail, ref, told, finished, head, tried) = (
        SELECT outcomes.state, deliveries.attempts + outcomes.counted,
            coalesce(outcomes.due, deliveries.due),
            CASE WHEN outcomes.finished IS NULL
                THEN coalesce(outcomes.detail, deliveries.detail) ELSE outcomes.detail END,
            coalesce(outcomes.ref, deliveries.ref),
            CASE WHEN outcomes.sent THEN outcomes.told ELSE deliveries.told END,
            outcomes.finished,
            deliveries.head AND outcomes.finished IS NULL,
            outcomes.tried
        FROM temp.outcomes WHERE outcomes.seq = deliveries.seq),
    owner = NULL, leased_until = NULL
WHERE seq IN (SELECT seq FROM temp.outcomes);

-- name: add_attempts
INSERT INTO attempts (delivery, number, at, seconds, outcome, status, detail)
SELECT seq,
    json_extract(value, '$.number')
        + (SELECT coalesce(max(number), 0) FROM attempts WHERE delivery = seq),
    json_extract(value, '$.at'), json_extract(value, '$.seconds'),
    json_extract(value, '$.outcome'), json_extract(value, '$.status'),
    json_extract(value, '$.detail')
FROM json_each(:attempts) JOIN temp.outcomes
    ON outcomes.id = json_extract(value, '$.id') AND outcomes.fence = json_extract(value, '$.fence');

-- name: bury
UPDATE deliveries
SET state = 'dead', finished = :now, detail = :why, head = 0, owner = NULL, leased_until = NULL
WHERE id = :id;

-- name: forget_outcomes
DELETE FROM temp.outcomes;

-- name: keep_card
INSERT INTO cards (channel, lane, ref, written) VALUES (:channel, :lane, :ref, :written)
ON CONFLICT (channel, lane) DO UPDATE SET ref = excluded.ref, written = excluded.written;

-- name: next_heads
-- The first that the lanes of what has ended still owe may go now.
UPDATE deliveries SET head = 1
WHERE head = 0 AND seq IN (
    SELECT (
        SELECT owed.seq FROM deliveries AS owed INDEXED BY lanes
        WHERE owed.channel = ended.channel AND owed.lane = ended.lane AND owed.finished IS NULL
        ORDER BY owed.seq LIMIT 1)
    FROM deliveries AS ended WHERE ended.id IN (SELECT value FROM json_each(:ended)));

-- name: any_member
SELECT 1 FROM deliveries INDEXED BY leases
WHERE channel = :channel AND state = 'leased' AND leased_until IS NULL LIMIT 1;

-- name: members
SELECT id FROM deliveries WHERE told_in = :id AND finished IS NULL;

-- name: end_members
-- Those alone that were in hand with it, as their fence says.
UPDATE deliveries
SET state = :state, detail = :detail, finished = :finished, owner = NULL, head = 0,
    told_in = CASE WHEN :state = 'delivered' THEN told_in END
WHERE told_in = :id AND finished IS NULL AND fence = :fence;

-- name: let_members_go
-- What was not told in its message goes its own way.
UPDATE deliveries SET state = 'pending', told_in = NULL, owner = NULL
WHERE told_in = :id AND finished IS NULL;
