-- Platform admins, and what proves who somebody is.

CREATE TABLE platform_admins (
    id BLOB PRIMARY KEY,
    email TEXT NOT NULL,
    email_key TEXT NOT NULL UNIQUE,
    full_name TEXT,
    password_hash TEXT,
    security_version INTEGER NOT NULL,
    must_change_password INTEGER NOT NULL CHECK (must_change_password IN (0, 1)),
    disabled_at INTEGER,
    created_at INTEGER NOT NULL,
    last_login_at INTEGER
) STRICT;

-- One-time secrets of people outside any tenant, and of choosing one.
CREATE TABLE one_time_secrets (
    id BLOB PRIMARY KEY,
    admin_id BLOB REFERENCES platform_admins (id),
    purpose TEXT NOT NULL,
    secret_hash BLOB NOT NULL,
    security_version INTEGER NOT NULL,
    -- For a selection: whom the password fitted, as a JSON list.
    payload TEXT,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    used_at INTEGER,
    -- A new one takes the place of the old. Selections have no admin and are not counted.
    UNIQUE (admin_id, purpose)
) STRICT;
CREATE INDEX one_time_secrets_by_expiry ON one_time_secrets (expires_at);

CREATE TABLE sessions (
    id BLOB PRIMARY KEY,
    token_hash BLOB NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('browser', 'api')),
    -- Both NULL for a platform admin.
    tenant_id BLOB,
    generation INTEGER,
    subject_id BLOB NOT NULL,
    security_version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    last_seen_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    idle_micros INTEGER NOT NULL,
    ended_at INTEGER,
    end_reason TEXT,
    user_agent TEXT,
    CHECK ((tenant_id IS NULL) = (generation IS NULL)),
    CHECK ((ended_at IS NULL) = (end_reason IS NULL))
) STRICT;
CREATE INDEX sessions_by_subject ON sessions (tenant_id, subject_id);
CREATE INDEX sessions_by_expiry ON sessions (expires_at);

CREATE TABLE signing_keys (
    kid TEXT PRIMARY KEY,
    sealed_seed BLOB NOT NULL,
    public_key BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    retired_at INTEGER
) STRICT;

CREATE TABLE data_keys (
    id BLOB PRIMARY KEY,
    sealed_key BLOB NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

-- Wrong tries, counted before the secret is compared. The key is a keyed hash of what is counted.
CREATE TABLE throttle (
    key_hash BLOB PRIMARY KEY,
    failures INTEGER NOT NULL,
    last_at INTEGER NOT NULL,
    blocked_until INTEGER NOT NULL
) STRICT;
CREATE INDEX throttle_by_age ON throttle (last_at);
