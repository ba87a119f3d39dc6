//! Short messages between processes that share a control database on a server (`NOTIFY`).
//!
//! A message may be lost: whoever listens is told when the connection was made anew, and takes it as
//! if anything might have been said. On a file there is nobody to tell: one process serves it.

use std::time::Duration;

use sqlx::postgres::{PgListener, PgPoolOptions};

use crate::db::answered;
use crate::{Control, Db, StoreError};

/// The channel. Names of channels belong to one database.
const CHANNEL: &str = "tenantry_changes";

/// How long signing in may take.
const ENTER: Duration = Duration::from_secs(5);

/// Hears what other processes say.
pub struct Listener(PgListener);

impl Control {
    /// Whether it lies on a server, which other processes may share.
    pub const fn is_on_server(&self) -> bool {
        matches!(self.db(), Db::Postgres(_))
    }

    /// Says something to every process that listens, this one too; nothing happens on a file. At
    /// most 8,000 octets (PostgreSQL manual, NOTIFY).
    pub async fn say(&self, text: &str) -> Result<(), StoreError> {
        match self.db() {
            Db::Sqlite { .. } => Ok(()),
            Db::Postgres(pool) => {
                let said = sqlx::query("SELECT pg_notify($1, $2)")
                    .bind(CHANNEL)
                    .bind(text);
                answered(said.execute(pool)).await?;
                Ok(())
            }
        }
    }

    /// Listens, over a connection of its own that is none of the pool's: statements do not wait for
    /// it, and a pool that is used up keeps nobody from hearing. `None` on a file.
    pub async fn listen(&self) -> Result<Option<Listener>, StoreError> {
        match self.db() {
            Db::Sqlite { .. } => Ok(None),
            Db::Postgres(pool) => {
                let own = PgPoolOptions::new()
                    .max_connections(1)
                    .acquire_timeout(ENTER)
                    .connect_lazy_with((*pool.connect_options()).clone());
                let mut listener = PgListener::connect_with(&own).await?;
                // Whoever hears that the connection was lost listens anew himself.
                listener.eager_reconnect(false);
                answered(listener.listen(CHANNEL)).await?;
                Ok(Some(Listener(listener)))
            }
        }
    }
}

impl Listener {
    /// What is said next; `None` when the connection was lost and messages may have been.
    pub async fn next(&mut self) -> Result<Option<String>, StoreError> {
        let heard = self.0.try_recv().await?;
        Ok(heard.map(|said| said.payload().to_owned()))
    }
}
