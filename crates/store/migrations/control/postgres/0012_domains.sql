-- Several tenants may claim a domain; whoever proves it first has it, so that a claim alone holds
-- nothing. A domain is a tenant's over all its generations.

ALTER TABLE tenant_domains
    -- What is to be published there.
    ADD COLUMN token TEXT,
    -- The last look for the proof, and why it found none.
    ADD COLUMN checked_at BIGINT,
    ADD COLUMN problem TEXT CHECK (problem IN ('missing', 'different', 'unanswered')),
    -- Since when each look at a proven domain found none; stays when it is lost, until it is proven.
    ADD COLUMN failing_since BIGINT,
    ADD COLUMN next_check_at BIGINT;
UPDATE tenant_domains
SET token = replace(CAST(gen_random_uuid() AS TEXT), '-', ''), next_check_at = verified_at;
ALTER TABLE tenant_domains
    ALTER COLUMN token SET NOT NULL,
    DROP CONSTRAINT tenant_domains_pkey,
    ADD PRIMARY KEY (tenant_id, kind, domain),
    ADD CHECK ((verified_at IS NULL) = (next_check_at IS NULL));
DROP INDEX tenant_domains_by_tenant;
CREATE UNIQUE INDEX tenant_domains_proven ON tenant_domains (kind, domain) WHERE verified_at IS NOT NULL;
CREATE INDEX tenant_domains_due ON tenant_domains (next_check_at) WHERE next_check_at IS NOT NULL;
