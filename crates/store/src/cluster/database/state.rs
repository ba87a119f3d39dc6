//! What the catalogue says about a database: a tenant's own, and our template.

use sqlx::Row as _;
use sqlx::postgres::PgRow;

use super::super::marker::Marker;
use super::super::name::{Login, Placement, RoleKind, TemplateName};
use super::super::{Cluster, ClusterError, HomeState};

/// Our template, or what has its name.
pub(in crate::cluster) struct TemplateState {
    pub(in crate::cluster) ours: bool,
    pub(in crate::cluster) ready: bool,
    pub(in crate::cluster) broken: bool,
}

// $1 its name, $2 the applications' group, $3 their slots, $4 all of the tenant's roles, $5 what
// markers of this installation begin with.
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
                       JOIN pg_shdescription c
                         ON c.classoid = 'pg_authid'::regclass AND c.objoid = r.oid
                       WHERE s.refclassid = 'pg_authid'::regclass AND s.dbid = d.oid
                         AND s.deptype = 'o' AND r.rolname <> ALL($4)
                         AND starts_with(c.description, $5))
           AND (SELECT COUNT(DISTINCT s.classid) FROM pg_shdepend s
                  JOIN pg_roles r ON r.oid = s.refobjid
                 WHERE s.refclassid = 'pg_authid'::regclass AND s.dbid = d.oid
                   AND s.deptype = 'a' AND r.rolname = $2
                   AND s.classid IN ('pg_namespace'::regclass, 'pg_class'::regclass)) = 2 AS furnished
    FROM pg_database d WHERE d.datname = $1";

/// Whether a comment is exactly this marker.
pub(in crate::cluster) fn is_marker(row: &PgRow, marker: Marker) -> Result<bool, sqlx::Error> {
    let comment: Option<String> = row.try_get("comment")?;
    Ok(comment.is_some_and(|comment| comment == marker.to_string()))
}

pub(in crate::cluster) fn is_bare(row: &PgRow) -> Result<bool, sqlx::Error> {
    Ok(row.try_get::<Option<String>, _>("comment")?.is_none())
}

impl Cluster {
    pub(in crate::cluster) async fn database_state(
        &self,
        placement: Placement,
    ) -> Result<Option<HomeState>, ClusterError> {
        let name = self.database_name(placement);
        let role = |kind| placement.role(kind).as_str().to_owned();
        let all: Vec<String> = placement.role_kinds().iter().copied().map(role).collect();
        let look = sqlx::query(DATABASE)
            .bind(name.as_str().to_owned())
            .bind(role(RoleKind::Application))
            .bind(Login::SLOTS.map(RoleKind::Login).map(role).to_vec())
            .bind(all)
            .bind(Marker::prefix(self.instance));
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
        Ok(Some(HomeState {
            marked,
            owned: owner == role(RoleKind::Owner),
            admins,
            accepts: row.try_get("accepts")?,
            public: row.try_get("public")?,
            furnished: row.try_get("furnished")?,
            admitted: row.try_get("admitted")?,
            broken: row.try_get("broken")?,
        }))
    }

    pub(in crate::cluster) async fn template(
        &self,
        name: &TemplateName,
    ) -> Result<Option<TemplateState>, ClusterError> {
        let none = Vec::<String>::new();
        let look = sqlx::query(DATABASE)
            .bind(name.as_str().to_owned())
            .bind("")
            .bind(none.clone())
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
