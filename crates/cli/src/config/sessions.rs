//! `sessions`, a driver alone, or `[sessions]` with more; and Redis.

use std::fmt;
use std::num::NonZeroU32;
use std::time::Duration;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use tenantry_core::session::{Lifetime, Lifetimes, SessionDriver};
use tenantry_sessions::Redis;
use tenantry_sessions::redis::RedisUrl;

use super::refusal::{within, wrong};
use crate::exit::Exit;

/// What holds of sessions beside where they lie.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Sessions {
    /// Where they lie, as the file says it.
    #[serde(skip_serializing)]
    pub(super) driver: Option<String>,
    /// How many a person may have at once; 0 for as many as anybody likes. None by default: a limit
    /// signs somebody out who did nothing wrong, such as a script that signs in for each of its
    /// parts. Keycloak has none unless an operator sets one; Auth0 ends the oldest of 200.
    #[serde(rename(serialize = "sessions_per_user"))]
    per_user: u32,
    /// Hours from sign-in to the end, and minutes unused to the end: members of a tenant.
    #[serde(rename(serialize = "sessions_member_hours"))]
    member_hours: u64,
    #[serde(rename(serialize = "sessions_member_idle_minutes"))]
    member_idle_minutes: u64,
    /// The same for owners and admins of a tenant.
    #[serde(rename(serialize = "sessions_admin_hours"))]
    admin_hours: u64,
    #[serde(rename(serialize = "sessions_admin_idle_minutes"))]
    admin_idle_minutes: u64,
    /// The same for platform admins.
    #[serde(rename(serialize = "sessions_platform_admin_hours"))]
    platform_admin_hours: u64,
    #[serde(rename(serialize = "sessions_platform_admin_idle_minutes"))]
    platform_admin_idle_minutes: u64,
}

impl Default for Sessions {
    fn default() -> Self {
        let Lifetimes {
            member,
            admin,
            platform_admin,
        } = Lifetimes::default();
        let hours = |lifetime: Lifetime| lifetime.absolute.as_secs() / 3600;
        let minutes = |lifetime: Lifetime| lifetime.idle.as_secs() / 60;
        Self {
            driver: None,
            per_user: 0,
            member_hours: hours(member),
            member_idle_minutes: minutes(member),
            admin_hours: hours(admin),
            admin_idle_minutes: minutes(admin),
            platform_admin_hours: hours(platform_admin),
            platform_admin_idle_minutes: minutes(platform_admin),
        }
    }
}

impl Sessions {
    pub(super) fn check(&self) -> Result<(), Exit> {
        within(
            "sessions.per_user",
            &self.per_user,
            &(0..=100_000),
            Some("no limit"),
        )?;
        for (name, hours) in [
            ("sessions.member_hours", self.member_hours),
            ("sessions.admin_hours", self.admin_hours),
            ("sessions.platform_admin_hours", self.platform_admin_hours),
        ] {
            within(name, &hours, &(1..=8760), None)?;
        }
        // That a session was used is noted to the minute, so that less would end what is in use.
        for (name, minutes) in [
            ("sessions.member_idle_minutes", self.member_idle_minutes),
            ("sessions.admin_idle_minutes", self.admin_idle_minutes),
            (
                "sessions.platform_admin_idle_minutes",
                self.platform_admin_idle_minutes,
            ),
        ] {
            within(name, &minutes, &(5..=525_600), None)?;
        }
        Ok(())
    }

    pub(super) const fn per_user(&self) -> Option<NonZeroU32> {
        NonZeroU32::new(self.per_user)
    }

    pub(super) fn lifetimes(&self) -> Lifetimes {
        let lifetime = |hours, minutes| Lifetime {
            absolute: Duration::from_hours(hours),
            idle: Duration::from_mins(minutes),
        };
        Lifetimes {
            member: lifetime(self.member_hours, self.member_idle_minutes),
            admin: lifetime(self.admin_hours, self.admin_idle_minutes),
            platform_admin: lifetime(self.platform_admin_hours, self.platform_admin_idle_minutes),
        }
    }
}

/// `sessions = "redis"`, or the section.
pub(super) fn given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Sessions, D::Error> {
    struct Given;

    impl<'de> Visitor<'de> for Given {
        type Value = Sessions;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("where sessions lie, or a section")
        }

        fn visit_str<E: Error>(self, driver: &str) -> Result<Sessions, E> {
            Ok(Sessions {
                driver: Some(driver.to_owned()),
                ..Sessions::default()
            })
        }

        fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Sessions, A::Error> {
            Sessions::deserialize(MapAccessDeserializer::new(map))
        }
    }

    deserializer.deserialize_any(Given)
}

/// The driver that sessions are kept by. One that needs Redis goes with a URL of it.
pub(super) fn driver(text: Option<&str>, redis_url: Option<&str>) -> Result<SessionDriver, Exit> {
    let driver = match text {
        None => SessionDriver::Database,
        Some(text) => text
            .parse()
            .map_err(|_| wrong("TENANTRY_SESSIONS", "it is `database`, `redis` or `file`"))?,
    };
    if driver == SessionDriver::Redis && redis_url.is_none() {
        return Err(wrong(
            "TENANTRY_SESSIONS",
            "`redis` needs TENANTRY_REDIS_URL, such as redis://:PASSWORD@HOST:6379/0",
        ));
    }
    Ok(driver)
}

/// Redis, where there is one. Whether it answers is not asked: one that is away keeps nobody from
/// starting.
pub(super) fn redis(url: Option<&str>) -> Result<Option<Redis>, Exit> {
    let Some(url) = url else { return Ok(None) };
    let wrong = |error| wrong("TENANTRY_REDIS_URL", error);
    let url: RedisUrl = url.parse().map_err(wrong)?;
    Redis::at(&url).map(Some).map_err(wrong)
}
