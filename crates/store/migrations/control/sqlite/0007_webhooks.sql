-- Receivers of signed notices, and what each is still to be told.

CREATE TABLE webhooks (
    id BLOB PRIMARY KEY,
    url TEXT NOT NULL,
    description TEXT NOT NULL,
    -- The kinds of notices it gets, with a space between; empty for every kind.
    events TEXT NOT NULL,
    -- What its notices are signed with.
    sealed_secret BLOB NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE webhook_deliveries (
    webhook_id BLOB NOT NULL REFERENCES webhooks (id) ON DELETE CASCADE,
    -- The notice's id: the same for all receivers, over all tries.
    id BLOB NOT NULL,
    event TEXT NOT NULL,
    -- What is sent; emptied once it was taken.
    sealed BLOB NOT NULL,
    attempts INTEGER NOT NULL,
    next_attempt_at INTEGER NOT NULL,
    delivered_at INTEGER,
    failed_at INTEGER,
    error TEXT,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (webhook_id, id),
    CHECK (delivered_at IS NULL OR failed_at IS NULL)
) STRICT;
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (webhook_id, next_attempt_at)
    WHERE delivered_at IS NULL AND failed_at IS NULL;
