-- A tenant's people. Every table begins with tenantry_, so that the application's own tables can
-- lie beside them; every row names its tenant, so that the same statements serve each isolation.

CREATE TABLE tenantry_stamp (
    tenant_id UUID PRIMARY KEY,
    generation BIGINT NOT NULL CHECK (generation >= 1),
    schema_version BIGINT NOT NULL,
    stamped_at BIGINT NOT NULL
);

CREATE TABLE tenantry_users (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    email TEXT NOT NULL,
    email_key TEXT NOT NULL,
    username TEXT,
    username_key TEXT,
    full_name TEXT,
    role TEXT NOT NULL CHECK (role IN ('owner', 'admin', 'member')),
    password_hash TEXT,
    security_version BIGINT NOT NULL,
    must_change_password BIGINT NOT NULL CHECK (must_change_password IN (0, 1)),
    disabled_at BIGINT,
    created_at BIGINT NOT NULL,
    last_login_at BIGINT,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, email_key),
    UNIQUE (tenant_id, username_key),
    CHECK ((username IS NULL) = (username_key IS NULL))
);

CREATE TABLE tenantry_one_time_secrets (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    generation BIGINT NOT NULL,
    user_id UUID NOT NULL,
    purpose TEXT NOT NULL,
    secret_hash BYTEA NOT NULL,
    security_version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at BIGINT,
    PRIMARY KEY (tenant_id, id),
    -- A new one takes the place of the old.
    UNIQUE (tenant_id, user_id, purpose),
    FOREIGN KEY (tenant_id, user_id) REFERENCES tenantry_users (tenant_id, id) ON DELETE CASCADE
);
