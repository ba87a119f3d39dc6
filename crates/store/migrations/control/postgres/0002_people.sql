-- Platform admins, and what proves who somebody is.

CREATE TABLE platform_admins (
    id UUID PRIMARY KEY,
    email TEXT NOT NULL,
    email_key TEXT NOT NULL UNIQUE,
    full_name TEXT,
    password_hash TEXT,
    security_version BIGINT NOT NULL,
    must_change_password BIGINT NOT NULL CHECK (must_change_password IN (0, 1)),
    disabled_at BIGINT,
    created_at BIGINT NOT NULL,
    last_login_at BIGINT
);

-- One-time secrets of people outside any tenant, and of choosing one.
CREATE TABLE one_time_secrets (
    id UUID PRIMARY KEY,
    admin_id UUID REFERENCES platform_admins (id),
    purpose TEXT NOT NULL,
    secret_hash BYTEA NOT NULL,
    security_version BIGINT NOT NULL,
    -- For a selection: whom the password fitted, as a JSON list.
    payload TEXT,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at BIGINT,
    -- A new one takes the place of the old. Selections have no admin and are not counted.
    UNIQUE (admin_id, purpose)
);
CREATE INDEX one_time_secrets_by_expiry ON one_time_secrets (expires_at);

CREATE TABLE sessions (
    id UUID PRIMARY KEY,
    token_hash BYTEA NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('browser', 'api')),
    -- Both NULL for a platform admin.
    tenant_id UUID,
    generation BIGINT,
    subject_id UUID NOT NULL,
    security_version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    last_seen_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    idle_micros BIGINT NOT NULL,
    ended_at BIGINT,
    end_reason TEXT,
    user_agent TEXT,
    CHECK ((tenant_id IS NULL) = (generation IS NULL)),
    CHECK ((ended_at IS NULL) = (end_reason IS NULL))
);
CREATE INDEX sessions_by_subject ON sessions (tenant_id, subject_id);
CREATE INDEX sessions_by_expiry ON sessions (expires_at);

CREATE TABLE signing_keys (
    kid TEXT PRIMARY KEY,
    sealed_seed BYTEA NOT NULL,
    public_key BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    retired_at BIGINT
);

CREATE TABLE data_keys (
    id UUID PRIMARY KEY,
    sealed_key BYTEA NOT NULL,
    created_at BIGINT NOT NULL
);

-- Wrong tries, counted before the secret is compared. The key is a keyed hash of what is counted.
CREATE TABLE throttle (
    key_hash BYTEA PRIMARY KEY,
    failures BIGINT NOT NULL,
    last_at BIGINT NOT NULL,
    blocked_until BIGINT NOT NULL
);
CREATE INDEX throttle_by_age ON throttle (last_at);
