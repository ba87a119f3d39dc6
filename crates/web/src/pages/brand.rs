//! What a tenant's pages and mails look like: the forms for colour and logo, on the settings page of
//! its owners and admins, and in the console.

use askama::Template;
use tenantry_core::tenant::Tenant;
use tenantry_core::{Colour, Locale};

use super::samples::{self, Samples};
use super::{Chrome, paths};
use crate::assets::logo_path;
use crate::i18n;

/// The forms for a tenant's look. They are sent to `base`, with `colour`, which may be empty; to
/// `base/logo`, with the file `logo`; and to `base/logo/remove`.
#[derive(Debug, Clone)]
pub struct BrandForms {
    /// The address that those of the forms begin with.
    pub base: String,
    /// The colour that the tenant is painted in.
    pub paint: Colour,
    /// Whether it chose that colour.
    pub is_own: bool,
    /// The colour as it was typed, where that is none.
    pub typed: Option<String>,
    /// The address of the logo, where there is one.
    pub logo: Option<String>,
    /// Why something was not done.
    pub trouble: Option<BrandTrouble>,
}

/// What happened to a tenant's look just before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BrandNotice {
    /// The colour was changed.
    Colour,
    /// A logo was set.
    Logo,
    /// The logo was removed.
    LogoRemoved,
}

/// Why something about a tenant's look was not done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BrandTrouble {
    /// What was typed is no colour.
    Colour,
    /// No file was chosen.
    Missing,
    /// The file is too large.
    TooLarge,
    /// The file is no image that we take.
    NoImage,
    /// The image is too small or too big.
    Size,
}

impl BrandNotice {
    /// The notice for `?done=` in the address.
    pub fn from_done(done: &str) -> Option<Self> {
        match done {
            "colour" => Some(Self::Colour),
            "logo" => Some(Self::Logo),
            "logo_removed" => Some(Self::LogoRemoved),
            _ => None,
        }
    }

    /// The word for `?done=` in the address.
    pub const fn done(self) -> &'static str {
        match self {
            Self::Colour => "colour",
            Self::Logo => "logo",
            Self::LogoRemoved => "logo_removed",
        }
    }

    pub(super) fn text(self, locale: Locale) -> &'static str {
        let t = &i18n::of(locale).brand;
        match self {
            Self::Colour => t.done_colour,
            Self::Logo => t.done_logo,
            Self::LogoRemoved => t.done_removed,
        }
    }
}

impl BrandTrouble {
    /// What the API says about a field, by its name and code.
    pub fn from_error(field: &str, code: &str) -> Self {
        match (field, code) {
            ("colour", _) => Self::Colour,
            (_, "required") => Self::Missing,
            (_, "too_large") => Self::TooLarge,
            (_, "size") => Self::Size,
            _ => Self::NoImage,
        }
    }
}

impl BrandForms {
    /// The forms of a tenant.
    pub fn of(tenant: &Tenant, base: String) -> Self {
        Self {
            base,
            paint: tenant.paint(),
            is_own: tenant.colour.is_some(),
            typed: None,
            logo: tenant.logo.map(logo_path),
            trouble: None,
        }
    }

    pub(super) fn colour(&self) -> String {
        match &self.typed {
            Some(typed) => typed.clone(),
            None if self.is_own => self.paint.to_string(),
            None => String::new(),
        }
    }

    pub(super) fn colour_none(&self, chrome: &Chrome) -> String {
        let text = chrome.t().brand.colour_none;
        i18n::fill(text, "colour", &self.paint.to_string())
    }

    pub(super) fn colour_error(&self, chrome: &Chrome) -> &'static str {
        match self.trouble {
            Some(BrandTrouble::Colour) => chrome.t().brand.wrong_colour,
            _ => "",
        }
    }

    pub(super) fn logo_error(&self, chrome: &Chrome) -> &'static str {
        let t = &chrome.t().brand;
        match self.trouble {
            None | Some(BrandTrouble::Colour) => "",
            Some(BrandTrouble::Missing) => t.wrong_missing,
            Some(BrandTrouble::TooLarge) => t.wrong_too_large,
            Some(BrandTrouble::NoImage) => t.wrong_image,
            Some(BrandTrouble::Size) => t.wrong_size,
        }
    }
}

/// The settings of a tenant, for its owners and admins.
#[derive(Clone, Template)]
#[template(path = "settings/settings.html")]
pub struct SettingsPage {
    /// What every page shows.
    pub chrome: Chrome,
    /// What happened just before.
    pub notice: Option<BrandNotice>,
    /// The forms.
    pub brand: BrandForms,
}

impl SettingsPage {
    fn lead(&self) -> String {
        let name = &self.chrome.brand.name;
        i18n::fill(self.chrome.t().brand.lead, "tenant", name)
    }

    fn notice_text(&self) -> Option<&'static str> {
        self.notice.map(|notice| notice.text(self.chrome.locale))
    }
}

/// The forms as samples show them.
pub(super) fn sample(chrome: &Chrome, base: &str) -> BrandForms {
    BrandForms {
        base: base.to_owned(),
        paint: chrome.brand.colour,
        is_own: chrome.brand.logo.is_some(),
        typed: None,
        logo: chrome.brand.logo.clone(),
        trouble: None,
    }
}

impl Samples for SettingsPage {
    fn samples(locale: Locale) -> Vec<(&'static str, Self)> {
        let page = |chrome: Chrome, notice, trouble| {
            let chrome = samples::signed_in(chrome);
            let brand = BrandForms {
                trouble,
                ..sample(&chrome, paths::SETTINGS)
            };
            Self {
                chrome,
                notice,
                brand,
            }
        };
        let mut wrong = page(samples::globex(locale), None, Some(BrandTrouble::Colour));
        wrong.brand.typed = Some("\"><script>alert(1)</script>".to_owned());
        let saved = Some(BrandNotice::Logo);
        let no_image = Some(BrandTrouble::NoImage);
        vec![
            ("settings", page(samples::acme(locale), None, None)),
            ("settings-wrong-colour", wrong),
            (
                "settings-wrong-logo",
                page(samples::yellow(locale), None, no_image),
            ),
            ("settings-logo", page(samples::logo(locale), saved, None)),
            (
                "settings-hostile",
                page(samples::hostile(locale), None, None),
            ),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_done_is_told_by_a_word() {
        for notice in [
            BrandNotice::Colour,
            BrandNotice::Logo,
            BrandNotice::LogoRemoved,
        ] {
            assert_eq!(BrandNotice::from_done(notice.done()), Some(notice));
        }
        assert_eq!(BrandNotice::from_done("<b>"), None);
    }
}
