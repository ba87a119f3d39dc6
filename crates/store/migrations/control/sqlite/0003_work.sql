-- Work that must survive a crash.

CREATE TABLE workflows (
    id BLOB PRIMARY KEY,
    kind TEXT NOT NULL,
    version INTEGER NOT NULL,
    tenant_id BLOB,
    state TEXT NOT NULL CHECK (state IN ('running', 'succeeded', 'undoing', 'undone', 'stuck')),
    -- JSON; secrets in it are sealed. Emptied of them when the run ends.
    params TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    next_run_at INTEGER NOT NULL,
    lease_until INTEGER NOT NULL,
    -- Raised by each claim; every later write of the run names it, so that a run whose lease was
    -- lost writes nothing more.
    fence INTEGER NOT NULL,
    error TEXT,
    created_at INTEGER NOT NULL,
    finished_at INTEGER
) STRICT;
-- One piece of work for a tenant at a time.
CREATE UNIQUE INDEX workflows_one_per_tenant ON workflows (tenant_id)
    WHERE state IN ('running', 'undoing', 'stuck');
CREATE INDEX workflows_due ON workflows (next_run_at) WHERE state IN ('running', 'undoing');
CREATE INDEX workflows_by_tenant ON workflows (tenant_id, created_at);

CREATE TABLE workflow_log (
    workflow_id BLOB NOT NULL REFERENCES workflows (id),
    seq INTEGER NOT NULL,
    step TEXT NOT NULL,
    event TEXT NOT NULL
        CHECK (event IN ('started', 'succeeded', 'failed', 'undo_started', 'undo_finished', 'stuck')),
    fence INTEGER NOT NULL,
    at INTEGER NOT NULL,
    detail TEXT,
    PRIMARY KEY (workflow_id, seq)
) STRICT;

-- Mail to send after the answer. The message is sealed, since it holds links.
CREATE TABLE outbox (
    id BLOB PRIMARY KEY,
    tenant_id BLOB,
    sealed BLOB NOT NULL,
    attempts INTEGER NOT NULL,
    next_attempt_at INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    sent_at INTEGER,
    failed_at INTEGER,
    error TEXT
) STRICT;
CREATE INDEX outbox_due ON outbox (next_attempt_at) WHERE sent_at IS NULL AND failed_at IS NULL;
CREATE INDEX outbox_by_tenant ON outbox (tenant_id);

-- Creates that were asked for with an Idempotency-Key.
CREATE TABLE idempotency (
    key_hash BLOB PRIMARY KEY,
    request_hash BLOB NOT NULL,
    tenant_id BLOB NOT NULL,
    workflow_id BLOB NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
