//! Colours for tenants that have not chosen one.

use super::Colour;
use crate::Slug;

/// As far apart as walls in a street.
const STREET: [Colour; 8] = [
    Colour::new(0xa5, 0x3d, 0x2a),
    Colour::new(0x25, 0x52, 0x9a),
    Colour::new(0x7b, 0x3a, 0x6b),
    Colour::new(0x6d, 0x4c, 0x33),
    Colour::new(0xb9, 0x7a, 0x12),
    Colour::new(0x12, 0x6b, 0x78),
    Colour::new(0x1c, 0x5d, 0x4f),
    Colour::new(0x4c, 0x43, 0x8f),
];

impl Colour {
    /// The colour of a tenant that has not chosen one: the same each time.
    pub fn of_street(slug: &Slug) -> Self {
        // FNV-1a, stirred so that near names lie apart.
        let octets = slug.as_str().bytes();
        let hash = octets.fold(0xcbf2_9ce4_8422_2325_u64, |hash, octet| {
            (hash ^ u64::from(octet)).wrapping_mul(0x0100_0000_01b3)
        });
        let stirred = (hash ^ (hash >> 29)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let place = usize::try_from(stirred >> 7).unwrap_or(0);
        STREET[place % STREET.len()]
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn near_names_lie_apart() {
        let slugs = [
            "uml", "uml1", "uml2", "uml3", "uml4", "uml5", "uml6", "uml7",
        ];
        let colours: HashSet<_> = slugs
            .iter()
            .filter_map(|slug| slug.parse().ok())
            .map(|slug| Colour::of_street(&slug))
            .collect();
        assert!(colours.len() >= 4, "{colours:?}");
    }
}
