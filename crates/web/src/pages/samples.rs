//! Pages as they can look, with made-up people: what the tests render and the gallery shows.

use askama::Template;
use tenantry_core::logo::LogoTag;
use tenantry_core::{Locale, OutboxId, Role, Slug, TenantId, Timestamp};

use super::{Brand, Chrome, Person};
use crate::assets::Colour;

/// A page that knows what it can look like.
pub trait Samples: Template + Sized {
    /// The page in each of its states, each with a name for a file.
    fn samples(locale: Locale) -> Vec<(&'static str, Self)>;
}

/// Every sample of every page in a language: the name and the page as HTML.
///
/// # Errors
/// A template that can't be rendered.
pub fn render_all(locale: Locale) -> askama::Result<Vec<(&'static str, String)>> {
    let mut pages = Vec::new();
    render::<super::home::HomePage>(locale, &mut pages)?;
    render::<super::login::LoginPage>(locale, &mut pages)?;
    render::<super::choose_tenant::ChooseTenantPage>(locale, &mut pages)?;
    render::<super::password::SetupPasswordPage>(locale, &mut pages)?;
    render::<super::password::LinkGonePage>(locale, &mut pages)?;
    render::<super::password::ChangePasswordPage>(locale, &mut pages)?;
    render::<super::recovery::ForgotPage>(locale, &mut pages)?;
    render::<super::recovery::AskedPage>(locale, &mut pages)?;
    render::<super::recovery::CodePage>(locale, &mut pages)?;
    render::<super::registration::RegisterPage>(locale, &mut pages)?;
    render::<super::registration::RegistrationClosedPage>(locale, &mut pages)?;
    render::<super::registration::RegistrationSentPage>(locale, &mut pages)?;
    render::<super::registration::RegistrationTakenPage>(locale, &mut pages)?;
    render::<super::registration::VerifyRegistrationPage>(locale, &mut pages)?;
    render::<super::credentials::SetupCredentialsPage>(locale, &mut pages)?;
    render::<super::credentials::CredentialsShownPage>(locale, &mut pages)?;
    render::<super::credentials::CredentialsGonePage>(locale, &mut pages)?;
    render::<super::dashboard::DashboardPage>(locale, &mut pages)?;
    render::<super::account::AccountPage>(locale, &mut pages)?;
    render::<super::account::SessionsPage>(locale, &mut pages)?;
    render::<super::new_address::NewAddressPage>(locale, &mut pages)?;
    render::<super::staff::StaffListPage>(locale, &mut pages)?;
    render::<super::staff::StaffNewPage>(locale, &mut pages)?;
    render::<super::staff::StaffPersonPage>(locale, &mut pages)?;
    render::<super::staff::DevicesPage>(locale, &mut pages)?;
    render::<super::brand::SettingsPage>(locale, &mut pages)?;
    render::<super::error::ErrorPage>(locale, &mut pages)?;
    render::<super::dev_mail::DevMailListPage>(locale, &mut pages)?;
    render::<super::dev_mail::DevMailPage>(locale, &mut pages)?;
    render::<super::admin::AdminTenantsPage>(locale, &mut pages)?;
    render::<super::admin::AdminTenantPage>(locale, &mut pages)?;
    render::<super::admin::AdminClustersPage>(locale, &mut pages)?;
    render::<super::admin::AdminApplicationsPage>(locale, &mut pages)?;
    render::<super::signup::SignupPage>(locale, &mut pages)?;
    render::<super::signup::SignupSentPage>(locale, &mut pages)?;
    render::<super::signup::SignupConfirmPage>(locale, &mut pages)?;
    render::<super::signup::SignupDonePage>(locale, &mut pages)?;
    render::<super::admin::AdminAuditPage>(locale, &mut pages)?;
    render::<super::docs::DocsPage>(locale, &mut pages)?;
    Ok(pages)
}

fn render<P: Samples>(
    locale: Locale,
    pages: &mut Vec<(&'static str, String)>,
) -> askama::Result<()> {
    for (name, page) in P::samples(locale) {
        pages.push((name, page.render()?));
    }
    Ok(())
}

/// Names that try to be markup; no page may show them unescaped.
pub(super) const HOSTILE_NAME: &str = "<script>alert('x')</script>\"&";

fn chrome(locale: Locale, brand: Brand) -> Chrome {
    Chrome {
        locale,
        brand,
        csrf: "c2FtcGxlLXRva2Vu\"<".to_owned(),
        person: None,
        product: "Tenantry".to_owned(),
    }
}

fn tenant(locale: Locale, name: &str, slug: &str, colour: Option<Colour>) -> Chrome {
    let host = format!("{slug}.localhost:8000");
    let brand = slug.parse::<Slug>().map_or_else(
        |_| Brand::platform(name, &host),
        |slug| Brand::tenant(name, &slug, &host, colour),
    );
    chrome(locale, brand)
}

pub(super) fn platform(locale: Locale) -> Chrome {
    chrome(locale, Brand::platform("Tenantry", "localhost:8000"))
}

pub(super) fn acme(locale: Locale) -> Chrome {
    tenant(locale, "Acme", "acme", None)
}

pub(super) fn globex(locale: Locale) -> Chrome {
    tenant(
        locale,
        "Globex Corporation",
        "globex",
        Some(Colour::new(0xd6, 0x4a, 0x2b)),
    )
}

/// A tenant whose colour needs dark text and can't be read as text itself.
pub(super) fn yellow(locale: Locale) -> Chrome {
    tenant(
        locale,
        "Sonnenwerk",
        "sonnenwerk",
        Some(Colour::new(0xff, 0xd4, 0x00)),
    )
}

pub(super) fn hostile(locale: Locale) -> Chrome {
    tenant(locale, HOSTILE_NAME, "script", None)
}

/// A tenant with a logo, wider than it is high.
pub(super) fn logo(locale: Locale) -> Chrome {
    let chrome = tenant(
        locale,
        "Nordlicht Genossenschaft",
        "nordlicht",
        Some(Colour::new(0x0f, 0x76, 0x6e)),
    );
    let logo = Some(LogoTag::of_hash(&[0x10; 32]));
    Chrome {
        brand: chrome.brand.with_logo(logo),
        ..chrome
    }
}

/// A name longer than its place.
pub(super) fn long_name(locale: Locale) -> Chrome {
    let name = "Landesarbeitsgemeinschaft der Donaudampfschifffahrtsgesellschaften e. V.";
    tenant(locale, name, "landesarbeitsgemeinschaft-donaudampf", None)
}

pub(super) fn person(role: Role) -> Person {
    Person {
        name: "Ada Lovelace".to_owned(),
        email: "ada@example.com".to_owned(),
        role,
    }
}

pub(super) fn signed_in(chrome: Chrome) -> Chrome {
    Chrome {
        person: Some(person(Role::Owner)),
        ..chrome
    }
}

pub(super) fn signed_in_admin(chrome: Chrome) -> Chrome {
    Chrome {
        person: Some(person(Role::PlatformAdmin)),
        ..chrome
    }
}

/// 3 March 2026, 14:03:03 UTC.
pub(super) fn time() -> Timestamp {
    Timestamp::from_micros(1_772_546_583_000_000)
}

pub(super) fn tenant_id(number: u32) -> TenantId {
    TenantId::from_uuid(uuid::Uuid::from_u128(
        0x0193_8f7a_5b1e_7c44_9d0e_3f1c_0000_0000 + u128::from(number),
    ))
}

pub(super) fn outbox_id(number: u32) -> OutboxId {
    OutboxId::from_uuid(tenant_id(number).uuid())
}
