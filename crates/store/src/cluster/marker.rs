//! Our stamp in the catalogue: the comment on each database and role that says whose it is.

use std::fmt;

use tenantry_core::{Generation, TenantId};
use uuid::Uuid;

use super::name::Placement;
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
            What::Tenant(Placement {
                tenant: TenantId::from_uuid(tenant.parse().ok()?),
                generation: Generation::new(generation.parse().ok()?)?,
            })
        } else {
            What::Template(third.strip_prefix("template=")?.parse().ok()?)
        };
        // Whatever else it holds, or another way to write the same, makes it another text.
        let marker = Self { instance, what };
        (marker.to_string() == comment).then_some(marker)
    }

    /// The tenant's generation that it marks; `None` on the template.
    pub const fn placement(&self) -> Option<Placement> {
        match self.what {
            What::Tenant(placement) => Some(placement),
            What::Template(_) => None,
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
            What::Tenant(Placement { tenant, generation }) => {
                write!(f, "tenant={tenant} generation={generation}")
            }
            What::Template(schema) => write!(f, "template={schema}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marker_is_read_back_and_nothing_else_is_one() {
        let tenant = TenantId::from_uuid(Uuid::from_u128(7));
        let placement = Placement::new(tenant, Generation::new(3).unwrap());
        let marker = Marker::tenant(Uuid::from_u128(1), placement);
        let text = marker.to_string();
        assert_eq!(
            text,
            "tenantry instance=00000000-0000-0000-0000-000000000001 \
             tenant=00000000-0000-0000-0000-000000000007 generation=3"
        );
        assert_eq!(Marker::parse(&text), Some(marker));
        assert_eq!(marker.placement(), Some(placement));
        let template = Marker::template(Uuid::from_u128(1));
        assert_eq!(Marker::parse(&template.to_string()), Some(template));
        assert_eq!(template.placement(), None);
        for other in [
            "",
            "tenantry",
            &text[1..],
            &format!("{text} "),
            &format!("{text} and more"),
            &text.replace("generation=3", "generation=03"),
            &text.replace("generation=3", "generation=0"),
            &text.replace("-0000-", ""),
        ] {
            assert_eq!(Marker::parse(other), None, "{other:?}");
        }
    }
}
