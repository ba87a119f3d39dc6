//! Choosing one of several tenants after the password was right.

use askama::Template;
use tenantry_core::{Locale, Slug, TenantId};

use super::Chrome;
use super::chrome::{monogram, street_colour};
use super::samples::{self, Samples};
use crate::assets::Colour;

/// The page where one of several tenants is chosen. Its form sends `selection_token` and
/// `tenant_id`.
#[derive(Clone, Template)]
#[template(path = "choose_tenant/choose_tenant.html")]
pub struct ChooseTenantPage {
    /// What every page shows.
    pub chrome: Chrome,
    /// The proof that the password was right.
    pub selection_token: String,
    /// The tenants, in the order to show.
    pub tenants: Vec<TenantChoice>,
}

/// A tenant to choose.
#[derive(Debug, Clone)]
pub struct TenantChoice {
    /// The id.
    pub id: TenantId,
    /// The name.
    pub name: String,
    /// The host of its pages.
    pub host: String,
    /// The colour.
    pub colour: Colour,
}

impl TenantChoice {
    /// A tenant to choose; without a colour of its own it gets one of the street.
    pub fn new(id: TenantId, name: &str, slug: &Slug, host: &str, colour: Option<Colour>) -> Self {
        Self {
            id,
            name: name.to_owned(),
            host: host.to_owned(),
            colour: colour.unwrap_or_else(|| street_colour(slug)),
        }
    }

    fn monogram(&self) -> String {
        monogram(&self.name)
    }
}

impl Samples for ChooseTenantPage {
    fn samples(locale: Locale) -> Vec<(&'static str, Self)> {
        let choice = |brand: super::Brand, number| TenantChoice {
            id: samples::tenant_id(number),
            name: brand.name,
            host: brand.host,
            colour: brand.colour,
        };
        let brands = [
            samples::acme(locale).brand,
            samples::globex(locale).brand,
            samples::hostile(locale).brand,
            samples::long_name(locale).brand,
        ];
        let all: Vec<_> = (1..)
            .zip(brands)
            .map(|(number, brand)| choice(brand, number))
            .collect();
        let page = |tenants| Self {
            chrome: samples::platform(locale),
            selection_token: "b3h4YVN3\"".to_owned(),
            tenants,
        };
        vec![
            ("choose-tenant", page(all[..2].to_vec())),
            ("choose-tenant-many", page(all)),
        ]
    }
}
