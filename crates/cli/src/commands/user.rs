//! `tenantry user`

use std::process::ExitCode;

use serde_json::json;
use tenantry_core::Email;
use tenantry_service::Service;

use crate::args::UserCommand;
use crate::exit::Exit;
use crate::output::Output;

pub(super) async fn run(
    service: &Service,
    command: UserCommand,
    out: Output,
) -> Result<ExitCode, Exit> {
    let UserCommand::Unlock { slug, email } = command;
    let email: Email = email
        .parse()
        .map_err(|error| Exit::Usage(format!("EMAIL: {error}")))?;
    let tenant = super::tenant::named(service, &slug).await?;
    service.unlock_user(tenant.tenant.id, &email).await?;
    out.show(
        &json!({ "tenant": tenant.tenant.slug.to_string(), "email": email.to_string() }),
        || format!("{email} can try again at once."),
    )?;
    Ok(ExitCode::SUCCESS)
}
