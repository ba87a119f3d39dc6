-- Databases that were there before their tenant: the application's own, which the tenant's schemas
-- lie in. A fact of the tenant, not of one generation of it.

CREATE TABLE adopted_databases (
    tenant_id BLOB PRIMARY KEY REFERENCES tenants (id),
    cluster TEXT NOT NULL,
    -- As a person gave it and the server's catalogue has it.
    name TEXT NOT NULL,
    -- What came of the people in it; holds addresses.
    sealed_report BLOB,
    adopted_at INTEGER NOT NULL,
    UNIQUE (cluster, name)
) STRICT;
