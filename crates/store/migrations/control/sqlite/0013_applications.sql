-- Who asked for a tenant. An approved application names its tenant, which may be gone by now.

CREATE TABLE tenant_applications (
    id BLOB PRIMARY KEY,
    state TEXT NOT NULL CHECK (state IN ('pending_proof', 'pending', 'approved', 'rejected', 'expired')),
    name TEXT NOT NULL,
    slug TEXT NOT NULL,
    -- Address and name of whoever asked, sealed: strangers' data. Empty once it expired.
    applicant BLOB NOT NULL,
    -- The hash of the secret in the link that proves the address, and until when that is good.
    secret_hash BLOB NOT NULL,
    expires_at INTEGER NOT NULL,
    reason TEXT,
    tenant_id BLOB,
    created_at INTEGER NOT NULL,
    proven_at INTEGER,
    decided_at INTEGER,
    CHECK ((state = 'approved') = (tenant_id IS NOT NULL)),
    CHECK ((state IN ('approved', 'rejected')) = (decided_at IS NOT NULL)),
    CHECK ((state IN ('pending_proof', 'expired')) = (proven_at IS NULL))
) STRICT;
CREATE INDEX tenant_applications_by_state ON tenant_applications (state, id);
CREATE INDEX tenant_applications_by_tenant ON tenant_applications (tenant_id) WHERE tenant_id IS NOT NULL;
