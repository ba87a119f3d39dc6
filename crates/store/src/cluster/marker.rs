//! Our stamp in the catalogue: the comment on each database, schema and role that says whose it is.

use std::fmt;

use tenantry_core::{Generation, TenantId};
use uuid::Uuid;

use super::name::{Common, Placement};
use crate::tenant::TENANT_SCHEMA;

/// What a comment of ours says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Marker {
    instance: Uuid,
    what: What,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    Tenant(Placement),
    Template(i64),
    Common(Common, i64),
}

impl Marker {
    /// On what belongs to one generation of a tenant.
    pub(super) const fn tenant(instance: Uuid, placement: Placement) -> Self {
        Self {
            instance,
            what: What::Tenant(placement),
        }
    }

    /// On our template.
    pub(super) const fn template(instance: Uuid) -> Self {
        Self {
            instance,
            what: What::Template(TENANT_SCHEMA),
        }
    }

    /// On a database that tenants share, once its identity tables have this version.
    pub(super) const fn common(instance: Uuid, common: Common, schema: i64) -> Self {
        Self {
            instance,
            what: What::Common(common, schema),
        }
    }

    /// What every marker of an installation begins with.
    pub(super) fn prefix(instance: Uuid) -> String {
        format!("tenantry instance={instance} ")
    }

    /// The marker that a comment is, if it is one, letter by letter.
    pub fn parse(comment: &str) -> Option<Self> {
        let mut words = comment.strip_prefix("tenantry instance=")?.split(' ');
        let instance = words.next()?.parse().ok()?;
        let third = words.next()?;
        let what = if let Some(tenant) = third.strip_prefix("tenant=") {
            let generation = words.next()?.strip_prefix("generation=")?;
            let isolation = words.next()?.strip_prefix("isolation=")?;
            What::Tenant(Placement {
                tenant: TenantId::from_uuid(tenant.parse().ok()?),
                generation: Generation::new(generation.parse().ok()?)?,
                isolation: isolation.parse().ok()?,
            })
        } else {
            let (word, schema) = third.split_once('=')?;
            let schema = schema.parse().ok()?;
            match word {
                "template" => What::Template(schema),
                "schemas" => What::Common(Common::Schemas, schema),
                "shared" => What::Common(Common::Shared, schema),
                _ => return None,
            }
        };
        // Whatever else it holds, or another way to write the same, makes it another text.
        let marker = Self { instance, what };
        (marker.to_string() == comment).then_some(marker)
    }

    /// The tenant's generation that it marks; `None` on what is no single tenant's.
    pub const fn placement(&self) -> Option<Placement> {
        match self.what {
            What::Tenant(placement) => Some(placement),
            What::Template(_) | What::Common(..) => None,
        }
    }

    /// The version of the identity tables in the database of many tenants that it marks.
    pub(super) fn common_schema(&self, common: Common) -> Option<i64> {
        match self.what {
            What::Common(of, schema) if of == common => Some(schema),
            What::Common(..) | What::Template(_) | What::Tenant(_) => None,
        }
    }

    /// The installation that wrote it.
    pub const fn instance(&self) -> Uuid {
        self.instance
    }
}

/// As it stands in the catalogue. Holds nothing that a literal would have to escape.
impl fmt::Display for Marker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&Self::prefix(self.instance))?;
        match self.what {
            What::Tenant(Placement {
                tenant,
                generation,
                isolation,
            }) => {
                write!(
                    f,
                    "tenant={tenant} generation={generation} isolation={isolation}"
                )
            }
            What::Template(schema) => write!(f, "template={schema}"),
            What::Common(common, schema) => write!(f, "{}={schema}", common.word()),
        }
    }
}

#[cfg(test)]
mod tests {
    use tenantry_core::tenant::Isolation;

    use super::*;

    #[test]
    fn a_marker_is_read_back_and_nothing_else_is_one() {
        let tenant = TenantId::from_uuid(Uuid::from_u128(7));
        let placement = Placement::new(tenant, Generation::new(3).unwrap(), Isolation::Schema);
        let marker = Marker::tenant(Uuid::from_u128(1), placement);
        let text = marker.to_string();
        assert_eq!(
            text,
            "tenantry instance=00000000-0000-0000-0000-000000000001 \
             tenant=00000000-0000-0000-0000-000000000007 generation=3 isolation=schema"
        );
        assert_eq!(Marker::parse(&text), Some(marker));
        assert_eq!(marker.placement(), Some(placement));
        let template = Marker::template(Uuid::from_u128(1));
        assert_eq!(Marker::parse(&template.to_string()), Some(template));
        assert_eq!(template.placement(), None);
        for common in Common::ALL {
            let marker = Marker::common(Uuid::from_u128(1), common, 4);
            assert_eq!(Marker::parse(&marker.to_string()), Some(marker));
            assert_eq!(marker.placement(), None);
            assert_eq!(marker.common_schema(common), Some(4));
            assert_eq!(template.common_schema(common), None);
        }
        for other in [
            "",
            "tenantry",
            &text[1..],
            &format!("{text} "),
            &format!("{text} and more"),
            &text.replace("generation=3", "generation=03"),
            &text.replace("generation=3", "generation=0"),
            &text.replace("isolation=schema", "isolation=all"),
            &text.replace(" isolation=schema", ""),
            &text.replace("-0000-", ""),
        ] {
            assert_eq!(Marker::parse(other), None, "{other:?}");
        }
    }
}
