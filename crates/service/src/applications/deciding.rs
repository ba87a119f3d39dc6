//! Deciding about applications: each is decided once, and one that is approved has exactly one tenant.

use std::time::Duration;

use tenantry_core::application::ApplicationState;
use tenantry_core::tenant::{Isolation, Registration};
use tenantry_core::{ApplicationId, Slug};
use tenantry_mail::Message;
use tenantry_mail::message::ApplicationRejected;
use tenantry_store::control::ApplicationRecord;

use super::{ApplicationView, shown_name};
use crate::outbox::Letter;
use crate::tenants::{Created, NewOwner, NewTenant};
use crate::{Refusal, Service};

/// The most characters of a reason.
const REASON: usize = 500;

/// How long a decided application is kept, for whoever asks what became of it.
const KEPT: Duration = Duration::from_hours(90 * 24);

/// What whoever approves an application decides otherwise.
#[derive(Debug, Clone, Default)]
pub struct Overrides {
    /// Another slug.
    pub slug: Option<Slug>,
    /// How the tenant's rows are kept apart.
    pub isolation: Option<Isolation>,
    /// The cluster to place it on.
    pub cluster: Option<String>,
}

fn decided(record: &ApplicationRecord) -> Refusal {
    Refusal::Conflict(format!(
        "this application is {}; only one that is pending can be decided",
        record.state
    ))
}

/// A reason as somebody typed it: `None` for an empty one.
fn read_reason(text: Option<&str>) -> Result<Option<&str>, Refusal> {
    let reason = text.map(str::trim).filter(|reason| !reason.is_empty());
    if reason.is_some_and(|reason| {
        reason.chars().count() > REASON || reason.chars().any(char::is_control)
    }) {
        let message = format!("a reason is one line of at most {REASON} characters");
        return Err(Refusal::field("reason", "invalid", message));
    }
    Ok(reason)
}

impl Service {
    /// Applications in a state, or all, the newest first, before the one with the id `before`.
    pub async fn list_applications(
        &self,
        state: Option<ApplicationState>,
        before: Option<ApplicationId>,
        limit: i64,
    ) -> Result<Vec<ApplicationView>, Refusal> {
        let mut tx = self.control().read().await?;
        let listed = tx.applications().list(state, before, limit).await?;
        drop(tx);
        let mut views = Vec::with_capacity(listed.len());
        for one in listed {
            views.push(self.application_view(one).await);
        }
        Ok(views)
    }

    /// The application with this id.
    pub async fn find_application(&self, id: ApplicationId) -> Result<ApplicationView, Refusal> {
        let record = self.application(id).await?;
        Ok(self.application_view(record).await)
    }

    async fn application(&self, id: ApplicationId) -> Result<ApplicationRecord, Refusal> {
        let mut tx = self.control().read().await?;
        let found = tx.applications().lookup(id).await?;
        found.ok_or(Refusal::NotFound)
    }

    /// Makes the tenant an application asks for, with whoever asked as its owner, who gets a setup
    /// link. The application is decided with the commit that records the work, so that two who
    /// approve it at once make one tenant; should the work come to nothing, it waits again.
    pub async fn approve_application(
        &self,
        id: ApplicationId,
        otherwise: Overrides,
        wait: Duration,
    ) -> Result<Created, Refusal> {
        let record = self.application(id).await?;
        if record.state != ApplicationState::Pending {
            return Err(decided(&record));
        }
        let who = self.open_applicant(&record).await.map_err(|_| {
            Refusal::Conflict(
                "this application is damaged, and who asked can't be read; reject it, so that it can be made again".to_owned(),
            )
        })?;
        let who = who.ok_or_else(|| decided(&record))?;
        let slug = match otherwise.slug {
            Some(slug) => slug,
            None => record
                .slug
                .parse()
                .map_err(|error| Refusal::field("slug", "invalid", error))?,
        };
        let new = NewTenant {
            name: record.name,
            slug,
            owner: NewOwner {
                email: who.email,
                username: None,
                full_name: who.full_name,
                password: None,
            },
            isolation: otherwise.isolation.unwrap_or_default(),
            cluster: otherwise.cluster,
            registration: Registration::default(),
            verify_email: true,
            colour: None,
            domains: Vec::new(),
            application: Some(id),
            locale: Some(who.locale),
        };
        self.create_tenant(new, None, wait).await
    }

    /// Says no, and mails that to whoever asked; to nobody where that can't be read any more.
    pub async fn reject_application(
        &self,
        id: ApplicationId,
        reason: Option<&str>,
    ) -> Result<ApplicationView, Refusal> {
        let reason = read_reason(reason)?;
        let record = self.application(id).await?;
        let who = self.open_applicant(&record).await.ok().flatten();
        let now = self.clock().now();
        let mut tx = self.control().begin().await?;
        if !tx.applications().reject(id, reason, now).await? {
            drop(tx);
            return Err(decided(&self.application(id).await?));
        }
        if let (Some(who), Ok(slug)) = (who, record.slug.parse::<Slug>()) {
            let mail = ApplicationRejected {
                wished: self.wished_link(&slug)?,
                person: shown_name(&who),
                reason: reason.map(str::to_owned),
            };
            let letter = Letter {
                to: who.email,
                locale: who.locale,
                message: Message::ApplicationRejected(mail),
            };
            self.post_mail(&mut tx, None, &letter).await?;
        }
        tx.commit().await?;
        self.find_application(id).await
    }

    /// Ends applications that were not proven in time, and forgets those that were decided long ago.
    pub(crate) async fn sweep_applications(&self) -> Result<(), Refusal> {
        let now = self.clock().now();
        let mut tx = self.control().begin().await?;
        tx.applications().expire(now).await?;
        tx.applications().remove_done(now - KEPT).await?;
        Ok(tx.commit().await?)
    }
}
