//! The passwords of a tenant's roles: setting and taking them away, ending sessions, and trying
//! what is stored.

use postgres_protocol::password::scram_sha_256;
use sqlx::postgres::{PgConnection, PgRow};
use sqlx::{Connection as _, Row as _};
use tenantry_core::tenant::Isolation;
use tenantry_core::{Entropy, Secret};
use tokio::time::timeout;
use zeroize::Zeroizing;

use super::ddl::Batch;
use super::name::{Login, Placement, RoleKind};
use super::{Cluster, ClusterError};

/// A password of 32 random bytes, in hexadecimal. Long enough that not even the verifier, which a
/// server with `log_statement = 'ddl'` writes into its log, helps to find it.
pub fn generate_password(entropy: &Entropy) -> Secret<String> {
    let bytes = Zeroizing::new(entropy.bytes::<32>());
    let mut password = String::with_capacity(64);
    for byte in bytes.iter() {
        for digit in [byte >> 4, byte & 15] {
            password.push(char::from(b"0123456789abcdef"[usize::from(digit)]));
        }
    }
    Secret::new(password)
}

/// What the server keeps in place of a password: `SCRAM-SHA-256$4096:…` (RFC 5803, RFC 7677).
pub(super) struct Verifier(Zeroizing<String>);

impl Verifier {
    /// Made here, so that the password itself never reaches the server or its log.
    pub(super) fn of(password: &Secret<String>) -> Self {
        Self(Zeroizing::new(scram_sha_256(password.expose().as_bytes())))
    }

    pub(super) fn expose(&self) -> &str {
        &self.0
    }
}

/// How signing in ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignIn {
    /// In.
    In {
        /// As whom rights are judged (`current_user`).
        acts_as: String,
        /// Who signed in (`session_user`).
        user: String,
        /// Where.
        database: String,
    },
    /// The password is wrong, or the role is missing or disabled (28P01, 28000).
    Refused,
    /// The role may not connect to the database, or it accepts no connections (42501, 55000).
    ShutOut,
    /// There is no such database (3D000). One that tenants share is there without them.
    NoDatabase,
}

impl Cluster {
    /// Gives a role this password and lets it sign in, also after
    /// [`close_slots`](Self::close_slots). Can be repeated; the sessions it has stay.
    /// Where rows are shared, there is no service slot of the tenant's own: see
    /// [`set_shared_password`](Self::set_shared_password).
    pub async fn set_password(
        &self,
        placement: Placement,
        login: Login,
        password: &Secret<String>,
    ) -> Result<(), ClusterError> {
        let verifier = Verifier::of(password);
        let mut patience = self.patience();
        loop {
            match self.try_set_password(placement, login, &verifier).await {
                Ok(()) => return Ok(()),
                Err(error) => patience.bear(error).await?,
            }
        }
    }

    async fn try_set_password(
        &self,
        placement: Placement,
        login: Login,
        verifier: &Verifier,
    ) -> Result<(), ClusterError> {
        let role = placement.role(RoleKind::Login(login));
        if !self.has_role(placement, login).await? {
            return Err(ClusterError::Missing(role.to_string()));
        }
        let mut batch = Batch::locked(self.version().await?, placement);
        batch.add(&[
            &"ALTER ROLE ",
            &role,
            &" LOGIN PASSWORD ",
            verifier,
            &" VALID UNTIL 'infinity'",
        ]);
        self.run(batch).await?;
        Ok(())
    }

    async fn has_role(&self, placement: Placement, login: Login) -> Result<bool, ClusterError> {
        let roles = self.roles(placement).await?;
        Ok(roles.iter().any(|role| role.kind == RoleKind::Login(login)))
    }

    /// Takes a role's password and its right to sign in. The sessions it has go on until
    /// [`end_sessions`](Self::end_sessions). Nothing where there is no such role.
    pub async fn disable(&self, placement: Placement, login: Login) -> Result<(), ClusterError> {
        let mut patience = self.patience();
        loop {
            match self.try_disable(placement, login).await {
                Ok(()) => return Ok(()),
                Err(error) => patience.bear(error).await?,
            }
        }
    }

    pub(super) async fn try_disable(
        &self,
        placement: Placement,
        login: Login,
    ) -> Result<(), ClusterError> {
        if !self.has_role(placement, login).await? {
            return Ok(());
        }
        let role = placement.role(RoleKind::Login(login));
        let mut batch = Batch::locked(self.version().await?, placement);
        batch.add(&[&"ALTER ROLE ", &role, &" NOLOGIN PASSWORD NULL"]);
        self.run(batch).await?;
        Ok(())
    }

    /// Ends the sessions of a role and waits until they are gone; how many there were.
    pub async fn end_sessions(
        &self,
        placement: Placement,
        login: Login,
    ) -> Result<usize, ClusterError> {
        let mut patience = self.patience();
        loop {
            match self.try_end_sessions(placement, login).await {
                Ok(ended) => return Ok(ended),
                Err(error) => patience.bear(error).await?,
            }
        }
    }

    /// Ending a session takes membership in its role or in `pg_signal_backend`. The first can be
    /// borrowed, the second only a superuser can give.
    pub(super) async fn try_end_sessions(
        &self,
        placement: Placement,
        login: Login,
    ) -> Result<usize, ClusterError> {
        let role = placement.role(RoleKind::Login(login));
        let look = sqlx::query("SELECT pid FROM pg_stat_activity WHERE usename = $1")
            .bind(role.as_str().to_owned());
        let found = self.look(look).await?;
        if found.is_empty() || !self.has_role(placement, login).await? {
            return Ok(0);
        }
        let mut batch = Batch::locked(self.version().await?, placement);
        batch.borrow([&role]);
        for row in &found {
            let pid: i32 = row.try_get("pid")?;
            // Named by number, it may by now be another's.
            batch.add(&[
                &"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE pid = ",
                &i64::from(pid),
                &" AND usesysid = to_regrole('",
                &role,
                &"')",
            ]);
        }
        batch.give_back([&role]);
        self.run(batch).await?;
        Ok(found.len())
    }

    pub(super) async fn try_end_all_sessions(
        &self,
        placement: Placement,
        logins: &[Login],
    ) -> Result<(), ClusterError> {
        for login in logins {
            self.try_end_sessions(placement, *login).await?;
        }
        Ok(())
    }

    /// How signing in ends where everything about a login is as it should be: in the right
    /// database, as the role that acts as the right group.
    pub fn expected(&self, placement: Placement, login: Login) -> SignIn {
        let user = self.login_name(placement, login);
        SignIn::In {
            acts_as: match (placement.isolation, login) {
                (Isolation::Shared, Login::Service) => user.clone(),
                _ => placement.role(login.acts_as()).as_str().to_owned(),
            },
            user,
            database: self.database_of(placement),
        }
    }

    /// Signs in where the tenant lies with these credentials and asks who and where it is. To be
    /// compared with what is [`expected`](Self::expected).
    ///
    /// # Errors
    /// Where the server can't be reached or has no connection to spare (53300); that says nothing
    /// about the credentials.
    pub async fn sign_in(
        &self,
        placement: Placement,
        login: Login,
        password: &Secret<String>,
    ) -> Result<SignIn, ClusterError> {
        let options = self
            .connect_options(placement, login, password)
            .application_name("tenantry-check");
        let deadline = self.bounds.statement;
        let asked = async move {
            let mut conn = PgConnection::connect_with(&options).await?;
            let sql = "SELECT current_user::text AS acts_as, session_user::text AS name,
                              current_database()::text AS database";
            let row = sqlx::query(sql).fetch_one(&mut conn).await?;
            conn.close().await?;
            Ok(row)
        };
        match timeout(deadline, asked).await {
            Ok(outcome) => ending(outcome),
            Err(_) => Err(ClusterError::Deadline(deadline)),
        }
    }
}

fn ending(outcome: Result<PgRow, sqlx::Error>) -> Result<SignIn, ClusterError> {
    let error = match outcome {
        Ok(row) => {
            return Ok(SignIn::In {
                acts_as: row.try_get("acts_as")?,
                user: row.try_get("name")?,
                database: row.try_get("database")?,
            });
        }
        Err(error) => ClusterError::from(error),
    };
    match error.sqlstate().as_deref() {
        Some("28P01" | "28000") => Ok(SignIn::Refused),
        Some("42501" | "55000") => Ok(SignIn::ShutOut),
        Some("3D000") => Ok(SignIn::NoDatabase),
        _ => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verifier_can_stand_in_a_literal_and_does_not_hold_the_password() {
        let entropy = Entropy::new(|buffer| buffer.fill(0xA7));
        let password = generate_password(&entropy);
        assert_eq!(password.expose().as_str(), "a7".repeat(32));
        let verifier = Verifier::of(&password);
        assert!(verifier.expose().starts_with("SCRAM-SHA-256$4096:"));
        assert!(!verifier.expose().contains(password.expose().as_str()));
        let plain = |c: char| c.is_ascii_alphanumeric() || "-$:+/=".contains(c);
        assert!(verifier.expose().chars().all(plain));
        assert_ne!(
            verifier.expose(),
            Verifier::of(&password).expose(),
            "each has its own salt"
        );
    }
}
