//! Who is connected: how many sessions a tenant's login has.

use sqlx::Row as _;

use super::name::{Login, Placement};
use super::{Cluster, ClusterError};

impl Cluster {
    /// How many sessions a login has on the server, in whichever database.
    pub async fn count_sessions(
        &self,
        placement: Placement,
        login: Login,
    ) -> Result<usize, ClusterError> {
        let role = self.login_name(placement, login);
        // Everybody may see who is connected; what they do there is hidden.
        let sql = "SELECT COUNT(*) AS count FROM pg_stat_activity WHERE usename = $1";
        let rows = self.look(sqlx::query(sql).bind(role)).await?;
        let row = rows.first().ok_or(sqlx::Error::RowNotFound)?;
        let count: i64 = row.try_get("count")?;
        Ok(usize::try_from(count).unwrap_or(0))
    }
}
