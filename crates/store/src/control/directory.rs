//! Who has an address where: a projection of the tenant databases, by keyed hash.

use tenantry_core::tenant::Tenant;
use tenantry_core::{Generation, TenantId, Timestamp, UserId};
use uuid::Uuid;

use crate::changes::Touched;
use crate::control::Tenants;
use crate::{Conn, Origin, StoreError, TenantCtx};

/// The directory.
pub struct Directory<'c>(pub(super) Conn<'c>, pub(super) &'c mut Touched);

/// What kind of person an entry leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryKind {
    /// An owner of the tenant.
    Owner,
    /// Anybody else in it.
    Staff,
}

impl EntryKind {
    /// The word it is stored as.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Staff => "staff",
        }
    }
}

/// How far an entry has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryState {
    /// The tenant's row may not be there yet.
    Reserved,
    /// The tenant's row was there.
    Confirmed,
}

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirectoryEntry {
    /// The tenant.
    pub tenant: TenantId,
    /// The tenant's generation when the entry was made.
    pub generation: Generation,
    /// The person in it.
    pub user: UserId,
    /// Keyed hash of the normalised address.
    pub address_hash: [u8; 32],
    /// What kind of person.
    pub kind: EntryKind,
    /// How far it has come.
    pub state: EntryState,
}

/// An entry, and when it was made or last reserved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The entry.
    pub entry: DirectoryEntry,
    /// When it was made or last reserved.
    pub at: Timestamp,
}

/// How a reservation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reservation {
    /// The entry is this person's, now or already.
    Held,
    /// The address is somebody else's.
    Taken,
}

/// Somebody with the address in an active tenant, and the right to look there.
#[derive(Debug, Clone)]
pub struct Placed {
    /// The right to work in the tenant.
    pub ctx: TenantCtx,
    /// The person in it.
    pub user: UserId,
}

row! {
    struct EntryRow {
        tenant_id: Uuid,
        generation: i64,
        user_id: Uuid,
        address_hash: Vec<u8>,
        kind: String,
        state: String,
    }
}

row! {
    struct ListedRow {
        tenant_id: Uuid,
        generation: i64,
        user_id: Uuid,
        address_hash: Vec<u8>,
        kind: String,
        state: String,
        created_at: i64,
    }
}

row! { struct PlaceRow { tenant_id: Uuid, user_id: Uuid } }

impl TryFrom<EntryRow> for DirectoryEntry {
    type Error = StoreError;

    fn try_from(row: EntryRow) -> Result<Self, StoreError> {
        let corrupt = |column| StoreError::Corrupt {
            table: "directory",
            column,
        };
        Ok(Self {
            tenant: TenantId::from_uuid(row.tenant_id),
            generation: Generation::new(row.generation).ok_or_else(|| corrupt("generation"))?,
            user: UserId::from_uuid(row.user_id),
            address_hash: row
                .address_hash
                .try_into()
                .map_err(|_| corrupt("address_hash"))?,
            kind: match row.kind.as_str() {
                "owner" => EntryKind::Owner,
                "staff" => EntryKind::Staff,
                _ => return Err(corrupt("kind")),
            },
            state: match row.state.as_str() {
                "reserved" => EntryState::Reserved,
                "confirmed" => EntryState::Confirmed,
                _ => return Err(corrupt("state")),
            },
        })
    }
}

impl Directory<'_> {
    /// Reserves an address for a person, before the tenant's row is written. With `global` the
    /// address may belong to one tenant only. Decided by the table's own constraints.
    pub async fn reserve(
        &mut self,
        entry: &DirectoryEntry,
        global: bool,
        now: Timestamp,
    ) -> Result<Reservation, StoreError> {
        let hash = entry.address_hash.as_slice();
        let changed = execute!(
            self.0,
            "INSERT INTO directory (tenant_id, user_id, generation, address_hash, global_hash, kind, state, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, 'reserved', $7) ON CONFLICT DO NOTHING",
            entry.tenant.uuid(),
            entry.user.uuid(),
            entry.generation.number(),
            hash,
            global.then_some(hash),
            entry.kind.as_str(),
            now.micros()
        )?;
        if changed == 1 {
            return Ok(Reservation::Held);
        }
        // There already, so that it is held; made younger, for whoever settles what is old.
        let held = execute!(
            self.0,
            "UPDATE directory SET created_at = $5
             WHERE tenant_id = $1 AND user_id = $2 AND address_hash = $3 AND generation = $4",
            entry.tenant.uuid(),
            entry.user.uuid(),
            hash,
            entry.generation.number(),
            now.micros()
        )?;
        Ok(if held == 1 {
            Reservation::Held
        } else {
            Reservation::Taken
        })
    }

    /// Notes that the row of a person who was just added is there.
    pub async fn confirm(&mut self, tenant: TenantId, user: UserId) -> Result<bool, StoreError> {
        let changed = execute!(
            self.0,
            "UPDATE directory SET state = 'confirmed' WHERE tenant_id = $1 AND user_id = $2",
            tenant.uuid(),
            user.uuid()
        )?;
        Ok(changed == 1)
    }

    /// Makes a person's entries reserved again, before the row goes or is changed: should whoever
    /// does it die, they are settled later.
    pub async fn unsettle(
        &mut self,
        tenant: TenantId,
        user: UserId,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        execute!(
            self.0,
            "UPDATE directory SET state = 'reserved', created_at = $3 WHERE tenant_id = $1 AND user_id = $2",
            tenant.uuid(),
            user.uuid(),
            now.micros()
        )
    }

    /// Notes what the tenant's row says: this entry is confirmed, whatever it was, and made where it
    /// is missing; [`Reservation::Taken`] where another tenant holds the address.
    pub async fn settle(
        &mut self,
        entry: &DirectoryEntry,
        global: bool,
        now: Timestamp,
    ) -> Result<Reservation, StoreError> {
        if self.reserve(entry, global, now).await? == Reservation::Taken {
            return Ok(Reservation::Taken);
        }
        execute!(
            self.0,
            "UPDATE directory SET state = 'confirmed', kind = $4
             WHERE tenant_id = $1 AND user_id = $2 AND address_hash = $3",
            entry.tenant.uuid(),
            entry.user.uuid(),
            entry.address_hash.as_slice(),
            entry.kind.as_str()
        )?;
        Ok(Reservation::Held)
    }

    /// A person's entry for an address.
    pub async fn lookup(
        &mut self,
        tenant: TenantId,
        user: UserId,
        address_hash: &[u8; 32],
    ) -> Result<Option<DirectoryEntry>, StoreError> {
        fetch_optional!(
            self.0,
            EntryRow,
            "SELECT tenant_id, generation, user_id, address_hash, kind, state
             FROM directory WHERE tenant_id = $1 AND user_id = $2 AND address_hash = $3",
            tenant.uuid(),
            user.uuid(),
            address_hash.as_slice()
        )?
        .map(DirectoryEntry::try_from)
        .transpose()
    }

    /// A person's entries.
    pub async fn list_of(
        &mut self,
        tenant: TenantId,
        user: UserId,
    ) -> Result<Vec<Listed>, StoreError> {
        let rows = fetch_all!(
            self.0,
            ListedRow,
            "SELECT tenant_id, generation, user_id, address_hash, kind, state, created_at
             FROM directory WHERE tenant_id = $1 AND user_id = $2 ORDER BY address_hash",
            tenant.uuid(),
            user.uuid()
        )?;
        rows.into_iter()
            .map(|row| {
                let at = Timestamp::from_micros(row.created_at);
                let entry = DirectoryEntry::try_from(EntryRow {
                    tenant_id: row.tenant_id,
                    generation: row.generation,
                    user_id: row.user_id,
                    address_hash: row.address_hash,
                    kind: row.kind,
                    state: row.state,
                })?;
                Ok(Listed { entry, at })
            })
            .collect()
    }

    /// Takes an entry out, unless somebody reserved it anew since it was listed.
    pub async fn remove_listed(&mut self, listed: &Listed) -> Result<bool, StoreError> {
        let changed = execute!(
            self.0,
            "DELETE FROM directory
             WHERE tenant_id = $1 AND user_id = $2 AND address_hash = $3 AND created_at = $4",
            listed.entry.tenant.uuid(),
            listed.entry.user.uuid(),
            listed.entry.address_hash.as_slice(),
            listed.at.micros()
        )?;
        Ok(changed == 1)
    }

    /// A tenant's entries.
    pub async fn list(&mut self, tenant: TenantId) -> Result<Vec<DirectoryEntry>, StoreError> {
        fetch_all!(
            self.0,
            EntryRow,
            "SELECT tenant_id, generation, user_id, address_hash, kind, state
             FROM directory WHERE tenant_id = $1 ORDER BY user_id",
            tenant.uuid()
        )?
        .into_iter()
        .map(DirectoryEntry::try_from)
        .collect()
    }

    /// Entries that were reserved before `before` and never confirmed, of tenants in use that
    /// nobody works on: what a crash left. In the order of tenants and people, after the one given.
    pub async fn list_unsettled(
        &mut self,
        before: Timestamp,
        after: Option<(TenantId, UserId)>,
        limit: i64,
    ) -> Result<Vec<DirectoryEntry>, StoreError> {
        let (tenant, user) = after.map_or((Uuid::nil(), Uuid::nil()), |(tenant, user)| {
            (tenant.uuid(), user.uuid())
        });
        fetch_all!(
            self.0,
            EntryRow,
            "SELECT d.tenant_id, d.generation, d.user_id, d.address_hash, d.kind, d.state
             FROM directory d JOIN tenants t ON t.id = d.tenant_id AND t.generation = d.generation
             WHERE d.state = 'reserved' AND d.created_at <= $1 AND t.status IN ('active', 'suspended')
               AND (d.tenant_id > $2 OR (d.tenant_id = $2 AND d.user_id > $3))
               AND NOT EXISTS (SELECT 1 FROM workflows w
                               WHERE w.tenant_id = d.tenant_id AND w.state IN ('running', 'undoing', 'stuck'))
             ORDER BY d.tenant_id, d.user_id LIMIT $4",
            before.micros(),
            tenant,
            user,
            limit
        )?
        .into_iter()
        .map(DirectoryEntry::try_from)
        .collect()
    }

    /// Whoever has the address in an active tenant, or had it, or is about to. A hint for people who
    /// are not signed in: it leads to where a password is checked and authorises nothing by itself.
    pub async fn find_active(
        mut self,
        address_hash: [u8; 32],
        limit: i64,
    ) -> Result<Vec<Placed>, StoreError> {
        let rows = fetch_all!(
            self.0,
            PlaceRow,
            "SELECT d.tenant_id, d.user_id
             FROM directory d JOIN tenants t ON t.id = d.tenant_id AND t.generation = d.generation
             WHERE d.address_hash = $1 AND t.status = 'active'
             ORDER BY t.number LIMIT $2",
            address_hash.as_slice(),
            limit
        )?;
        let mut tenants = Tenants(self.0, self.1);
        let mut placed = Vec::with_capacity(rows.len());
        for row in rows {
            let hint = crate::Hint::Id(TenantId::from_uuid(row.tenant_id));
            if let Some(super::Entry::Open(ctx)) = tenants.enter(&hint, Origin::Directory).await? {
                placed.push(Placed {
                    ctx,
                    user: UserId::from_uuid(row.user_id),
                });
            }
        }
        Ok(placed)
    }

    /// Takes out a person's entry; harmless when it is gone.
    pub async fn remove(&mut self, tenant: TenantId, user: UserId) -> Result<(), StoreError> {
        execute!(
            self.0,
            "DELETE FROM directory WHERE tenant_id = $1 AND user_id = $2",
            tenant.uuid(),
            user.uuid()
        )?;
        Ok(())
    }

    /// Takes out a tenant's entries; how many.
    pub async fn remove_tenant(&mut self, tenant: TenantId) -> Result<u64, StoreError> {
        execute!(
            self.0,
            "DELETE FROM directory WHERE tenant_id = $1",
            tenant.uuid()
        )
    }

    /// Takes out a tenant's entries that were made and last reserved up to `at`; how many.
    pub async fn remove_older(
        &mut self,
        tenant: TenantId,
        at: Timestamp,
    ) -> Result<u64, StoreError> {
        execute!(
            self.0,
            "DELETE FROM directory WHERE tenant_id = $1 AND created_at <= $2",
            tenant.uuid(),
            at.micros()
        )
    }

    /// Takes out the entries a tenant has from generations before this one; how many.
    pub async fn remove_earlier(
        &mut self,
        tenant: TenantId,
        generation: Generation,
    ) -> Result<u64, StoreError> {
        execute!(
            self.0,
            "DELETE FROM directory WHERE tenant_id = $1 AND generation < $2",
            tenant.uuid(),
            generation.number()
        )
    }

    /// Carries a tenant's entries over to another generation, after its database was.
    pub async fn carry_over(&mut self, tenant: &Tenant) -> Result<u64, StoreError> {
        execute!(
            self.0,
            "UPDATE directory SET generation = $2 WHERE tenant_id = $1",
            tenant.id.uuid(),
            tenant.generation.number()
        )
    }
}
