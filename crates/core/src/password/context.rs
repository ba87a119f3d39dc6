//! What a password must not be made of: the names around it, which whoever guesses tries first.

use unicode_normalization::UnicodeNormalization;

use crate::Email;

/// The fewest characters of a name that counts. A shorter one is in words of every kind.
const FEWEST: usize = 3;

/// How many characters of any kind may be left beside the names, for a password to be made of
/// nothing else: `!`, a year.
const TRIMMING: usize = 4;

/// How many may be left where none of them is a letter: a date such as `1815-12-10`, a few signs.
const TRIMMING_WITHOUT_LETTERS: usize = 10;

/// The names around a password: those of the person, of the tenant and of the product.
#[derive(Debug, Clone, Default)]
pub struct Context {
    names: Vec<String>,
}

impl Context {
    /// Only the product's name.
    pub fn new() -> Self {
        Self::default().named("tenantry")
    }

    /// With an address: what stands before the `@`, whole and in its parts.
    #[must_use]
    pub fn address(self, email: &Email) -> Self {
        let text = email.as_str();
        let local = text.rsplit_once('@').map_or(text, |(local, _)| local);
        self.named(local)
    }

    /// With the name of a person or of a tenant, whole, without its gaps, and in its parts.
    #[must_use]
    pub fn named(mut self, name: &str) -> Self {
        let name = folded(name);
        let parts = || name.split(|c: char| !c.is_alphanumeric());
        let joined: String = parts().collect();
        let names = parts().chain([name.as_str(), &joined]);
        for name in names.filter(|name| name.chars().count() >= FEWEST) {
            if !self.names.iter().any(|known| known == name) {
                self.names.push(name.to_owned());
            }
        }
        // The longest first: a name that holds another one goes as a whole.
        self.names.sort_by_key(|name| std::cmp::Reverse(name.len()));
        self
    }

    /// Whether a password is made of nothing but these names and short trimmings.
    pub(super) fn covers(&self, password: &str) -> bool {
        let mut left = folded(password);
        let before = left.len();
        for name in &self.names {
            // What stood on both sides of a name is no name together.
            left = left.replace(name.as_str(), "\u{0}");
        }
        if left.len() == before && !left.contains('\u{0}') {
            return false;
        }
        let left: Vec<char> = left.chars().filter(|c| *c != '\u{0}').collect();
        left.len() <= TRIMMING
            || (left.len() <= TRIMMING_WITHOUT_LETTERS && !left.iter().any(|c| c.is_alphabetic()))
    }
}

fn folded(text: &str) -> String {
    text.nfc().collect::<String>().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn context() -> Context {
        let email: Email = "ada.king@example.org".parse().unwrap();
        Context::new()
            .address(&email)
            .named("countess")
            .named("Ada Lovelace")
            .named("Analytical Engines")
            .named("analytical-engines")
    }

    #[test]
    fn names_and_trimmings_are_too_close() {
        for password in [
            "analyticalengines",
            "Analytical Engines",
            "analytical-engines2024",
            "AdaLovelace!!1815",
            "lovelaceadalovelace",
            "ada.king@tenantry",
            "countesscountess12",
            "tenantrytenantry",
            "Lovelace-10-12-15",
        ] {
            assert!(context().covers(password), "{password}");
        }
    }

    #[test]
    fn more_than_that_is_not() {
        for password in [
            "correct horse battery staple",
            "lovelace and horses",
            "countess of the punch card",
            "ada xkqzwptmnbvcrd",
            "123456789012345",
            "",
        ] {
            assert!(!context().covers(password), "{password}");
        }
    }

    #[test]
    fn short_names_and_none_cover_nothing() {
        let short = Context::default().named("Al").named("").named("--");
        assert!(!short.covers("alalalalalalalal"));
        assert!(!Context::default().covers(""));
    }
}
