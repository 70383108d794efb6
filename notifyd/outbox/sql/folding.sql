-- What is told in the message of another, its leader. Members are in hand for as long as it is owed,
-- without a lease of their own, and share its fence.

-- name: fold_by_event_type
-- What was tried is not folded: it may have been told under its own id.
UPDATE deliveries
SET told_in = :leader, state = 'leased', owner = :owner, fence = :fence
WHERE channel = :channel AND target = :target AND event_type = :event_type
  AND head = 1 AND told_in IS NULL AND finished IS NULL AND tried = 0 AND alone = 0
  AND due <= :now;

-- name: fold_by_group
-- As far as the first that cannot be told now, so that the lane stays in order.
UPDATE deliveries
SET told_in = :leader, state = 'leased', owner = :owner, fence = :fence
WHERE channel = :channel AND lane = :lane AND finished IS NULL AND tried = 0 AND due <= :now
  AND seq < coalesce((
    SELECT seq FROM deliveries AS barrier
    WHERE barrier.channel = :channel AND barrier.lane = :lane AND barrier.finished IS NULL
      AND (barrier.tried = 1 OR barrier.alone = 1 OR barrier.told_in <> :leader
        OR barrier.due > :now) AND barrier.id <> :leader
    ORDER BY barrier.seq LIMIT 1), 9e18);

-- name: fold_by_channel
-- Each lane as far as the first that cannot be told now.
UPDATE deliveries
SET told_in = :leader, state = 'leased', owner = :owner, fence = :fence
WHERE seq IN (
    SELECT owed.seq FROM deliveries AS owed INDEXED BY lanes
    LEFT JOIN (
        SELECT lane, min(seq) AS seq FROM deliveries INDEXED BY lanes
        WHERE channel = :channel AND finished IS NULL
          AND (tried = 1 OR alone = 1 OR told_in <> :leader OR due > :now)
          AND id <> :leader
        GROUP BY lane) AS barrier ON barrier.lane = owed.lane
    WHERE owed.channel = :channel AND owed.target = :target AND owed.finished IS NULL
      AND owed.tried = 0 AND owed.due <= :now
      AND (barrier.seq IS NULL OR owed.seq < barrier.seq));

-- name: take_members
-- Those that it had before: if it was sent, its id stands for them.
UPDATE deliveries SET owner = :owner, fence = :fence
WHERE told_in = :leader AND finished IS NULL;

-- name: folded
SELECT id, channel, target, rule, content, attempts, created, due, expires, alone
FROM deliveries WHERE told_in = :leader AND finished IS NULL ORDER BY seq LIMIT :limit;

-- name: folded_types
SELECT event_type, count(*) AS number
FROM deliveries WHERE told_in = :leader AND finished IS NULL GROUP BY event_type;
