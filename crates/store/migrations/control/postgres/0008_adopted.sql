-- Databases that were there before their tenant: the application's own, which the tenant's schemas
-- lie in. A fact of the tenant, not of one generation of it.

CREATE TABLE adopted_databases (
    tenant_id UUID PRIMARY KEY REFERENCES tenants (id),
    cluster TEXT NOT NULL,
    -- As a person gave it and the server's catalogue has it.
    name TEXT NOT NULL,
    -- What came of the people in it; holds addresses.
    sealed_report BYTEA,
    adopted_at BIGINT NOT NULL,
    UNIQUE (cluster, name)
);
