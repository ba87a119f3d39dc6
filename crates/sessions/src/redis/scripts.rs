//! Changes that Redis makes under a condition, each as a whole (Lua 5.1, Redis 6 and later).
//!
//! Times are microseconds since 1970, which a Lua number holds exactly until the year 2255. Those in
//! a session are ours; how long a key lives, and when a member of a set has run out, goes by the
//! clock of Redis alone, so that a clock of ours which is wrong for a while takes nothing away.

use std::sync::LazyLock;

use ::redis::Script;

/// Adds a session. Keys: the session, the tenant's generations, what leads to the session. Words:
/// how long it is kept (ms), its id, its generation, its fields. What leads to it carries the moment
/// at which its key runs out, and goes with the first session that is added after that.
pub(super) static ADD: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        local kept = tonumber(ARGV[1])
        local time = redis.call('TIME')
        local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
        local over = string.format('%.0f', now + kept * 1000)
        local function lead(key, member)
          redis.call('ZREMRANGEBYSCORE', key, '-inf', string.format('(%.0f', now))
          local score = redis.call('ZSCORE', key, member)
          if not score or tonumber(score) < tonumber(over) then
            redis.call('ZADD', key, over, member)
          end
          if redis.call('PTTL', key) < kept then redis.call('PEXPIRE', key, kept) end
        end
        if redis.call('EXISTS', KEYS[1]) == 1 then
          return redis.error_reply('EXISTS this session is there already')
        end
        redis.call('HSET', KEYS[1], unpack(ARGV, 4))
        redis.call('PEXPIRE', KEYS[1], kept)
        if ARGV[3] ~= '0' then lead(KEYS[2], ARGV[3]) end
        for i = 3, #KEYS do lead(KEYS[i], ARGV[2]) end
        return 1
        ",
    )
});

/// Replaces a token's hash. Words: from, to, now.
pub(super) static ROTATE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        local found = redis.call('HMGET', KEYS[1], 'token_hash', 'ended_at')
        if found[1] ~= ARGV[1] or found[2] then return 0 end
        redis.call('HSET', KEYS[1], 'token_hash', ARGV[2], 'last_seen_at', ARGV[3])
        return 1
        ",
    )
});

/// Replaces the security version. Words: from, to.
pub(super) static CARRY_OVER: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        local found = redis.call('HMGET', KEYS[1], 'security_version', 'ended_at')
        if found[1] ~= ARGV[1] or found[2] then return 0 end
        redis.call('HSET', KEYS[1], 'security_version', ARGV[2])
        return 1
        ",
    )
});

/// Notes a use. Words: now.
pub(super) static TOUCH: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        local found = redis.call('HMGET', KEYS[1], 'last_seen_at', 'ended_at')
        if not found[1] or found[2] or tonumber(found[1]) >= tonumber(ARGV[1]) then return 0 end
        redis.call('HSET', KEYS[1], 'last_seen_at', ARGV[1])
        return 1
        ",
    )
});

/// Ends sessions, one for each key; of each that had not ended the fields of its span. Words: now, why,
/// the field that those have which are meant.
pub(super) static END: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        local ended = {}
        for _, key in ipairs(KEYS) do
          local found = redis.call(
            'HMGET', key, ARGV[3], 'ended_at', 'created_at', 'last_seen_at', 'expires_at', 'idle')
          if found[1] and not found[2] then
            redis.call('HSET', key, 'ended_at', ARGV[1], 'end_reason', ARGV[2])
            ended[#ended + 1] = {found[3], found[4], found[5], found[6]}
          end
        end
        return ended
        ",
    )
});

/// Forgets a generation that has no sessions. Keys: the generations, the sessions. Words: which.
pub(super) static FORGET: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        if redis.call('EXISTS', KEYS[2]) == 1 then return 0 end
        return redis.call('ZREM', KEYS[1], ARGV[1])
        ",
    )
});
