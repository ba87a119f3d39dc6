//! Where sessions lie, and what another driver left behind.

use tenantry_core::marks::Topic;
use tenantry_core::session::SessionDriver;
use tenantry_core::{TenantId, Timestamp};
use tenantry_sessions::{
    DatabaseSessions, FileSessions, RedisSessions, SessionCounts, SessionError, SessionStore,
};
use tenantry_store::Control;

use crate::service::Shared;
use crate::{OpenError, Refusal, Service, Settings};

/// The driver that the settings name, with what lies there since the last time that sessions came to
/// lie elsewhere.
pub(crate) async fn open_store(
    control: &Control,
    settings: &Settings,
) -> Result<SessionStore, OpenError> {
    let changes = control.changes().clone();
    let store = match settings.sessions {
        SessionDriver::Database => SessionStore::Database(DatabaseSessions::new(control.clone())),
        SessionDriver::Redis => {
            let redis = settings.redis.clone().ok_or(OpenError::NoRedis)?;
            SessionStore::Redis(RedisSessions::new(redis, changes))
        }
        SessionDriver::File => SessionStore::File(files(settings, changes)),
    };
    let mut tx = control.read().await?;
    let home = tx.instance().session_home().await?;
    if home.driver == Some(store.driver()) {
        store.follow(home.switches);
    }
    Ok(store)
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

    /// Has sessions lie where this process has them. The driver of before, where it was another: what
    /// lay there is not found any more, and what lay here in earlier days is void, so everybody is
    /// signed out, for good. Of many processes that do so at once one does it.
    ///
    /// Before anybody is served.
    pub async fn settle_session_driver(&self) -> Result<Option<SessionDriver>, Refusal> {
        let driver = self.session_driver();
        let mut tx = self.control().begin().await?;
        let before = tx.instance().settle_sessions(driver).await?;
        if before.is_some() && driver == SessionDriver::Database {
            tx.sessions().end_everything(self.clock().now()).await?;
        }
        let home = tx.instance().session_home().await?;
        tx.commit().await?;
        self.sessions_store().follow(home.switches);
        Ok(before)
    }

    /// Goes along where other processes had sessions lie elsewhere and here again meanwhile: they and
    /// this one would else not find each other's.
    pub async fn follow_sessions(&self) -> Result<(), Refusal> {
        let mut tx = self.control().read().await?;
        let home = tx.instance().session_home().await?;
        drop(tx);
        let is_here = home.driver == Some(self.session_driver());
        if is_here && self.sessions_store().follow(home.switches) {
            self.control().changes().hear(Topic::Everything);
            tracing::warn!(
                "sessions lay elsewhere for a while: everybody is signed out and signs in anew"
            );
        }
        Ok(())
    }

    /// Sessions that this process began and ended since its start.
    pub fn session_counts(&self) -> SessionCounts {
        self.sessions_store().counts()
    }

    /// Checks that this process has sessions where the servers have them: what it ended or counted
    /// elsewhere would be nobody's. Every command that tells how many sessions went asks first; the others
    /// end them by what is true of person and tenant.
    ///
    /// # Errors
    /// [`Refusal::Conflict`] where it has not.
    pub async fn expect_shared_sessions(&self) -> Result<(), Refusal> {
        let own = self.session_driver();
        let mut control = self.control().read().await?;
        match control.instance().session_home().await?.driver {
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
