-- What was answered to creates that were asked for with an Idempotency-Key, so that the same request
-- under the same key is answered alike. An answer may hold what is shown once, so it is sealed. A row
-- without one is a request that is under way or broke off.

CREATE TABLE idempotent_answers (
    key_hash BYTEA PRIMARY KEY,
    request_hash BYTEA NOT NULL,
    tenant_id UUID,
    created_at BIGINT NOT NULL,
    answer BYTEA
);
CREATE INDEX idempotent_answers_by_age ON idempotent_answers (created_at);
CREATE INDEX idempotent_answers_by_tenant ON idempotent_answers (tenant_id) WHERE tenant_id IS NOT NULL;

-- How the proof of a domain was found, so that only an answer from there says that it is gone.
ALTER TABLE tenant_domains ADD COLUMN proven_by TEXT CHECK (proven_by IN ('record', 'file'));
