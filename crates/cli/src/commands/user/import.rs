//! `tenantry user import`: people of another system, with the password hashes they have there.

use std::fs::File;
use std::io::Read;
use std::ops::ControlFlow;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::json;
use tenantry_service::Service;
use tenantry_service::import::form::{Form, ReadError};
use tenantry_service::import::{Imported, Record};
use tenantry_store::TenantCtx;
use tokio::sync::mpsc;

use super::super::tenant::progress::Progress;
use crate::args::ImportArgs;
use crate::exit::Exit;
use crate::output::{Output, facts, table};

/// How many records wait between reading and writing.
const WAITING: usize = 256;

pub(super) async fn run(
    service: &Service,
    args: &ImportArgs,
    out: Output,
) -> Result<ExitCode, Exit> {
    let form = form(&args.format)?;
    let tenant = super::super::tenant::named(service, &args.slug).await?;
    let ctx = service.enter_as_operator(tenant.tenant.id).await?;
    let (imported, read) = import(service, &ctx, args, form, out).await?;
    answer(tenant.tenant.slug.as_str(), &imported, args.dry_run, out)?;
    // What was read before is told, and then why there was no more.
    read.map_err(|error| Exit::failed(&args.file.display().to_string(), error))?;
    Ok(if imported.failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(3)
    })
}

/// The form that a word names; `auto` leaves it to the file's beginning.
fn form(word: &str) -> Result<Option<Form>, Exit> {
    match word {
        "auto" => Ok(None),
        "ndjson" => Ok(Some(Form::Ndjson)),
        "keycloak" => Ok(Some(Form::Keycloak)),
        "auth0" => Ok(Some(Form::Auth0)),
        "laravel" => Ok(Some(Form::Laravel)),
        _ => Err(Exit::Usage(
            "--format: it is auto, ndjson, keycloak, auth0 or laravel".to_owned(),
        )),
    }
}

/// What came of the records that could be read, and whether that was all of them.
async fn import(
    service: &Service,
    ctx: &TenantCtx,
    args: &ImportArgs,
    form: Option<Form>,
    out: Output,
) -> Result<(Imported, Result<(), ReadError>), Exit> {
    let place = Arc::new(AtomicU64::new(0));
    let (length, mut records, reading) = read(&args.file, form, Arc::clone(&place))?;
    let progress = Progress::start("Importing people", out);
    let mut import = service.import_as_operator(ctx, args.dry_run);
    let mut failed = None;
    while let Some(record) = records.recv().await {
        progress.show(percent(place.load(Ordering::Relaxed), length), 100);
        if let Err(refusal) = import.take(record).await {
            failed = Some(refusal);
            break;
        }
    }
    // Reading stops at the next record that nobody takes.
    drop(records);
    let read = reading
        .await
        .map_err(|error| Exit::failed("reading the file", error))?;
    let imported = match failed {
        Some(refusal) => Err(refusal),
        None => import.finish().await,
    };
    progress.end();
    Ok((imported?, read))
}

/// Reading, aside: its length in octets, what it gives, and how it ends.
type Reading = (
    u64,
    mpsc::Receiver<Record>,
    tokio::task::JoinHandle<Result<(), ReadError>>,
);

fn read(path: &Path, form: Option<Form>, place: Arc<AtomicU64>) -> Result<Reading, Exit> {
    let opened = File::open(path).and_then(|file| Ok((file.metadata()?.len(), file)));
    let (length, file) =
        opened.map_err(|error| Exit::failed(&format!("reading {}", path.display()), error))?;
    let (sender, records) = mpsc::channel(WAITING);
    let counted = Counted { file, place };
    let reading = tokio::task::spawn_blocking(move || {
        Form::read(
            form,
            counted,
            &mut |record| match sender.blocking_send(record) {
                Ok(()) => ControlFlow::Continue(()),
                Err(_) => ControlFlow::Break(()),
            },
        )
    });
    Ok((length, records, reading))
}

/// A file that says how far it was read.
struct Counted {
    file: File,
    place: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.file.read(buffer)?;
        self.place.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

fn percent(place: u64, length: u64) -> usize {
    let percent = place.saturating_mul(100).checked_div(length);
    usize::try_from(percent.unwrap_or(0).min(100)).unwrap_or(100)
}

fn answer(slug: &str, imported: &Imported, dry_run: bool, out: Output) -> Result<(), Exit> {
    let body = json!({
        "tenant": slug,
        "dry_run": dry_run,
        "imported": imported.imported,
        "skipped": imported.skipped,
        "failed": imported.failed,
        "errors": imported.errors,
    });
    out.show(&body, || {
        let counts = facts(&[
            ("Imported", imported.imported.to_string()),
            ("Skipped", imported.skipped.to_string()),
            ("Failed", imported.failed.to_string()),
        ]);
        let counts = if dry_run {
            format!("Nothing was written (--dry-run). It would be:\n\n{counts}")
        } else {
            counts
        };
        if imported.errors.is_empty() {
            return counts;
        }
        let errors = table(
            ["Line", "Code", "Why"],
            imported.errors.iter().map(|error| {
                [
                    error.line.to_string(),
                    error.code.to_owned(),
                    error.message.clone(),
                ]
            }),
        );
        format!("{counts}\n\n{errors}")
    })
}
