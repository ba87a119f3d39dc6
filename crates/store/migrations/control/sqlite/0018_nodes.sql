-- The processes that serve, and clearings of what they keep in memory.

CREATE TABLE nodes (
    id BLOB PRIMARY KEY,
    started_at INTEGER NOT NULL,
    seen_at INTEGER NOT NULL
) STRICT;

CREATE TABLE cache_clearings (
    id BLOB PRIMARY KEY,
    -- Of one tenant, or of everything.
    tenant_id BLOB,
    asked_at INTEGER NOT NULL
) STRICT;
CREATE INDEX cache_clearings_by_age ON cache_clearings (asked_at);

-- What each node took out: a JSON object of numbers by tenant.
CREATE TABLE cache_answers (
    clearing_id BLOB NOT NULL REFERENCES cache_clearings (id) ON DELETE CASCADE,
    node_id BLOB NOT NULL,
    counts TEXT NOT NULL,
    PRIMARY KEY (clearing_id, node_id)
) STRICT;
