//! Commands in the audit: each that changes something is begun and settled here, at the one place
//! where commands are dispatched. What a command does to what is read off the command itself, by a
//! match that a new command does not get past.

use serde_json::{Value, json};
use tenantry_core::Email;
use tenantry_core::audit::{Action, Actor, Outcome, Source};
use tenantry_service::audit::{About, Act, Ending};
use tenantry_service::refusal::Chain;
use tenantry_service::{Refusal, Service};

use crate::args::{
    AdminCommand, AdoptArgs, ApplicationCommand, CacheCommand, ClusterCommand, Command,
    DomainCommand, KeyCommand, TenantCommand, UserCommand, Which, WorkflowCommand,
};
use crate::exit::Exit;

/// What a command is about to do.
#[derive(Debug)]
pub(super) struct Doing {
    action: &'static str,
    tenant: Option<String>,
    target: Target,
    detail: Option<Value>,
}

/// What it does it to, beside a tenant.
#[derive(Debug)]
enum Target {
    Nothing,
    Named(String),
    /// The platform admin with this address.
    Admin(String),
    /// The person of a tenant with this address.
    Person(String),
}

impl Doing {
    const fn plain(action: &'static str) -> Self {
        Self {
            action,
            tenant: None,
            target: Target::Nothing,
            detail: None,
        }
    }

    fn to_tenant(action: &'static str, slug: &str) -> Self {
        Self {
            tenant: Some(slug.to_owned()),
            ..Self::plain(action)
        }
    }

    fn to(action: &'static str, target: Target) -> Self {
        Self {
            target,
            ..Self::plain(action)
        }
    }

    fn told(mut self, detail: Value) -> Self {
        self.detail = Some(detail);
        self
    }
}

/// What a command does that changes something; `None` where it only looks.
pub(super) fn of(command: &Command) -> Option<Doing> {
    match command {
        // The server's acts are its requests'; what it makes at first is noted where it does.
        Command::Serve { .. } | Command::Config | Command::Doctor | Command::Audit(_) => None,
        Command::Admin(command) => of_admin(command),
        Command::Tenant(command) => of_tenant(command),
        Command::User(command) => of_user(command),
        Command::Cluster(command) => of_cluster(command),
        Command::Application(command) => of_application(command),
        Command::Cache(CacheCommand::Clear(args)) => {
            let doing = match &args.tenant {
                Some(name) => Doing::to_tenant("cache.clear", name),
                None => Doing::plain("cache.clear"),
            };
            Some(doing.told(json!({ "all": args.all, "sessions": args.sessions })))
        }
        Command::Key(command) => match command {
            KeyCommand::List => None,
            KeyCommand::Rotate(args) => Some(Doing::plain("key.rotate").told(json!({
                "signing": args.means_signing(),
                "sealing": args.means_sealing(),
                "now": args.now,
            }))),
        },
        Command::Workflow(command) => match command {
            WorkflowCommand::List | WorkflowCommand::Show { .. } => None,
            WorkflowCommand::Retry { id } => {
                Some(Doing::to("workflow.retry", Target::Named(id.clone())))
            }
        },
    }
}

/// Making the tenants of `serve --demo`.
pub(super) fn demo() -> Doing {
    Doing::plain("demo.make")
}

fn of_admin(command: &AdminCommand) -> Option<Doing> {
    match command {
        AdminCommand::List => None,
        AdminCommand::Create { email, .. } => {
            Some(Doing::to("admin.create", Target::Admin(email.clone())))
        }
        AdminCommand::Unlock { email } => {
            Some(Doing::to("admin.unlock", Target::Admin(email.clone())))
        }
    }
}

fn of_user(command: &UserCommand) -> Option<Doing> {
    let (action, slug, email) = match command {
        UserCommand::List { .. } => return None,
        UserCommand::Import(args) => {
            let doing = Doing::to_tenant("user.import", &args.slug);
            return (!args.dry_run).then_some(doing);
        }
        UserCommand::ResetPassword { slug, email } => ("user.reset_password", slug, email),
        UserCommand::Unlock { slug, email } => ("user.unlock", slug, email),
    };
    Some(Doing {
        target: Target::Person(email.clone()),
        ..Doing::to_tenant(action, slug)
    })
}

fn of_tenant(command: &TenantCommand) -> Option<Doing> {
    Some(match command {
        TenantCommand::List | TenantCommand::Show { .. } | TenantCommand::Check { .. } => {
            return None;
        }
        TenantCommand::Create { slug, .. } => Doing::to_tenant("tenant.create", slug),
        TenantCommand::Adopt(args) => return of_adopting(args),
        TenantCommand::Domain(command) => return of_domain(command),
        TenantCommand::Suspend { slug } => Doing::to_tenant("tenant.suspend", slug),
        TenantCommand::Resume { slug } => Doing::to_tenant("tenant.resume", slug),
        TenantCommand::Delete { slug, purge, .. } => {
            Doing::to_tenant("tenant.delete", slug).told(json!({ "purge": purge }))
        }
        TenantCommand::Restore { slug } => Doing::to_tenant("tenant.restore", slug),
        TenantCommand::Recreate { slug, .. } => Doing::to_tenant("tenant.recreate", slug),
        TenantCommand::RotateCredentials { slug, reveal } => {
            Doing::to_tenant("credentials.rotate", slug).told(json!({ "reveal": reveal }))
        }
        TenantCommand::Repair {
            which,
            dry_run,
            prune,
        } => return of_repairing(which, *dry_run, *prune),
    })
}

fn of_domain(command: &DomainCommand) -> Option<Doing> {
    let (action, args) = match command {
        DomainCommand::List { .. } => return None,
        DomainCommand::Add(args) => ("domain.add", args),
        DomainCommand::Verify(args) => ("domain.verify", args),
        DomainCommand::Remove(args) => ("domain.remove", args),
    };
    Some(Doing {
        target: Target::Named(args.domain.clone()),
        ..Doing::to_tenant(action, &args.slug)
    })
}

fn of_application(command: &ApplicationCommand) -> Option<Doing> {
    let (action, id) = match command {
        ApplicationCommand::List { .. } => return None,
        ApplicationCommand::Approve { id, .. } => ("application.approve", id),
        ApplicationCommand::Reject { id, .. } => ("application.reject", id),
    };
    Some(Doing::to(action, Target::Named(id.clone())))
}

fn of_adopting(args: &AdoptArgs) -> Option<Doing> {
    if args.dry_run {
        return None;
    }
    Some(match &args.slug {
        Some(slug) => adopting(slug, args.database.as_deref()),
        // Each line of a list has an entry of its own beside.
        None => Doing::plain("tenant.adopt_list"),
    })
}

/// Adopting one database as this tenant's.
pub(super) fn adopting(slug: &str, database: Option<&str>) -> Doing {
    let doing = Doing::to_tenant("tenant.adopt", slug);
    match database {
        Some(database) => Doing {
            target: Target::Named(database.to_owned()),
            ..doing
        },
        None => doing,
    }
}

fn of_repairing(which: &Which, dry_run: bool, prune: bool) -> Option<Doing> {
    if dry_run {
        return None;
    }
    let doing = match &which.slug {
        Some(slug) => Doing::to_tenant("tenant.repair", slug),
        None => Doing::plain("tenant.repair"),
    };
    Some(doing.told(json!({ "all": which.slug.is_none(), "prune": prune })))
}

fn of_cluster(command: &ClusterCommand) -> Option<Doing> {
    let (action, name) = match command {
        ClusterCommand::List | ClusterCommand::Check { .. } => return None,
        ClusterCommand::Add { name, .. } => ("cluster.add", name),
        ClusterCommand::Open { name } => ("cluster.open", name),
        ClusterCommand::Close { name } => ("cluster.close", name),
        ClusterCommand::Remove { name } => ("cluster.remove", name),
    };
    Some(Doing::to(action, Target::Named(name.clone())))
}

/// Does something between the two halves of its entry. Where the first can't be written, nothing is
/// done. Interrupted in between, the entry says after a while that nobody knows how it ended.
pub(super) async fn around<T>(
    service: &Service,
    doing: Doing,
    act: impl Future<Output = Result<T, Exit>>,
) -> Result<T, Exit> {
    let action = Action::named(doing.action).map_err(|error| Exit::failed(doing.action, error))?;
    let begun = service
        .begin_act(Act {
            action,
            actor: Actor::Command(operator()),
            about: doing.tenant.map_or(About::Nothing, About::Named),
            target: target(service, &doing.target).await?,
            source: Source::default(),
            detail: doing.detail,
        })
        .await?;
    let outcome = act.await;
    match ending(&outcome) {
        None => service.withdraw_act(begun).await,
        Some(mut ending) => {
            // Somebody who was made just now has an id only since then.
            ending.target = target(service, &doing.target).await.unwrap_or_default();
            service.settle_act(begun, ending).await;
        }
    }
    if let Err(error) = service.seal_audit().await {
        tracing::warn!(error = %Chain(&error), "the audit could not be sealed");
    }
    outcome
}

async fn target(service: &Service, target: &Target) -> Result<Option<String>, Refusal> {
    Ok(match target {
        Target::Nothing => None,
        Target::Named(name) => Some(name.clone()),
        Target::Person(email) => Some(pseudonym(service, email)),
        Target::Admin(email) => {
            let admins = service.list_admins().await?;
            let wanted = email.parse::<Email>().map(|email| email.key()).ok();
            let found = admins
                .iter()
                .find(|admin| wanted.as_ref() == Some(&admin.email.key()));
            let id = found.map(|admin| admin.id.to_string());
            Some(id.unwrap_or_else(|| pseudonym(service, email)))
        }
    })
}

/// What stands for an address.
fn pseudonym(service: &Service, email: &str) -> String {
    let parsed = email.parse::<Email>();
    service.pseudonym(&parsed.map_or_else(|_| email.to_owned(), |email| email.key()))
}

/// How a command ended; `None` where it was refused before anything could happen.
fn ending<T>(outcome: &Result<T, Exit>) -> Option<Ending> {
    let code = match outcome {
        Ok(_) => return Some(Ending::plain(Outcome::Done, None)),
        Err(Exit::Usage(_)) => return None,
        Err(Exit::Interrupted) => return Some(Ending::plain(Outcome::Unknown, None)),
        Err(Exit::Refused { code, .. }) => code.as_str(),
    };
    let outcome = match code {
        "validation_failed" | "not_found" | "confirmation_required" | "not_confirmed" => {
            return None;
        }
        "internal_error" | "failed" | "busy" | "tenant_unavailable" => Outcome::Failed,
        _ => Outcome::Refused,
    };
    Some(Ending::plain(outcome, Some(code.to_owned())))
}

/// Who runs the command, by the name that the machine's own list of people has for it.
fn operator() -> String {
    let uid = rustix::process::getuid().as_raw();
    let people = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    name_in(&people, uid).unwrap_or_else(|| format!("uid {uid}"))
}

/// The name of the user with this number, in the form of passwd(5).
fn name_in(people: &str, uid: u32) -> Option<String> {
    people.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next().filter(|name| !name.is_empty())?;
        let number: u32 = fields.nth(1)?.parse().ok()?;
        (number == uid).then(|| name.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use std::process::ExitCode;

    use super::*;

    #[test]
    fn the_operator_has_the_name_of_the_number() {
        let people = "root:x:0:0:root:/root:/bin/sh\n\nada:x:1000:1000::/srv/ada:/bin/sh\n:x:7::\n";
        assert_eq!(name_in(people, 0).as_deref(), Some("root"));
        assert_eq!(name_in(people, 1000).as_deref(), Some("ada"));
        assert_eq!(name_in(people, 7), None);
        assert_eq!(name_in(people, 100), None);
    }

    #[test]
    fn what_was_refused_before_anything_happened_leaves_nothing() {
        let refused = |code: &str| ending::<ExitCode>(&Err(Exit::refused(code, "")));
        for code in ["validation_failed", "not_found", "not_confirmed"] {
            assert!(refused(code).is_none(), "{code}");
        }
        let usage: Result<ExitCode, Exit> = Err(Exit::Usage(String::new()));
        assert!(ending(&usage).is_none());
        let outcome = |code| refused(code).map(|ending| ending.outcome);
        assert_eq!(outcome("conflict"), Some(Outcome::Refused));
        assert_eq!(outcome("internal_error"), Some(Outcome::Failed));
        let done = ending(&Ok(ExitCode::SUCCESS)).map(|ending| ending.outcome);
        assert_eq!(done, Some(Outcome::Done));
    }
}
