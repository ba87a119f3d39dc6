-- One person may have two entries while an address changes, the old one and the next. Which of two
-- people has an address inside a tenant is the tenant's own constraint to say, not the directory's.

ALTER TABLE directory
    DROP CONSTRAINT directory_pkey,
    DROP CONSTRAINT directory_tenant_id_address_hash_key,
    ADD PRIMARY KEY (tenant_id, user_id, address_hash);
CREATE INDEX directory_unsettled ON directory (created_at) WHERE state = 'reserved';
