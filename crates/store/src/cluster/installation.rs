//! The roles of the installation that serve all tenants.

use sqlx::Row as _;

use super::ddl::Batch;
use super::marker::Marker;
use super::name::CommonRole;
use super::{Cluster, ClusterError};

/// What the admin is to one of these roles.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Admin {
    /// A member for good: one membership for each installation, while all tenants' are given back.
    Member,
    /// No member.
    Stranger,
}

impl Cluster {
    /// Whether the role is there.
    ///
    /// # Errors
    /// [`ClusterError::Foreign`] where it carries no marker of this installation.
    pub(super) async fn has_common_role(&self, role: &CommonRole) -> Result<bool, ClusterError> {
        let look = sqlx::query(
            "SELECT shobj_description(oid, 'pg_authid') AS comment
             FROM pg_roles WHERE rolname = $1",
        )
        .bind(role.as_str().to_owned());
        let rows = self.look(look).await?;
        let Some(row) = rows.first() else {
            return Ok(false);
        };
        let comment: Option<String> = row.try_get("comment")?;
        // The schema's version is no part of what marks these roles: they serve all versions.
        if comment.is_some_and(|comment| comment.starts_with(&Marker::prefix(self.instance))) {
            return Ok(true);
        }
        Err(ClusterError::Foreign(role.to_string()))
    }

    /// Makes the role, which can't sign in, where it is not there yet.
    pub(super) async fn ensure_common_role(
        &self,
        role: &CommonRole,
        marker: Marker,
        admin: Admin,
    ) -> Result<(), ClusterError> {
        let there = self.has_common_role(role).await?;
        if there && admin == Admin::Stranger {
            return Ok(());
        }
        let mut batch = Batch::new(self.version().await?);
        if !there {
            batch.add(&[&"CREATE ROLE ", role, &" NOLOGIN"]).add(&[
                &"COMMENT ON ROLE ",
                role,
                &" IS ",
                &marker,
            ]);
        }
        if admin == Admin::Member {
            batch.grant(role, &"CURRENT_USER");
        }
        self.run(batch).await?;
        Ok(())
    }
}
