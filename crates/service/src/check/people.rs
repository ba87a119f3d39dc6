//! A tenant's people: whether an owner can get in, and whether the directory is in step.

use std::collections::HashMap;

use tenantry_core::UserId;
use tenantry_core::finding::{FindingCode, Severity};
use tenantry_store::control::{DirectoryEntry, EntryState};
use tenantry_store::{StoreError, TenantTx};

use super::Findings;
use crate::Service;
use crate::refusal::Chain;

/// How many rows are read at once.
const PAGE: i64 = 500;

/// What the people of a tenant come to.
struct Looked {
    owners: i64,
    /// People without an entry, or with one that was never confirmed.
    missing: usize,
    /// Entries that lead to nobody, or carry another address.
    extra: usize,
}

impl Service {
    pub(super) async fn check_people(
        &self,
        findings: &mut Findings<'_>,
        tx: &mut TenantTx,
        entries: &[DirectoryEntry],
    ) {
        let looked = match self.look_at_people(findings, tx, entries).await {
            Ok(looked) => looked,
            Err(error) => {
                findings.error(
                    FindingCode::DatabaseUnreadable,
                    format!(
                        "the people can't be read ({}); look at the database, and restore it from a backup if in doubt",
                        Chain(&error)
                    ),
                );
                return;
            }
        };
        if looked.owners == 0 {
            findings.error(
                FindingCode::OwnerMissing,
                "nobody in the tenant is an owner who can get in; restore the database from a backup, or enable an owner there",
            );
        }
        if looked.missing > 0 {
            findings.repairable(
                FindingCode::DirectoryMissing,
                format!(
                    "{} of the tenant's people are not in the directory",
                    looked.missing
                ),
            );
        }
        if looked.extra > 0 {
            findings.add(
                FindingCode::DirectoryExtra,
                Severity::Warning,
                format!(
                    "{} directory entries lead to nobody or carry another address",
                    looked.extra
                ),
                true,
            );
        }
    }

    async fn look_at_people(
        &self,
        findings: &Findings<'_>,
        tx: &mut TenantTx,
        entries: &[DirectoryEntry],
    ) -> Result<Looked, StoreError> {
        let mut expected: HashMap<UserId, Vec<&DirectoryEntry>> = HashMap::new();
        for entry in entries {
            expected.entry(entry.user).or_default().push(entry);
        }
        let (mut missing, mut extra) = (0, 0);
        let owners = tx.users().count_owners().await?;
        let mut after = None;
        loop {
            let people = tx.users().list(after, PAGE).await?;
            for person in &people {
                let hash = self.keyring().directory().hash(&person.email.key());
                let theirs = expected.remove(&person.id).unwrap_or_default();
                let (right, wrong): (Vec<_>, Vec<_>) = theirs.into_iter().partition(|entry| {
                    entry.address_hash == hash && entry.generation == findings.tenant.generation
                });
                // Reserved and never confirmed: the row came, the confirmation did not.
                if right
                    .iter()
                    .all(|entry| entry.state == EntryState::Reserved)
                {
                    missing += usize::from(wrong.is_empty() || !right.is_empty());
                }
                extra += wrong.len();
            }
            after = people.last().map(|person| person.id);
            if after.is_none() {
                return Ok(Looked {
                    owners,
                    missing,
                    extra: expected.values().map(Vec::len).sum::<usize>() + extra,
                });
            }
        }
    }
}
