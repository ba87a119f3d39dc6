//! Keeping the directory in step with a tenant's people.
//!
//! Whoever adds, changes or removes a person reserves or unsettles the entry first, then writes the
//! tenant's row, then settles the entry by what the row says. A process that dies between two of
//! these leaves a reserved entry, which leads to where the person is verified like any other, and
//! which the reconciler settles. Nothing here decides who has an address inside a tenant: that is
//! the constraint of the tenant's own table.

use std::time::Duration;

use tenantry_core::tenant::EmailUniqueness;
use tenantry_core::user::User;
use tenantry_core::webhooks::EventKind;
use tenantry_core::{Email, Role, UserId};
use tenantry_store::TenantCtx;
use tenantry_store::control::{DirectoryEntry, EntryKind, EntryState, Reservation};

use crate::refusal::Chain;
use crate::service::Shared;
use crate::webhooks::UserFacts;
use crate::{Refusal, Service};

/// How old a reserved entry must be before anybody but its maker settles it. A request takes
/// seconds.
pub(crate) const IN_FLIGHT: Duration = Duration::from_mins(10);

/// How often a row may change between reading it and noting it. Each time somebody else's change
/// got through, which settles the entry too.
const LOOKS: usize = 4;

/// What receivers outside are told in the transaction that settles a person.
#[derive(Clone, Copy)]
pub(crate) enum Tell<'a> {
    /// Nothing.
    Nothing,
    /// This, of the person as given.
    This(EventKind, &'a User),
    /// That the person is as found, where there is one: whoever wrote the row died before it told.
    Found,
}

impl<'a> Tell<'a> {
    /// This of somebody, or nothing where there is nobody it happened to.
    pub(crate) const fn of(event: EventKind, user: Option<&'a User>) -> Self {
        match user {
            Some(user) => Self::This(event, user),
            None => Self::Nothing,
        }
    }
}

/// What kind of person a role makes.
pub(crate) const fn kind_of(role: Role) -> EntryKind {
    match role {
        Role::Owner => EntryKind::Owner,
        Role::Admin | Role::Member | Role::PlatformAdmin => EntryKind::Staff,
    }
}

impl Shared {
    /// Whether an address may belong to one tenant only.
    pub(crate) fn unique_everywhere(&self) -> bool {
        self.settings.email_uniqueness == EmailUniqueness::Global
    }

    /// The entry of somebody with an address.
    pub(crate) fn entry_for(
        &self,
        ctx: &TenantCtx,
        user: UserId,
        email: &Email,
        role: Role,
    ) -> DirectoryEntry {
        DirectoryEntry {
            tenant: ctx.id(),
            generation: ctx.generation(),
            user,
            address_hash: self.keyring.directory().hash(&email.key()),
            kind: kind_of(role),
            state: EntryState::Reserved,
        }
    }
}

impl Service {
    /// Whether an address may belong to one tenant only.
    pub(crate) fn unique_everywhere(&self) -> bool {
        self.shared().unique_everywhere()
    }

    /// The entry of somebody with an address.
    pub(crate) fn entry_for(
        &self,
        ctx: &TenantCtx,
        user: UserId,
        email: &Email,
        role: Role,
    ) -> DirectoryEntry {
        self.shared().entry_for(ctx, user, email, role)
    }

    /// Reserves the entry of somebody who is about to be added or to get another address.
    pub(crate) async fn reserve_entry(
        &self,
        entry: &DirectoryEntry,
    ) -> Result<Reservation, Refusal> {
        let mut tx = self.control().begin().await?;
        let held = tx
            .directory()
            .reserve(entry, self.unique_everywhere(), self.clock().now())
            .await?;
        tx.commit().await?;
        Ok(held)
    }

    /// Notes that somebody's entry is about to change or go.
    pub(crate) async fn unsettle_entries(
        &self,
        ctx: &TenantCtx,
        user: UserId,
    ) -> Result<(), Refusal> {
        let mut tx = self.control().begin().await?;
        tx.directory()
            .unsettle(ctx.id(), user, self.clock().now())
            .await?;
        tx.commit().await?;
        Ok(())
    }

    /// Settles a person's entry after a transaction in the tenant's database, whatever came of that,
    /// and gives it on. `tell` says what receivers are told where it came to an end.
    pub(crate) async fn settle_after<T>(
        &self,
        ctx: &TenantCtx,
        user: UserId,
        mine: Option<&DirectoryEntry>,
        outcome: Result<T, Refusal>,
        tell: fn(&T) -> Tell<'_>,
    ) -> Result<T, Refusal> {
        match &outcome {
            Ok(done) => self.settle_and_tell(ctx, user, mine, tell(done)).await?,
            Err(_) => {
                // Whether it was written is not known. Where this can't find out now either, the
                // reconciler will.
                if let Err(error) = self.settle_person(ctx, user, mine).await {
                    tracing::warn!(tenant.id = %ctx.id(), user.id = %user, error = %Chain(&error), "a person's directory entry is settled later");
                }
            }
        }
        outcome
    }

    /// Makes the directory say of a person what the tenant's row says. `mine` is an entry that the
    /// caller reserved; others that were reserved a short while ago are somebody else's work under
    /// way, and stay.
    pub(crate) async fn settle_person(
        &self,
        ctx: &TenantCtx,
        user: UserId,
        mine: Option<&DirectoryEntry>,
    ) -> Result<(), Refusal> {
        self.settle_and_tell(ctx, user, mine, Tell::Nothing).await
    }

    /// The same, and tells receivers outside in the transaction that settles.
    pub(crate) async fn settle_and_tell(
        &self,
        ctx: &TenantCtx,
        user: UserId,
        mine: Option<&DirectoryEntry>,
        mut tell: Tell<'_>,
    ) -> Result<(), Refusal> {
        let mut row = self.row_of(ctx, user).await?;
        for _ in 0..LOOKS {
            self.note_person(ctx, user, row.as_ref(), mine, tell)
                .await?;
            tell = Tell::Nothing;
            // Somebody may have changed the row since it was read, and have noted that before us.
            let now_there = self.row_of(ctx, user).await?;
            if now_there.as_ref().map(listed_as) == row.as_ref().map(listed_as) {
                return Ok(());
            }
            row = now_there;
        }
        Ok(())
    }

    async fn row_of(&self, ctx: &TenantCtx, user: UserId) -> Result<Option<User>, Refusal> {
        let mut tenant = self.pools().read(ctx).await.map_err(Refusal::tenant(ctx))?;
        let record = tenant.users().lookup(user).await;
        let record = record.map_err(Refusal::tenant(ctx))?;
        Ok(record.map(|record| record.user))
    }

    async fn note_person(
        &self,
        ctx: &TenantCtx,
        user: UserId,
        row: Option<&User>,
        mine: Option<&DirectoryEntry>,
        tell: Tell<'_>,
    ) -> Result<(), Refusal> {
        let now = self.clock().now();
        let wanted = row.map(|row| self.entry_for(ctx, user, &row.email, row.role));
        let mut tx = self.control().begin().await?;
        let listed = tx.directory().list_of(ctx.id(), user).await?;
        if let Some(wanted) = &wanted {
            let held = tx
                .directory()
                .settle(wanted, self.unique_everywhere(), now)
                .await?;
            if held == Reservation::Taken {
                tracing::error!(tenant.id = %ctx.id(), user.id = %user, "another tenant holds a person's address; `tenant check` tells more");
            }
        }
        for listed in listed {
            let is = |entry: &DirectoryEntry| entry.address_hash == listed.entry.address_hash;
            let under_way = wanted.is_some()
                && listed.entry.state == EntryState::Reserved
                && listed.at + IN_FLIGHT > now
                && !mine.is_some_and(is);
            if !wanted.as_ref().is_some_and(is) && !under_way {
                tx.directory().remove_listed(&listed).await?;
            }
        }
        let told = match tell {
            Tell::Nothing => None,
            Tell::This(kind, user) => Some((kind, user)),
            Tell::Found => row.map(|row| (EventKind::UserUpdated, row)),
        };
        if let Some((kind, user)) = told {
            self.shared()
                .announce_user(&mut tx, kind, ctx.tenant(), UserFacts::of(user))
                .await?;
        }
        tx.commit().await?;
        Ok(())
    }
}

/// What of a person the directory says.
fn listed_as(user: &User) -> (&Email, Role) {
    (&user.email, user.role)
}
