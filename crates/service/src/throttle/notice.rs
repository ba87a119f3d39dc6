//! The mail to somebody whose account was locked by wrong tries: one, however many tries follow.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tenantry_core::{OutboxId, Timestamp};
use tenantry_mail::Message;
use tenantry_mail::message::AccountLocked;
use tenantry_store::ControlTx;

use super::Account;
use crate::outbox::Letter;
use crate::wanted::Written;
use crate::{Refusal, Service};

/// How long to wait before the notice is written. The try that locks may be the one that fits, and
/// is taken back when it was compared.
const CALM: Duration = Duration::from_mins(1);

/// An account that was locked.
#[derive(Serialize, Deserialize)]
pub(crate) struct Locked {
    locked: Account,
    at: Timestamp,
}

impl Service {
    /// Notes that an account is kept waiting from now on.
    pub(super) async fn note_locked(
        &self,
        tx: &mut ControlTx,
        account: Account,
    ) -> Result<(), Refusal> {
        let tenant = match account {
            Account::User(tenant, _) => Some(tenant),
            Account::Admin(_) => None,
        };
        let at = self.clock().now();
        let id = OutboxId::generate(self.clock(), self.entropy());
        let locked = Locked {
            locked: account,
            at,
        };
        let sealed = self.shared().seal_locked(id, &locked)?;
        tx.outbox().add(id, tenant, &sealed, at + CALM).await?;
        Ok(())
    }

    /// The notice, where the account is locked still.
    pub(crate) async fn write_locked(&self, locked: &Locked) -> Result<Written, Refusal> {
        if !self.is_locked(locked.locked).await? {
            return Ok(None);
        }
        let (to, of, shown) = match locked.locked {
            Account::User(tenant, user) => {
                let mut tx = self.control().read().await?;
                let ctx = tx.tenants().enter_regardless_of_status(tenant).await?;
                drop(tx);
                let Some(ctx) = ctx else { return Ok(None) };
                let mut tx = self
                    .pools()
                    .read(&ctx)
                    .await
                    .map_err(Refusal::tenant(&ctx))?;
                let record = tx.users().lookup(user).await;
                drop(tx);
                let Some(record) = record.map_err(Refusal::tenant(&ctx))? else {
                    return Ok(None);
                };
                let hosts = self.hosts_of(&ctx).await?;
                let shown = self.settings().mail_tenant(ctx.tenant(), &hosts)?;
                (record.user.email, Some(tenant), shown)
            }
            Account::Admin(admin) => {
                let mut tx = self.control().read().await?;
                let Some(record) = tx.admins().lookup(admin).await? else {
                    return Ok(None);
                };
                (record.admin.email, None, self.settings().mail_platform()?)
            }
        };
        let letter = Letter {
            to,
            locale: self.settings().mail_locale,
            message: Message::AccountLocked(AccountLocked {
                tenant: shown,
                at: locked.at,
            }),
        };
        Ok(Some((of, letter)))
    }
}
