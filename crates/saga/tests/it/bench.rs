//! Toy steps whose effects are words in a set, and engines over them.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tenantry_core::workflow::{LogEntry, WorkflowState};
use tenantry_core::{Entropy, WorkflowId};
use tenantry_saga::{Definition, Engine, Faults, Pace, StepError};
use tenantry_store::Control;
use tenantry_store::control::Run;
use tenantry_testkit::service::{Driver, TestControl};
use tenantry_testkit::{ManualClock, seeded_entropy};
use tokio::sync::Notify;

pub(crate) const STEPS: &[&str] = &["one", "two", "three"];

/// A kind that turns back when a step fails for good.
pub(crate) const BUILD: &str = "build";

/// A kind that never turns back.
pub(crate) const PRESS_ON: &str = "press_on";

pub(crate) const PACE: Pace = Pace {
    lease: Duration::from_secs(15),
    attempts: 3,
    pause: Duration::from_secs(1),
    longest: Duration::from_mins(1),
};

/// A place in a step where a test holds the engine up.
#[derive(Clone, Default)]
pub(crate) struct Gate {
    pub(crate) entered: Arc<Notify>,
    pub(crate) opened: Arc<Notify>,
}

/// The world outside the control database, shared by all engines.
#[derive(Clone, Default)]
pub(crate) struct World(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    calls: Vec<String>,
    effects: BTreeSet<&'static str>,
    errors: HashMap<String, VecDeque<StepError>>,
    gates: HashMap<String, Gate>,
    hold_writer: Option<(Control, Duration)>,
}

impl World {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    /// What was asked of the steps so far, such as `forward one`.
    pub(crate) fn calls(&self) -> Vec<String> {
        self.state().calls.clone()
    }

    pub(crate) fn effects(&self) -> Vec<&'static str> {
        self.state().effects.iter().copied().collect()
    }

    pub(crate) fn add_effect(&self, step: &'static str) {
        self.state().effects.insert(step);
    }

    /// Lets the next such calls fail, one error each, without an effect.
    pub(crate) fn fail(&self, call: &str, errors: impl IntoIterator<Item = StepError>) {
        let mut state = self.state();
        state
            .errors
            .entry(call.to_owned())
            .or_default()
            .extend(errors);
    }

    /// Holds the next such call up before its effect.
    pub(crate) fn gate(&self, call: &str) -> Gate {
        let gate = Gate::default();
        self.state().gates.insert(call.to_owned(), gate.clone());
        gate
    }

    /// Lets each forward step hold the writing connection that long.
    pub(crate) fn hold_writer(&self, control: Control, time: Duration) {
        self.state().hold_writer = Some((control, time));
    }

    async fn call(&self, verb: &str, step: &str) -> Result<(), StepError> {
        let call = format!("{verb} {step}");
        let (gate, error, hold) = {
            let mut state = self.state();
            let gate = state.gates.remove(&call);
            let error = state.errors.get_mut(&call).and_then(VecDeque::pop_front);
            let hold = state.hold_writer.clone().filter(|_| verb == "forward");
            state.calls.push(call);
            (gate, error, hold)
        };
        if let Some(gate) = gate {
            gate.entered.notify_one();
            gate.opened.notified().await;
        }
        if let Some((control, time)) = hold {
            let tx = control.begin().await?;
            tokio::time::sleep(time).await;
            tx.commit().await?;
        }
        error.map_or(Ok(()), Err)
    }
}

fn known(step: &str) -> &'static str {
    STEPS.iter().find(|known| **known == step).unwrap()
}

impl Definition for World {
    fn steps(&self, kind: &str, version: i64) -> Option<&'static [&'static str]> {
        ([BUILD, PRESS_ON].contains(&kind) && version == 1).then_some(STEPS)
    }

    fn turns_back(&self, kind: &str) -> bool {
        kind == BUILD
    }

    async fn probe(&self, _: &Run, step: &str) -> Result<bool, StepError> {
        self.call("probe", step).await?;
        Ok(self.state().effects.contains(step))
    }

    async fn forward(&self, _: &Run, step: &str) -> Result<(), StepError> {
        self.call("forward", step).await?;
        self.state().effects.insert(known(step));
        Ok(())
    }

    async fn undo(&self, _: &Run, step: &str) -> Result<(), StepError> {
        self.call("undo", step).await?;
        self.state().effects.remove(step);
        Ok(())
    }

    async fn stuck(&self, _: &Run) -> Result<(), StepError> {
        self.call("stuck", "run").await
    }
}

/// A control database, the world, and the engines of as many processes as a test wants.
pub(crate) struct Bench {
    pub(crate) rows: TestControl,
    pub(crate) control: Control,
    pub(crate) clock: ManualClock,
    pub(crate) world: World,
    entropy: Entropy,
}

impl Bench {
    pub(crate) async fn start(driver: Driver) -> Self {
        let rows = TestControl::start(driver).await.unwrap();
        Self {
            control: rows.open().await.unwrap(),
            rows,
            clock: ManualClock::default(),
            world: World::default(),
            entropy: seeded_entropy(7),
        }
    }

    pub(crate) fn engine(&self, faults: Faults) -> Arc<Engine<World>> {
        self.paced(PACE, faults)
    }

    pub(crate) fn paced(&self, pace: Pace, faults: Faults) -> Arc<Engine<World>> {
        Arc::new(Engine::new(
            self.control.clone(),
            self.world.clone(),
            self.clock.clock(),
            pace,
            faults,
        ))
    }

    pub(crate) async fn add(&self, kind: &str, version: i64) -> WorkflowId {
        let id = WorkflowId::generate(&self.clock.clock(), &self.entropy);
        let mut tx = self.control.begin().await.unwrap();
        let now = self.clock.now();
        let added = tx.workflows().add(id, kind, version, None, "{}", now).await;
        assert!(added.unwrap());
        tx.commit().await.unwrap();
        id
    }

    pub(crate) async fn run(&self, id: WorkflowId) -> Run {
        let mut tx = self.control.read().await.unwrap();
        tx.workflows().lookup(id).await.unwrap().unwrap()
    }

    pub(crate) async fn state(&self, id: WorkflowId) -> WorkflowState {
        self.run(id).await.state
    }

    pub(crate) async fn log(&self, id: WorkflowId) -> Vec<LogEntry> {
        let mut tx = self.control.read().await.unwrap();
        tx.workflows().log(id).await.unwrap()
    }

    /// The log, an entry each as `step event`.
    pub(crate) async fn story(&self, id: WorkflowId) -> Vec<String> {
        let log = self.log(id).await;
        log.iter()
            .map(|entry| format!("{} {}", entry.step, entry.event))
            .collect()
    }
}

pub(crate) fn again(text: &str) -> StepError {
    StepError::Retry(text.to_owned())
}

pub(crate) fn never(text: &str) -> StepError {
    StepError::Fatal(text.to_owned())
}
