//! Short messages between processes that share a control database on a server (`NOTIFY`).
//!
//! A message may be lost: whoever listens is told when the connection was made anew, and takes it as
//! if anything might have been said. On a file there is nobody to tell: one process serves it.

use sqlx::postgres::PgListener;

use crate::{Control, Db, StoreError};

/// The channel. Names of channels belong to one database.
const CHANNEL: &str = "tenantry_changes";

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
                sqlx::query("SELECT pg_notify($1, $2)")
                    .bind(CHANNEL)
                    .bind(text)
                    .execute(pool)
                    .await?;
                Ok(())
            }
        }
    }

    /// Listens, over a connection of its own; `None` on a file.
    pub async fn listen(&self) -> Result<Option<Listener>, StoreError> {
        match self.db() {
            Db::Sqlite { .. } => Ok(None),
            Db::Postgres(pool) => {
                let mut listener = PgListener::connect_with(pool).await?;
                listener.listen(CHANNEL).await?;
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
