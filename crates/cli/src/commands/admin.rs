//! `tenantry admin`

use std::process::ExitCode;

use serde_json::json;
use tenantry_core::Email;
use tenantry_service::Service;

use crate::args::AdminCommand;
use crate::exit::Exit;
use crate::output::{Output, line_from_stdin, table};

pub(super) async fn run(
    service: &Service,
    command: AdminCommand,
    out: Output,
) -> Result<ExitCode, Exit> {
    match command {
        AdminCommand::Create {
            email,
            password_stdin,
        } => {
            let email: Email = email
                .parse()
                .map_err(|error| Exit::Usage(format!("--email: {error}")))?;
            let password = if password_stdin {
                Some(line_from_stdin("--password-stdin").await?)
            } else {
                None
            };
            let created = service.create_admin(email, password.as_deref()).await?;
            let link = created
                .setup_link
                .as_ref()
                .map(|link| link.expose().as_str());
            let answer = json!({
                "id": created.admin.id.to_string(),
                "email": created.admin.email.to_string(),
                "setup_link": link,
            });
            out.show(&answer, || match link {
                Some(link) => format!(
                    "{} is a platform admin.\nSet the password here (good once, for 24 hours):\n  {link}",
                    created.admin.email
                ),
                None => format!("{} is a platform admin.", created.admin.email),
            })?;
        }
        AdminCommand::Unlock { email } => {
            let email: Email = email
                .parse()
                .map_err(|error| Exit::Usage(format!("--email: {error}")))?;
            service.unlock_admin(&email).await?;
            out.show(&json!({ "email": email.to_string() }), || {
                format!("{email} can try again at once.")
            })?;
        }
        AdminCommand::List => {
            let admins = service.list_admins().await?;
            let items: Vec<_> = admins
                .iter()
                .map(|admin| {
                    json!({
                        "id": admin.id.to_string(),
                        "email": admin.email.to_string(),
                        "has_password": admin.has_password,
                        "disabled": admin.disabled_at.is_some(),
                        "created_at": admin.created_at,
                        "last_login_at": admin.last_login_at,
                    })
                })
                .collect();
            out.show(&json!({ "items": items }), || {
                if admins.is_empty() {
                    return "No platform admins yet; `tenantry admin create --email …` adds one."
                        .to_owned();
                }
                table(
                    ["Address", "Password", "Added", "Last sign-in"],
                    admins.iter().map(|admin| {
                        [
                            admin.email.to_string(),
                            if admin.has_password {
                                "set"
                            } else {
                                "not set yet"
                            }
                            .to_owned(),
                            admin.created_at.to_string(),
                            admin
                                .last_login_at
                                .map_or_else(|| "never".to_owned(), |at| at.to_string()),
                        ]
                    }),
                )
            })?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
