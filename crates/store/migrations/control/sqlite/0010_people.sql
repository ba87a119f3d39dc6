-- One person may have two entries while an address changes, the old one and the next. Which of two
-- people has an address inside a tenant is the tenant's own constraint to say, not the directory's.

CREATE TABLE directory_of_people (
    tenant_id BLOB NOT NULL REFERENCES tenants (id),
    user_id BLOB NOT NULL,
    generation INTEGER NOT NULL,
    address_hash BLOB NOT NULL,
    -- The same hash where an address may belong to one tenant only, else NULL.
    global_hash BLOB UNIQUE,
    kind TEXT NOT NULL CHECK (kind IN ('owner', 'staff')),
    state TEXT NOT NULL CHECK (state IN ('reserved', 'confirmed')),
    created_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, user_id, address_hash)
) STRICT;
INSERT INTO directory_of_people
    (tenant_id, user_id, generation, address_hash, global_hash, kind, state, created_at)
SELECT tenant_id, user_id, generation, address_hash, global_hash, kind, state, created_at FROM directory;
DROP TABLE directory;
ALTER TABLE directory_of_people RENAME TO directory;
CREATE INDEX directory_by_address ON directory (address_hash);
CREATE INDEX directory_unsettled ON directory (created_at) WHERE state = 'reserved';
