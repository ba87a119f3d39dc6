-- The reconciler: which process runs it, and what it found last.

CREATE TABLE reconciler (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    -- When the next pass is due.
    next_at INTEGER NOT NULL,
    lease_until INTEGER NOT NULL,
    -- Raised by each claim, and the number of the pass: what a process that lost its lease still
    -- writes is refused by it.
    fence INTEGER NOT NULL,
    -- Tenants looked at by the last pass that came to its end, and when that was.
    tenants INTEGER NOT NULL,
    finished_at INTEGER
) STRICT;
INSERT INTO reconciler (id, next_at, lease_until, fence, tenants) VALUES (1, 0, 0, 0, 0);

CREATE TABLE findings (
    pass INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    -- NULL for what belongs to no tenant.
    tenant_id BLOB REFERENCES tenants (id) ON DELETE CASCADE,
    code TEXT NOT NULL,
    severity TEXT NOT NULL CHECK (severity IN ('error', 'warning')),
    detail TEXT NOT NULL,
    repairable INTEGER NOT NULL CHECK (repairable IN (0, 1)),
    found_at INTEGER NOT NULL,
    PRIMARY KEY (pass, seq)
) STRICT;
CREATE INDEX findings_by_tenant ON findings (tenant_id);
CREATE INDEX findings_by_code ON findings (code);

-- Incomplete tenants that were announced, so that each is announced once.
CREATE TABLE incomplete_tenants (
    tenant_id BLOB NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    generation INTEGER NOT NULL,
    found_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, generation)
) STRICT;
