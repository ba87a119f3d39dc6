-- Who asked for a tenant. An approved application names its tenant, which may be gone by now.

CREATE TABLE tenant_applications (
    id UUID PRIMARY KEY,
    state TEXT NOT NULL CHECK (state IN ('pending_proof', 'pending', 'approved', 'rejected', 'expired')),
    name TEXT NOT NULL,
    slug TEXT NOT NULL,
    -- Address and name of whoever asked, sealed: strangers' data. Empty once it expired.
    applicant BYTEA NOT NULL,
    -- The hash of the secret in the link that proves the address, and until when that is good.
    secret_hash BYTEA NOT NULL,
    expires_at BIGINT NOT NULL,
    reason TEXT,
    tenant_id UUID,
    created_at BIGINT NOT NULL,
    proven_at BIGINT,
    decided_at BIGINT,
    CHECK ((state = 'approved') = (tenant_id IS NOT NULL)),
    CHECK ((state IN ('approved', 'rejected')) = (decided_at IS NOT NULL)),
    CHECK ((state IN ('pending_proof', 'expired')) = (proven_at IS NULL))
);
CREATE INDEX tenant_applications_by_state ON tenant_applications (state, id);
CREATE INDEX tenant_applications_by_tenant ON tenant_applications (tenant_id) WHERE tenant_id IS NOT NULL;
