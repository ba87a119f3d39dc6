//! Plain text with its web addresses found, so that a template can make links of them. The text
//! stays text: the template escapes every part.

/// A part of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part<'a> {
    /// Words.
    Text(&'a str),
    /// A web address.
    Link(&'a str),
}

/// Takes a text apart. An address begins with `http://` or `https://` and goes on to the next
/// white space, quote or angle bracket; a mark that ends a sentence does not belong to it.
pub(super) fn parts(mut text: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    while let Some(start) = next_address(text) {
        let (before, rest) = text.split_at(start);
        let end = rest
            .find(|c: char| c.is_whitespace() || c.is_control() || "\"'<>".contains(c))
            .unwrap_or(rest.len());
        let address = rest[..end].trim_end_matches(['.', ',', ';', ':', '!', '?', ')']);
        if !before.is_empty() {
            parts.push(Part::Text(before));
        }
        parts.push(Part::Link(address));
        text = &rest[address.len()..];
    }
    if !text.is_empty() {
        parts.push(Part::Text(text));
    }
    parts
}

/// Where the next address begins.
fn next_address(text: &str) -> Option<usize> {
    match (text.find("http://"), text.find("https://")) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_addresses_and_leaves_the_rest() {
        let text =
            "Set it here:\nhttp://acme.localhost:8000/setup/password/x_1.\n<https://a.b/c>, bye";
        assert_eq!(
            parts(text),
            [
                Part::Text("Set it here:\n"),
                Part::Link("http://acme.localhost:8000/setup/password/x_1"),
                Part::Text(".\n<"),
                Part::Link("https://a.b/c"),
                Part::Text(">, bye"),
            ]
        );
    }

    #[test]
    fn nothing_is_lost() {
        for text in [
            "",
            "http://",
            "no link",
            "javascript:alert(1)",
            "https://https://",
            "ähttp://ö ü",
        ] {
            let joined: String = parts(text)
                .into_iter()
                .map(|part| match part {
                    Part::Text(text) | Part::Link(text) => text,
                })
                .collect();
            assert_eq!(joined, text);
        }
    }
}
