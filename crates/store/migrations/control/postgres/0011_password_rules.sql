-- The fewest characters of a new password in a tenant; NULL where the platform's number holds.

ALTER TABLE tenants ADD COLUMN password_min BIGINT CHECK (password_min >= 8 AND password_min <= 64);
