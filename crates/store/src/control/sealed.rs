//! Every place where a sealed value lies, so that all of them can be sealed anew when the data key is
//! exchanged.
//!
//! A sealed value names its data key in the 16 octets after the first, so that a database finds those
//! that name an old one. A new column of octets must be named here or in the list beside the test that
//! looks at the schema.

use tenantry_core::{
    ApplicationId, Generation, NoticeId, OutboxId, TenantId, WebhookId, WorkflowId,
};
use uuid::Uuid;

use crate::{Conn, StoreError};

/// The sealed values of the control database. A tenant's database holds none.
pub struct SealedValues<'c>(pub(super) Conn<'c>);

/// A column that holds sealed values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SealedColumn {
    /// `instance.key_check`
    KeyCheck,
    /// `signing_keys.sealed_seed`
    SigningSeed,
    /// `clusters.sealed_url`
    ClusterUrl,
    /// `clusters.sealed_shared`
    ClusterShared,
    /// `tenant_database_users.sealed_secret`
    Credential,
    /// `webhooks.sealed_secret`
    WebhookSecret,
    /// `webhook_deliveries.sealed`
    Notice,
    /// `outbox.sealed`
    Mail,
    /// `tenant_applications.applicant`
    Applicant,
    /// `adopted_databases.sealed_report`
    Report,
    /// `idempotent_answers.answer`
    Answer,
}

/// Which row of which column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SealedAt {
    /// The value that tells the right master key.
    KeyCheck,
    /// The seed of the signing key with this name.
    SigningSeed(String),
    /// The admin's URL of the cluster with this name.
    ClusterUrl(String),
    /// The password of that cluster's common login.
    ClusterShared(String),
    /// A secret of a tenant's login: tenant, generation, serial.
    Credential(TenantId, Generation, i64),
    /// What a receiver's notices are signed with.
    WebhookSecret(WebhookId),
    /// A notice to a receiver.
    Notice(WebhookId, NoticeId),
    /// A mail.
    Mail(OutboxId),
    /// Who asked for a tenant.
    Applicant(ApplicationId),
    /// What came of the people of an adopted database.
    Report(TenantId),
    /// An answer kept under this hash of an `Idempotency-Key`.
    Answer(Vec<u8>),
}

/// A sealed value and where it lies.
#[derive(Debug, Clone)]
pub struct SealedValue {
    /// Where.
    pub at: SealedAt,
    /// The value.
    pub sealed: Vec<u8>,
}

row! { struct CountRow { count: i64 } }
row! { struct PlanRow { id: Uuid, params: String } }
row! { struct Alone { sealed: Vec<u8> } }
row! { struct ByName { name: String, sealed: Vec<u8> } }
row! { struct ById { id: Uuid, sealed: Vec<u8> } }
row! { struct ByHash { key_hash: Vec<u8>, sealed: Vec<u8> } }
row! { struct ByPair { webhook_id: Uuid, id: Uuid, sealed: Vec<u8> } }
row! { struct BySerial { tenant_id: Uuid, generation: i64, serial: i64, sealed: Vec<u8> } }

/// Values of one column that name another data key than `newest`, in the order of their rows.
macro_rules! list {
    ($conn:expr, $newest:expr, $page:expr;
     $table:literal $keys:literal $column:literal by $order:literal, $row:ty) => {
        fetch_all!(
            $conn,
            $row,
            concat!(
                "SELECT ", $keys, $column, " AS sealed FROM ", $table,
                " WHERE length(", $column, ") > 0 AND substr(", $column, ", 2, 16) <> $1 ORDER BY ",
                $order, " LIMIT $2 OFFSET $3"
            ),
            $newest.as_bytes().as_slice(),
            $page.0,
            $page.1
        )
    };
    ($conn:expr, $newest:expr, $page:expr;
     $table:literal $keys:literal $column:literal by $order:literal,
     |$found:ident: $row:ty| $at:expr) => {
        list!($conn, $newest, $page; $table $keys $column by $order, $row)?
            .into_iter()
            .map(|$found| SealedValue { at: $at, sealed: $found.sealed })
            .collect()
    };
}

/// How many values of one column name this data key (`=`), or another one (`<>`).
macro_rules! count {
    ($conn:expr, $key:expr, $is:literal; $table:literal $column:literal) => {
        fetch_one!(
            $conn,
            CountRow,
            concat!(
                "SELECT COUNT(*) AS count FROM ",
                $table,
                " WHERE length(",
                $column,
                ") > 0 AND substr(",
                $column,
                ", 2, 16) ",
                $is,
                " $1"
            ),
            $key.as_bytes().as_slice()
        )?
    };
    ($conn:expr, $key:expr, $is:literal, $of:expr) => {
        match $of {
            SealedColumn::KeyCheck => count!($conn, $key, $is; "instance" "key_check"),
            SealedColumn::SigningSeed => count!($conn, $key, $is; "signing_keys" "sealed_seed"),
            SealedColumn::ClusterUrl => count!($conn, $key, $is; "clusters" "sealed_url"),
            SealedColumn::ClusterShared => count!($conn, $key, $is; "clusters" "sealed_shared"),
            SealedColumn::Credential => {
                count!($conn, $key, $is; "tenant_database_users" "sealed_secret")
            }
            SealedColumn::WebhookSecret => count!($conn, $key, $is; "webhooks" "sealed_secret"),
            SealedColumn::Notice => count!($conn, $key, $is; "webhook_deliveries" "sealed"),
            SealedColumn::Mail => count!($conn, $key, $is; "outbox" "sealed"),
            SealedColumn::Applicant => count!($conn, $key, $is; "tenant_applications" "applicant"),
            SealedColumn::Report => count!($conn, $key, $is; "adopted_databases" "sealed_report"),
            SealedColumn::Answer => count!($conn, $key, $is; "idempotent_answers" "answer"),
        }
    };
}

/// Puts a value in place of the one that was read.
macro_rules! put {
    ($conn:expr, $new:expr, $old:expr; $table:literal $column:literal $which:literal $(, $key:expr)*) => {
        execute!(
            $conn,
            concat!("UPDATE ", $table, " SET ", $column, " = $1 WHERE ", $column, " = $2", $which),
            $new,
            $old
            $(, $key)*
        )?
    };
}

impl SealedColumn {
    /// Every one.
    pub const ALL: &'static [Self] = &[
        Self::KeyCheck,
        Self::SigningSeed,
        Self::ClusterUrl,
        Self::ClusterShared,
        Self::Credential,
        Self::WebhookSecret,
        Self::Notice,
        Self::Mail,
        Self::Applicant,
        Self::Report,
        Self::Answer,
    ];

    /// The table and the column.
    pub const fn name(self) -> (&'static str, &'static str) {
        match self {
            Self::KeyCheck => ("instance", "key_check"),
            Self::SigningSeed => ("signing_keys", "sealed_seed"),
            Self::ClusterUrl => ("clusters", "sealed_url"),
            Self::ClusterShared => ("clusters", "sealed_shared"),
            Self::Credential => ("tenant_database_users", "sealed_secret"),
            Self::WebhookSecret => ("webhooks", "sealed_secret"),
            Self::Notice => ("webhook_deliveries", "sealed"),
            Self::Mail => ("outbox", "sealed"),
            Self::Applicant => ("tenant_applications", "applicant"),
            Self::Report => ("adopted_databases", "sealed_report"),
            Self::Answer => ("idempotent_answers", "answer"),
        }
    }
}

impl SealedValues<'_> {
    /// Values of a column that name another data key than `newest`; so many, after so many.
    #[rustfmt::skip]
    pub async fn list(
        &mut self,
        column: SealedColumn,
        newest: Uuid,
        page: (i64, i64),
    ) -> Result<Vec<SealedValue>, StoreError> {
        let conn = &mut self.0;
        Ok(match column {
            SealedColumn::KeyCheck => list!(*conn, newest, page; "instance" "" "key_check" by "id",
                |row: Alone| SealedAt::KeyCheck),
            SealedColumn::SigningSeed => list!(*conn, newest, page;
                "signing_keys" "kid AS name, " "sealed_seed" by "kid",
                |row: ByName| SealedAt::SigningSeed(row.name)),
            SealedColumn::ClusterUrl => list!(*conn, newest, page;
                "clusters" "name, " "sealed_url" by "name",
                |row: ByName| SealedAt::ClusterUrl(row.name)),
            SealedColumn::ClusterShared => list!(*conn, newest, page;
                "clusters" "name, " "sealed_shared" by "name",
                |row: ByName| SealedAt::ClusterShared(row.name)),
            SealedColumn::Credential => list!(*conn, newest, page;
                "tenant_database_users" "tenant_id, generation, serial, " "sealed_secret"
                by "tenant_id, generation, serial", BySerial)?
                .into_iter()
                .map(SealedValue::try_from)
                .collect::<Result<_, _>>()?,
            SealedColumn::WebhookSecret => list!(*conn, newest, page;
                "webhooks" "id, " "sealed_secret" by "id",
                |row: ById| SealedAt::WebhookSecret(WebhookId::from_uuid(row.id))),
            SealedColumn::Notice => list!(*conn, newest, page;
                "webhook_deliveries" "webhook_id, id, " "sealed" by "webhook_id, id",
                |row: ByPair| SealedAt::Notice(
                    WebhookId::from_uuid(row.webhook_id),
                    NoticeId::from_uuid(row.id),
                )),
            SealedColumn::Mail => list!(*conn, newest, page; "outbox" "id, " "sealed" by "id",
                |row: ById| SealedAt::Mail(OutboxId::from_uuid(row.id))),
            SealedColumn::Applicant => list!(*conn, newest, page;
                "tenant_applications" "id, " "applicant" by "id",
                |row: ById| SealedAt::Applicant(ApplicationId::from_uuid(row.id))),
            SealedColumn::Report => list!(*conn, newest, page;
                "adopted_databases" "tenant_id AS id, " "sealed_report" by "tenant_id",
                |row: ById| SealedAt::Report(TenantId::from_uuid(row.id))),
            SealedColumn::Answer => list!(*conn, newest, page;
                "idempotent_answers" "key_hash, " "answer" by "key_hash",
                |row: ByHash| SealedAt::Answer(row.key_hash)),
        })
    }

    /// How many values of a column name another data key than `newest`.
    pub async fn count(&mut self, column: SealedColumn, newest: Uuid) -> Result<i64, StoreError> {
        let row = count!(self.0, newest, "<>", column);
        Ok(row.count)
    }

    /// How many values of a column name this data key.
    pub async fn count_naming(
        &mut self,
        column: SealedColumn,
        key: Uuid,
    ) -> Result<i64, StoreError> {
        let row = count!(self.0, key, "=", column);
        Ok(row.count)
    }

    /// Puts a value in place of the one that was read; `false` when that is another by now.
    #[rustfmt::skip]
    pub async fn replace(
        &mut self,
        at: &SealedAt,
        old: &[u8],
        new: &[u8],
    ) -> Result<bool, StoreError> {
        let conn = &mut self.0;
        let changed = match at {
            SealedAt::KeyCheck => put!(*conn, new, old; "instance" "key_check" ""),
            SealedAt::SigningSeed(kid) => {
                put!(*conn, new, old; "signing_keys" "sealed_seed" " AND kid = $3", kid.as_str())
            }
            SealedAt::ClusterUrl(name) => {
                put!(*conn, new, old; "clusters" "sealed_url" " AND name = $3", name.as_str())
            }
            SealedAt::ClusterShared(name) => {
                put!(*conn, new, old; "clusters" "sealed_shared" " AND name = $3", name.as_str())
            }
            SealedAt::Credential(tenant, generation, serial) => put!(*conn, new, old;
                "tenant_database_users" "sealed_secret"
                " AND tenant_id = $3 AND generation = $4 AND serial = $5",
                tenant.uuid(), generation.number(), *serial),
            SealedAt::WebhookSecret(id) => {
                put!(*conn, new, old; "webhooks" "sealed_secret" " AND id = $3", id.uuid())
            }
            SealedAt::Notice(webhook, id) => put!(*conn, new, old;
                "webhook_deliveries" "sealed" " AND webhook_id = $3 AND id = $4",
                webhook.uuid(), id.uuid()),
            SealedAt::Mail(id) => {
                put!(*conn, new, old; "outbox" "sealed" " AND id = $3", id.uuid())
            }
            SealedAt::Applicant(id) => {
                put!(*conn, new, old; "tenant_applications" "applicant" " AND id = $3", id.uuid())
            }
            SealedAt::Report(tenant) => put!(*conn, new, old;
                "adopted_databases" "sealed_report" " AND tenant_id = $3", tenant.uuid()),
            SealedAt::Answer(hash) => put!(*conn, new, old;
                "idempotent_answers" "answer" " AND key_hash = $3", hash.as_slice()),
        };
        Ok(changed == 1)
    }

    /// What unfinished runs were asked to do, which holds sealed values; so many, after this run.
    /// Those that ended have forgotten it. Runs that end while somebody goes from page to page move
    /// none of the others past him.
    pub async fn list_plans(
        &mut self,
        after: Option<WorkflowId>,
        limit: i64,
    ) -> Result<Vec<(WorkflowId, String)>, StoreError> {
        let rows = fetch_all!(
            self.0,
            PlanRow,
            "SELECT id, params FROM workflows WHERE state IN ('running', 'undoing', 'stuck') AND id > $1
             ORDER BY id LIMIT $2",
            after.map_or(Uuid::nil(), WorkflowId::uuid),
            limit
        )?;
        Ok(rows
            .into_iter()
            .map(|row| (WorkflowId::from_uuid(row.id), row.params))
            .collect())
    }

    /// Puts what a run was asked to do in place of what was read; `false` when that is another by now,
    /// or forgotten.
    pub async fn replace_plan(
        &mut self,
        id: WorkflowId,
        old: &str,
        new: &str,
    ) -> Result<bool, StoreError> {
        let changed = execute!(
            self.0,
            "UPDATE workflows SET params = $3 WHERE id = $1 AND params = $2",
            id.uuid(),
            old,
            new
        )?;
        Ok(changed == 1)
    }
}

impl TryFrom<BySerial> for SealedValue {
    type Error = StoreError;

    fn try_from(row: BySerial) -> Result<Self, StoreError> {
        let generation = Generation::new(row.generation).ok_or(StoreError::Corrupt {
            table: "tenant_database_users",
            column: "generation",
        })?;
        let tenant = TenantId::from_uuid(row.tenant_id);
        Ok(Self {
            at: SealedAt::Credential(tenant, generation, row.serial),
            sealed: row.sealed,
        })
    }
}
