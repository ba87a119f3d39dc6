//! Bringing people into a tenant with the password hashes they have elsewhere.
//!
//! Whoever calls reads a file or a body record by record and hands each one over; people are written
//! in batches, so that a million of them need no more memory than one batch. A wrong record stops
//! nothing and is told by its line; an address that is there already is skipped, so that the same
//! file can be sent again after whatever went wrong.
//!
//! Owns who may be made of a record and in which order the databases are written ([`batch`], which
//! adoption uses too). Reading the forms of files is each form's own module's. Called by the API and
//! by `tenantry user import`.

pub mod auth0;
pub(crate) mod batch;
pub mod form;
pub mod keycloak;
pub mod laravel;
pub mod lines;
pub mod ndjson;
mod record;

use serde::Serialize;
use tenantry_core::user::Username;
use tenantry_core::{Email, Role, Secret, UserId};
use tenantry_store::TenantCtx;

pub use record::{Found, LineError, Record};

use crate::staff::Acting;
use crate::{Refusal, Service};
use batch::{Came, Candidate};

/// How many people are written together. With more, others wait longer for the one who writes to a
/// file; with fewer, each commit is paid for more often.
const BATCH: usize = 200;

/// The most errors that are told one by one; the count goes on.
const ERRORS: usize = 1000;

/// Somebody to bring along.
pub(crate) struct Person {
    pub(crate) email: Email,
    pub(crate) username: Option<Username>,
    pub(crate) full_name: Option<String>,
    pub(crate) role: Role,
    pub(crate) password_hash: Option<Secret<String>>,
    pub(crate) disabled: bool,
}

/// What came of the records.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Imported {
    /// People who are in the tenant now.
    pub imported: u64,
    /// Records whose address was there before, or that say themselves that nobody is to be made.
    pub skipped: u64,
    /// Records that nobody was made from because something is wrong with them.
    pub failed: u64,
    /// What is wrong with them, the first thousand.
    pub errors: Vec<LineError>,
}

impl Imported {
    fn fail(&mut self, error: LineError) {
        self.failed += 1;
        if self.errors.len() < ERRORS {
            self.errors.push(error);
        }
    }
}

/// Who brings people along, and how.
#[derive(Debug, Clone, Copy)]
enum Manner {
    /// Somebody who runs the tenant's staff, and gives nobody more than he has.
    Staff(UserId, Role),
    /// An operator.
    Operator,
    /// An operator who only looks what would come of it.
    DryRun,
}

/// People who are being brought into one tenant.
pub struct Import {
    service: Service,
    ctx: TenantCtx,
    manner: Manner,
    waiting: Vec<(u64, Candidate)>,
    imported: Imported,
}

impl Service {
    /// Begins to bring people into the tenant whose staff somebody runs.
    pub fn import_staff(&self, acting: &Acting<'_>) -> Import {
        let manner = acting
            .user_id()
            .map_or(Manner::Operator, |by| Manner::Staff(by, acting.role()));
        self.import_into(acting.tenant(), manner)
    }

    /// The same for an operator. With `dry_run` nothing is written; what only the control database
    /// knows, which is whether an address belongs to another tenant, is not looked at then.
    pub fn import_as_operator(&self, ctx: &TenantCtx, dry_run: bool) -> Import {
        let manner = if dry_run {
            Manner::DryRun
        } else {
            Manner::Operator
        };
        self.import_into(ctx, manner)
    }

    fn import_into(&self, ctx: &TenantCtx, manner: Manner) -> Import {
        Import {
            service: self.clone(),
            ctx: ctx.clone(),
            manner,
            waiting: Vec::new(),
            imported: Imported::default(),
        }
    }
}

impl Import {
    /// Takes the next record, and writes a batch when one is full. Fails where a database can't be
    /// used; what was written before stays.
    pub async fn take(&mut self, record: Record) -> Result<(), Refusal> {
        let line = record.line;
        match record.found.and_then(|found| self.judge(line, found)) {
            Ok(Some(person)) => {
                let id = UserId::generate(self.service.clock(), self.service.entropy());
                let candidate = Candidate::new(id, person);
                self.waiting.push((line, candidate));
            }
            Ok(None) => self.imported.skipped += 1,
            Err(error) => self.imported.fail(error),
        }
        if self.waiting.len() >= BATCH {
            self.flush().await?;
        }
        Ok(())
    }

    /// Notes why nothing more comes.
    pub fn stop(&mut self, error: LineError) {
        self.imported.fail(error);
    }

    /// Writes what is left, and tells what came of it all.
    pub async fn finish(mut self) -> Result<Imported, Refusal> {
        self.flush().await?;
        self.imported.errors.sort_by_key(|error| error.line);
        Ok(self.imported)
    }

    fn judge(&self, line: u64, found: Found) -> Result<Option<Person>, LineError> {
        let person = match found {
            Found::Somebody(person) => person,
            Found::Nobody => return Ok(None),
        };
        let person = person.judged(line)?;
        match self.manner {
            Manner::Staff(_, most) if person.role.rank() > most.rank() => {
                let why = format!(
                    "role: {} is more than {most}, which is the most that you may give",
                    person.role
                );
                Err(LineError::new(line, "forbidden", why))
            }
            Manner::Staff(..) | Manner::Operator | Manner::DryRun => Ok(Some(person)),
        }
    }

    async fn flush(&mut self) -> Result<(), Refusal> {
        let waiting = std::mem::take(&mut self.waiting);
        if waiting.is_empty() {
            return Ok(());
        }
        let (lines, candidates): (Vec<_>, Vec<_>) = waiting.into_iter().unzip();
        let (service, ctx) = (&self.service, &self.ctx);
        let came = match self.manner {
            Manner::Staff(by, _) => service.write_batch(ctx, &candidates, Some(by)).await?,
            Manner::Operator => service.write_batch(ctx, &candidates, None).await?,
            Manner::DryRun => service.try_batch(ctx, &candidates).await?,
        };
        for (line, came) in lines.into_iter().zip(came) {
            let (code, why) = match came {
                Came::Added => {
                    self.imported.imported += 1;
                    continue;
                }
                Came::There(_) => {
                    self.imported.skipped += 1;
                    continue;
                }
                // Told by the batch as a whole.
                Came::Forbidden => continue,
                Came::UsernameTaken => (
                    "username_taken",
                    "username: somebody in the tenant has this username",
                ),
                Came::TakenElsewhere => (
                    "email_taken",
                    "email: the address is somebody else's already",
                ),
            };
            self.imported.fail(LineError::new(line, code, why));
        }
        Ok(())
    }
}
