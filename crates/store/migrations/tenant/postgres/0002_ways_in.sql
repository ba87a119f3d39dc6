-- More ways in than a password and a link: codes, PINs on devices, registrations, a changed address.

-- Hashed like a password; good on an enrolled device only.
ALTER TABLE tenantry_users ADD COLUMN pin_hash TEXT;

-- What the secret is about beside its owner, such as the address to change to.
ALTER TABLE tenantry_one_time_secrets ADD COLUMN payload TEXT;

-- A person's one-time code. Six digits are few: the hash is keyed, and tries are counted here.
CREATE TABLE tenantry_codes (
    tenant_id UUID NOT NULL,
    user_id UUID NOT NULL,
    generation BIGINT NOT NULL,
    code_hash BYTEA NOT NULL,
    security_version BIGINT NOT NULL,
    tries BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at BIGINT,
    -- A new one takes the place of the old.
    PRIMARY KEY (tenant_id, user_id),
    FOREIGN KEY (tenant_id, user_id) REFERENCES tenantry_users (tenant_id, id) ON DELETE CASCADE
);

-- People who registered and have not shown yet that the address is theirs. Whose name or address is
-- taken is decided by tenantry_users when they do: nothing is held for somebody unproven.
CREATE TABLE tenantry_registrations (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    generation BIGINT NOT NULL,
    email TEXT NOT NULL,
    email_key TEXT NOT NULL,
    username TEXT NOT NULL,
    full_name TEXT,
    password_hash TEXT NOT NULL,
    secret_hash BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX tenantry_registrations_by_expiry ON tenantry_registrations (tenant_id, expires_at);

-- Devices on which a PIN is enough.
CREATE TABLE tenantry_devices (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    generation BIGINT NOT NULL,
    name TEXT NOT NULL,
    secret_hash BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    last_used_at BIGINT,
    PRIMARY KEY (tenant_id, id)
);
