-- Keys are exchanged while everything goes on: a signing key is published before it signs and stays
-- until what it signed has run out; a sealing key stays until nothing names it any more.

CREATE TABLE new_signing_keys (
    kid TEXT PRIMARY KEY,
    -- The seed, sealed; gone once the key is retired.
    sealed_seed BYTEA,
    public_key BYTEA NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('next', 'active', 'retiring', 'retired')),
    -- Since when it is in that state.
    since BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    CHECK ((state = 'retired') = (sealed_seed IS NULL))
);
INSERT INTO new_signing_keys (kid, sealed_seed, public_key, state, since, created_at)
SELECT kid, CASE WHEN retired_at IS NULL THEN sealed_seed END, public_key,
       CASE WHEN retired_at IS NOT NULL THEN 'retired'
            WHEN EXISTS (SELECT 1 FROM signing_keys AS newer
                         WHERE newer.retired_at IS NULL
                           AND (newer.created_at, newer.kid) > (signing_keys.created_at, signing_keys.kid))
            THEN 'retiring'
            ELSE 'active' END,
       COALESCE(retired_at, created_at), created_at
FROM signing_keys;
DROP TABLE signing_keys;
ALTER TABLE new_signing_keys RENAME TO signing_keys;
-- At most one that signs, and one that will.
CREATE UNIQUE INDEX signing_keys_in_use ON signing_keys (state) WHERE state IN ('next', 'active');

CREATE TABLE new_data_keys (
    id UUID PRIMARY KEY,
    sealed_key BYTEA NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('active', 'retiring')),
    since BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    -- When somebody last set about sealing anew what names it; for one that retires.
    looked_at BIGINT
);
INSERT INTO new_data_keys (id, sealed_key, state, since, created_at)
SELECT id, sealed_key,
       CASE WHEN EXISTS (SELECT 1 FROM data_keys AS newer
                         WHERE (newer.created_at, newer.id) > (data_keys.created_at, data_keys.id))
            THEN 'retiring'
            ELSE 'active' END,
       created_at, created_at
FROM data_keys;
DROP TABLE data_keys;
ALTER TABLE new_data_keys RENAME TO data_keys;
CREATE UNIQUE INDEX data_keys_in_use ON data_keys (state) WHERE state = 'active';

-- Raised with each change of the keys, so that a process sees in one row whether it knows them all.
INSERT INTO counters (name, value) VALUES ('keys', 1);
