//! What changed, told by counters: how something that was read before is known to be old.
//!
//! Whoever keeps what was read takes the marks of what it depends on *before* reading, and compares
//! them each time it is used. Whoever changes something raises its mark *after* the change is
//! committed. So a reader that was slow keeps something that counts for nobody: nothing has to be
//! found and removed, and nothing can be written back. `tests/marks.rs` tries every interleaving.
//!
//! Many topics share a counter, which costs a needless look now and then and never an old answer.

use std::sync::atomic::{AtomicU64, Ordering};

use uuid::Uuid;

use crate::{AdminId, SessionId, TenantId, UserId};

/// What may change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Topic {
    /// A tenant: its record, its domains, everything in it.
    Tenant(TenantId),
    /// A person: in whatever tenant has one of this id, or a platform admin.
    Person(Uuid),
    /// A session.
    Session(SessionId),
    /// Everything there is.
    Everything,
}

impl From<TenantId> for Topic {
    fn from(tenant: TenantId) -> Self {
        Self::Tenant(tenant)
    }
}

impl From<UserId> for Topic {
    fn from(user: UserId) -> Self {
        Self::Person(user.uuid())
    }
}

impl From<AdminId> for Topic {
    fn from(admin: AdminId) -> Self {
        Self::Person(admin.uuid())
    }
}

impl std::fmt::Display for Topic {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Tenant(id) => write!(f, "t{}", id.uuid().simple()),
            Self::Person(id) => write!(f, "p{}", id.simple()),
            Self::Session(id) => write!(f, "s{}", id.uuid().simple()),
            Self::Everything => f.write_str("*"),
        }
    }
}

/// A text that is no topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a topic")]
pub struct TopicError;

impl std::str::FromStr for Topic {
    type Err = TopicError;

    fn from_str(text: &str) -> Result<Self, TopicError> {
        if text == "*" {
            return Ok(Self::Everything);
        }
        let id = |text: &str| Uuid::try_parse(text).map_err(|_| TopicError);
        match text.split_at_checked(1).ok_or(TopicError)? {
            ("t", rest) => Ok(Self::Tenant(TenantId::from_uuid(id(rest)?))),
            ("p", rest) => Ok(Self::Person(id(rest)?)),
            ("s", rest) => Ok(Self::Session(SessionId::from_uuid(id(rest)?))),
            _ => Err(TopicError),
        }
    }
}

/// An atomic number: the standard library's, or a model checker's, which is given the very orderings
/// that are used here.
pub trait Atomic {
    /// Loads it.
    fn load(&self, ordering: Ordering) -> u64;
    /// Makes it one more.
    fn increment(&self, ordering: Ordering);
}

impl Atomic for AtomicU64 {
    fn load(&self, ordering: Ordering) -> u64 {
        Self::load(self, ordering)
    }

    fn increment(&self, ordering: Ordering) {
        self.fetch_add(1, ordering);
    }
}

/// A counter of changes.
struct Counter<A>(A);

impl<A: Atomic> Counter<A> {
    /// What it says, seen before whatever the caller reads next.
    fn seen(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }

    /// Says something else from now on, after whatever the caller did before.
    fn raise(&self) {
        self.0.increment(Ordering::AcqRel);
    }
}

/// Counters in all. Two topics out of a thousand that change within a second meet by chance in one
/// of eight looks; at eight octets each they fill 32 KiB.
const COUNTERS: usize = 4096;

/// The counters of all topics.
pub struct Marks<A = AtomicU64> {
    counters: Box<[Counter<A>]>,
    everything: Counter<A>,
}

/// What the counters of some topics said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen<const N: usize> {
    topics: [u16; N],
    said: [u64; N],
    everything: u64,
}

impl Default for Marks {
    fn default() -> Self {
        Self::with(COUNTERS, AtomicU64::default)
    }
}

impl<A: Atomic> Marks<A> {
    /// So many counters (at most 65,536), each over what `make` makes.
    pub fn with(counters: usize, make: impl Fn() -> A) -> Self {
        let counters = 0..counters.clamp(1, 1 << 16);
        Self {
            counters: counters.map(|_| Counter(make())).collect(),
            everything: Counter(make()),
        }
    }

    /// Which counter is a topic's. The last octets of an id are random (RFC 9562, section 5.7).
    fn place(&self, topic: Topic) -> Option<u16> {
        let (kind, id) = match topic {
            Topic::Tenant(id) => (0x5bd1, id.uuid()),
            Topic::Person(id) => (0xe995, id),
            Topic::Session(id) => (0x9e37, id.uuid()),
            Topic::Everything => return None,
        };
        let bytes = id.as_bytes();
        let mixed = u16::from_be_bytes([bytes[14], bytes[15]]) ^ kind;
        u16::try_from(usize::from(mixed) % self.counters.len()).ok()
    }

    /// Takes the marks of what is about to be read.
    pub fn seen<const N: usize>(&self, topics: [Topic; N]) -> Seen<N> {
        // Everything's mark stands for itself in each.
        let everything = self.everything.seen();
        let topics = topics.map(|topic| self.place(topic).unwrap_or_default());
        Seen {
            topics,
            said: topics.map(|place| self.counters[usize::from(place)].seen()),
            everything,
        }
    }

    /// Whether nothing of it changed since.
    pub fn unchanged<const N: usize>(&self, seen: &Seen<N>) -> bool {
        self.everything.seen() == seen.everything
            && seen
                .topics
                .iter()
                .zip(&seen.said)
                .all(|(place, said)| self.counters[usize::from(*place)].seen() == *said)
    }

    /// Tells that something changed; to be called once the change is there for every reader.
    pub fn raise(&self, topic: Topic) {
        match self.place(topic) {
            Some(place) => self.counters[usize::from(place)].raise(),
            None => self.everything.raise(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tenant(number: u128) -> Topic {
        Topic::Tenant(TenantId::from_uuid(Uuid::from_u128(number)))
    }

    fn session(number: u128) -> Topic {
        Topic::Session(SessionId::from_uuid(Uuid::from_u128(number)))
    }

    #[test]
    fn a_change_is_seen_by_what_depends_on_it() {
        let marks = Marks::default();
        let seen = marks.seen([tenant(1), session(2)]);
        assert!(marks.unchanged(&seen));
        marks.raise(tenant(3));
        marks.raise(session(1));
        assert!(marks.unchanged(&seen));
        marks.raise(session(2));
        assert!(!marks.unchanged(&seen));
        let seen = marks.seen([tenant(1), session(2)]);
        marks.raise(Topic::Everything);
        assert!(!marks.unchanged(&seen));
    }

    #[test]
    fn topics_are_written_and_read() {
        let all = [
            tenant(1),
            session(2),
            Topic::Person(Uuid::from_u128(3)),
            Topic::Everything,
        ];
        for topic in all {
            assert_eq!(topic.to_string().parse(), Ok(topic));
        }
        for text in ["", "x", "t", "tx", "s1234", "é", "**"] {
            assert_eq!(text.parse::<Topic>(), Err(TopicError), "{text}");
        }
    }
}
