-- After a rescue some rows are gone: those that waited for them wait no more.
BEGIN;
-- What a daemon that goes on has in hand stays there, without what its message told besides.
UPDATE deliveries SET state = 'pending', owner = NULL, told_in = NULL, leased_until = NULL
WHERE finished IS NULL AND leased_until IS NULL;
UPDATE deliveries SET head = 0 WHERE head = 1;
UPDATE deliveries SET head = 1 WHERE seq IN (
    SELECT min(seq) FROM deliveries WHERE finished IS NULL GROUP BY channel, lane);
COMMIT;
