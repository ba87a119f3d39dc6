//! Writing in a tenant's database: one transaction, done again from its beginning where the
//! database took it back.
//!
//! On a server two transactions may get in each other's way, and a session may end with its server,
//! neither of which the person who asked can do anything about. Whatever the caller does outside
//! the database belongs before or after the transaction and not into it, so that doing it again
//! does nothing twice.

use std::time::Duration;

use tenantry_core::Entropy;
use tenantry_store::{StoreError, TenantCtx};
use tokio::time::Instant;

use crate::{Refusal, Service};

/// The most tries of one transaction (PostgreSQL manual, 13.5, leaves the number open; whoever
/// loses five times in a row meets no accident).
const TRIES: u32 = 5;

/// No try begins later than this. A deadlock alone takes a second to be noticed
/// (`deadlock_timeout`).
const BUDGET: Duration = Duration::from_secs(5);

/// The longest pause before the second try; doubled with each further one.
const PAUSE: Duration = Duration::from_millis(20);

/// What is left of the tries of one transaction.
pub(crate) struct Attempts<'a> {
    ctx: &'a TenantCtx,
    entropy: Entropy,
    until: Instant,
    made: u32,
}

impl Attempts<'_> {
    /// What one try came to, or nothing where it is to be made again: the database took it back (a
    /// deadlock, a serialisation failure), somebody was faster with a name that has to be unique, in
    /// which case the next try is told so as an outcome, or the connection was lost before the commit was sent. A
    /// commit whose answer was lost may have happened and is not repeated; nor is entering the
    /// database, which is patient with a server that is just starting by itself.
    ///
    /// # Errors
    /// As [`Refusal::tenant`] says.
    pub(crate) async fn settle<T>(
        &mut self,
        tried: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<Option<T>, Refusal> {
        let error = match tried.await {
            Ok(done) => return Ok(Some(done)),
            Err(error) => error,
        };
        let outcome = if error.is_conflict() || error.is_unique() || error.is_lost() {
            self.bear(error).await
        } else {
            Err(error)
        };
        outcome.map(|()| None).map_err(Refusal::tenant(self.ctx))
    }

    /// Waits before the next try; gives the error back where there is none.
    async fn bear(&mut self, error: StoreError) -> Result<(), StoreError> {
        // Between half and all of it, so that two which met do not meet again.
        let part = u32::from(self.entropy.bytes::<1>()[0]) + 256;
        let pause = PAUSE * (1 << (self.made - 1)) * part / 512;
        if self.made >= TRIES || Instant::now() + pause > self.until {
            return Err(error);
        }
        self.made += 1;
        tracing::debug!(%error, "a tenant's transaction was taken back and is done again");
        tokio::time::sleep(pause).await;
        Ok(())
    }
}

impl Service {
    pub(crate) fn attempts<'a>(&self, ctx: &'a TenantCtx) -> Attempts<'a> {
        Attempts {
            ctx,
            entropy: self.entropy().clone(),
            until: Instant::now() + BUDGET,
            made: 1,
        }
    }
}

/// Does `$work` in one transaction in a tenant's database and commits it; what it gave. An error in
/// it is a [`StoreError`], and an outcome is a value: it runs again from its beginning where the
/// database took it back.
///
/// A macro and no function, as a function that takes it for any lifetime of the transaction can't
/// promise that its future may go from thread to thread.
macro_rules! in_tenant {
    ($service:expr, $ctx:expr, |$tx:ident| $work:expr) => {{
        let mut attempts = $service.attempts($ctx);
        loop {
            let tried = async {
                let mut $tx = $service.pools().begin($ctx).await?;
                let done = $work;
                $tx.commit().await?;
                Ok::<_, tenantry_store::StoreError>(done)
            };
            match attempts.settle(tried).await {
                Ok(Some(done)) => break Ok(done),
                Ok(None) => {}
                Err(refusal) => break Err(refusal),
            }
        }
    }};
}
pub(crate) use in_tenant;
