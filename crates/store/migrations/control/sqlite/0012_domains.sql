-- Several tenants may claim a domain; whoever proves it first has it, so that a claim alone holds
-- nothing. A domain is a tenant's over all its generations.

CREATE TABLE domains_of_tenants (
    domain TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('host', 'email')),
    tenant_id BLOB NOT NULL REFERENCES tenants (id),
    created_at INTEGER NOT NULL,
    verified_at INTEGER,
    -- What is to be published there.
    token TEXT NOT NULL,
    -- The last look for the proof, and why it found none.
    checked_at INTEGER,
    problem TEXT CHECK (problem IN ('missing', 'different', 'unanswered')),
    -- Since when each look at a proven domain found none; stays when it is lost, until it is proven.
    failing_since INTEGER,
    next_check_at INTEGER,
    PRIMARY KEY (tenant_id, kind, domain),
    CHECK ((verified_at IS NULL) = (next_check_at IS NULL))
) STRICT;
INSERT INTO domains_of_tenants
    (tenant_id, kind, domain, token, created_at, verified_at, next_check_at)
SELECT tenant_id, kind, domain, lower(hex(randomblob(16))), created_at, verified_at, verified_at
FROM tenant_domains;
DROP TABLE tenant_domains;
ALTER TABLE domains_of_tenants RENAME TO tenant_domains;
CREATE UNIQUE INDEX tenant_domains_proven ON tenant_domains (kind, domain) WHERE verified_at IS NOT NULL;
CREATE INDEX tenant_domains_due ON tenant_domains (next_check_at) WHERE next_check_at IS NOT NULL;
