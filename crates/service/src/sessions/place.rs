//! Where sessions lie, and what another driver left behind.

use tenantry_core::session::SessionDriver;
use tenantry_core::{TenantId, Timestamp};
use tenantry_sessions::{
    DatabaseSessions, FileSessions, RedisSessions, SessionCounts, SessionError, SessionStore,
};
use tenantry_store::Control;

use crate::service::Shared;
use crate::{OpenError, Refusal, Service, Settings};

/// The driver that the settings name.
pub(crate) fn open_store(
    control: &Control,
    settings: &Settings,
) -> Result<SessionStore, OpenError> {
    let changes = control.changes().clone();
    Ok(match settings.sessions {
        SessionDriver::Database => SessionStore::Database(DatabaseSessions::new(control.clone())),
        SessionDriver::Redis => {
            let redis = settings.redis.clone().ok_or(OpenError::NoRedis)?;
            SessionStore::Redis(RedisSessions::new(redis, changes))
        }
        SessionDriver::File => SessionStore::File(files(settings, changes)),
    })
}

fn files(settings: &Settings, changes: tenantry_store::Changes) -> FileSessions {
    FileSessions::new(settings.data_dir.join("sessions"), changes)
}

impl Shared {
    /// Takes out every trace of a tenant's sessions outside the control database, also of a driver
    /// that was used before; how many there were.
    pub(crate) async fn remove_sessions_elsewhere(
        &self,
        tenant: TenantId,
    ) -> Result<u64, SessionError> {
        let changes = self.control.changes().clone();
        let left = files(&self.settings, changes).remove_tenant(tenant).await?;
        match &self.sessions {
            SessionStore::Redis(_) => Ok(left + self.sessions.remove_tenant(tenant).await?),
            // The rows go with what else the registry has.
            SessionStore::Database(_) | SessionStore::File(_) => Ok(left),
        }
    }
}

impl Service {
    /// Forgets the sessions in files that ran out before `before`, also where another driver is used
    /// by now; how many. The control database's rows go with its other rows, and Redis forgets by
    /// itself.
    pub(crate) async fn sweep_sessions(&self, before: Timestamp) -> Result<u64, Refusal> {
        let files = files(self.settings(), self.control().changes().clone());
        Ok(files.remove_expired(before).await?)
    }

    /// Remembers that sessions lie where this process has them. The driver of before, where it was
    /// another: the sessions in it are not found any more, so everybody is signed out.
    pub async fn settle_session_driver(&self) -> Result<Option<SessionDriver>, Refusal> {
        let driver = self.sessions_store().driver();
        let mut tx = self.control().begin().await?;
        let before = tx.instance().settle_sessions(driver).await?;
        tx.commit().await?;
        Ok(before.filter(|before| *before != driver))
    }

    /// Sessions that this process began and ended since its start.
    pub fn session_counts(&self) -> SessionCounts {
        self.sessions_store().counts()
    }

    /// Checks that this process has sessions where the servers have them: what it ended elsewhere would
    /// be nobody's.
    ///
    /// # Errors
    /// [`Refusal::Conflict`] where it has not.
    pub async fn expect_shared_sessions(&self) -> Result<(), Refusal> {
        let own = self.session_driver();
        let mut control = self.control().read().await?;
        match control.instance().session_driver().await? {
            Some(servers) if servers != own => Err(Refusal::Conflict(format!(
                "the server keeps sessions in `{servers}`, and this command would look in `{own}`; \
                 set TENANTRY_SESSIONS as the server has it"
            ))),
            _ => Ok(()),
        }
    }

    /// Where sessions lie.
    pub fn session_driver(&self) -> SessionDriver {
        self.sessions_store().driver()
    }
}
