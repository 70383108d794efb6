-- What became of what was in hand, and of what was told with it.

-- name: settle
-- What is put back keeps the reason of its last try.
UPDATE deliveries
SET state = :state, attempts = attempts + :counted, due = coalesce(:due, due),
    detail = CASE WHEN :finished IS NULL THEN coalesce(:detail, detail) ELSE :detail END,
    ref = coalesce(:ref, ref), finished = :finished, owner = NULL, leased_until = NULL,
    head = head AND :finished IS NULL
WHERE id = :id AND state = 'leased' AND fence = :fence;

-- name: add_attempt
INSERT INTO attempts (delivery, number, at, seconds, outcome, status, detail)
SELECT seq, (SELECT coalesce(max(number), 0) + 1 FROM attempts WHERE delivery = seq),
    :at, :seconds, :outcome, :status, :detail
FROM deliveries WHERE id = :id;

-- name: keep_card
INSERT INTO cards (channel, lane, ref, written) VALUES (:channel, :lane, :ref, :written)
ON CONFLICT (channel, lane) DO UPDATE SET ref = excluded.ref, written = excluded.written;

-- name: next_head
-- The first that its lane still owes may go now.
UPDATE deliveries SET head = 1
WHERE head = 0 AND seq = (
    SELECT seq FROM deliveries
    WHERE channel = :channel AND lane = :lane AND finished IS NULL
    ORDER BY seq LIMIT 1);

-- name: any_member
SELECT 1 FROM deliveries INDEXED BY leases
WHERE channel = :channel AND state = 'leased' AND leased_until IS NULL LIMIT 1;

-- name: lanes_of_members
SELECT DISTINCT channel, lane FROM deliveries WHERE told_in = :id AND finished IS NULL;

-- name: end_members
-- Those alone that were in hand with it, as their fence says. What was not told was told in nothing.
UPDATE deliveries
SET state = :state, detail = :detail, finished = :finished, owner = NULL, head = 0,
    told_in = CASE WHEN :state = 'delivered' THEN told_in END
WHERE told_in = :id AND finished IS NULL AND fence = :fence;

-- name: let_members_go
-- The others, and all of those whose leader is handed on alone, go their own ways.
UPDATE deliveries SET state = 'pending', told_in = NULL, owner = NULL
WHERE told_in = :id AND finished IS NULL;
