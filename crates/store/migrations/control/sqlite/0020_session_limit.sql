-- A person's sessions that have not ended, without those that have: how many there may be is looked at
-- with each sign-in.
CREATE INDEX sessions_open_by_subject ON sessions (subject_id) WHERE ended_at IS NULL;
