-- What became of it: the history, and the dead letters.

-- name: backlog
SELECT channel, count(*) AS pending, min(created) AS oldest
FROM deliveries INDEXED BY lanes WHERE finished IS NULL GROUP BY channel;

-- name: history
SELECT * FROM deliveries WHERE :state IS NULL OR state = :state ORDER BY seq DESC LIMIT :limit;

-- name: history_of_channel
SELECT * FROM deliveries INDEXED BY channels
WHERE channel = :channel AND (:state IS NULL OR state = :state) ORDER BY seq DESC LIMIT :limit;

-- name: dead_letters
SELECT * FROM deliveries INDEXED BY dead
WHERE state = 'dead' AND (:channel IS NULL OR channel = :channel) ORDER BY seq DESC LIMIT :limit;

-- name: delivery
SELECT * FROM deliveries WHERE id >= :id AND id < :id || x'ff' ORDER BY id LIMIT 2;

-- name: attempts_of
SELECT number, at, seconds, outcome, status, detail
FROM attempts WHERE delivery = :seq ORDER BY number;

-- name: told_with
SELECT count(*) AS number FROM deliveries WHERE told_in = :id;

-- name: first_told_with
SELECT id, event_type, content FROM deliveries WHERE told_in = :id ORDER BY seq LIMIT :limit;

-- name: dead_counts
SELECT channel, count(*) AS number FROM deliveries INDEXED BY dead WHERE state = 'dead' GROUP BY channel;

-- name: find_dead
SELECT json_group_array(seq) AS letters FROM deliveries INDEXED BY dead
WHERE state = 'dead' AND (:channel IS NULL OR channel = :channel);

-- name: find_one_dead
SELECT json_group_array(seq) AS letters FROM deliveries
WHERE id = :id AND state = 'dead' AND (:channel IS NULL OR channel = :channel);

-- name: dead_among
SELECT id, channel, lane FROM deliveries
WHERE seq IN (SELECT value FROM json_each(:letters)) AND state = 'dead' ORDER BY seq;

-- name: revive
-- Behind what its lane owes now, for that was told of as if this had been.
UPDATE deliveries
SET state = 'pending', due = :now, expires = :expires, finished = NULL, detail = NULL,
    attempts = 0, told_in = NULL, told = NULL, head = 0, seq = (SELECT max(seq) + 1 FROM deliveries),
    turn = max(:now, coalesce((
        SELECT turn + 1 FROM deliveries AS last
        WHERE last.channel = :channel AND last.lane = :lane AND last.finished IS NULL
        ORDER BY seq DESC LIMIT 1), :now))
WHERE id = :id AND state = 'dead';

-- name: forget_dead
DELETE FROM deliveries
WHERE seq IN (SELECT value FROM json_each(:letters)) AND state = 'dead';

-- name: purge
DELETE FROM deliveries WHERE seq IN (
    SELECT seq FROM deliveries INDEXED BY finished
    WHERE finished < :before AND state <> 'dead' LIMIT :limit);

-- name: purge_dead
DELETE FROM deliveries WHERE seq IN (
    SELECT seq FROM deliveries INDEXED BY finished
    WHERE finished < :before AND state = 'dead' LIMIT :limit);

-- name: purge_cards
DELETE FROM cards WHERE written < :before;
