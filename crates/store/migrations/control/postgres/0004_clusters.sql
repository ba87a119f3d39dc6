-- PostgreSQL servers that tenants are placed on, and the roles that sign in to tenant databases.

-- Tells this installation's databases and roles from another's on the same server.
ALTER TABLE instance ADD COLUMN uuid UUID;

CREATE TABLE clusters (
    name TEXT PRIMARY KEY,
    -- The admin's URL, with its password.
    sealed_url BYTEA NOT NULL,
    host TEXT NOT NULL,
    port BIGINT NOT NULL,
    -- Whether new tenants are placed there.
    accepts BIGINT NOT NULL CHECK (accepts IN (0, 1)),
    -- The most tenants to place there; NULL leaves it to the server's own limits.
    capacity BIGINT CHECK (capacity >= 0),
    -- The password of the one login that serves every tenant whose rows lie in common tables.
    sealed_shared BYTEA,
    created_at BIGINT NOT NULL
);

-- Every secret that a role of a tenant ever had; the newest by serial.
CREATE TABLE tenant_database_users (
    tenant_id UUID NOT NULL,
    generation BIGINT NOT NULL,
    serial BIGINT NOT NULL CHECK (serial >= 1),
    slot TEXT NOT NULL CHECK (slot IN ('service', 'a', 'b')),
    name TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('pending', 'active', 'retiring', 'retired')),
    -- Gone once it counts no more.
    sealed_secret BYTEA,
    created_at BIGINT NOT NULL,
    activated_at BIGINT,
    -- Since when nobody uses it any more while its successor is in use; for one that retires.
    quiet_since BIGINT,
    -- Until when it is one process's alone to end it; for one that retires.
    held_until BIGINT,
    -- When somebody was last reminded to change it.
    reminded_at BIGINT,
    retired_at BIGINT,
    PRIMARY KEY (tenant_id, generation, serial),
    FOREIGN KEY (tenant_id, generation)
        REFERENCES tenant_databases (tenant_id, generation) ON DELETE CASCADE,
    CHECK ((state = 'retired') = (retired_at IS NOT NULL)),
    CHECK ((state = 'retired') = (sealed_secret IS NULL))
);
-- At most one of a kind is in each state, and a slot has at most one secret that counts.
CREATE UNIQUE INDEX tenant_database_users_states ON tenant_database_users (tenant_id, generation, state)
    WHERE slot <> 'service' AND state <> 'retired';
CREATE UNIQUE INDEX tenant_database_users_slots ON tenant_database_users (tenant_id, generation, slot)
    WHERE slot <> 'service' AND state <> 'retired';
CREATE UNIQUE INDEX tenant_database_users_service ON tenant_database_users (tenant_id, generation, state)
    WHERE slot = 'service' AND state <> 'retired';
-- What is looked after now and then: by age, and whatever is on its way from one state to the next.
CREATE INDEX tenant_database_users_ages ON tenant_database_users (slot, activated_at)
    WHERE state = 'active';
CREATE INDEX tenant_database_users_changing ON tenant_database_users (state, tenant_id, generation)
    WHERE state IN ('pending', 'retiring');
CREATE INDEX tenant_databases_by_cluster ON tenant_databases (cluster);
