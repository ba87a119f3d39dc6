-- Who did what, when, to which tenant, from where. Entries outlive the tenants they are about, so
-- nothing in them refers to another table.

CREATE TABLE audit (
    id UUID PRIMARY KEY,
    at BIGINT NOT NULL,
    action TEXT NOT NULL,
    actor TEXT NOT NULL CHECK (actor IN ('user', 'platform_admin', 'command', 'system', 'nobody')),
    actor_id UUID,
    actor_name TEXT,
    tenant_id UUID,
    target TEXT,
    -- Missing while the act goes on.
    outcome TEXT CHECK (outcome IN ('done', 'refused', 'failed', 'unknown')),
    code TEXT,
    ip TEXT,
    user_agent TEXT,
    request_id TEXT,
    detail TEXT,
    -- The entry's place in the chain, once it is settled and sealed.
    seq BIGINT UNIQUE,
    hash BYTEA,
    CHECK ((seq IS NULL) = (hash IS NULL)),
    CHECK (seq IS NULL OR outcome IS NOT NULL)
);
CREATE INDEX audit_by_tenant ON audit (tenant_id, id);
CREATE INDEX audit_by_action ON audit (action, id);
CREATE INDEX audit_by_actor ON audit (actor_id, id);
CREATE INDEX audit_unsealed ON audit (id) WHERE seq IS NULL;

-- The two ends of the chain, under a keyed hash of their own.
CREATE TABLE audit_chain (
    id BIGINT PRIMARY KEY CHECK (id = 1),
    last_seq BIGINT NOT NULL,
    last_hash BYTEA NOT NULL,
    -- Entries up to here were pruned.
    pruned_seq BIGINT NOT NULL,
    pruned_hash BYTEA NOT NULL,
    begun_at BIGINT NOT NULL,
    mac BYTEA NOT NULL,
    CHECK (pruned_seq >= 0 AND pruned_seq <= last_seq)
);
