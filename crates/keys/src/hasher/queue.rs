//! The bounded queue with a lane for each tenant. Knows nothing of threads or hashing.

use std::collections::{HashMap, VecDeque};

use super::Lane;

/// Jobs that wait. Lanes take turns; within a lane it is first come, first served. A lane exists
/// only while it has a job, so that idle tenants cost nothing.
pub(super) struct Queue<J> {
    lanes: HashMap<Lane, VecDeque<J>>,
    /// The lanes that have jobs, each once, the next one first.
    turns: VecDeque<Lane>,
    waiting: usize,
    most: usize,
    most_in_lane: usize,
}

impl<J> Queue<J> {
    /// A queue that takes so many jobs in all, and so many of one lane.
    pub(super) fn new(most: usize, most_in_lane: usize) -> Self {
        Self {
            lanes: HashMap::new(),
            turns: VecDeque::new(),
            waiting: 0,
            most,
            most_in_lane,
        }
    }

    /// Whether a further job of this lane would fit.
    pub(super) fn has_room(&self, lane: Lane) -> bool {
        self.waiting < self.most
            && self.lanes.get(&lane).map_or(0, VecDeque::len) < self.most_in_lane
    }

    /// Adds a job; gives it back where there is no room.
    pub(super) fn push(&mut self, lane: impl Into<Lane>, job: J) -> Result<(), J> {
        let lane = lane.into();
        if !self.has_room(lane) {
            return Err(job);
        }
        let jobs = self.lanes.entry(lane).or_default();
        if jobs.is_empty() {
            self.turns.push_back(lane);
        }
        jobs.push_back(job);
        self.waiting += 1;
        Ok(())
    }

    /// Takes out the job whose turn it is.
    pub(super) fn pop(&mut self) -> Option<J> {
        let lane = self.turns.pop_front()?;
        let jobs = self.lanes.get_mut(&lane)?;
        let job = jobs.pop_front();
        if jobs.is_empty() {
            self.lanes.remove(&lane);
        } else {
            self.turns.push_back(lane);
        }
        self.waiting -= usize::from(job.is_some());
        job
    }

    /// Keeps only the jobs that `wanted` says yes to.
    pub(super) fn retain(&mut self, wanted: impl Fn(&J) -> bool) {
        self.lanes.retain(|_, jobs| {
            jobs.retain(&wanted);
            !jobs.is_empty()
        });
        self.turns.retain(|lane| self.lanes.contains_key(lane));
        self.waiting = self.lanes.values().map(VecDeque::len).sum();
    }

    /// Jobs that wait, over all lanes.
    pub(super) const fn waiting(&self) -> usize {
        self.waiting
    }

    /// Lanes with a job.
    pub(super) fn lanes(&self) -> usize {
        self.lanes.len()
    }
}

#[cfg(test)]
mod tests {
    use tenantry_core::TenantId;
    use uuid::Uuid;

    use super::*;

    fn tenant(number: u128) -> TenantId {
        TenantId::from_uuid(Uuid::from_u128(number))
    }

    fn drain(queue: &mut Queue<&'static str>) -> Vec<&'static str> {
        std::iter::from_fn(|| queue.pop()).collect()
    }

    #[test]
    fn lanes_take_turns() {
        let mut queue = Queue::new(9, 9);
        for (owner, job) in [(1, "a1"), (1, "a2"), (1, "a3"), (2, "b1"), (2, "b2")] {
            queue.push(Some(tenant(owner)), job).unwrap();
        }
        queue.push(None, "n1").unwrap();
        assert_eq!((queue.waiting(), queue.lanes()), (6, 3));
        assert_eq!(drain(&mut queue), ["a1", "b1", "n1", "a2", "b2", "a3"]);
        assert_eq!((queue.waiting(), queue.lanes()), (0, 0));
    }

    #[test]
    fn a_lane_that_comes_back_waits_for_its_turn() {
        let mut queue = Queue::new(9, 9);
        queue.push(Some(tenant(1)), "a1").unwrap();
        queue.push(Some(tenant(2)), "b1").unwrap();
        queue.push(Some(tenant(2)), "b2").unwrap();
        assert_eq!(queue.pop(), Some("a1"));
        queue.push(Some(tenant(1)), "a2").unwrap();
        assert_eq!(drain(&mut queue), ["b1", "a2", "b2"]);
    }

    #[test]
    fn is_bounded_in_all_and_for_each_lane() {
        let mut queue = Queue::new(3, 2);
        queue.push(Some(tenant(1)), "a1").unwrap();
        queue.push(Some(tenant(1)), "a2").unwrap();
        assert_eq!(queue.push(Some(tenant(1)), "a3"), Err("a3"));
        queue.push(Some(tenant(2)), "b1").unwrap();
        assert_eq!(queue.push(Some(tenant(3)), "c1"), Err("c1"));
        assert_eq!(queue.pop(), Some("a1"));
        queue.push(Some(tenant(3)), "c1").unwrap();
        assert_eq!(drain(&mut queue), ["b1", "a2", "c1"]);
    }

    #[test]
    fn what_nobody_wants_makes_room_and_keeps_the_order() {
        let mut queue = Queue::new(4, 2);
        for (owner, job) in [(1, "a1"), (1, "a2"), (2, "b1"), (3, "c1")] {
            queue.push(Some(tenant(owner)), job).unwrap();
        }
        queue.retain(|job| !matches!(*job, "a1" | "b1"));
        assert_eq!((queue.waiting(), queue.lanes()), (2, 2));
        queue.push(Some(tenant(2)), "b2").unwrap();
        assert_eq!(drain(&mut queue), ["a2", "c1", "b2"]);
    }
}
