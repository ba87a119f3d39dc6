//! Trying again: growing pauses with jitter, inside one budget for each step.

use std::time::Duration;

use tenantry_core::Entropy;
use tokio::time::Instant;

use super::{Cluster, ClusterError};

const FIRST: Duration = Duration::from_millis(25);
const LONGEST: Duration = Duration::from_secs(2);

/// What is left of a step's budget.
pub(super) struct Patience {
    entropy: Entropy,
    until: Instant,
    pause: Duration,
}

impl Cluster {
    pub(super) fn patience(&self) -> Patience {
        Patience {
            entropy: self.entropy.clone(),
            until: Instant::now() + self.bounds.budget,
            pause: FIRST,
        }
    }
}

impl Patience {
    /// Waits before the next try; gives the error back where another try can't help or the budget
    /// would be over.
    pub(super) async fn bear(&mut self, error: ClusterError) -> Result<(), ClusterError> {
        // Between half and all of it, so that nodes which failed together don't come together.
        let part = u32::from(self.entropy.bytes::<1>()[0]) + 256;
        let pause = self.pause * part / 512;
        if !error.is_passing() || Instant::now() + pause > self.until {
            return Err(error);
        }
        tracing::debug!(error = %error, sqlstate = error.sqlstate(), "trying again on the cluster");
        tokio::time::sleep(pause).await;
        self.pause = (self.pause * 2).min(LONGEST);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patience(budget: Duration) -> Patience {
        Patience {
            entropy: Entropy::new(|buffer| buffer.fill(255)),
            until: Instant::now() + budget,
            pause: FIRST,
        }
    }

    #[tokio::test]
    async fn the_budget_ends() {
        let mut patience = patience(Duration::from_millis(120));
        let mut tries = 0;
        let start = Instant::now();
        while patience
            .bear(ClusterError::Busy(String::new()))
            .await
            .is_ok()
        {
            tries += 1;
        }
        assert_eq!(tries, 2, "25 and 50 ms; 100 more would be too much");
        assert!(start.elapsed() < Duration::from_secs(5));
    }

    #[tokio::test]
    async fn what_does_not_pass_is_given_back_at_once() {
        let mut patience = patience(Duration::from_hours(1));
        let error = ClusterError::Foreign(String::new());
        assert!(patience.bear(error).await.is_err());
    }
}
