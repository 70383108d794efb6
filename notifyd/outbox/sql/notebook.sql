-- What the daemon remembers besides what it owes.

-- name: note
SELECT value FROM notes WHERE name = :name;

-- name: write_note
INSERT INTO notes (name, value) VALUES (:name, :value)
ON CONFLICT (name) DO UPDATE SET value = excluded.value;

-- name: card
SELECT ref FROM cards WHERE channel = :channel AND lane = :lane;

-- name: watched
SELECT name, value FROM watched WHERE watch = :watch;

-- name: remember
INSERT INTO watched (watch, name, value) VALUES (:watch, :name, :value)
ON CONFLICT (watch, name) DO UPDATE SET value = excluded.value;

-- name: forget
DELETE FROM watched WHERE watch = :watch AND name = :name;
