-- The processes that serve, and clearings of what they keep in memory.

CREATE TABLE nodes (
    id UUID PRIMARY KEY,
    started_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL
);

CREATE TABLE cache_clearings (
    id UUID PRIMARY KEY,
    -- Of one tenant, or of everything.
    tenant_id UUID,
    asked_at BIGINT NOT NULL
);
CREATE INDEX cache_clearings_by_age ON cache_clearings (asked_at);

-- What each node took out: a JSON object of numbers by tenant.
CREATE TABLE cache_answers (
    clearing_id UUID NOT NULL REFERENCES cache_clearings (id) ON DELETE CASCADE,
    node_id UUID NOT NULL,
    counts TEXT NOT NULL,
    PRIMARY KEY (clearing_id, node_id)
);
