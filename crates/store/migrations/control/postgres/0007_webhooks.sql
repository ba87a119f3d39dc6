-- Receivers of signed notices, and what each is still to be told.

CREATE TABLE webhooks (
    id UUID PRIMARY KEY,
    url TEXT NOT NULL,
    description TEXT NOT NULL,
    -- The kinds of notices it gets, with a space between; empty for every kind.
    events TEXT NOT NULL,
    -- What its notices are signed with.
    sealed_secret BYTEA NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE webhook_deliveries (
    webhook_id UUID NOT NULL REFERENCES webhooks (id) ON DELETE CASCADE,
    -- The notice's id: the same for all receivers, over all tries.
    id UUID NOT NULL,
    event TEXT NOT NULL,
    -- What is sent; emptied once it was taken.
    sealed BYTEA NOT NULL,
    attempts BIGINT NOT NULL,
    next_attempt_at BIGINT NOT NULL,
    delivered_at BIGINT,
    failed_at BIGINT,
    error TEXT,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (webhook_id, id),
    CHECK (delivered_at IS NULL OR failed_at IS NULL)
);
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (webhook_id, next_attempt_at)
    WHERE delivered_at IS NULL AND failed_at IS NULL;
