-- What is owed: written, taken in hand, and put forward.

-- name: last
SELECT coalesce(max(seq), 0) AS seq FROM deliveries;

-- name: add
-- A lane that owes much has a turn a second, so that the others come in between.
INSERT INTO deliveries (id, channel, target, lane, head, turn, event_type, subject, rule,
    content, fingerprint, alone, state, created, due, expires, finished, detail)
SELECT :id, :channel, :target, :lane,
    :finished IS NULL AND NOT EXISTS (
        SELECT 1 FROM deliveries
        WHERE channel = :channel AND lane = :lane AND finished IS NULL),
    max(:created, coalesce((
        SELECT turn + 1 FROM deliveries
        WHERE channel = :channel AND lane = :lane AND finished IS NULL
        ORDER BY seq DESC LIMIT 1), :created)),
    :event_type, :subject, :rule, :content, :fingerprint, :alone, :state, :created, :due, :expires,
    :finished, :detail
WHERE NOT EXISTS (
    SELECT 1 FROM deliveries WHERE id = :unless AND state NOT IN ('dead', 'suppressed'))
ON CONFLICT (id) DO NOTHING;

-- name: chain
SELECT content, channel, lane, finished FROM deliveries
WHERE id = :id AND (finished IS NULL OR state = 'dead');

-- name: lengthen
UPDATE deliveries SET content = :content WHERE id = :id;

-- name: behind_others
SELECT seq, channel, lane, due FROM deliveries
WHERE seq > :last AND head = 0 AND finished IS NULL
ORDER BY seq;

-- name: pull_forward
-- What is urgent takes along what its lane has put off for a digest: its story stays in order.
-- Nothing is due after what was written later, so that the search ends at the first that is in time.
UPDATE deliveries SET due = :due
WHERE channel = :channel AND lane = :lane AND finished IS NULL AND tried = 0
  AND seq < :seq AND seq > coalesce((
    SELECT seq FROM deliveries AS earlier
    WHERE earlier.channel = :channel AND earlier.lane = :lane AND earlier.finished IS NULL
      AND earlier.seq < :seq AND (earlier.tried = 1 OR earlier.due <= :due)
    ORDER BY earlier.seq DESC LIMIT 1), 0);

-- name: alike
SELECT max(created) AS told FROM deliveries
WHERE channel = :channel AND fingerprint = :fingerprint AND created > :since
  AND state NOT IN ('dead', 'suppressed');

-- name: release_expired
-- But one's own: who asks is there, and has it on its way.
UPDATE deliveries SET state = 'pending', owner = NULL, leased_until = NULL
WHERE channel = :channel AND state = 'leased' AND leased_until <= :now AND owner IS NOT :owner;

-- name: take_back
UPDATE deliveries SET state = 'pending', owner = NULL, leased_until = NULL
WHERE channel = :channel AND state = 'leased' AND owner = :owner AND leased_until IS NOT NULL
  AND id NOT IN (SELECT value FROM json_each(:known));

-- name: any_due
SELECT 1 FROM deliveries INDEXED BY due
WHERE channel = :channel AND head = 1 AND told_in IS NULL AND finished IS NULL
  AND due <= :now AND state = 'pending'
LIMIT 1;

-- name: ready
SELECT id, channel, target, rule, content, attempts, created, due, expires, alone, seq, lane, fence, tried
FROM deliveries INDEXED BY ready
WHERE channel = :channel AND head = 1 AND told_in IS NULL AND finished IS NULL
  AND due <= :now AND state = 'pending' AND NOT instr(:resting, char(10) || target || char(10))
ORDER BY turn, seq
LIMIT :limit;

-- name: expired
SELECT id, channel, target, rule, content, attempts, created, due, expires, alone, seq, lane, fence, tried
FROM deliveries INDEXED BY expiring
WHERE channel = :channel AND head = 1 AND told_in IS NULL AND finished IS NULL
  AND expires <= :now AND state = 'pending'
ORDER BY expires, seq
LIMIT :limit;

-- name: behind
SELECT id, channel, target, rule, content, attempts, created, due, expires, alone, seq, lane, fence, tried,
    expires <= :now AND state = 'pending' AND told_in IS NULL AS is_over
FROM deliveries INDEXED BY lanes
WHERE channel = :channel AND lane = :lane AND finished IS NULL AND seq > :seq
ORDER BY seq
LIMIT :limit;

-- name: lease
UPDATE deliveries
SET state = 'leased', owner = :owner, fence = fence + 1, leased_until = :until, tried = 1
WHERE seq IN (SELECT value FROM json_each(:taken));

-- name: next_due
-- A lease that runs out is due too: whoever had it may have gone without giving it back.
SELECT min(due) AS due FROM (
    SELECT * FROM (
        SELECT due FROM deliveries
        WHERE channel = :channel AND head = 1 AND told_in IS NULL AND finished IS NULL
          AND state = 'pending' AND NOT instr(:resting, char(10) || target || char(10))
        ORDER BY due LIMIT 1)
    UNION ALL
    SELECT min(leased_until) FROM deliveries
    WHERE channel = :channel AND state = 'leased' AND owner IS NOT :owner);

-- name: hasten
-- The receiver is back: what waits because of it, as its detail says, need not wait any more.
UPDATE deliveries SET due = :now
WHERE channel = :channel AND head = 1 AND told_in IS NULL AND finished IS NULL
  AND due > :now AND detail IS NOT NULL AND state = 'pending';

-- name: owed_for_long
SELECT id FROM deliveries INDEXED BY lanes
WHERE channel = :channel AND finished IS NULL AND created < :before AND state = 'pending'
ORDER BY lane, seq
LIMIT :limit;

-- name: suppress
UPDATE deliveries
SET state = 'suppressed', finished = :now, detail = :why, head = 0, told_in = NULL
WHERE id IN (SELECT value FROM json_each(:ended)) AND state = 'pending';
