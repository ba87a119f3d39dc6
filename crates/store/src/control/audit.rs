//! The audit: entries, and the two ends of the chain they are sealed into.
//!
//! An entry is written before its act without an outcome and settled after it. Its place in the
//! chain is decided by one conditional statement about the chain's end, so that of two processes
//! that seal at once one gets the number.

use tenantry_core::audit::{Actor, ActorKind, Chain, Entry, Outcome, Source};
use tenantry_core::{AuditId, TenantId, Timestamp};
use uuid::Uuid;

use crate::{Conn, StoreError};

/// The audit.
pub struct Audit<'c>(pub(super) Conn<'c>);

/// An entry with its place in the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// Its number, from 1.
    pub seq: i64,
    /// Its hash.
    pub hash: Vec<u8>,
    /// The entry; `None` where a part of it is nothing that this program writes.
    pub entry: Option<Entry>,
}

/// An entry in a list, with its number once it has one.
pub type ListedEntry = (Entry, Option<i64>);

/// Which entries to list. What is `None` restricts nothing.
#[derive(Debug, Clone, Default)]
pub struct AuditFilter {
    /// About this tenant.
    pub tenant: Option<TenantId>,
    /// With this action.
    pub action: Option<String>,
    /// By the actor with this id.
    pub actor: Option<Uuid>,
    /// By an actor of this kind.
    pub kind: Option<ActorKind>,
    /// Not before this id.
    pub from: Option<AuditId>,
    /// Before this id.
    pub before: Option<AuditId>,
}

row! {
    struct EntryRow {
        id: Uuid,
        at: i64,
        action: String,
        actor: String,
        actor_id: Option<Uuid>,
        actor_name: Option<String>,
        tenant_id: Option<Uuid>,
        target: Option<String>,
        outcome: Option<String>,
        code: Option<String>,
        ip: Option<String>,
        user_agent: Option<String>,
        request_id: Option<String>,
        detail: Option<String>,
        seq: Option<i64>,
        hash: Option<Vec<u8>>,
    }
}
row! { struct CountRow { number: i64 } }
row! { struct EndsRow { first: Option<i64>, last: Option<i64> } }
row! {
    struct ChainRow {
        last_seq: i64,
        last_hash: Vec<u8>,
        pruned_seq: i64,
        pruned_hash: Vec<u8>,
        begun_at: i64,
        mac: Vec<u8>,
    }
}

impl TryFrom<EntryRow> for Entry {
    type Error = StoreError;

    fn try_from(row: EntryRow) -> Result<Self, StoreError> {
        let corrupt = |column| StoreError::Corrupt {
            table: "audit",
            column,
        };
        let kind: ActorKind = row.actor.parse().map_err(|_| corrupt("actor"))?;
        let outcome = row.outcome.as_deref().map(str::parse::<Outcome>);
        let ip = row.ip.as_deref().map(str::parse);
        Ok(Self {
            id: AuditId::from_uuid(row.id),
            at: Timestamp::from_micros(row.at),
            action: row.action.parse().map_err(|_| corrupt("action"))?,
            actor: Actor::from_parts(kind, row.actor_id, row.actor_name)
                .ok_or(corrupt("actor_id"))?,
            tenant: row.tenant_id.map(TenantId::from_uuid),
            target: row.target,
            outcome: outcome.transpose().map_err(|_| corrupt("outcome"))?,
            code: row.code,
            source: Source {
                ip: ip.transpose().map_err(|_| corrupt("ip"))?,
                user_agent: row.user_agent,
                request_id: row.request_id,
            },
            detail: row.detail,
        })
    }
}

/// The columns of an entry, the newest first, between two ids, with what leads to the index that
/// serves the list best. A condition that may be left out leads to none.
macro_rules! listing {
    ($lead:literal) => {
        concat!(
            "SELECT id, at, action, actor, actor_id, actor_name, tenant_id, target, outcome, code, ip, user_agent,
                    request_id, detail, seq, hash
             FROM audit WHERE ",
            $lead,
            "id < $1 AND id >= $2
               AND ($3 IS NULL OR tenant_id = $3) AND ($4 IS NULL OR action = $4)
               AND ($5 IS NULL OR actor_id = $5) AND ($6 IS NULL OR actor = $6)
             ORDER BY id DESC LIMIT $7"
        )
    };
}

impl Audit<'_> {
    /// Writes an entry down, settled or not.
    pub async fn add(&mut self, entry: &Entry) -> Result<(), StoreError> {
        execute!(
            self.0,
            "INSERT INTO audit (id, at, action, actor, actor_id, actor_name, tenant_id, target, outcome, code, ip,
                    user_agent, request_id, detail)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
            entry.id.uuid(),
            entry.at.micros(),
            entry.action.as_str(),
            entry.actor.kind().as_str(),
            entry.actor.id(),
            entry.actor.name(),
            entry.tenant.map(TenantId::uuid),
            entry.target.as_deref(),
            entry.outcome.map(Outcome::as_str),
            entry.code.as_deref(),
            entry.source.ip.map(|ip| ip.to_string()),
            entry.source.user_agent.as_deref(),
            entry.source.request_id.as_deref(),
            entry.detail.as_deref()
        )?;
        Ok(())
    }

    /// Notes how an act ended, by whom it was and what it was done to; `false` when it was settled
    /// before, as that of a process thought dead.
    pub async fn settle(&mut self, entry: &Entry) -> Result<bool, StoreError> {
        let changed = execute!(
            self.0,
            "UPDATE audit SET actor = $2, actor_id = $3, actor_name = $4, tenant_id = $5, target = $6, outcome = $7,
                    code = $8, detail = $9
             WHERE id = $1 AND outcome IS NULL",
            entry.id.uuid(),
            entry.actor.kind().as_str(),
            entry.actor.id(),
            entry.actor.name(),
            entry.tenant.map(TenantId::uuid),
            entry.target.as_deref(),
            entry.outcome.map(Outcome::as_str),
            entry.code.as_deref(),
            entry.detail.as_deref()
        )?;
        Ok(changed == 1)
    }

    /// Takes an entry out whose act was refused before anything happened; `false` when it was
    /// settled before.
    pub async fn withdraw(&mut self, id: AuditId) -> Result<bool, StoreError> {
        let changed = execute!(
            self.0,
            "DELETE FROM audit WHERE id = $1 AND outcome IS NULL",
            id.uuid()
        )?;
        Ok(changed == 1)
    }

    /// Settles what was begun before `before` and never settled: nobody knows how it ended.
    pub async fn abandon(&mut self, before: Timestamp) -> Result<u64, StoreError> {
        execute!(
            self.0,
            "UPDATE audit SET outcome = 'unknown' WHERE seq IS NULL AND outcome IS NULL AND at < $1",
            before.micros()
        )
    }

    /// Settled entries that are not in the chain yet, the oldest first.
    pub async fn list_unsealed(&mut self, limit: i64) -> Result<Vec<Entry>, StoreError> {
        fetch_all!(
            self.0,
            EntryRow,
            "SELECT id, at, action, actor, actor_id, actor_name, tenant_id, target, outcome, code, ip, user_agent,
                    request_id, detail, seq, hash
             FROM audit WHERE seq IS NULL AND outcome IS NOT NULL ORDER BY id LIMIT $1",
            limit
        )?
        .into_iter()
        .map(Entry::try_from)
        .collect()
    }

    /// Entries that are not in the chain yet, settled or not.
    pub async fn count_unsealed(&mut self) -> Result<i64, StoreError> {
        let row = fetch_one!(
            self.0,
            CountRow,
            "SELECT COUNT(*) AS number FROM audit WHERE seq IS NULL"
        )?;
        Ok(row.number)
    }

    /// Gives a settled entry its place in the chain; `false` when it has one.
    pub async fn seal(&mut self, id: AuditId, seq: i64, hash: &[u8]) -> Result<bool, StoreError> {
        let changed = execute!(
            self.0,
            "UPDATE audit SET seq = $2, hash = $3 WHERE id = $1 AND seq IS NULL AND outcome IS NOT NULL",
            id.uuid(),
            seq,
            hash
        )?;
        Ok(changed == 1)
    }

    /// The two ends of the chain with the hash that vouches for them, once it was begun.
    pub async fn find_chain(&mut self) -> Result<Option<(Chain, Vec<u8>)>, StoreError> {
        let row = fetch_optional!(
            self.0,
            ChainRow,
            "SELECT last_seq, last_hash, pruned_seq, pruned_hash, begun_at, mac FROM audit_chain WHERE id = 1"
        )?;
        Ok(row.map(|row| {
            let chain = Chain {
                last: row.last_seq,
                last_hash: row.last_hash,
                pruned: row.pruned_seq,
                pruned_hash: row.pruned_hash,
                begun_at: Timestamp::from_micros(row.begun_at),
            };
            (chain, row.mac)
        }))
    }

    /// Begins the chain; `false` when it was begun.
    pub async fn begin_chain(&mut self, chain: &Chain, mac: &[u8]) -> Result<bool, StoreError> {
        let changed = execute!(
            self.0,
            "INSERT INTO audit_chain (id, last_seq, last_hash, pruned_seq, pruned_hash, begun_at, mac)
             VALUES (1, $1, $2, $3, $4, $5, $6) ON CONFLICT (id) DO NOTHING",
            chain.last,
            chain.last_hash.as_slice(),
            chain.pruned,
            chain.pruned_hash.as_slice(),
            chain.begun_at.micros(),
            mac
        )?;
        Ok(changed == 1)
    }

    /// Moves the ends of the chain from where they were; `false` when somebody else has moved them.
    /// Within a transaction this decides who seals or prunes.
    pub async fn move_chain(
        &mut self,
        from: &Chain,
        to: &Chain,
        mac: &[u8],
    ) -> Result<bool, StoreError> {
        let changed = execute!(
            self.0,
            "UPDATE audit_chain SET last_seq = $3, last_hash = $4, pruned_seq = $5, pruned_hash = $6, mac = $7
             WHERE id = 1 AND last_seq = $1 AND pruned_seq = $2",
            from.last,
            from.pruned,
            to.last,
            to.last_hash.as_slice(),
            to.pruned,
            to.pruned_hash.as_slice(),
            mac
        )?;
        Ok(changed == 1)
    }

    /// Entries in the chain after the one with the number `after`, in order.
    pub async fn list_sealed(&mut self, after: i64, limit: i64) -> Result<Vec<Sealed>, StoreError> {
        let rows = fetch_all!(
            self.0,
            EntryRow,
            "SELECT id, at, action, actor, actor_id, actor_name, tenant_id, target, outcome, code, ip, user_agent,
                    request_id, detail, seq, hash
             FROM audit WHERE seq > $1 ORDER BY seq LIMIT $2",
            after,
            limit
        )?;
        Ok(rows
            .into_iter()
            .map(|mut row| Sealed {
                seq: row.seq.unwrap_or_default(),
                hash: row.hash.take().unwrap_or_default(),
                entry: Entry::try_from(row).ok(),
            })
            .collect())
    }

    /// The least and the greatest number there is.
    pub async fn ends(&mut self) -> Result<Option<(i64, i64)>, StoreError> {
        let row = fetch_one!(
            self.0,
            EndsRow,
            "SELECT MIN(seq) AS first, MAX(seq) AS last FROM audit"
        )?;
        Ok(row.first.zip(row.last))
    }

    /// Removes entries up to and with the number `seq`; how many.
    pub async fn prune(&mut self, seq: i64) -> Result<u64, StoreError> {
        execute!(self.0, "DELETE FROM audit WHERE seq <= $1", seq)
    }

    /// Entries, the newest first.
    pub async fn list(
        &mut self,
        filter: &AuditFilter,
        limit: i64,
    ) -> Result<Vec<ListedEntry>, StoreError> {
        let sql = match (filter.tenant, filter.actor, &filter.action) {
            (Some(_), ..) => listing!("tenant_id = $3 AND "),
            (None, Some(_), _) => listing!("actor_id = $5 AND "),
            (None, None, Some(_)) => listing!("action = $4 AND "),
            (None, None, None) => listing!(""),
        };
        fetch_all!(
            self.0,
            EntryRow,
            sql,
            filter.before.map_or(Uuid::max(), AuditId::uuid),
            filter.from.map_or(Uuid::nil(), AuditId::uuid),
            filter.tenant.map(TenantId::uuid),
            filter.action.as_deref(),
            filter.actor,
            filter.kind.map(ActorKind::as_str),
            limit
        )?
        .into_iter()
        .map(|row| {
            let seq = row.seq;
            Ok((Entry::try_from(row)?, seq))
        })
        .collect()
    }
}
