-- The registry: which tenants there are, where their databases lie, and whom they know.

CREATE TABLE instance (
    id BIGINT PRIMARY KEY CHECK (id = 1),
    -- A value sealed under the master key: opens only with the right one.
    key_check BYTEA NOT NULL,
    email_uniqueness TEXT NOT NULL CHECK (email_uniqueness IN ('per_tenant', 'global')),
    created_at BIGINT NOT NULL
);

CREATE TABLE counters (
    name TEXT PRIMARY KEY,
    value BIGINT NOT NULL
);
INSERT INTO counters (name, value) VALUES ('tenant_number', 0);

CREATE TABLE tenants (
    id UUID PRIMARY KEY,
    slug TEXT NOT NULL UNIQUE,
    number BIGINT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    status TEXT NOT NULL
        CHECK (status IN ('provisioning', 'active', 'suspended', 'failed', 'deleted', 'purging')),
    generation BIGINT NOT NULL CHECK (generation >= 1),
    isolation TEXT NOT NULL CHECK (isolation IN ('database', 'schema', 'shared')),
    registration TEXT NOT NULL CHECK (registration IN ('open', 'closed', 'invite')),
    verify_email BIGINT NOT NULL CHECK (verify_email IN (0, 1)),
    -- Set while the tenant claims to have a database that was checked; the foreign key below then
    -- demands exactly that record, so an active tenant without one can't be written at all.
    database_state TEXT CHECK (database_state = 'verified'),
    created_at BIGINT NOT NULL,
    deleted_at BIGINT,
    purge_at BIGINT,
    CHECK (status NOT IN ('active', 'suspended') OR database_state IS NOT NULL),
    CHECK ((status = 'deleted') = (purge_at IS NOT NULL))
);

CREATE TABLE tenant_databases (
    tenant_id UUID NOT NULL REFERENCES tenants (id),
    generation BIGINT NOT NULL CHECK (generation >= 1),
    driver TEXT NOT NULL CHECK (driver IN ('sqlite', 'postgres')),
    cluster TEXT NOT NULL,
    name TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('pending', 'verified', 'retired')),
    schema_version BIGINT,
    created_at BIGINT NOT NULL,
    verified_at BIGINT,
    PRIMARY KEY (tenant_id, generation),
    UNIQUE (tenant_id, generation, state),
    UNIQUE (cluster, name),
    CHECK (state <> 'verified' OR (verified_at IS NOT NULL AND schema_version IS NOT NULL))
);

ALTER TABLE tenants ADD FOREIGN KEY (id, generation, database_state)
    REFERENCES tenant_databases (tenant_id, generation, state);

CREATE TABLE tenant_domains (
    domain TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('host', 'email')),
    tenant_id UUID NOT NULL REFERENCES tenants (id),
    created_at BIGINT NOT NULL,
    verified_at BIGINT,
    PRIMARY KEY (kind, domain)
);
CREATE INDEX tenant_domains_by_tenant ON tenant_domains (tenant_id);

-- A projection of the tenant databases' users, rebuilt at will. Holds a keyed hash, no address.
CREATE TABLE directory (
    tenant_id UUID NOT NULL REFERENCES tenants (id),
    user_id UUID NOT NULL,
    generation BIGINT NOT NULL,
    address_hash BYTEA NOT NULL,
    -- The same hash where an address may belong to one tenant only, else NULL.
    global_hash BYTEA UNIQUE,
    kind TEXT NOT NULL CHECK (kind IN ('owner', 'staff')),
    state TEXT NOT NULL CHECK (state IN ('reserved', 'confirmed')),
    created_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, user_id),
    UNIQUE (tenant_id, address_hash)
);
CREATE INDEX directory_by_address ON directory (address_hash);
