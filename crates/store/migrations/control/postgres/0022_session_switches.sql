-- How often sessions came to lie elsewhere. Those begun before the last time count no more, also where
-- sessions lie in an earlier place again.
ALTER TABLE instance ADD COLUMN session_switches BIGINT NOT NULL DEFAULT 0;
