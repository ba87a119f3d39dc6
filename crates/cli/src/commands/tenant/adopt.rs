//! `tenantry tenant adopt`

mod list;

use std::process::ExitCode;
use std::time::Duration;

use serde_json::json;
use tenantry_core::TenantStatus;
use tenantry_service::adopt::{Adopted, ImportReport, NewAdoption, people_table};
use tenantry_service::tenants::{Created, TenantView};
use tenantry_service::{FieldError, Refusal, Service};
use tenantry_web::api::wire::TenantBody;

use super::{described, send_mail};
use crate::args::AdoptArgs;
use crate::exit::Exit;
use crate::output::{Output, facts, table};

/// How long one database is waited for before the rest is left to the background. Bringing a large
/// table of people along takes minutes.
const WAIT: Duration = Duration::from_mins(10);

/// What is said about one database, as a file or the command line has it.
#[derive(Clone, Default)]
struct Wanted {
    slug: String,
    name: Option<String>,
    database: String,
    owner_email: String,
    cluster: Option<String>,
    users: Option<String>,
    map: Option<String>,
}

/// What came of one database.
enum Came {
    /// It is a tenant's now; what came of its people.
    Adopted(Box<TenantView>, Option<ImportReport>),
    /// It was this tenant's before.
    Unchanged(Box<TenantView>),
    /// It takes longer.
    Later(Box<TenantView>, String),
    /// Nothing lacks; nothing was done.
    Fit,
}

impl Came {
    const fn word(&self) -> &'static str {
        match self {
            Self::Adopted(..) => "adopted",
            Self::Unchanged(_) => "unchanged",
            Self::Later(..) => "under way",
            Self::Fit => "can be adopted",
        }
    }
}

pub(super) async fn run(
    service: &Service,
    args: &AdoptArgs,
    out: Output,
) -> Result<ExitCode, Exit> {
    if let Some(path) = &args.from {
        return list::run(service, args, path, out).await;
    }
    let wanted = Wanted {
        slug: args.slug.clone().unwrap_or_default(),
        name: args.name.clone(),
        database: args.database.clone().unwrap_or_default(),
        owner_email: args.owner_email.clone().unwrap_or_default(),
        cluster: args.cluster.clone(),
        users: args.users.clone(),
        map: args.map.clone(),
    };
    let came = adopt(service, &wanted, args.dry_run).await?;
    if matches!(came, Came::Adopted(..)) {
        send_mail(service, out).await;
    }
    show(&wanted, &came, out)?;
    Ok(ExitCode::SUCCESS)
}

/// Adopts one database, or only looks whether it can be.
async fn adopt(service: &Service, wanted: &Wanted, dry_run: bool) -> Result<Came, Refusal> {
    let new = wanted.adoption()?;
    if dry_run {
        return Ok(match service.check_adoption(&new).await? {
            Some(view) => Came::Unchanged(Box::new(view)),
            None => Came::Fit,
        });
    }
    Ok(match service.adopt_tenant(new, WAIT).await? {
        Adopted::Unchanged(view) if view.tenant.status == TenantStatus::Provisioning => {
            Came::Later(view, "another process is at it".to_owned())
        }
        Adopted::Unchanged(view) => Came::Unchanged(view),
        Adopted::New(Created::Active(view)) => {
            let report = service.adoption_report(view.tenant.id).await?;
            Came::Adopted(view, report)
        }
        Adopted::New(Created::Later(view, workflow)) => {
            let how = format!("`tenantry workflow show {workflow}` tells how far it is");
            Came::Later(view, how)
        }
    })
}

impl Wanted {
    fn adoption(&self) -> Result<NewAdoption, Refusal> {
        let mut errors = Vec::new();
        let slug = self.slug.parse();
        let slug = slug.map_err(|error| errors.push(FieldError::new("slug", "invalid", error)));
        let owner = self.owner_email.parse();
        let owner =
            owner.map_err(|error| errors.push(FieldError::new("owner_email", "invalid", error)));
        let people = match (&self.users, &self.map) {
            (Some(users), Some(map)) => people_table(users, map).map(Some),
            (None, None) => Ok(None),
            (Some(_), None) => Err(FieldError::new(
                "map",
                "required",
                "it says which column holds what, as `email=COLUMN`",
            )),
            (None, Some(_)) => Err(FieldError::new(
                "users",
                "required",
                "it names the table whose columns `map` names",
            )),
        };
        let people = people.map_err(|error| errors.push(error));
        match (slug, owner, people) {
            (Ok(slug), Ok(owner), Ok(people)) => Ok(NewAdoption {
                name: self.name.clone().unwrap_or_else(|| self.slug.clone()),
                slug,
                owner,
                database: self.database.clone(),
                cluster: self.cluster.clone(),
                people,
                locale: None,
            }),
            _ => Err(Refusal::Validation(errors)),
        }
    }
}

fn show(wanted: &Wanted, came: &Came, out: Output) -> Result<(), Exit> {
    let (tenant, import) = match came {
        Came::Adopted(view, import) => (Some(&**view), import.as_ref()),
        Came::Unchanged(view) | Came::Later(view, _) => (Some(&**view), None),
        Came::Fit => (None, None),
    };
    let body = json!({
        "status": came.word(),
        "tenant": tenant.map(TenantBody::from),
        "import": import,
    });
    out.show(&body, || {
        let database = &wanted.database;
        match came {
            Came::Fit => format!(
                "Nothing lacks; {database} can be adopted. Nothing was changed (--dry-run)."
            ),
            Came::Unchanged(view) => {
                format!(
                    "{database} is {}'s already; nothing was changed.",
                    view.tenant.slug
                )
            }
            Came::Later(view, how) => {
                format!(
                    "{} is still being made of {database}; {how}.",
                    view.tenant.slug
                )
            }
            Came::Adopted(view, import) => {
                let people = import.as_ref().map_or_else(String::new, told);
                format!(
                    "{} is ready at {}\nWhat was in {database} before is as it was.\n\n{}{people}",
                    view.tenant.name,
                    view.url,
                    described(view)
                )
            }
        }
    })
}

/// What came of the people, for people.
fn told(report: &ImportReport) -> String {
    let counts = facts(&[
        ("People", report.imported.to_string()),
        ("With their password", report.passwords_kept.to_string()),
        ("To set a new one", report.passwords_dropped.to_string()),
        ("Rows left out", report.left_out.to_string()),
    ]);
    if report.notes.is_empty() {
        return format!("\n\n{counts}");
    }
    let notes = table(
        ["Row", "Address", "Left out", "Why"],
        report.notes.iter().map(|note| {
            [
                note.row.to_string(),
                note.email.clone().unwrap_or_default(),
                if note.left_out { "yes" } else { "no" }.to_owned(),
                note.reason.clone(),
            ]
        }),
    );
    format!("\n\n{counts}\n\n{notes}")
}
