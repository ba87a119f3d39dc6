-- Work that must survive a crash.

CREATE TABLE workflows (
    id UUID PRIMARY KEY,
    kind TEXT NOT NULL,
    version BIGINT NOT NULL,
    tenant_id UUID,
    state TEXT NOT NULL CHECK (state IN ('running', 'succeeded', 'undoing', 'undone', 'stuck')),
    -- JSON; secrets in it are sealed. Emptied of them when the run ends.
    params TEXT NOT NULL,
    attempts BIGINT NOT NULL,
    next_run_at BIGINT NOT NULL,
    lease_until BIGINT NOT NULL,
    -- Raised by each claim; every later write of the run names it, so that a run whose lease was
    -- lost writes nothing more.
    fence BIGINT NOT NULL,
    error TEXT,
    created_at BIGINT NOT NULL,
    finished_at BIGINT
);
-- One piece of work for a tenant at a time.
CREATE UNIQUE INDEX workflows_one_per_tenant ON workflows (tenant_id)
    WHERE state IN ('running', 'undoing', 'stuck');
CREATE INDEX workflows_due ON workflows (next_run_at) WHERE state IN ('running', 'undoing');
CREATE INDEX workflows_by_tenant ON workflows (tenant_id, created_at);

CREATE TABLE workflow_log (
    workflow_id UUID NOT NULL REFERENCES workflows (id),
    seq BIGINT NOT NULL,
    step TEXT NOT NULL,
    event TEXT NOT NULL
        CHECK (event IN ('started', 'succeeded', 'failed', 'undo_started', 'undo_finished', 'stuck')),
    fence BIGINT NOT NULL,
    at BIGINT NOT NULL,
    detail TEXT,
    PRIMARY KEY (workflow_id, seq)
);

-- Mail to send after the answer. The message is sealed, since it holds links.
CREATE TABLE outbox (
    id UUID PRIMARY KEY,
    tenant_id UUID,
    sealed BYTEA NOT NULL,
    attempts BIGINT NOT NULL,
    next_attempt_at BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    sent_at BIGINT,
    failed_at BIGINT,
    error TEXT
);
CREATE INDEX outbox_due ON outbox (next_attempt_at) WHERE sent_at IS NULL AND failed_at IS NULL;
CREATE INDEX outbox_by_tenant ON outbox (tenant_id);

-- Creates that were asked for with an Idempotency-Key.
CREATE TABLE idempotency (
    key_hash BYTEA PRIMARY KEY,
    request_hash BYTEA NOT NULL,
    tenant_id UUID NOT NULL,
    workflow_id UUID NOT NULL,
    created_at BIGINT NOT NULL
);
