//! The people whom the application of an adopted database knew before.

use std::collections::HashSet;

use tenantry_core::{Role, UserId};
use tenantry_saga::StepError;
use tenantry_store::cluster::PersonRow;
use tenantry_store::control::Reservation;
use tenantry_store::{StoreError, TenantCtx};

use super::{Steps, fatal};
use crate::adopt::{ImportReport, Judged, judge, report_context};
use crate::import::batch::{self, Came, Candidate};
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

/// One page of rows that are somebody.
#[derive(Default)]
struct Page {
    rows: Vec<u64>,
    /// Had a password whose hash can't be compared.
    dropped_hash: Vec<bool>,
    batch: Vec<Candidate>,
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
            owner: self.owner(plan).await?,
            ctx: self.ctx(plan).await?,
            seen: HashSet::new(),
            report: ImportReport::default(),
        };
        loop {
            let rows = reader.page().await.map_err(StoreError::from)?;
            if rows.is_empty() {
                break;
            }
            let page = self.judge_page(&mut import, &rows);
            self.import_page(&mut import, page).await?;
        }
        reader.leave().await.map_err(StoreError::from)?;
        import.report.notes.sort_by_key(|note| note.row);
        self.keep_report(plan, &import.report).await
    }

    /// Who the rows of one page are.
    fn judge_page(&self, import: &mut Import<'_>, rows: &[PersonRow]) -> Page {
        let mut page = Page::default();
        for row in rows {
            let (mut person, dropped_hash, dropped_username) = match judge(row) {
                Judged::Nobody { email, why } => {
                    import.report.leave_out(row.ordinal, email.as_deref(), why);
                    continue;
                }
                Judged::Somebody {
                    person,
                    dropped_hash,
                    dropped_username,
                } => (person, dropped_hash, dropped_username),
            };
            let email = person.email.as_str().to_owned();
            if dropped_username {
                let why = "the username is none that can be taken; it is left out";
                import.report.remark(row.ordinal, &email, why);
            }
            let hash = self.0.keyring.directory().hash(&person.email.key());
            if !import.seen.insert(hash) {
                let why = "a row before has the same address";
                import.report.leave_out(row.ordinal, Some(&email), why);
                continue;
            }
            let is_owner = person.email.key() == import.owner.email.key();
            let mut id = UserId::generate(&self.0.clock, &self.0.entropy);
            if is_owner {
                person.role = Role::Owner;
                id = import.owner.id;
                if std::mem::take(&mut person.disabled) {
                    let why = "was kept out, and is the owner now, who is not";
                    import.report.remark(row.ordinal, &email, why);
                }
            }
            let mut candidate = Candidate::new(id, *person);
            // The owner's own entry was reserved with the run, and is confirmed by a later step.
            candidate.has_entry = is_owner;
            page.rows.push(row.ordinal);
            page.dropped_hash.push(dropped_hash);
            page.batch.push(candidate);
        }
        page
    }

    /// Writes one page into the tenant's database and into the directory.
    async fn import_page(&self, import: &mut Import<'_>, mut page: Page) -> Result<(), StepError> {
        let (at, ctx) = (import.plan.at, import.ctx.clone());
        let there = {
            let mut tx = self.0.pools.read(&ctx).await?;
            batch::find_there(&mut tx, &page.batch).await?
        };
        let mut control = self.0.control.begin().await?;
        let reserved = self
            .0
            .reserve_batch(&mut control, &ctx, &page.batch, &there)
            .await?;
        control.commit().await?;
        let mut came = reserved.clone();
        let mut tx = self.0.pools.begin(&ctx).await?;
        batch::add(&mut tx, &page.batch, &mut came, at).await?;
        for ((candidate, came), row) in page.batch.iter_mut().zip(&mut came).zip(&page.rows) {
            let lacks_username = match came {
                Came::UsernameTaken => true,
                Came::There(id) => {
                    let record = tx.users().lookup(*id).await?;
                    candidate.person.username.is_some()
                        && record.is_some_and(|record| record.user.username.is_none())
                }
                Came::Added | Came::TakenElsewhere | Came::Forbidden => false,
            };
            if lacks_username {
                candidate.person.username = None;
                let why = "the username is somebody else's; it is left out";
                import
                    .report
                    .remark(*row, candidate.person.email.as_str(), why);
            }
            if *came == Came::UsernameTaken {
                *came = batch::add_one(&mut tx, candidate, at).await?;
            }
        }
        tx.commit().await?;
        self.enter_page(import, &page, &reserved, &came).await
    }

    /// Settles one page in the directory. Whom an earlier try brought, and whose address belongs to
    /// another tenant by now where it may belong to one only, is taken out again.
    async fn enter_page(
        &self,
        import: &mut Import<'_>,
        page: &Page,
        reserved: &[Came],
        came: &[Came],
    ) -> Result<(), StepError> {
        let ctx = import.ctx.clone();
        let mut taken = Vec::new();
        let mut tx = self.0.control.begin().await?;
        self.0
            .settle_batch(&mut tx, &ctx, &page.batch, reserved, came)
            .await?;
        for (place, candidate) in page.batch.iter().enumerate() {
            let person = &candidate.person;
            let is_there = match came[place] {
                Came::Added => true,
                Came::There(_) if candidate.has_entry => true,
                Came::There(id) => {
                    let settled = self.0.settle_there(&mut tx, &ctx, id, person).await?;
                    if settled == Reservation::Taken {
                        taken.push(id);
                    }
                    settled == Reservation::Held
                }
                Came::UsernameTaken | Came::TakenElsewhere | Came::Forbidden => false,
            };
            if is_there {
                import.report.imported += 1;
                import.report.passwords_kept += u64::from(person.password_hash.is_some());
                import.report.passwords_dropped += u64::from(page.dropped_hash[place]);
            } else {
                let why = "the address belongs to another tenant";
                let email = Some(person.email.as_str());
                import.report.leave_out(page.rows[place], email, why);
            }
        }
        tx.commit().await?;
        if taken.is_empty() {
            return Ok(());
        }
        let mut tx = self.0.pools.begin(&ctx).await?;
        for id in taken {
            // Never the owner, who was added by another step.
            tx.users().remove(id).await?;
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
