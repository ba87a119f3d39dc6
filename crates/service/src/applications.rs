//! Asking for a tenant: proving the address ([`asking`]), and what somebody or nobody decides
//! ([`deciding`]).
//!
//! Whoever asks is a stranger. What they say of themselves is sealed and bounded, a mail to an address
//! they name says nothing they can choose but a slug, and nothing is held for them: the slug is decided
//! when the tenant is made.

mod asking;
mod deciding;

use serde::{Deserialize, Serialize};
use tenantry_core::application::ApplicationState;
use tenantry_core::{ApplicationId, Email, Locale, Slug, TenantId, Timestamp};
use tenantry_mail::{Link, PlainName};
use tenantry_store::control::ApplicationRecord;

pub use asking::{Confirmed, NewApplication};
pub use deciding::Overrides;

use crate::refusal::Chain;
use crate::{Refusal, Service};

/// Who asks.
#[derive(Serialize, Deserialize)]
struct Applicant {
    email: Email,
    full_name: Option<String>,
    locale: Locale,
}

/// An application, as a platform admin sees it.
#[derive(Debug, Clone)]
pub struct ApplicationView {
    /// Its id.
    pub id: ApplicationId,
    /// Where it stands.
    pub state: ApplicationState,
    /// The name the tenant is to have.
    pub name: String,
    /// The slug that is wished for.
    pub slug: String,
    /// The address of whoever asks; `None` once it expired, and where it is damaged.
    pub email: Option<Email>,
    /// The name of whoever asks, if it was given.
    pub full_name: Option<String>,
    /// Whether who asks can't be read any more. It can still be rejected.
    pub damaged: bool,
    /// Why it was rejected.
    pub reason: Option<String>,
    /// The tenant that came of it.
    pub tenant: Option<TenantId>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When the address was proven.
    pub proven_at: Option<Timestamp>,
    /// When it was decided.
    pub decided_at: Option<Timestamp>,
}

pub(crate) fn context(id: ApplicationId) -> Vec<u8> {
    format!("application:{id}").into_bytes()
}

impl Service {
    fn seal_applicant(&self, id: ApplicationId, who: &Applicant) -> Result<Vec<u8>, Refusal> {
        let plain = serde_json::to_vec(who)
            .map_err(Refusal::failed("an application could not be written"))?;
        self.keyring()
            .seal(&plain, &context(id), self.entropy())
            .map_err(Refusal::failed("an application could not be sealed"))
    }

    async fn open_applicant(
        &self,
        record: &ApplicationRecord,
    ) -> Result<Option<Applicant>, Refusal> {
        if record.applicant.is_empty() {
            return Ok(None);
        }
        let plain = self
            .keyring()
            .open_sealed(&record.applicant, &context(record.id))
            .await
            .map_err(Refusal::failed("an application could not be unsealed"))?;
        serde_json::from_slice(plain.expose())
            .map(Some)
            .map_err(Refusal::failed("an application could not be read"))
    }

    /// What an admin sees of an application. One that can't be read is told as such, so that it
    /// hides none of the others.
    async fn application_view(&self, record: ApplicationRecord) -> ApplicationView {
        let who = self.open_applicant(&record).await;
        if let Err(refusal) = &who {
            tracing::error!(application.id = %record.id, error = %Chain(refusal), "an application can't be read");
        }
        let damaged = who.is_err();
        let (email, full_name) = who
            .ok()
            .flatten()
            .map_or((None, None), |who| (Some(who.email), who.full_name));
        ApplicationView {
            id: record.id,
            state: record.state,
            name: record.name,
            slug: record.slug,
            email,
            full_name,
            damaged,
            reason: record.reason,
            tenant: record.tenant,
            created_at: record.created_at,
            proven_at: record.proven_at,
            decided_at: record.decided_at,
        }
    }

    /// Where the pages of a tenant with this slug would be.
    fn wished_link(&self, slug: &Slug) -> Result<Link, Refusal> {
        let settings = self.settings();
        let mut url = settings.public_url.clone();
        let host = format!("{slug}.{}", settings.base_domain);
        url.set_host(Some(&host))
            .map_err(Refusal::failed("a link could not be made"))?;
        crate::links::link(&url, "/")
    }
}

/// The applicant's name as mails show it.
fn shown_name(who: &Applicant) -> Option<PlainName> {
    who.full_name.as_deref().and_then(PlainName::clean)
}
