//! The marks under a model checker: every interleaving of a slow reader, a change and a look.
//!
//! What is modelled besides the marks is a database that hands out what was committed, and one
//! place in a cache. The rule: whoever looks after a change was told never gets what was before it.

use loom::sync::atomic::{AtomicU64, Ordering};
use loom::sync::{Arc, Mutex};
use loom::thread;
use tenantry_core::TenantId;
use tenantry_core::marks::{Counter, Marks, Seen, Topic};
use uuid::Uuid;

struct Modelled(AtomicU64);

impl Counter for Modelled {
    fn seen(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }

    fn raise(&self) {
        self.0.fetch_add(1, Ordering::AcqRel);
    }
}

#[derive(Clone, Copy)]
struct Kept {
    value: u64,
    seen: Seen<1>,
}

struct World {
    marks: Marks<Modelled>,
    database: Mutex<u64>,
    cache: Mutex<Option<Kept>>,
}

fn topic() -> Topic {
    Topic::Tenant(TenantId::from_uuid(Uuid::from_u128(7)))
}

impl World {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            marks: Marks::with(1, || Modelled(AtomicU64::new(0))),
            database: Mutex::new(1),
            cache: Mutex::new(None),
        })
    }

    fn read(&self) -> u64 {
        *self.database.lock().unwrap()
    }

    /// Reads and keeps, marks first.
    fn fill(&self) {
        let seen = self.marks.seen([topic()]);
        let value = self.read();
        *self.cache.lock().unwrap() = Some(Kept { value, seen });
    }

    /// The same, marks last: what must not be done.
    fn fill_wrongly(&self) {
        let value = self.read();
        let seen = self.marks.seen([topic()]);
        *self.cache.lock().unwrap() = Some(Kept { value, seen });
    }

    /// Commits, then tells.
    fn change(&self) {
        *self.database.lock().unwrap() = 2;
        self.marks.raise(topic());
    }

    /// What a request is judged by.
    fn look(&self) -> u64 {
        let kept = *self.cache.lock().unwrap();
        match kept {
            Some(kept) if self.marks.unchanged(&kept.seen) => kept.value,
            _ => self.read(),
        }
    }
}

/// A reader fills the cache while another changes; whoever changed then looks.
fn race(fill: fn(&World)) {
    loom::model(move || {
        let world = World::new();
        let reader = {
            let world = Arc::clone(&world);
            thread::spawn(move || fill(&world))
        };
        let writer = {
            let world = Arc::clone(&world);
            thread::spawn(move || {
                world.change();
                assert_eq!(world.look(), 2, "the old answer after the change was told");
            })
        };
        reader.join().unwrap();
        writer.join().unwrap();
        assert_eq!(
            world.look(),
            2,
            "the old answer, written back by a slow reader"
        );
    });
}

#[test]
fn a_slow_reader_writes_nothing_back() {
    race(World::fill);
}

#[test]
#[should_panic(expected = "the old answer")]
fn the_model_sees_marks_that_are_taken_too_late() {
    // Not by name alone: with the order of the two reads turned round the model must fail.
    race(World::fill_wrongly);
}

#[test]
fn everything_is_told_at_once() {
    loom::model(|| {
        let world = World::new();
        let reader = {
            let world = Arc::clone(&world);
            thread::spawn(move || world.fill())
        };
        *world.database.lock().unwrap() = 2;
        world.marks.raise(Topic::Everything);
        assert_eq!(world.look(), 2);
        reader.join().unwrap();
        assert_eq!(world.look(), 2);
    });
}
