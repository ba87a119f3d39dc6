//! What is done about credentials as time goes by.
//!
//! An application's can't be changed without somebody who is shown the new ones, so age only sends
//! its owners a link. The server's own are changed for real. Their role has but one password, so
//! while it changes every process tries both that are recorded: the new one is written down before
//! the role gets it, and the old one is forgotten only after the role let us in with the new. There
//! is no way back and no need for one; whoever finds the record goes on.

use std::collections::HashSet;
use std::time::Duration;

use tenantry_core::credential::{CredentialState, Slot};
use tenantry_core::{Generation, TenantId};
use tenantry_store::cluster::{Login, Placement};
use tenantry_store::control::Credential;
use tenantry_store::{StoreError, homes::Home};

use crate::refusal::Chain;
use crate::{Refusal, Service};

/// Changes begun in one go, so that an installation whose secrets are all of one age spreads them.
const AT_ONCE: i64 = 16;

/// How often an owner is reminded as long as nothing was done.
const REMINDER: Duration = Duration::from_hours(7 * 24);

/// Records read at once.
const PAGE: i64 = 200;

impl Service {
    /// Ends what has drained, changes the server's own credentials when they are old, reminds owners
    /// of theirs; how many.
    pub async fn look_after_credentials(&self) -> Result<usize, Refusal> {
        let ended = self.end_drained().await?;
        let begun = self.begin_service_changes().await?;
        let changed = self.go_on_with_service_changes().await?;
        let reminded = self.remind_owners().await?;
        Ok(ended + begun + changed + reminded)
    }

    /// Writes new secrets down for the server's own roles whose present ones are old.
    async fn begin_service_changes(&self) -> Result<usize, Refusal> {
        let Some(age) = self.settings().rotate_service else {
            return Ok(0);
        };
        let before = self.clock().now() - age;
        let mut tx = self.control().read().await?;
        let due = tx.credentials().list_service_older(before, AT_ONCE).await?;
        drop(tx);
        let mut begun = 0;
        for old in due {
            begun += usize::from(
                self.begin_service_change(old.tenant, old.generation)
                    .await?,
            );
        }
        Ok(begun)
    }

    /// Writes a new secret for the server's own role down; `false` where there is one already.
    pub(super) async fn begin_service_change(
        &self,
        tenant: TenantId,
        generation: Generation,
    ) -> Result<bool, Refusal> {
        let mut tx = self.control().begin().await?;
        let there = tx.tenants().lookup(tenant).await?;
        let Some(there) = there.filter(|there| there.generation == generation) else {
            return Ok(false);
        };
        let all = tx.credentials().list(tenant, generation).await?;
        let Some(newest) = all.first() else {
            return Ok(false);
        };
        let placement = Placement::new(tenant, generation, there.isolation);
        let added = self
            .add_secret(&mut tx, placement, newest.serial + 1, Slot::Service)
            .await?;
        tx.commit().await?;
        Ok(added)
    }

    /// Takes every change of the server's own credentials to its end.
    async fn go_on_with_service_changes(&self) -> Result<usize, Refusal> {
        let mut changed = 0;
        let mut after: Option<TenantId> = None;
        let mut troubled: HashSet<String> = HashSet::new();
        loop {
            let mut tx = self.control().read().await?;
            let page = tx.credentials().list_service_changing(after, PAGE).await?;
            drop(tx);
            let Some(last) = page.last() else {
                return Ok(changed);
            };
            after = Some(last.tenant);
            for new in page {
                let mut tx = self.control().read().await?;
                let tenant = tx.tenants().lookup(new.tenant).await?;
                let record = tx.databases().lookup(new.tenant, new.generation).await?;
                drop(tx);
                let Some((tenant, record)) = tenant.zip(record) else {
                    continue;
                };
                if troubled.contains(&record.cluster) {
                    continue;
                }
                let home = self
                    .pools()
                    .home(new.tenant, new.generation, tenant.isolation);
                let done = match home.await {
                    Ok(home) => self.change_service(&home, &new).await,
                    Err(error) => Err(error.into()),
                };
                match done {
                    Ok(()) => {
                        changed += 1;
                        self.note_own_act("credentials.change_own", Some(new.tenant))
                            .await;
                    }
                    Err(error) => {
                        tracing::error!(tenant.id = %new.tenant, tenant.slug = %tenant.slug, error = %Chain(&error), "our own database credentials could not be changed; both the old and the new ones are tried until it works");
                        troubled.insert(record.cluster);
                    }
                }
            }
        }
    }

    async fn change_service(&self, home: &Home<'_>, new: &Credential) -> Result<(), Refusal> {
        let Some(server) = home.server() else {
            return Ok(());
        };
        let (cluster, placement) = (server.cluster(), server.placement());
        let password = self.clusters()?.password(new).await?;
        cluster
            .set_password(placement, Login::Service, &password)
            .await
            .map_err(StoreError::from)?;
        let entered = cluster
            .sign_in(placement, Login::Service, &password)
            .await
            .map_err(StoreError::from)?;
        if !server.is_right(&entered) {
            return Err(Refusal::failed(
                "the server does not let us in with our new password",
            )(format!("{entered:?}")));
        }
        let now = self.clock().now();
        let mut tx = self.control().begin().await?;
        let usable = tx
            .credentials()
            .usable(new.tenant, new.generation, Slot::Service)
            .await?;
        // The old one first: one of them counts at a time.
        for old in usable.iter().filter(|old| old.serial < new.serial) {
            let to = CredentialState::Retired;
            tx.credentials().change_state(old, to, now).await?;
        }
        let to = CredentialState::Active;
        if tx.credentials().change_state(new, to, now).await? {
            tx.commit().await?;
        }
        Ok(())
    }

    /// Mails the owners of applications' old credentials a link to change them.
    async fn remind_owners(&self) -> Result<usize, Refusal> {
        let Some(age) = self.settings().rotate else {
            return Ok(0);
        };
        let now = self.clock().now();
        let (before, last) = (now - age, now - REMINDER);
        let mut tx = self.control().read().await?;
        let due = tx
            .credentials()
            .list_to_remind(before, last, AT_ONCE)
            .await?;
        drop(tx);
        let mut reminded = 0;
        for old in due {
            // Noted first: a mail too few does less harm than one each minute.
            let mut tx = self.control().begin().await?;
            let ours = tx.credentials().mark_reminded(&old, last, now).await?;
            let tenant = tx.tenants().lookup(old.tenant).await?;
            tx.commit().await?;
            let Some(tenant) = tenant.filter(|_| ours) else {
                continue;
            };
            match self.mail_credentials_links(&tenant).await {
                Ok(_) => reminded += 1,
                Err(error) => {
                    tracing::warn!(tenant.id = %tenant.id, tenant.slug = %tenant.slug, error = %Chain(&error), "nobody could be reminded of old database credentials");
                }
            }
        }
        Ok(reminded)
    }
}
