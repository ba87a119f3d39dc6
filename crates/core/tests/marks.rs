//! The marks under a model checker: every interleaving of a slow reader, a change and a look, and every
//! order in which the memory of a machine may let one see what another did.
//!
//! What is modelled besides the marks is a database that hands out what was committed, and one place in
//! a cache. The database orders nothing by itself: what is read in it is tied to the marks by the
//! orderings of the marks alone, which are the product's own. The rule: whoever looks after a change was
//! told never gets what was before it.

use std::sync::atomic::Ordering;

use loom::sync::atomic::AtomicU64;
use loom::sync::{Arc, Mutex};
use loom::thread;
use tenantry_core::marks::{Atomic, Marks, Seen, Topic};
use tenantry_core::{SessionId, TenantId};
use uuid::Uuid;

/// An atomic of the model checker, with the orderings it is asked for.
struct Modelled(AtomicU64);

impl Atomic for Modelled {
    fn load(&self, ordering: Ordering) -> u64 {
        self.0.load(ordering)
    }

    fn increment(&self, ordering: Ordering) {
        self.0.fetch_add(1, ordering);
    }
}

/// The same with weaker orderings: when it loads, or when it is raised.
struct Weak<const LOADS: bool>(AtomicU64);

impl<const LOADS: bool> Atomic for Weak<LOADS> {
    fn load(&self, ordering: Ordering) -> u64 {
        self.0
            .load(if LOADS { Ordering::Relaxed } else { ordering })
    }

    fn increment(&self, ordering: Ordering) {
        let ordering = if LOADS { ordering } else { Ordering::Relaxed };
        self.0.fetch_add(1, ordering);
    }
}

/// What was kept of a session and the person whose it is.
#[derive(Clone, Copy)]
struct Kept {
    session: u64,
    person: u64,
    seen: Seen<3>,
}

struct World<A> {
    marks: Marks<A>,
    session: AtomicU64,
    person: AtomicU64,
    cache: Mutex<Option<Kept>>,
}

/// Three topics with a counter each out of three.
const SESSION: Topic = Topic::Session(SessionId::from_uuid(Uuid::from_u128(1)));
const TENANT: Topic = Topic::Tenant(TenantId::from_uuid(Uuid::from_u128(0)));
const PERSON: Topic = Topic::Person(Uuid::from_u128(0));

#[test]
fn no_two_of_the_topics_share_a_counter() {
    let marks = Marks::with(3, std::sync::atomic::AtomicU64::default);
    for (topic, others) in [
        (SESSION, [TENANT, PERSON]),
        (TENANT, [SESSION, PERSON]),
        (PERSON, [SESSION, TENANT]),
    ] {
        let seen = marks.seen(others);
        marks.raise(topic);
        assert!(marks.unchanged(&seen), "{topic}");
    }
}

impl<A: Atomic + 'static> World<A> {
    fn new(make: fn(AtomicU64) -> A) -> Arc<Self> {
        Arc::new(Self {
            marks: Marks::with(3, || make(AtomicU64::new(0))),
            session: AtomicU64::new(1),
            person: AtomicU64::new(1),
            cache: Mutex::new(None),
        })
    }

    fn read(row: &AtomicU64) -> u64 {
        row.load(Ordering::Relaxed)
    }

    fn keep(&self, session: u64, person: u64, seen: Seen<3>) {
        *self.cache.lock().unwrap() = Some(Kept {
            session,
            person,
            seen,
        });
    }

    /// Reads and keeps, marks first; whose the session is, is known once it was read.
    fn fill(&self) {
        let _whose = Self::read(&self.session);
        let seen = self.marks.seen([SESSION, TENANT, PERSON]);
        let session = Self::read(&self.session);
        let person = Self::read(&self.person);
        self.keep(session, person, seen);
    }

    /// The same, with what was read first kept: what must not be done.
    fn fill_with_late_marks(&self) {
        let session = Self::read(&self.session);
        let seen = self.marks.seen([SESSION, TENANT, PERSON]);
        let person = Self::read(&self.person);
        self.keep(session, person, seen);
    }

    /// Commits, then tells. What is told of a person or a tenant may be that sessions ended.
    fn change(&self, topic: Topic) {
        self.session.store(2, Ordering::Relaxed);
        if topic != SESSION {
            self.person.store(2, Ordering::Relaxed);
        }
        self.marks.raise(topic);
    }

    /// What a request is judged by.
    fn look(&self) -> (u64, u64) {
        let kept = *self.cache.lock().unwrap();
        match kept {
            Some(kept) if self.marks.unchanged(&kept.seen) => (kept.session, kept.person),
            _ => (Self::read(&self.session), Self::read(&self.person)),
        }
    }

    fn expect_new(&self, topic: Topic, case: &str) {
        let (session, person) = self.look();
        assert!(
            session == 2 && (topic == SESSION || person == 2),
            "the old answer {case}: {topic}"
        );
    }
}

/// A reader fills the cache while another changes one thing; whoever changed it then looks.
fn race<A: Atomic + Send + Sync + 'static>(
    topic: Topic,
    make: fn(AtomicU64) -> A,
    fill: fn(&World<A>),
) {
    loom::model(move || {
        let world = World::new(make);
        let reader = {
            let world = Arc::clone(&world);
            thread::spawn(move || fill(&world))
        };
        world.change(topic);
        world.expect_new(topic, "after the change was told");
        reader.join().unwrap();
        world.expect_new(topic, "written back by a slow reader");
    });
}

#[test]
fn a_slow_reader_writes_nothing_back() {
    for topic in [SESSION, TENANT, PERSON, Topic::Everything] {
        race(topic, Modelled, World::fill);
    }
}

/// One who reads beside the change and looks anew once it is told sees the change.
#[test]
fn whoever_sees_the_mark_raised_reads_what_was_changed() {
    loom::model(|| {
        let world = World::new(Modelled);
        let before = world.marks.seen([PERSON]);
        let writer = {
            let world = Arc::clone(&world);
            thread::spawn(move || world.change(PERSON))
        };
        if !world.marks.unchanged(&before) {
            assert_eq!(World::<Modelled>::read(&world.person), 2);
        }
        writer.join().unwrap();
    });
}

// Not by name alone: where the order of two steps is turned round, or an ordering is weaker, the model
// must fail.

#[test]
#[should_panic(expected = "the old answer")]
fn the_model_sees_marks_that_are_taken_too_late() {
    race(SESSION, Modelled, World::fill_with_late_marks);
}

#[test]
#[should_panic(expected = "the old answer")]
fn the_model_sees_a_persons_mark_that_is_taken_too_late() {
    race(PERSON, Modelled, World::fill_with_late_marks);
}

#[test]
#[should_panic(expected = "the old answer")]
fn the_model_sees_a_mark_that_is_loaded_with_too_weak_an_ordering() {
    race(PERSON, Weak::<true>, World::fill);
}

#[test]
#[should_panic(expected = "the old answer")]
fn the_model_sees_a_mark_that_is_raised_with_too_weak_an_ordering() {
    race(PERSON, Weak::<false>, World::fill);
}
