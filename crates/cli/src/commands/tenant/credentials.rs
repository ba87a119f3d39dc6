//! `tenantry tenant rotate-credentials`

use serde_json::json;
use tenantry_service::Service;
use tenantry_service::credentials::{Access, Reveal, Rotated};
use tenantry_web::api::wire::RevealedBody;

use super::{named, send_mail};
use crate::exit::Exit;
use crate::output::{Output, facts};

pub(super) async fn rotate(
    service: &Service,
    slug: &str,
    reveal: bool,
    out: Output,
) -> Result<(), Exit> {
    let view = named(service, slug).await?;
    let how = if reveal { Reveal::Now } else { Reveal::ByMail };
    match service.rotate_credentials(view.tenant.id, how).await? {
        Rotated::Shown(access) => out.show(&RevealedBody::from(&*access), || shown(&access)),
        Rotated::Mailed { to, expires_at } => {
            send_mail(service, out).await;
            let to: Vec<&str> = to.iter().map(tenantry_core::Email::as_str).collect();
            let answer = json!({
                "status": "link_sent",
                "mailed_to": to,
                "expires_at": expires_at,
            });
            out.show(&answer, || {
                format!(
                    "A link to new credentials is on its way to {}. It works once, until {expires_at}; nothing changes before it is used.",
                    to.join(", ")
                )
            })
        }
    }
}

fn shown(access: &Access) -> String {
    let facts = facts(&[
        ("Host", access.host.clone()),
        ("Port", access.port.to_string()),
        ("Database", access.database.clone()),
        ("Schema", access.schema.clone()),
        ("User", access.user.clone()),
        ("Password", access.password.expose().clone()),
        ("URL", access.url.expose().clone()),
    ]);
    let old = access
        .old
        .as_ref()
        .map_or_else(String::new, |(old, until)| {
            format!("\n\n{old} goes on working until {until} at most. Change over before.")
        });
    format!("These work now, and are shown only here.\n\n{facts}{old}")
}
