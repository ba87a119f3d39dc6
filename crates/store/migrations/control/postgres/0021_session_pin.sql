-- SHA-256 of the stored hash of the PIN that a session was begun with: it counts no more once the
-- person has another PIN. Of sessions from before it is not known.
ALTER TABLE sessions ADD COLUMN pin_digest BYTEA;
