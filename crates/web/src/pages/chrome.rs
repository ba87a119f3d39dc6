//! What every page shows beside its content: language, whose pages they are, who is signed in.

use tenantry_core::logo::LogoTag;
use tenantry_core::{Email, Locale, Role, Slug};

use super::house::{self, Light};
use crate::assets::{self, Colour};
use crate::i18n::{self, Texts};

/// What every page shows beside its content. Has no `Debug`, since it holds a token.
#[derive(Clone)]
pub struct Chrome {
    /// The language.
    pub locale: Locale,
    /// Whose pages they are.
    pub brand: Brand,
    /// The token against forged forms.
    pub csrf: String,
    /// Who is signed in.
    pub person: Option<Person>,
    /// The name of the product, as the operator calls it.
    pub product: String,
}

impl Chrome {
    /// The texts of the language.
    pub fn t(&self) -> &'static Texts {
        i18n::of(self.locale)
    }

    /// The language, for the `lang` attribute.
    pub fn lang(&self) -> &'static str {
        self.locale.as_str()
    }

    /// The title of the browser's window.
    pub fn window(&self, page: &str) -> String {
        format!("{page} · {}", self.brand.name)
    }

    /// "Runs on" the product, on a tenant's pages.
    pub fn runs_on(&self) -> String {
        i18n::fill(self.t().common.runs_on, "product", &self.product)
    }

    /// Whether whoever is signed in runs the tenant's people.
    pub fn runs_people(&self) -> bool {
        let person = self.person.as_ref();
        person.is_some_and(|person| matches!(person.role, Role::Owner | Role::Admin))
    }

    /// The address of an asset, with its version.
    pub fn asset(path: &str) -> String {
        assets::href(path)
    }
}

/// Who is signed in.
#[derive(Debug, Clone)]
pub struct Person {
    /// The name to show: full name, else username, else address.
    pub name: String,
    /// The address.
    pub email: String,
    /// What the person may do.
    pub role: Role,
}

impl Person {
    /// Whether the console is open to the person.
    pub fn is_platform_admin(&self) -> bool {
        self.role == Role::PlatformAdmin
    }
}

/// Whose pages they are: a tenant's, or the platform's own.
#[derive(Debug, Clone)]
pub struct Brand {
    /// The name.
    pub name: String,
    /// The host, with its port where it is not the usual one.
    pub host: String,
    /// Whether these are the platform's own pages.
    pub is_platform: bool,
    /// The colour.
    pub colour: Colour,
    /// The address of the logo, where there is one.
    pub logo: Option<String>,
    /// What the windows of the house are laid out by; the same for the same tenant.
    seed: u64,
}

impl Brand {
    /// The platform's own.
    pub fn platform(name: &str, host: &str) -> Self {
        Self {
            name: name.to_owned(),
            host: host.to_owned(),
            is_platform: true,
            colour: Colour::PLATFORM,
            logo: None,
            seed: house::seed(host),
        }
    }

    /// A tenant's. Without a colour of its own it gets one of the street, the same each time.
    pub fn tenant(name: &str, slug: &Slug, host: &str, colour: Option<Colour>) -> Self {
        Self {
            name: name.to_owned(),
            host: host.to_owned(),
            is_platform: false,
            colour: colour.unwrap_or_else(|| Colour::of_street(slug)),
            logo: None,
            seed: house::seed(slug.as_str()),
        }
    }

    /// The same with this logo, where there is one.
    #[must_use]
    pub fn with_logo(self, logo: Option<LogoTag>) -> Self {
        Self {
            logo: logo.map(assets::logo_path),
            ..self
        }
    }

    /// The address of the style sheet in the brand's colour.
    pub fn stylesheet(&self) -> String {
        assets::tenant_href(self.colour)
    }

    /// One or two letters to know the brand by.
    pub fn monogram(&self) -> String {
        monogram(&self.name)
    }

    /// The house, as an inline SVG for the side of a page.
    pub fn house(&self) -> String {
        house::front(self.seed, Light::Evening)
    }

    /// The same with no light on: nobody can get in.
    pub fn dark_house(&self) -> String {
        house::front(self.seed, Light::Out)
    }

    /// One floor of the house, as an inline SVG for the head of a page.
    pub fn floor(&self) -> String {
        house::floor(self.seed)
    }
}

/// The first letters of the first two words of a name, in upper case.
pub fn monogram(name: &str) -> String {
    let initials: String = name
        .split(|c: char| !c.is_alphanumeric())
        .filter_map(|word| word.chars().next())
        .take(2)
        .flat_map(char::to_uppercase)
        .collect();
    if initials.is_empty() {
        "·".to_owned()
    } else {
        initials
    }
}

/// How a person is called on pages: full name, else username, else the part before the @.
pub fn display_name(full_name: Option<&str>, username: Option<&str>, email: &Email) -> String {
    let email = email.as_str();
    full_name
        .or(username)
        .unwrap_or_else(|| email.split('@').next().unwrap_or(email))
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_monogram_is_made_of_letters_only() {
        assert_eq!(monogram("Acme"), "A");
        assert_eq!(monogram("École d’été"), "ÉD");
        assert_eq!(monogram("  <script>alert(1)"), "SA");
        assert_eq!(monogram("+++"), "·");
        assert_eq!(monogram(""), "·");
    }

    #[test]
    fn a_tenant_keeps_its_colour_and_its_house() -> Result<(), tenantry_core::slug::SlugError> {
        let slug: Slug = "acme".parse()?;
        let one = Brand::tenant("Acme", &slug, "acme.localhost", None);
        let renamed = Brand::tenant("Acme Inc.", &slug, "acme.example", None);
        assert_eq!(one.colour, renamed.colour);
        assert_eq!(one.house(), renamed.house());
        let other = Brand::tenant("Globex", &"globex".parse()?, "globex.localhost", None);
        assert_ne!(one.house(), other.house());
        Ok(())
    }
}
