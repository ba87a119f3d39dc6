//! What the catalogue says about one tenant's roles.

use sqlx::Row as _;
use sqlx::postgres::PgRow;

use super::database::is_marker;
use super::name::{Placement, RoleKind};
use super::{Cluster, ClusterError};

/// A tenant's role as the catalogue has it, with our marker for this tenant and generation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleState {
    /// Which one.
    pub kind: RoleKind,
    /// It may sign in, which says nothing about its password.
    pub enabled: bool,
    /// It may not since [`close_slots`](Cluster::close_slots), and not for another reason.
    pub closed: bool,
    /// Attributes, membership, settings and connection limit are what they should be.
    pub sound: bool,
}

// SET is no privilege before version 16, where a member may always act as the group.
const ROLES: &str = "
    SELECT r.rolname::text AS name, shobj_description(r.oid, 'pg_authid') AS comment,
           r.rolcanlogin AS enabled,
           NOT r.rolcanlogin AND COALESCE(r.rolvaliduntil = '-infinity', FALSE) AS closed, r.rolconnlimit AS connections,
           NOT (r.rolsuper OR r.rolcreatedb OR r.rolcreaterole OR r.rolreplication OR r.rolbypassrls) AS plain,
           COALESCE(pg_has_role(r.oid, g.oid, 'USAGE') AND pg_has_role(r.oid, g.oid,
               CASE WHEN current_setting('server_version_num')::int >= 160000 THEN 'SET' ELSE 'MEMBER' END),
               FALSE) AS member,
           COALESCE((SELECT s.setconfig FROM pg_db_role_setting s
                     WHERE s.setrole = r.oid AND s.setdatabase = 0), '{}') AS settings
    FROM unnest($1::text[], $2::text[]) AS want (name, acts_as)
    JOIN pg_roles r ON r.rolname = want.name
    LEFT JOIN pg_roles g ON g.rolname = want.acts_as";

impl Cluster {
    /// The tenant's roles that are there.
    ///
    /// # Errors
    /// [`ClusterError::Foreign`] where one of them does not carry our marker for this tenant and
    /// generation.
    pub async fn roles(&self, placement: Placement) -> Result<Vec<RoleState>, ClusterError> {
        let (mut names, mut groups) = (Vec::new(), Vec::new());
        for kind in placement.role_kinds() {
            names.push(role(placement, *kind));
            groups.push(match kind {
                RoleKind::Login(login) => Some(role(placement, login.acts_as())),
                RoleKind::Owner | RoleKind::Application => None,
            });
        }
        let look = sqlx::query(ROLES).bind(names).bind(groups);
        let rows = self.look(look).await?;
        let mut roles = Vec::new();
        for row in &rows {
            let name: String = row.try_get("name")?;
            let Some(kind) = placement.role_named(&name) else {
                continue;
            };
            if !is_marker(row, self.marker(placement))? {
                return Err(ClusterError::Foreign(placement.role(kind).to_string()));
            }
            roles.push(RoleState {
                kind,
                enabled: row.try_get("enabled")?,
                closed: row.try_get("closed")?,
                sound: self.is_sound(placement, kind, row)?,
            });
        }
        roles.sort_by_key(|role| role.kind);
        Ok(roles)
    }

    fn is_sound(
        &self,
        placement: Placement,
        kind: RoleKind,
        row: &PgRow,
    ) -> Result<bool, sqlx::Error> {
        let plain: bool = row.try_get("plain")?;
        let RoleKind::Login(login) = kind else {
            let enabled: bool = row.try_get("enabled")?;
            return Ok(plain && !enabled);
        };
        let settings: Vec<String> = row.try_get("settings")?;
        let connections: i32 = row.try_get("connections")?;
        let expected = [
            format!("role={}", role(placement, login.acts_as())),
            format!("search_path={}", placement.search_path(login).setting()),
        ];
        let member: bool = row.try_get("member")?;
        Ok(plain
            && member
            && i64::from(connections) == i64::from(self.bounds.per_login)
            && expected.iter().all(|setting| settings.contains(setting)))
    }
}

fn role(placement: Placement, kind: RoleKind) -> String {
    placement.role(kind).as_str().to_owned()
}
