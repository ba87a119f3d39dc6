//! What requests are judged by, kept for less than a second.
//!
//! Most requests come from somebody who sent one a moment ago. What was found out then (whose session
//! it is, what is true of person and tenant) is kept in memory and compared anew with each request;
//! no database is asked. It counts until something it depends on is told to have changed, and for
//! [`BOUND`] at the longest: a change that nobody told of, made behind our back or while the channel
//! between nodes was cut, counts within a second all the same. What goes on being used is read anew
//! before that, beside the requests, so that nobody waits for it.

mod counts;
mod shelf;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::future::Ready;
use std::time::Duration;

use futures_util::future::{BoxFuture, Either};
use tenantry_core::TenantId;
use tenantry_keys::token::Fingerprint;
use tenantry_store::Changes;
use tokio::time::Instant;

use crate::resolve::Resolved;
use crate::sessions::Judged;
use crate::{Refusal, Service};

pub(crate) use counts::Counts;
pub use counts::FactCounts;
pub(crate) use shelf::{Found, Shelf};

/// For how long what was read counts, from before it was read. What is promised is a second; half of
/// it is for whoever takes long to answer, and a command waits no longer than this before it ends.
pub const BOUND: Duration = Duration::from_millis(500);

/// From what age on something that is used is read anew beside the request.
const WARM: Duration = Duration::from_millis(250);

/// After how long unused something is forgotten: nothing of it counts any more, but a known token
/// need not be verified again.
const FORGET: Duration = Duration::from_mins(10);

/// How many credentials are kept at the most. One takes about a kilobyte.
const PEOPLE: usize = 50_000;

/// How many names of tenants (hosts, slugs, ids) are kept at the most.
const PLACES: usize = 20_000;

/// How long a request that memory does not know waits for a look into the databases, the keys' among
/// them, and for all of its looks together. Each has limits of its own for making a connection and
/// beginning; this is for one that says nothing any more in the middle of it.
pub const LOOK: Duration = Duration::from_secs(8);

/// What is asked of memory: known at once, or looked up. Of what is known nothing is kept in a future, which
/// would be moved about with each request.
pub type Answering<'a, T> = Either<Ready<Result<T, Refusal>>, BoxFuture<'a, Result<T, Refusal>>>;

/// Looks into databases, in a task of its own: a client that hangs up cancels nothing, and a look that
/// takes too long ends by the databases' limits while whoever waited is told to come back.
pub(crate) async fn looked_up<T: Send + 'static>(
    what: &'static str,
    looking: impl Future<Output = Result<T, Refusal>> + Send + 'static,
) -> Result<T, Refusal> {
    looked_up_by(Instant::now() + LOOK, what, looking).await
}

/// The same for whoever waited for something else before, and waits no longer than until then.
pub(crate) async fn looked_up_by<T: Send + 'static>(
    until: Instant,
    what: &'static str,
    looking: impl Future<Output = Result<T, Refusal>> + Send + 'static,
) -> Result<T, Refusal> {
    let Ok(looked) = tokio::time::timeout_at(until, tokio::spawn(looking)).await else {
        tracing::warn!(within = ?LOOK, "{what} in time");
        return Err(Refusal::Busy(Duration::from_secs(1)));
    };
    looked.map_err(Refusal::failed(what))?
}

/// What is kept.
pub(crate) struct Facts {
    /// By the fingerprint of cookie or access token.
    pub(crate) people: Shelf<Fingerprint, Judged, 3>,
    /// By host.
    pub(crate) hosts: Shelf<Box<str>, Resolved, 1>,
    /// By id or slug.
    pub(crate) names: Shelf<Box<str>, Resolved, 1>,
}

impl Facts {
    pub(crate) fn new(changes: &Changes) -> Self {
        Self {
            people: Shelf::new(PEOPLE, changes.clone()),
            hosts: Shelf::new(PLACES, changes.clone()),
            names: Shelf::new(PLACES, changes.clone()),
        }
    }

    /// Takes out what is kept of a tenant, or all there is; how much it was, by tenant. What
    /// belongs to a platform admin is nobody's.
    pub(crate) fn clear(&self, tenant: Option<TenantId>) -> BTreeMap<Option<TenantId>, u64> {
        let counts = RefCell::new(BTreeMap::new());
        let take = |of: Option<TenantId>| {
            let meant = tenant.is_none() || of == tenant;
            if meant {
                *counts.borrow_mut().entry(of).or_default() += 1;
            }
            meant
        };
        self.people.take_out(|judged| take(judged.tenant()));
        self.hosts.take_out(|place| take(place.id()));
        self.names.take_out(|place| take(place.id()));
        counts.into_inner()
    }

    /// Forgets what was not used for a while.
    pub(crate) fn forget_unused(&self) {
        self.people.forget(FORGET);
        self.hosts.forget(FORGET);
        self.names.forget(FORGET);
    }

    /// How often what, since the start.
    fn counts(&self, changes: &Changes) -> FactCounts {
        let kept = self.people.len() + self.hosts.len() + self.names.len();
        [&self.people.counts, &self.hosts.counts, &self.names.counts]
            .into_iter()
            .fold(FactCounts::of(kept, changes.counts()), Counts::added_to)
    }
}

impl Service {
    /// How often the memory helped, and what was told to it.
    pub fn fact_counts(&self) -> FactCounts {
        FactCounts {
            verified: self.keyring().verified(),
            ..self.facts().counts(self.control().changes())
        }
    }
}
