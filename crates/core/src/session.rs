//! Sessions: how long they live, and the rule that tells a live one from a stale one.

use std::time::Duration;

use uuid::Uuid;

use crate::text_enum::text_enum;
use crate::user::SecurityVersion;
use crate::{Generation, Role, SessionId, TenantId, TenantStatus, Timestamp};

/// How far ahead of now a session may have begun or been used and still count. Clocks of nodes differ
/// by minutes, and one that is set by hand by hours; what lies further ahead was written while a clock
/// was wrong, and would be good until that date comes.
pub const AHEAD: Duration = Duration::from_hours(24);

/// How long a session lives in all and unused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lifetime {
    /// From sign-in to the end.
    pub absolute: Duration,
    /// From the last use to the end.
    pub idle: Duration,
}

/// How long sessions live, by role: the more it may, the shorter by default (NIST SP 800-63B-4,
/// section 5.2: re-authentication by assurance level).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lifetimes {
    /// Members of a tenant.
    pub member: Lifetime,
    /// Owners and admins of a tenant.
    pub admin: Lifetime,
    /// Platform admins.
    pub platform_admin: Lifetime,
}

impl Lifetimes {
    /// That of a role.
    pub const fn of(&self, role: Role) -> Lifetime {
        match role {
            Role::Member => self.member,
            Role::Admin | Role::Owner => self.admin,
            Role::PlatformAdmin => self.platform_admin,
        }
    }
}

impl Default for Lifetimes {
    fn default() -> Self {
        let hours = |absolute, idle| Lifetime {
            absolute: Duration::from_hours(absolute),
            idle,
        };
        Self {
            member: hours(168, Duration::from_hours(24)),
            admin: hours(12, Duration::from_hours(1)),
            platform_admin: hours(8, Duration::from_mins(15)),
        }
    }
}

text_enum! {
    /// What carries a session.
    pub enum SessionKind {
        /// A browser, by cookie.
        Browser = "browser",
        /// An API client, by access and refresh token.
        Api = "api",
    }
}

text_enum! {
    /// Why a session ended before its time.
    pub enum EndReason {
        /// Its person signed out.
        Logout = "logout",
        /// Its person ended it from another session, or everywhere.
        Revoked = "revoked",
        /// An admin ended it.
        Admin = "admin",
        /// A refresh token was used twice (RFC 9700, section 4.14.2).
        Reuse = "reuse",
        /// The password changed.
        Password = "password",
        /// The address changed, by its person's own wish.
        Address = "address",
        /// The tenant was deleted, recreated or restored, or its sessions were cleared.
        Tenant = "tenant",
        /// Its person signed in more often than the settings allow.
        Limit = "limit",
    }
}

text_enum! {
    /// Where sessions lie.
    pub enum SessionDriver {
        /// In the control database.
        Database = "database",
        /// In Redis.
        Redis = "redis",
        /// In files under the data folder.
        File = "file",
    }
}

/// Whose session it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Subject {
    /// A person in a tenant, in one generation of it.
    User {
        /// The tenant.
        tenant: TenantId,
        /// Its generation at sign-in.
        generation: Generation,
        /// The person.
        user: crate::UserId,
    },
    /// A platform admin.
    Admin(crate::AdminId),
}

impl Subject {
    /// The tenant, unless it is a platform admin.
    pub const fn tenant(&self) -> Option<TenantId> {
        match self {
            Self::User { tenant, .. } => Some(*tenant),
            Self::Admin(_) => None,
        }
    }

    /// The tenant and its generation, unless it is a platform admin.
    pub const fn scope(&self) -> Scope {
        match self {
            Self::User {
                tenant, generation, ..
            } => Some((*tenant, *generation)),
            Self::Admin(_) => None,
        }
    }

    /// The person's id, whichever kind of person it is.
    pub const fn person(&self) -> Uuid {
        match self {
            Self::User { user, .. } => user.uuid(),
            Self::Admin(admin) => admin.uuid(),
        }
    }
}

/// A tenant in one generation; `None` is the platform.
pub type Scope = Option<(TenantId, Generation)>;

/// What a token says of the session that it carries. A session is found by all of it: one of
/// another tenant or generation is not there, wherever sessions lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Handle {
    /// Tenant and generation it was begun in.
    pub scope: Scope,
    /// The session.
    pub id: SessionId,
}

/// A session, without its secrets.
#[derive(Debug, Clone)]
pub struct Session {
    /// The id, which is no secret.
    pub id: SessionId,
    /// Whose it is.
    pub subject: Subject,
    /// The person's security version at sign-in.
    pub security_version: SecurityVersion,
    /// What carries it.
    pub kind: SessionKind,
    /// When it began.
    pub created_at: Timestamp,
    /// When it was last used, to the minute.
    pub last_seen_at: Timestamp,
    /// When it ends at the latest.
    pub expires_at: Timestamp,
    /// How long it may lie unused.
    pub idle: Duration,
    /// When it was ended early.
    pub ended_at: Option<Timestamp>,
    /// The client's `User-Agent`, shortened.
    pub user_agent: Option<String>,
}

impl Session {
    /// What its token says of it.
    pub const fn handle(&self) -> Handle {
        Handle {
            scope: self.subject.scope(),
            id: self.id,
        }
    }

    /// Whether it has neither ended nor run out.
    pub fn is_alive(&self, now: Timestamp) -> bool {
        let span = Span {
            created_at: self.created_at,
            last_seen_at: self.last_seen_at,
            expires_at: self.expires_at,
            idle: self.idle,
        };
        self.ended_at.is_none() && span.holds(now)
    }
}

/// From when to when a session that nobody ends is alive.
#[derive(Debug, Clone, Copy)]
pub struct Span {
    /// When it began.
    pub created_at: Timestamp,
    /// When it was last used.
    pub last_seen_at: Timestamp,
    /// When it ends at the latest.
    pub expires_at: Timestamp,
    /// How long it may lie unused.
    pub idle: Duration,
}

impl Span {
    /// Whether it has neither run out, nor lain unused for too long, nor is of a time that is still to
    /// come ([`AHEAD`]).
    pub fn holds(&self, now: Timestamp) -> bool {
        let latest = now + AHEAD;
        now < self.expires_at
            && now < self.last_seen_at + self.idle
            && self.created_at <= latest
            && self.last_seen_at <= latest
    }
}

/// What is true now about the person and tenant of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts {
    /// The tenant's status and generation; `None` for a platform admin.
    pub tenant: Option<(TenantStatus, Generation)>,
    /// The person's security version; `None` where there is no such person any more.
    pub security_version: Option<SecurityVersion>,
    /// Whether the person is kept out.
    pub disabled: bool,
    /// Whether the device it was begun on, or the PIN it was begun with, is the person's no more.
    pub device_gone: bool,
}

/// Why a session that was good is good no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stale {
    /// It ended or ran out.
    Ended,
    /// Its tenant is not active, or has another generation.
    Tenant,
    /// Its person is gone, disabled, or changed password or role.
    User,
    /// The device or the PIN that it was begun with was taken away.
    Device,
}

/// The stale rule: the one place that decides whether a session counts.
pub fn check(session: &Session, facts: &Facts, now: Timestamp) -> Result<(), Stale> {
    if !session.is_alive(now) {
        return Err(Stale::Ended);
    }
    let generation = match session.subject {
        Subject::User { generation, .. } => Some((TenantStatus::Active, generation)),
        Subject::Admin(_) => None,
    };
    if facts.tenant != generation {
        return Err(Stale::Tenant);
    }
    if facts.disabled || facts.security_version != Some(session.security_version) {
        return Err(Stale::User);
    }
    if facts.device_gone {
        return Err(Stale::Device);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::UserId;

    const NOW: Timestamp = Timestamp::from_micros(1_000_000_000_000);

    fn session() -> Session {
        Session {
            id: SessionId::from_uuid(Uuid::from_u128(1)),
            subject: Subject::User {
                tenant: TenantId::from_uuid(Uuid::from_u128(2)),
                generation: Generation::FIRST,
                user: UserId::from_uuid(Uuid::from_u128(3)),
            },
            security_version: SecurityVersion(4),
            kind: SessionKind::Browser,
            created_at: NOW,
            last_seen_at: NOW,
            expires_at: NOW + Duration::from_secs(100),
            idle: Duration::from_secs(10),
            ended_at: None,
            user_agent: None,
        }
    }

    const FACTS: Facts = Facts {
        tenant: Some((TenantStatus::Active, Generation::FIRST)),
        security_version: Some(SecurityVersion(4)),
        disabled: false,
        device_gone: false,
    };

    #[test]
    fn each_fact_counts() {
        assert_eq!(check(&session(), &FACTS, NOW), Ok(()));
        let changed = |change: fn(&mut Facts)| {
            let mut facts = FACTS;
            change(&mut facts);
            check(&session(), &facts, NOW)
        };
        assert_eq!(
            changed(|f| f.tenant = Some((TenantStatus::Suspended, Generation::FIRST))),
            Err(Stale::Tenant)
        );
        assert_eq!(
            changed(|f| f.tenant = Some((TenantStatus::Active, Generation::FIRST.next()))),
            Err(Stale::Tenant)
        );
        assert_eq!(changed(|f| f.tenant = None), Err(Stale::Tenant));
        assert_eq!(
            changed(|f| f.security_version = Some(SecurityVersion(5))),
            Err(Stale::User)
        );
        assert_eq!(changed(|f| f.security_version = None), Err(Stale::User));
        assert_eq!(changed(|f| f.disabled = true), Err(Stale::User));
        assert_eq!(changed(|f| f.device_gone = true), Err(Stale::Device));
    }

    #[test]
    fn ends_when_unused_and_in_any_case() {
        let mut session = session();
        assert_eq!(
            check(&session, &FACTS, NOW + Duration::from_secs(10)),
            Err(Stale::Ended)
        );
        session.last_seen_at = NOW + Duration::from_secs(99);
        assert_eq!(
            check(&session, &FACTS, NOW + Duration::from_secs(99)),
            Ok(())
        );
        assert_eq!(
            check(&session, &FACTS, NOW + Duration::from_secs(100)),
            Err(Stale::Ended)
        );
        session.ended_at = Some(NOW);
        assert_eq!(check(&session, &FACTS, NOW), Err(Stale::Ended));
    }

    #[test]
    fn what_a_clock_far_ahead_wrote_does_not_count() {
        let moment = Duration::from_micros(1);
        let begun = |at| Session {
            created_at: at,
            last_seen_at: at,
            expires_at: at + Duration::from_secs(100),
            ..session()
        };
        assert_eq!(check(&begun(NOW + AHEAD), &FACTS, NOW), Ok(()));
        let far = begun(NOW + AHEAD + moment);
        assert_eq!(check(&far, &FACTS, NOW), Err(Stale::Ended));
        let mut used = session();
        used.expires_at = NOW + AHEAD * 30;
        used.last_seen_at = NOW + AHEAD;
        assert_eq!(check(&used, &FACTS, NOW), Ok(()));
        used.last_seen_at = NOW + AHEAD + moment;
        assert_eq!(check(&used, &FACTS, NOW), Err(Stale::Ended));
    }
}
