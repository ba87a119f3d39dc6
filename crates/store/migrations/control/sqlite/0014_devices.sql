-- The device a session was begun on with a PIN: it ends with the device.
ALTER TABLE sessions ADD COLUMN device_id BLOB;
CREATE INDEX sessions_by_device ON sessions (tenant_id, device_id) WHERE device_id IS NOT NULL;
