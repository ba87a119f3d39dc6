//! What a workflow brings to the engine.

use tenantry_store::StoreError;
use tenantry_store::control::Run;

/// Why a step did not work. The text goes into the log and to the operator: it says what and why,
/// and never holds a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StepError {
    /// The same may work in a moment.
    #[error("{0}")]
    Retry(String),
    /// It will not work; the run turns back, or stands still where it can't.
    #[error("{0}")]
    Fatal(String),
}

impl From<StoreError> for StepError {
    fn from(error: StoreError) -> Self {
        let mut text = error.to_string();
        let mut source = std::error::Error::source(&error);
        while let Some(inner) = source {
            text.push_str(": ");
            text.push_str(&inner.to_string());
            source = inner.source();
        }
        if error.is_transient() {
            Self::Retry(text)
        } else {
            Self::Fatal(text)
        }
    }
}

/// The steps of every kind of workflow there is.
///
/// Each of `forward` and `undo` may be called again after it worked, and after it was cut off
/// half-way; both then leave what one call leaves.
pub trait Definition: Send + Sync + 'static {
    /// The steps of a kind at a version, in order; `None` for one this program does not know.
    fn steps(&self, kind: &str, version: i64) -> Option<&'static [&'static str]>;

    /// Whether a run of this kind turns back when a step fails for good. One that does not stands
    /// still instead, until an operator takes it up again.
    fn turns_back(&self, kind: &str) -> bool;

    /// Whether a step's effect has happened already.
    fn probe(&self, run: &Run, step: &str) -> impl Future<Output = Result<bool, StepError>> + Send;

    /// Makes a step's effect happen.
    fn forward(&self, run: &Run, step: &str) -> impl Future<Output = Result<(), StepError>> + Send;

    /// Takes a step's effect back, whether or not it happened.
    fn undo(&self, run: &Run, step: &str) -> impl Future<Output = Result<(), StepError>> + Send;

    /// Called when a run stands still, before that is recorded.
    fn stuck(&self, run: &Run) -> impl Future<Output = Result<(), StepError>> + Send;
}
