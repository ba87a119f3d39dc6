//! The stored passwords of the server's own roles, and entering where a tenant lies with them.

use std::ops::ControlFlow;
use std::time::Duration;

use sqlx::ConnectOptions as _;
use sqlx::postgres::PgConnection;
use tenantry_core::Secret;
use tenantry_core::credential::Slot;
use tenantry_core::tenant::Isolation;
use tokio::time::{Instant, timeout};

use super::{Clusters, Place, credential_context, shared_context};
use crate::StoreError;
use crate::cluster::{Cluster, ClusterError, Login, Placement};
use crate::control::Credential;

/// How long a server that is just starting or refuses connections is asked again.
const PATIENCE: Duration = Duration::from_secs(1);

/// How often stored passwords are read while they change faster than they are tried.
const READ_AT_MOST: usize = 6;

/// What became of one of several passwords: it decided, or it was the wrong one and another may be
/// tried.
pub(crate) type Attempt<T> = ControlFlow<Result<T, StoreError>, Result<T, StoreError>>;

/// Tells a wrong password from everything else that can come of signing in.
pub(crate) fn judged<T>(outcome: Result<T, StoreError>) -> Attempt<T> {
    match &outcome {
        Err(StoreError::SignIn(error)) if error.is_wrong_password() => {
            ControlFlow::Continue(outcome)
        }
        _ => ControlFlow::Break(outcome),
    }
}

impl Clusters {
    /// Tries the stored passwords of the server's own role in turn, as long as the server says that
    /// they are wrong; what the last one came to. What was read may have been replaced before it
    /// was tried, so it is read once more, and again as long as it is being replaced.
    ///
    /// # Errors
    /// [`StoreError::CredentialMissing`] where none is stored, and what an attempt ended with.
    pub(crate) async fn with_password<T, F>(
        &self,
        place: &Place,
        attempt: impl Fn(Secret<String>) -> F,
    ) -> Result<T, StoreError>
    where
        F: Future<Output = Attempt<T>>,
    {
        let mut outcome = Err(StoreError::CredentialMissing);
        let mut tried: Vec<Secret<String>> = Vec::new();
        for time in 0..READ_AT_MOST {
            let passwords = self.service_passwords(place).await?;
            let same = passwords.len() == tried.len()
                && (passwords.iter().zip(&tried)).all(|(new, old)| new.expose() == old.expose());
            if time > 1 && same {
                break;
            }
            tried.clone_from(&passwords);
            for password in passwords {
                match attempt(password).await {
                    ControlFlow::Break(decided) => return decided,
                    ControlFlow::Continue(wrong) => outcome = wrong,
                }
            }
        }
        outcome
    }

    /// A connection of the server's own role where this place is, for which one try waits so long.
    ///
    /// # Errors
    /// [`StoreError::SignIn`] where it is refused, [`StoreError::DatabaseMissing`] where there is
    /// no such database.
    pub(crate) async fn enter(
        &self,
        cluster: &Cluster,
        place: &Place,
        wait: Duration,
    ) -> Result<PgConnection, StoreError> {
        self.with_password(place, |password| async move {
            judged(connect(cluster, place, &password, wait).await)
        })
        .await
    }

    /// The password that the server signs in with where this place is.
    pub(crate) async fn service_password(
        &self,
        place: &Place,
    ) -> Result<Secret<String>, StoreError> {
        let passwords = self.service_passwords(place).await?;
        passwords
            .into_iter()
            .next()
            .ok_or(StoreError::CredentialMissing)
    }

    /// The passwords that the server's own role may have where this place is, the one that counts
    /// first. Two while it changes: whoever tries the first, and then the second, has tried the
    /// right one, as the role gets the second before the first stops counting.
    async fn service_passwords(&self, place: &Place) -> Result<Vec<Secret<String>>, StoreError> {
        let Placement {
            tenant,
            generation,
            isolation,
        } = place.placement;
        let mut control = self.control.read().await?;
        if isolation == Isolation::Shared {
            let record = control.clusters().find(&place.cluster).await?;
            let sealed = record
                .and_then(|record| record.sealed_shared)
                .ok_or(StoreError::CredentialMissing)?;
            drop(control);
            let context = shared_context(&place.cluster);
            let password = self.unseal(&sealed, &context).await?;
            return Ok(vec![password]);
        }
        let usable = control
            .credentials()
            .usable(tenant, generation, Slot::Service)
            .await?;
        drop(control);
        let mut passwords = Vec::with_capacity(usable.len());
        for usable in &usable {
            passwords.push(self.password(usable).await?);
        }
        Ok(passwords)
    }

    /// The password of a role, while it counts.
    pub async fn password(&self, credential: &Credential) -> Result<Secret<String>, StoreError> {
        let sealed = credential
            .sealed_secret
            .as_deref()
            .ok_or(StoreError::CredentialMissing)?;
        let context =
            credential_context(credential.tenant, credential.generation, credential.serial);
        self.unseal(sealed, &context).await
    }
}

async fn connect(
    cluster: &Cluster,
    place: &Place,
    password: &Secret<String>,
    wait: Duration,
) -> Result<PgConnection, StoreError> {
    let options = cluster.connect_options(place.placement, Login::Service, password);
    let until = Instant::now() + PATIENCE;
    let mut pause = Duration::from_millis(20);
    loop {
        let error = match timeout(wait, options.connect()).await {
            Ok(Ok(conn)) => return Ok(conn),
            Ok(Err(error)) => ClusterError::from(error),
            Err(_) => return Err(ClusterError::Deadline(wait).into()),
        };
        if !error.is_refusing_for_now() || Instant::now() + pause > until {
            return Err(StoreError::entering(error));
        }
        tokio::time::sleep(pause).await;
        pause *= 2;
    }
}
