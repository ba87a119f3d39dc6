//! The people whom the application of an adopted database knew before.

use std::collections::HashSet;

use tenantry_core::{Role, UserId};
use tenantry_saga::StepError;
use tenantry_store::cluster::PersonRow;
use tenantry_store::control::{DirectoryEntry, EntryKind, EntryState, Reservation};
use tenantry_store::tenant::{Added, NewUser, Users};
use tenantry_store::{StoreError, TenantCtx};

use super::{Steps, fatal};
use crate::adopt::{ImportReport, Judged, Person, judge, report_context};
use crate::workflows::{OwnerPlan, Plan};

/// People who are being brought along.
struct Import<'a> {
    plan: &'a Plan,
    owner: OwnerPlan,
    ctx: TenantCtx,
    /// The addresses of this run's rows, hashed.
    seen: HashSet<[u8; 32]>,
    report: ImportReport,
}

/// Somebody who is in the tenant by now.
struct Settled {
    row: u64,
    user: UserId,
    email: String,
    entry: DirectoryEntry,
    has_password: bool,
    dropped_hash: bool,
}

impl Steps {
    /// Brings people along, and says of each row what came of it. Somebody whom an earlier try
    /// brought is found by the address, so that repeating it makes nobody twice.
    pub(in crate::workflows) async fn import_people(&self, plan: &Plan) -> Result<(), StepError> {
        let Some(people) = &plan.people else {
            return Ok(());
        };
        let home = self.home(plan, plan.generation).await?;
        let cluster = home
            .server()
            .map(tenantry_store::homes::ServerHome::cluster);
        let place = cluster.and_then(|cluster| Some((cluster, cluster.adopted()?)));
        let (cluster, database) = place
            .ok_or_else(|| StepError::Fatal("the tenant lies in no adopted database".to_owned()))?;
        let table = people.clone().into();
        let reading = cluster.read_people(database, &table).await;
        let mut reader = reading.map_err(StoreError::from)?;
        let mut import = Import {
            plan,
            owner: self.owner(plan)?,
            ctx: self.ctx(plan).await?,
            seen: HashSet::new(),
            report: ImportReport::default(),
        };
        loop {
            let page = reader.page().await.map_err(StoreError::from)?;
            if page.is_empty() {
                break;
            }
            let settled = self.import_page(&mut import, &page).await?;
            self.enter_page(&mut import, settled).await?;
        }
        reader.leave().await.map_err(StoreError::from)?;
        self.keep_report(plan, &import.report).await
    }

    /// Writes one page into the tenant's database.
    async fn import_page(
        &self,
        import: &mut Import<'_>,
        page: &[PersonRow],
    ) -> Result<Vec<Settled>, StepError> {
        let directory = self.0.keyring.directory();
        let mut settled = Vec::new();
        let mut tx = self.0.pools.begin(&import.ctx).await?;
        for row in page {
            let (person, dropped_hash) = match judge(row) {
                Judged::Nobody { email, why } => {
                    import.report.leave_out(row.ordinal, email.as_deref(), why);
                    continue;
                }
                Judged::Somebody {
                    person,
                    dropped_hash,
                    dropped_username,
                } => {
                    if dropped_username {
                        let why = "the username is none that can be taken; it is left out";
                        import
                            .report
                            .remark(row.ordinal, person.email.as_str(), why);
                    }
                    (person, dropped_hash)
                }
            };
            let hash = directory.hash(&person.email.key());
            let email = person.email.as_str().to_owned();
            if !import.seen.insert(hash) {
                let why = "a row before has the same address";
                import.report.leave_out(row.ordinal, Some(&email), why);
                continue;
            }
            let is_owner = person.email.key() == import.owner.email.key();
            let Some(user) = self
                .import_person(import, &mut tx.users(), row.ordinal, &person, is_owner)
                .await?
            else {
                continue;
            };
            let role = if is_owner { Role::Owner } else { person.role };
            settled.push(Settled {
                row: row.ordinal,
                user,
                email,
                entry: DirectoryEntry {
                    tenant: import.plan.tenant,
                    generation: import.plan.generation,
                    user,
                    address_hash: hash,
                    kind: if role == Role::Owner {
                        EntryKind::Owner
                    } else {
                        EntryKind::Staff
                    },
                    state: EntryState::Reserved,
                },
                has_password: person.password_hash.is_some(),
                dropped_hash,
            });
        }
        tx.commit().await?;
        Ok(settled)
    }

    /// Adds one person; the id, also of somebody who is there already.
    async fn import_person(
        &self,
        import: &mut Import<'_>,
        users: &mut Users<'_>,
        row: u64,
        person: &Person,
        is_owner: bool,
    ) -> Result<Option<UserId>, StepError> {
        let email = person.email.as_str();
        let taken = "the username is somebody else's; it is left out";
        if let Some(there) = users.find_by_email(&person.email).await? {
            if person.username.is_some() && there.user.username.is_none() {
                import.report.remark(row, email, taken);
            }
            return Ok(Some(there.user.id));
        }
        let id = if is_owner {
            import.owner.id
        } else {
            UserId::generate(&self.0.clock, &self.0.entropy)
        };
        let mut new = NewUser {
            id,
            email: &person.email,
            username: person.username.as_ref(),
            full_name: person.full_name.as_deref(),
            role: if is_owner { Role::Owner } else { person.role },
            password_hash: person
                .password_hash
                .as_ref()
                .map(|hash| hash.expose().as_str()),
            must_change_password: false,
            created_at: import.plan.at,
        };
        let mut added = users.add(&new).await?;
        if added == Added::UsernameTaken {
            import.report.remark(row, email, taken);
            new.username = None;
            added = users.add(&new).await?;
        }
        if added != Added::Yes {
            let why = "somebody in the tenant has the address";
            import.report.leave_out(row, Some(email), why);
            return Ok(None);
        }
        if person.disabled && is_owner {
            let why = "was kept out, and is the owner now, who is not";
            import.report.remark(row, email, why);
        } else if person.disabled {
            users.mark_disabled(id, import.plan.at).await?;
        }
        Ok(Some(id))
    }

    /// Writes one page into the directory. Whose address belongs to another tenant, where it may
    /// belong to one only, is taken out again.
    async fn enter_page(
        &self,
        import: &mut Import<'_>,
        page: Vec<Settled>,
    ) -> Result<(), StepError> {
        let global =
            self.0.settings.email_uniqueness == tenantry_core::tenant::EmailUniqueness::Global;
        let mut taken = Vec::new();
        let mut tx = self.0.control.begin().await?;
        for settled in page {
            // The owner's own entry was reserved with the run, and is confirmed by a later step.
            if settled.user != import.owner.id {
                let entry = &settled.entry;
                let held = tx
                    .directory()
                    .reserve(entry, global, import.plan.at)
                    .await?;
                if held == Reservation::Taken {
                    taken.push(settled);
                    continue;
                }
                tx.directory().confirm(entry.tenant, entry.user).await?;
            }
            import.report.imported += 1;
            import.report.passwords_kept += u64::from(settled.has_password);
            import.report.passwords_dropped += u64::from(settled.dropped_hash);
        }
        tx.commit().await?;
        if taken.is_empty() {
            return Ok(());
        }
        let mut tx = self.0.pools.begin(&import.ctx).await?;
        for settled in taken {
            tx.users().remove(settled.user).await?;
            let why = "the address belongs to another tenant";
            import
                .report
                .leave_out(settled.row, Some(&settled.email), why);
        }
        Ok(tx.commit().await?)
    }

    async fn keep_report(&self, plan: &Plan, report: &ImportReport) -> Result<(), StepError> {
        let plain = serde_json::to_vec(report)
            .map_err(|error| fatal("the report can't be written")(&error))?;
        let context = report_context(plan.tenant);
        let sealed = self
            .0
            .keyring
            .seal(&plain, &context, &self.0.entropy)
            .map_err(|error| fatal("the report can't be sealed")(&error))?;
        let mut tx = self.0.control.begin().await?;
        tx.adopted().keep_report(plan.tenant, &sealed).await?;
        Ok(tx.commit().await?)
    }

    /// Whether somebody could sign in with a password, and so needs no link to set one.
    pub(super) async fn has_password(&self, plan: &Plan, user: UserId) -> Result<bool, StepError> {
        let ctx = self.ctx(plan).await?;
        let mut tx = self.0.pools.read(&ctx).await?;
        let record = tx.users().lookup(user).await?;
        Ok(record.is_some_and(|record| record.user.has_password))
    }
}
