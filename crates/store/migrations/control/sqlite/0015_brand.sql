-- What a tenant's pages and mails look like. It is the tenant's over all its generations.
ALTER TABLE tenants ADD COLUMN colour TEXT;
-- What its logo is known by, so that a page knows of it without reading it.
ALTER TABLE tenants ADD COLUMN logo TEXT;

-- The logos themselves, apart from the rows that every request reads.
CREATE TABLE tenant_logos (
    tenant_id BLOB PRIMARY KEY REFERENCES tenants (id),
    tag TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('image/png', 'image/jpeg', 'image/webp')),
    body BLOB NOT NULL,
    set_at INTEGER NOT NULL
) STRICT;
CREATE INDEX tenant_logos_by_tag ON tenant_logos (tag);
