//! Choosing one of several tenants after the password was right.

use askama::Template;
use tenantry_core::{Locale, TenantId};

use super::Chrome;
use super::chrome::{Brand, monogram};
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
    /// The address of the logo, where there is one.
    pub logo: Option<String>,
}

impl TenantChoice {
    /// The tenant with this brand, to choose.
    pub fn new(id: TenantId, brand: Brand) -> Self {
        Self {
            id,
            name: brand.name,
            host: brand.host,
            colour: brand.colour,
            logo: brand.logo,
        }
    }

    fn monogram(&self) -> String {
        monogram(&self.name)
    }
}

impl Samples for ChooseTenantPage {
    fn samples(locale: Locale) -> Vec<(&'static str, Self)> {
        let brands = [
            samples::acme(locale).brand,
            samples::globex(locale).brand,
            samples::hostile(locale).brand,
            samples::long_name(locale).brand,
        ];
        let all: Vec<_> = (1..)
            .zip(brands)
            .map(|(number, brand)| TenantChoice::new(samples::tenant_id(number), brand))
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
