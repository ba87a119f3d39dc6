//! What the catalogue says about one tenant's database and roles.

use sqlx::Row as _;
use sqlx::postgres::PgRow;

use super::marker::Marker;
use super::name::{Placement, RoleKind, TemplateName};
use super::{Cluster, ClusterError};

/// A tenant's database as the catalogue has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact of its own, and a check tells each by itself"
)]
pub struct DatabaseState {
    /// It carries our marker for this tenant and generation.
    pub marked: bool,
    /// The tenant's owner role owns it.
    pub owned: bool,
    /// The admin's role owns it, as while it is being made or dropped.
    pub admins: bool,
    /// It accepts connections.
    pub accepts: bool,
    /// PUBLIC has a right on it.
    pub public: bool,
    /// Everything in it belongs to the tenant, and applications have their schema and view.
    pub furnished: bool,
    /// Both slots of the applications may connect.
    pub admitted: bool,
    /// Dropping it was interrupted; it can only be dropped again.
    pub broken: bool,
}

impl DatabaseState {
    /// Whether it is made, whatever is in it.
    pub const fn is_made(&self) -> bool {
        self.marked && self.owned && self.accepts && !self.public && !self.broken
    }

    /// Whether it is as it should be, seen from outside.
    pub const fn is_open(&self) -> bool {
        self.is_made() && self.furnished && self.admitted
    }
}

/// A tenant's role as the catalogue has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleState {
    /// Which one.
    pub kind: RoleKind,
    /// It carries our marker for this tenant and generation.
    pub marked: bool,
    /// It may sign in, which says nothing about its password.
    pub enabled: bool,
    /// Attributes, membership, settings and connection limit are what they should be.
    pub sound: bool,
}

/// Our template, or what has its name.
pub(super) struct TemplateState {
    pub(super) ours: bool,
    pub(super) ready: bool,
    pub(super) broken: bool,
}

const DATABASE: &str = "
    SELECT shobj_description(d.oid, 'pg_database') AS comment,
           pg_get_userbyid(d.datdba)::text AS owner,
           pg_get_userbyid(d.datdba) = current_user AS admins,
           d.datallowconn AS accepts, d.datistemplate AS template, d.datconnlimit = -2 AS broken,
           EXISTS (SELECT FROM aclexplode(COALESCE(d.datacl, acldefault('d', d.datdba))) a
                   WHERE a.grantee = 0) AS public,
           (SELECT COUNT(DISTINCT a.grantee) FROM aclexplode(d.datacl) a
              JOIN pg_roles r ON r.oid = a.grantee
             WHERE a.privilege_type = 'CONNECT' AND r.rolname = ANY($3)) = 2 AS admitted,
           NOT EXISTS (SELECT FROM pg_shdepend s JOIN pg_roles r ON r.oid = s.refobjid
                       WHERE s.refclassid = 'pg_authid'::regclass AND s.dbid = d.oid
                         AND s.deptype = 'o' AND r.rolname = $4)
           AND (SELECT COUNT(DISTINCT s.classid) FROM pg_shdepend s
                  JOIN pg_roles r ON r.oid = s.refobjid
                 WHERE s.refclassid = 'pg_authid'::regclass AND s.dbid = d.oid
                   AND s.deptype = 'a' AND r.rolname = $2
                   AND s.classid IN ('pg_namespace'::regclass, 'pg_class'::regclass)) = 2 AS furnished
    FROM pg_database d WHERE d.datname = $1";

// SET is no privilege before version 16, where a member may always act as the group.
const ROLES: &str = "
    SELECT r.rolname::text AS name, shobj_description(r.oid, 'pg_authid') AS comment,
           r.rolcanlogin AS enabled, r.rolconnlimit AS connections,
           NOT (r.rolsuper OR r.rolcreatedb OR r.rolcreaterole OR r.rolreplication OR r.rolbypassrls) AS plain,
           COALESCE(pg_has_role(r.oid, g.oid, 'USAGE') AND pg_has_role(r.oid, g.oid,
               CASE WHEN current_setting('server_version_num')::int >= 160000 THEN 'SET' ELSE 'MEMBER' END),
               FALSE) AS member,
           COALESCE((SELECT s.setconfig FROM pg_db_role_setting s
                     WHERE s.setrole = r.oid AND s.setdatabase = 0), '{}') AS settings
    FROM unnest($1::text[], $2::text[]) AS want (name, acts_as)
    JOIN pg_roles r ON r.rolname = want.name
    LEFT JOIN pg_roles g ON g.rolname = want.acts_as";

/// Whether a comment is exactly this marker.
fn is_marker(row: &PgRow, marker: Marker) -> Result<bool, sqlx::Error> {
    let comment: Option<String> = row.try_get("comment")?;
    Ok(comment.is_some_and(|comment| comment == marker.to_string()))
}

fn is_bare(row: &PgRow) -> Result<bool, sqlx::Error> {
    Ok(row.try_get::<Option<String>, _>("comment")?.is_none())
}

impl Cluster {
    /// The tenant's database, if there is one of its name.
    ///
    /// # Errors
    /// [`ClusterError::Foreign`] where it carries no marker of ours for this tenant and generation
    /// and is none that this program has just begun to make.
    pub async fn database(
        &self,
        placement: Placement,
    ) -> Result<Option<DatabaseState>, ClusterError> {
        let name = placement.database();
        let slots = [RoleKind::ALL[2], RoleKind::ALL[3]].map(|slot| role(placement, slot));
        let look = sqlx::query(DATABASE)
            .bind(name.as_str().to_owned())
            .bind(role(placement, RoleKind::Application))
            .bind(slots.to_vec())
            .bind(self.objects_role().as_str().to_owned());
        let rows = self.look(look).await?;
        let Some(row) = rows.first() else {
            return Ok(None);
        };
        let marked = is_marker(row, self.marker(placement))?;
        let admins = row.try_get("admins")?;
        let begun = admins && is_bare(row)?;
        if !marked && !begun {
            return Err(ClusterError::Foreign(name.to_string()));
        }
        let owner: String = row.try_get("owner")?;
        Ok(Some(DatabaseState {
            marked,
            owned: owner == role(placement, RoleKind::Owner),
            admins,
            accepts: row.try_get("accepts")?,
            public: row.try_get("public")?,
            furnished: row.try_get("furnished")?,
            admitted: row.try_get("admitted")?,
            broken: row.try_get("broken")?,
        }))
    }

    /// The tenant's roles that are there.
    ///
    /// # Errors
    /// [`ClusterError::Foreign`] where one of them does not carry our marker for this tenant and
    /// generation.
    pub async fn roles(&self, placement: Placement) -> Result<Vec<RoleState>, ClusterError> {
        let names = RoleKind::ALL.map(|kind| role(placement, kind));
        let groups = RoleKind::ALL.map(|kind| match kind {
            RoleKind::Login(login) => Some(role(placement, login.acts_as())),
            RoleKind::Owner | RoleKind::Application => None,
        });
        let look = sqlx::query(ROLES)
            .bind(names.to_vec())
            .bind(groups.to_vec());
        let rows = self.look(look).await?;
        let mut roles = Vec::new();
        for row in &rows {
            let name: String = row.try_get("name")?;
            let Some(kind) = RoleKind::ALL
                .into_iter()
                .find(|kind| role(placement, *kind) == name)
            else {
                continue;
            };
            if !is_marker(row, self.marker(placement))? {
                return Err(ClusterError::Foreign(placement.role(kind).to_string()));
            }
            roles.push(RoleState {
                kind,
                marked: true,
                enabled: row.try_get("enabled")?,
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
            format!("search_path={}", login.search_path()),
        ];
        let member: bool = row.try_get("member")?;
        Ok(plain
            && member
            && i64::from(connections) == i64::from(self.bounds.per_login)
            && expected.iter().all(|setting| settings.contains(setting)))
    }

    pub(super) async fn template(
        &self,
        name: &TemplateName,
    ) -> Result<Option<TemplateState>, ClusterError> {
        let none = Vec::<String>::new();
        let look = sqlx::query(DATABASE)
            .bind(name.as_str().to_owned())
            .bind("")
            .bind(none)
            .bind("");
        let rows = self.look(look).await?;
        let Some(row) = rows.first() else {
            return Ok(None);
        };
        let marked = is_marker(row, self.template_marker())?;
        let admins: bool = row.try_get("admins")?;
        let (accepts, template): (bool, bool) = (row.try_get("accepts")?, row.try_get("template")?);
        Ok(Some(TemplateState {
            ours: admins && (marked || is_bare(row)?),
            ready: marked && template && !accepts,
            broken: row.try_get("broken")?,
        }))
    }
}

fn role(placement: Placement, kind: RoleKind) -> String {
    placement.role(kind).as_str().to_owned()
}
