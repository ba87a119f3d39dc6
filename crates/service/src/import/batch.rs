//! Writing people who come in numbers: a batch at a time, each database in one transaction of its
//! own, in the order that the directory asks for. Entries are reserved, rows are written, entries are
//! settled; a process that dies in between leaves what the reconciler settles, and the same batch
//! written again makes nobody twice.

use std::collections::HashMap;

use tenantry_core::webhooks::EventKind;
use tenantry_core::{Timestamp, UserId};
use tenantry_store::control::Reservation;
use tenantry_store::tenant::{Added, NewUser, TenantTx};
use tenantry_store::{ControlTx, StoreError, TenantCtx};

use super::Person;
use crate::attempts::in_tenant;
use crate::service::Shared;
use crate::staff::acting_still;
use crate::webhooks::UserFacts;
use crate::{Refusal, Service};

/// Somebody to write.
pub(crate) struct Candidate {
    /// The id they will have, unless somebody with the address is there.
    pub(crate) id: UserId,
    pub(crate) person: Person,
    /// Somebody else sees to the entry: the owner's, which a workflow reserves and confirms.
    pub(crate) has_entry: bool,
}

impl Candidate {
    /// Somebody with this id, if nobody with the address is there.
    pub(crate) const fn new(id: UserId, person: Person) -> Self {
        Self {
            id,
            person,
            has_entry: false,
        }
    }
}

/// What came of one of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Came {
    /// In the tenant now.
    Added,
    /// Somebody with the address was there before.
    There(UserId),
    /// Somebody in the tenant has the username.
    UsernameTaken,
    /// Another tenant has the address, which may belong to one only.
    TakenElsewhere,
    /// Whoever brings the batch may no longer; nobody of it was added.
    Forbidden,
}

/// Who of them is there already. Of two with one address the second counts as there.
pub(crate) async fn find_there(
    tx: &mut TenantTx,
    batch: &[Candidate],
) -> Result<Vec<Option<UserId>>, StoreError> {
    let mut there = Vec::with_capacity(batch.len());
    let mut seen = HashMap::new();
    for candidate in batch {
        let email = &candidate.person.email;
        let mut found = seen.get(&email.key()).copied();
        if found.is_none() {
            let record = tx.users().find_by_email(email).await?;
            found = record.map(|record| record.user.id);
        }
        seen.insert(email.key(), found.unwrap_or(candidate.id));
        there.push(found);
    }
    Ok(there)
}

/// Writes those who are not there and hold an entry. What `came` says of the others stays.
pub(crate) async fn add(
    tx: &mut TenantTx,
    batch: &[Candidate],
    came: &mut [Came],
    at: Timestamp,
) -> Result<(), StoreError> {
    for (candidate, came) in batch.iter().zip(came) {
        if *came == Came::Added {
            *came = add_one(tx, candidate, at).await?;
        }
    }
    Ok(())
}

/// Writes one, who holds an entry.
pub(crate) async fn add_one(
    tx: &mut TenantTx,
    candidate: &Candidate,
    at: Timestamp,
) -> Result<Came, StoreError> {
    let person = &candidate.person;
    let hash = person.password_hash.as_ref();
    let new = NewUser {
        id: candidate.id,
        email: &person.email,
        username: person.username.as_ref(),
        full_name: person.full_name.as_deref(),
        role: person.role,
        password_hash: hash.map(|hash| hash.expose().as_str()),
        must_change_password: false,
        created_at: at,
    };
    match tx.users().add(&new).await? {
        Added::Yes => {
            if person.disabled {
                tx.users().mark_disabled(candidate.id, at).await?;
            }
            Ok(Came::Added)
        }
        // Somebody was faster since it was looked.
        Added::EmailTaken => {
            let there = tx.users().find_by_email(&person.email).await?;
            Ok(Came::There(
                there.map_or(candidate.id, |record| record.user.id),
            ))
        }
        Added::UsernameTaken => Ok(Came::UsernameTaken),
    }
}

/// Whether whoever brings a batch still has every role in it, or is an operator, who has no role.
async fn may_still(
    tx: &mut TenantTx,
    batch: &[Candidate],
    by: Option<UserId>,
) -> Result<bool, StoreError> {
    if by.is_none() {
        return Ok(true);
    }
    tx.users().hold().await?;
    let acting = acting_still(tx, by).await?;
    let given = batch.iter().map(|candidate| candidate.person.role.rank());
    Ok(acting.is_some_and(|role| given.max() <= Some(role.rank())))
}

impl Shared {
    /// Reserves the entries of those who are not there.
    pub(crate) async fn reserve_batch(
        &self,
        tx: &mut ControlTx,
        ctx: &TenantCtx,
        batch: &[Candidate],
        there: &[Option<UserId>],
    ) -> Result<Vec<Came>, StoreError> {
        let (global, now) = (self.unique_everywhere(), self.clock.now());
        let mut came = Vec::with_capacity(batch.len());
        for (candidate, there) in batch.iter().zip(there) {
            came.push(match there {
                Some(id) => Came::There(*id),
                None if candidate.has_entry => Came::Added,
                None => {
                    let person = &candidate.person;
                    let entry = self.entry_for(ctx, candidate.id, &person.email, person.role);
                    match tx.directory().reserve(&entry, global, now).await? {
                        Reservation::Held => Came::Added,
                        Reservation::Taken => Came::TakenElsewhere,
                    }
                }
            });
        }
        Ok(came)
    }

    /// Settles the entries that were reserved: those of people who were added are confirmed, the
    /// others go.
    pub(crate) async fn settle_batch(
        &self,
        tx: &mut ControlTx,
        ctx: &TenantCtx,
        batch: &[Candidate],
        reserved: &[Came],
        came: &[Came],
    ) -> Result<(), StoreError> {
        for ((candidate, reserved), came) in batch.iter().zip(reserved).zip(came) {
            if candidate.has_entry || *reserved != Came::Added {
                continue;
            }
            match came {
                Came::Added => {
                    tx.directory().confirm(ctx.id(), candidate.id).await?;
                }
                Came::There(_) | Came::UsernameTaken | Came::TakenElsewhere | Came::Forbidden => {
                    tx.directory().remove(ctx.id(), candidate.id).await?;
                }
            }
        }
        Ok(())
    }

    /// Makes an entry of somebody who is there say so, whatever an earlier try left of it.
    pub(crate) async fn settle_there(
        &self,
        tx: &mut ControlTx,
        ctx: &TenantCtx,
        id: UserId,
        person: &Person,
    ) -> Result<Reservation, StoreError> {
        let entry = self.entry_for(ctx, id, &person.email, person.role);
        let now = self.clock.now();
        tx.directory()
            .settle(&entry, self.unique_everywhere(), now)
            .await
    }

    async fn announce_batch(
        &self,
        tx: &mut ControlTx,
        ctx: &TenantCtx,
        batch: &[Candidate],
        came: &[Came],
    ) -> Result<(), StoreError> {
        let kind = EventKind::UserCreated;
        if !self.is_told(tx, kind).await? {
            return Ok(());
        }
        let added = batch.iter().zip(came);
        for (candidate, _) in added.filter(|(_, came)| **came == Came::Added) {
            let person = &candidate.person;
            let facts = UserFacts {
                id: candidate.id,
                email: &person.email,
                username: person
                    .username
                    .as_ref()
                    .map(tenantry_core::user::Username::as_str),
                full_name: person.full_name.as_deref(),
                role: person.role,
                disabled: person.disabled,
            };
            self.announce_user(tx, kind, ctx.tenant(), facts).await?;
        }
        Ok(())
    }
}

impl Service {
    /// Writes a batch into a tenant in use; what came of each. Where somebody's role permits it, the
    /// role is looked at anew in the transaction that writes.
    pub(super) async fn write_batch(
        &self,
        ctx: &TenantCtx,
        batch: &[Candidate],
        by: Option<UserId>,
    ) -> Result<Vec<Came>, Refusal> {
        let shared = self.shared();
        let there = {
            let mut tx = self.pools().read(ctx).await.map_err(Refusal::tenant(ctx))?;
            find_there(&mut tx, batch)
                .await
                .map_err(Refusal::tenant(ctx))?
        };
        let mut control = self.control().begin().await?;
        let reserved = shared
            .reserve_batch(&mut control, ctx, batch, &there)
            .await?;
        control.commit().await?;
        let at = self.clock().now();
        let came = in_tenant!(self, ctx, |tx| {
            let mut came = reserved.clone();
            if may_still(&mut tx, batch, by).await? {
                add(&mut tx, batch, &mut came, at).await?;
            } else {
                came.fill(Came::Forbidden);
            }
            came
        })?;
        let mut control = self.control().begin().await?;
        shared
            .settle_batch(&mut control, ctx, batch, &reserved, &came)
            .await?;
        shared
            .announce_batch(&mut control, ctx, batch, &came)
            .await?;
        control.commit().await?;
        if came.contains(&Came::Forbidden) {
            return Err(Refusal::Forbidden);
        }
        Ok(came)
    }

    /// What would come of a batch, as the tenant's own constraints say: it is written and taken
    /// back.
    pub(super) async fn try_batch(
        &self,
        ctx: &TenantCtx,
        batch: &[Candidate],
    ) -> Result<Vec<Came>, Refusal> {
        let tried = async {
            let mut tx = self.pools().begin(ctx).await?;
            let there = find_there(&mut tx, batch).await?;
            let mut came: Vec<_> = there
                .into_iter()
                .map(|there| there.map_or(Came::Added, Came::There))
                .collect();
            add(&mut tx, batch, &mut came, self.clock().now()).await?;
            // The transaction ends without a commit.
            Ok::<_, StoreError>(came)
        };
        tried.await.map_err(Refusal::tenant(ctx))
    }
}
