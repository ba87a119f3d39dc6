//! Names that people gave to themselves or to their tenant, made safe to print.

use std::fmt;

use crate::Link;

/// The most characters of a name that a mail shows: fits a subject line and a phone's width twice.
const LONGEST: usize = 80;

/// A name on one line, without control characters and without characters that turn the direction
/// of writing, shortened to 80 characters, never empty.
///
/// Names come from strangers. A line break in one could forge a header or a line with another
/// link; a right-to-left override could show a link backwards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlainName(String);

/// Characters that show nothing and change how their neighbours show: directional marks,
/// embeddings, overrides and isolates (Unicode UAX 9), zero-width spaces, interlinear marks.
const fn is_deceptive(c: char) -> bool {
    matches!(c,
        '\u{061c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}')
}

impl PlainName {
    /// What can be shown of `text`; nothing if nothing is left.
    pub fn clean(text: &str) -> Option<Self> {
        let visible: String = text.chars().filter(|c| !is_deceptive(*c)).collect();
        // U+2028 and U+2029 are white space to `char`, so they end a word here like a line break.
        let words: Vec<&str> = visible
            .split(|c: char| c.is_whitespace() || c.is_control())
            .filter(|word| !word.is_empty())
            .collect();
        let mut line = words.join(" ");
        if line.chars().count() > LONGEST {
            line = line.chars().take(LONGEST - 1).collect();
            line.truncate(line.trim_end().len());
            line.push('\u{2026}');
        }
        (!line.is_empty()).then_some(Self(line))
    }

    /// The host of `link` in place of a name; hosts hold nothing that deceives.
    pub(crate) fn of_host(link: &Link) -> Self {
        Self(link.host().to_owned())
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a mail program could turn a part of the name into a link. A stranger who signs
    /// somebody else up could advertise that way in our mails, so such a person is greeted
    /// without a name.
    pub(crate) fn looks_like_a_link(&self) -> bool {
        self.0.contains(['/', '@', ':'])
            || self.0.split(' ').any(|word| {
                word.split('.')
                    .skip(1)
                    .any(|after| after.chars().take_while(|c| c.is_alphanumeric()).count() >= 2)
            })
    }
}

impl fmt::Display for PlainName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl serde::Serialize for PlainName {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> serde::Deserialize<'de> for PlainName {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <String as serde::Deserialize>::deserialize(deserializer)?;
        Self::clean(&text).ok_or_else(|| serde::de::Error::custom("a name can't be empty"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cleaned(text: &str) -> String {
        PlainName::clean(text)
            .map(|name| name.0)
            .unwrap_or_default()
    }

    #[test]
    fn keeps_names_from_everywhere() {
        for name in [
            "Jörg Weiß",
            "Ngọc Ánh",
            "شركة النور",
            "山田 太郎",
            "O'Brien & Söhne",
            "👩‍🔬 Lab",
        ] {
            assert_eq!(cleaned(name), name);
        }
    }

    #[test]
    fn takes_out_what_deceives() {
        assert_eq!(
            cleaned("Acme\r\nBcc: eve@example.org"),
            "Acme Bcc: eve@example.org"
        );
        assert_eq!(cleaned(" Acme\u{2028}\u{0}\u{85}GmbH\t"), "Acme GmbH");
        assert_eq!(cleaned("A\u{202e}cme\u{200b}\u{feff}"), "Acme");
        assert_eq!(PlainName::clean("\u{202e}\r\n \u{7}"), None);
    }

    #[test]
    fn shortens_what_is_too_long() {
        let name = cleaned(&"ä".repeat(300));
        assert_eq!(name.chars().count(), 80);
        assert!(name.ends_with('…'));
    }

    #[test]
    fn tells_names_from_advertisements() {
        let link = |text: &str| PlainName::clean(text).is_some_and(|n| n.looks_like_a_link());
        for text in [
            "J. R. R. Tolkien",
            "J.R.R. Tolkien",
            "Dr. Ada Lovelace",
            "Ada (Ops)",
        ] {
            assert!(!link(text), "{text}");
        }
        for text in [
            "win at evil.example now",
            "https://evil",
            "www.evil.example",
            "a@b.org",
            "evil.co!",
        ] {
            assert!(link(text), "{text}");
        }
    }
}
