-- Where sessions lie, as the server saw it that started last: whoever starts with another driver signs
-- everybody out, and says so. Up to here they lay in this database. A new installation writes its own.
ALTER TABLE instance ADD COLUMN session_driver TEXT CHECK (session_driver IN ('database', 'redis', 'file'));
UPDATE instance SET session_driver = 'database';
