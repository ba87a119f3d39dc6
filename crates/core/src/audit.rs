//! The audit: what an entry says, and the octets its place in the chain is sealed over.
//!
//! An entry is begun before an act and settled after it. Settled entries get a number and a keyed
//! hash over themselves and the entry before, so that one that was removed, changed or moved shows.
//! Nothing here is a secret, and nothing that was typed as one ever comes near.

use std::borrow::Cow;
use std::net::IpAddr;

use crate::text_enum::text_enum;
use crate::{AdminId, AuditId, TenantId, Timestamp, UserId};

/// The most octets of an action's name.
const ACTION: usize = 64;

/// The most characters of anything in an entry that somebody else chose.
const CHOSEN: usize = 200;

/// What was done: a thing and what happened to it, as `tenant.create`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Action(Cow<'static, str>);

/// A text that names no action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an action is a thing and what is done to it, as tenant.create: a-z, _ and one dot")]
pub struct ActionError;

impl Action {
    /// The action with this name, where it is one.
    pub fn named(name: &'static str) -> Result<Self, ActionError> {
        Self::check(name).map(|()| Self(Cow::Borrowed(name)))
    }

    /// Its name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn check(name: &str) -> Result<(), ActionError> {
        let word = |word: &str| {
            !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
        };
        let good = name
            .split_once('.')
            .is_some_and(|(thing, act)| word(thing) && word(act));
        if good && name.len() <= ACTION {
            Ok(())
        } else {
            Err(ActionError)
        }
    }
}

impl std::str::FromStr for Action {
    type Err = ActionError;

    fn from_str(name: &str) -> Result<Self, ActionError> {
        Self::check(name).map(|()| Self(Cow::Owned(name.to_owned())))
    }
}

impl std::fmt::Display for Action {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(&self.0)
    }
}

text_enum! {
    /// What sort of actor somebody is.
    pub enum ActorKind {
        /// Somebody in a tenant.
        User = "user",
        /// A platform admin.
        Admin = "platform_admin",
        /// Somebody at the command line.
        Command = "command",
        /// The program by itself, because it was time.
        System = "system",
        /// Nobody who proved who it is.
        Nobody = "nobody",
    }
}

/// Who acts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// Somebody in a tenant.
    User(UserId),
    /// A platform admin.
    Admin(AdminId),
    /// Somebody at the command line, by the name the operating system knows.
    Command(String),
    /// The program by itself, because it was time.
    System,
    /// Nobody who proved who it is.
    Nobody,
}

impl Actor {
    /// What sort of actor it is.
    pub const fn kind(&self) -> ActorKind {
        match self {
            Self::User(_) => ActorKind::User,
            Self::Admin(_) => ActorKind::Admin,
            Self::Command(_) => ActorKind::Command,
            Self::System => ActorKind::System,
            Self::Nobody => ActorKind::Nobody,
        }
    }

    /// The actor's id, where it has one.
    pub const fn id(&self) -> Option<uuid::Uuid> {
        match self {
            Self::User(id) => Some(id.uuid()),
            Self::Admin(id) => Some(id.uuid()),
            Self::Command(_) | Self::System | Self::Nobody => None,
        }
    }

    /// The actor's name, where that is what it is known by.
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Command(name) => Some(name),
            Self::User(_) | Self::Admin(_) | Self::System | Self::Nobody => None,
        }
    }

    /// The actor of these parts; `None` where they are no actor's.
    pub fn from_parts(
        kind: ActorKind,
        id: Option<uuid::Uuid>,
        name: Option<String>,
    ) -> Option<Self> {
        match (kind, id, name) {
            (ActorKind::User, Some(id), None) => Some(Self::User(UserId::from_uuid(id))),
            (ActorKind::Admin, Some(id), None) => Some(Self::Admin(AdminId::from_uuid(id))),
            (ActorKind::Command, None, Some(name)) => Some(Self::Command(name)),
            (ActorKind::System, None, None) => Some(Self::System),
            (ActorKind::Nobody, None, None) => Some(Self::Nobody),
            _ => None,
        }
    }
}

text_enum! {
    /// How an act ended.
    pub enum Outcome {
        /// It was done.
        Done = "done",
        /// It was refused.
        Refused = "refused",
        /// It failed, maybe half-way.
        Failed = "failed",
        /// Whoever did it died meanwhile, so that nobody knows.
        Unknown = "unknown",
    }
}

text_enum! {
    /// What is wrong with the chain at a place.
    pub enum Fault {
        /// The entry that should be there is not.
        Missing = "missing",
        /// The entry, or the one before, is not as it was when it was sealed.
        Altered = "altered",
        /// There is an entry that was never sealed here.
        Foreign = "foreign",
        /// The chain's own record of its ends is not as it was; entries from there on may be gone.
        Ends = "ends",
    }
}

/// Where an act was asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Source {
    /// The client's address.
    pub ip: Option<IpAddr>,
    /// The client's `User-Agent`.
    pub user_agent: Option<String>,
    /// The request, as the log has it.
    pub request_id: Option<String>,
}

/// An entry of the audit. Outlives the tenant it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its id, which begins with its time.
    pub id: AuditId,
    /// When the act began.
    pub at: Timestamp,
    /// What was done.
    pub action: Action,
    /// By whom.
    pub actor: Actor,
    /// To which tenant, where it is about one.
    pub tenant: Option<TenantId>,
    /// To what else: an id, a name.
    pub target: Option<String>,
    /// How it ended; `None` while it goes on.
    pub outcome: Option<Outcome>,
    /// The code it was refused with.
    pub code: Option<String>,
    /// Where it was asked for.
    pub source: Source,
    /// More, as a JSON object.
    pub detail: Option<String>,
}

impl AuditId {
    /// The least id that an entry of this time can have, to the millisecond: ids begin with their
    /// time (RFC 9562, section 5.7).
    pub fn first_at(time: Timestamp) -> Self {
        let millis = u128::try_from(time.micros().div_euclid(1_000)).unwrap_or(0);
        Self::from_uuid(uuid::Uuid::from_u128(millis << 80))
    }
}

/// A text somebody else chose, fit to stand in an entry: one line, not too long.
pub fn chosen(text: &str) -> String {
    text.chars()
        .filter(|c| !c.is_control())
        .take(CHOSEN)
        .collect()
}

impl Entry {
    /// The octets that the entry's hash is made over, as the entry with the number `seq` after one
    /// with the hash `before`. Each part has its length before it, so that no two entries have the
    /// same octets.
    pub fn octets(&self, seq: i64, before: &[u8]) -> Vec<u8> {
        let mut octets = Octets(b"tenantry/audit/1".to_vec());
        octets.put(before);
        octets.put(&seq.to_be_bytes());
        octets.put(self.id.uuid().as_bytes());
        octets.put(&self.at.micros().to_be_bytes());
        octets.put(self.action.as_str().as_bytes());
        octets.put(self.actor.kind().as_str().as_bytes());
        octets.put_option(self.actor.id().as_ref().map(|id| id.as_bytes().as_slice()));
        octets.put_option(self.actor.name().map(str::as_bytes));
        let tenant = self.tenant.map(TenantId::uuid);
        octets.put_option(tenant.as_ref().map(|id| id.as_bytes().as_slice()));
        octets.put_option(self.target.as_deref().map(str::as_bytes));
        octets.put_option(self.outcome.map(|outcome| outcome.as_str().as_bytes()));
        octets.put_option(self.code.as_deref().map(str::as_bytes));
        let ip = self.source.ip.map(|ip| ip.to_string());
        octets.put_option(ip.as_deref().map(str::as_bytes));
        octets.put_option(self.source.user_agent.as_deref().map(str::as_bytes));
        octets.put_option(self.source.request_id.as_deref().map(str::as_bytes));
        octets.put_option(self.detail.as_deref().map(str::as_bytes));
        octets.0
    }
}

/// Parts one after the other, each with its length before it.
struct Octets(Vec<u8>);

impl Octets {
    fn put(&mut self, part: &[u8]) {
        let length = u64::try_from(part.len()).unwrap_or(u64::MAX);
        self.0.extend_from_slice(&length.to_be_bytes());
        self.0.extend_from_slice(part);
    }

    /// A part that may be missing, which is something else than an empty one.
    fn put_option(&mut self, part: Option<&[u8]>) {
        self.0.push(u8::from(part.is_some()));
        if let Some(part) = part {
            self.put(part);
        }
    }
}

/// The two ends of the chain. Everything up to and with `pruned` is gone on purpose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chain {
    /// The number of the last entry that was sealed.
    pub last: i64,
    /// Its hash.
    pub last_hash: Vec<u8>,
    /// The number of the last entry that was pruned; 0 where none was.
    pub pruned: i64,
    /// Its hash, which the first entry there is was sealed after.
    pub pruned_hash: Vec<u8>,
    /// When the chain was begun.
    pub begun_at: Timestamp,
}

impl Chain {
    /// An empty chain.
    pub fn begin(now: Timestamp) -> Self {
        Self {
            last: 0,
            last_hash: Vec::new(),
            pruned: 0,
            pruned_hash: Vec::new(),
            begun_at: now,
        }
    }

    /// The octets that the keyed hash of the ends is made over.
    pub fn octets(&self) -> Vec<u8> {
        let mut octets = Octets(b"tenantry/audit-chain/1".to_vec());
        octets.put(&self.last.to_be_bytes());
        octets.put(&self.last_hash);
        octets.put(&self.pruned.to_be_bytes());
        octets.put(&self.pruned_hash);
        octets.put(&self.begun_at.micros().to_be_bytes());
        octets.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry() -> Entry {
        Entry {
            id: AuditId::from_uuid(uuid::Uuid::from_u128(1)),
            at: Timestamp::from_micros(2),
            action: Action::named("tenant.create").unwrap(),
            actor: Actor::System,
            tenant: None,
            target: None,
            outcome: Some(Outcome::Done),
            code: None,
            source: Source::default(),
            detail: None,
        }
    }

    #[test]
    fn an_action_is_a_thing_and_what_is_done_to_it() {
        for good in ["tenant.create", "user.change_password"] {
            assert_eq!(good.parse::<Action>().unwrap().as_str(), good);
        }
        let long = format!("a.{}", "b".repeat(ACTION));
        for bad in [
            "", "tenant", "tenant.", ".create", "a.b.c", "A.b", "a b.c", &long,
        ] {
            assert_eq!(bad.parse::<Action>(), Err(ActionError), "{bad}");
        }
    }

    #[test]
    fn actors_are_what_their_parts_say_and_nothing_else() {
        let id = uuid::Uuid::from_u128(7);
        for actor in [
            Actor::User(UserId::from_uuid(id)),
            Actor::Admin(AdminId::from_uuid(id)),
            Actor::Command("ada".to_owned()),
            Actor::System,
            Actor::Nobody,
        ] {
            let name = actor.name().map(str::to_owned);
            let again = Actor::from_parts(actor.kind(), actor.id(), name);
            assert_eq!(again, Some(actor));
        }
        assert_eq!(Actor::from_parts(ActorKind::User, None, None), None);
        assert_eq!(Actor::from_parts(ActorKind::System, Some(id), None), None);
        let command = Actor::from_parts(ActorKind::Command, None, None);
        assert_eq!(command, None);
    }

    #[test]
    fn every_part_of_an_entry_is_in_its_octets() {
        let plain = entry();
        let id = uuid::Uuid::from_u128(9);
        let text = || Some("x".to_owned());
        let changes: [fn(&mut Entry, uuid::Uuid, Option<String>); 13] = [
            |entry, id, _| entry.id = AuditId::from_uuid(id),
            |entry, _, _| entry.at = Timestamp::from_micros(3),
            |entry, _, _| entry.action = Action::named("tenant.delete").unwrap(),
            |entry, _, _| entry.actor = Actor::Nobody,
            |entry, id, _| entry.actor = Actor::Admin(AdminId::from_uuid(id)),
            |entry, id, _| entry.tenant = Some(TenantId::from_uuid(id)),
            |entry, _, text| entry.target = text,
            |entry, _, _| entry.outcome = Some(Outcome::Failed),
            |entry, _, text| entry.code = text,
            |entry, _, _| entry.source.ip = Some([127, 0, 0, 1].into()),
            |entry, _, text| entry.source.user_agent = text,
            |entry, _, text| entry.source.request_id = text,
            |entry, _, text| entry.detail = text,
        ];
        let mut seen = vec![
            plain.octets(1, b"h"),
            plain.octets(2, b"h"),
            plain.octets(1, b"i"),
        ];
        for change in changes {
            let mut changed = plain.clone();
            change(&mut changed, id, text());
            seen.push(changed.octets(1, b"h"));
        }
        let all = seen.len();
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), all);
    }

    #[test]
    fn ids_are_in_the_order_of_time() {
        let clock = |micros| crate::Clock::new(move || Timestamp::from_micros(micros));
        let entropy = crate::Entropy::new(|octets: &mut [u8]| octets.fill(0));
        let id = AuditId::generate(&clock(5_000_000), &entropy);
        assert!(id >= AuditId::first_at(Timestamp::from_micros(5_000_999)));
        assert!(id < AuditId::first_at(Timestamp::from_micros(5_001_000)));
    }

    #[test]
    fn a_text_of_somebody_elses_is_one_short_line() {
        assert_eq!(chosen("a\r\nb\u{1b}[31m"), "ab[31m");
        assert_eq!(chosen(&"ä".repeat(300)).chars().count(), CHOSEN);
    }
}
