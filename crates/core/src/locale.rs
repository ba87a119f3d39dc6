//! The languages the product speaks.

use crate::text_enum::text_enum;

text_enum! {
    /// A language of pages and mails.
    #[derive(Default)]
    pub enum Locale {
        /// English.
        #[default]
        En = "en",
        /// German.
        De = "de",
    }
}

impl Locale {
    /// The best of our languages for an `Accept-Language` header (RFC 9110, section 12.5.4):
    /// highest weight first, the earlier of equals, English where nothing fits.
    pub fn negotiate(header: &str) -> Self {
        let mut best = (0.0_f32, Self::default());
        for part in header.split(',').take(16) {
            let mut pieces = part.split(';');
            let tag = pieces
                .next()
                .unwrap_or_default()
                .trim()
                .to_ascii_lowercase();
            let weight = pieces
                .find_map(|piece| piece.trim().strip_prefix("q=")?.parse::<f32>().ok())
                .unwrap_or(1.0);
            let primary = tag.split('-').next().unwrap_or_default();
            if let Some(locale) = Self::ALL.iter().find(|locale| locale.as_str() == primary)
                && weight > best.0
            {
                best = (weight, *locale);
            }
        }
        best.1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_the_heaviest_language_we_speak() {
        assert_eq!(Locale::negotiate("de-AT,de;q=0.9,en;q=0.8"), Locale::De);
        assert_eq!(Locale::negotiate("en-US,en;q=0.9,de;q=0.8"), Locale::En);
        assert_eq!(Locale::negotiate("fr, de;q=0.3"), Locale::De);
        assert_eq!(Locale::negotiate("de;q=0"), Locale::En);
        assert_eq!(Locale::negotiate("\u{0}; garbage,,,"), Locale::En);
    }
}
