//! Rust text taken apart just enough for the rules: what is code, what is a literal, what is
//! compiled for tests only. Not a parser; it knows comments, literals and braces.

/// A Rust file in two views of equal length and equal lines.
pub(super) struct Source {
    /// Comments and the inside of literals are blanked.
    pub(super) code: String,
    /// Comments and code are blanked; the inside of string literals is left.
    pub(super) literals: String,
    /// For each line whether it belongs to an item under `#[cfg(test)]`.
    test_lines: Vec<bool>,
}

impl Source {
    pub(super) fn parse(text: &str) -> Self {
        let (code, literals) = split(text);
        let test_lines = test_lines(&code);
        Self {
            code,
            literals,
            test_lines,
        }
    }

    /// The numbers (from 1) and texts of the lines of `view` that are not for tests only.
    pub(super) fn product<'a>(&self, view: &'a str) -> impl Iterator<Item = (usize, &'a str)> {
        view.lines()
            .enumerate()
            .filter(|(index, _)| !self.test_lines.get(*index).copied().unwrap_or(false))
            .map(|(index, line)| (index + 1, line))
    }

    /// The names of modules in files of their own that are declared for tests only.
    pub(super) fn test_modules(&self) -> Vec<&str> {
        self.code
            .lines()
            .zip(&self.test_lines)
            .filter(|(_, test)| **test)
            .filter_map(|(line, _)| declared_module(line))
            .filter(|(_, own_file)| *own_file)
            .map(|(name, _)| name)
            .collect()
    }
}

/// The module that a line of code declares, and whether the module has a file of its own.
pub(super) fn declared_module(line: &str) -> Option<(&str, bool)> {
    let words = line.trim();
    let words = words
        .strip_prefix("#[cfg(test)]")
        .unwrap_or(words)
        .trim_start();
    let rest = match words.strip_prefix("pub") {
        Some(rest) if rest.starts_with('(') => rest.split_once(')')?.1,
        Some(rest) => rest,
        None => words,
    };
    let rest = rest.trim_start().strip_prefix("mod ")?;
    let end = rest
        .find(|c: char| !(c.is_alphanumeric() || c == '_'))
        .unwrap_or(rest.len());
    Some((&rest[..end], rest[end..].trim_start().starts_with(';')))
}

/// What the characters at the reading position belong to.
enum State {
    Code,
    LineComment,
    BlockComment { depth: usize },
    Text { hashes: Option<usize> },
}

/// Splits a text into its view of code and its view of string literals.
fn split(text: &str) -> (String, String) {
    let chars: Vec<char> = text.chars().collect();
    let mut code = String::with_capacity(text.len());
    let mut literals = String::with_capacity(text.len());
    let mut state = State::Code;
    let mut at = 0;
    while at < chars.len() {
        let next = |offset: usize| chars.get(at + offset).copied().unwrap_or('\0');
        let c = chars[at];
        // How many characters are taken, and in which view they stay.
        let (mut width, mut is_code, mut is_literal) = (1, false, false);
        match state {
            State::Code if c == '/' && next(1) == '/' => state = State::LineComment,
            State::Code if c == '/' && next(1) == '*' => {
                (width, state) = (2, State::BlockComment { depth: 1 });
            }
            State::Code => {
                is_code = true;
                if c == '"' {
                    state = State::Text { hashes: None };
                } else if let Some(hashes) = raw_text(&chars, at) {
                    (width, state) = (
                        hashes + 2,
                        State::Text {
                            hashes: Some(hashes),
                        },
                    );
                } else if c == '\'' {
                    width = character_width(&chars, at);
                }
            }
            State::LineComment if c == '\n' => state = State::Code,
            State::BlockComment { depth } if c == '*' && next(1) == '/' => {
                width = 2;
                state = if depth == 1 {
                    State::Code
                } else {
                    State::BlockComment { depth: depth - 1 }
                };
            }
            State::BlockComment { depth } if c == '/' && next(1) == '*' => {
                (width, state) = (2, State::BlockComment { depth: depth + 1 });
            }
            State::LineComment | State::BlockComment { .. } => {}
            State::Text { hashes: None } if c == '\\' => (width, is_literal) = (2, true),
            State::Text { hashes } if c == '"' && closes(&chars, at, hashes) => {
                (width, is_code, state) = (1 + hashes.unwrap_or(0), true, State::Code);
            }
            State::Text { .. } => is_literal = true,
        }
        let character = is_code && c == '\'' && width > 1;
        for c in chars.iter().skip(at).take(width) {
            let blank = if *c == '\n' { '\n' } else { ' ' };
            code.push(if is_code && !character { *c } else { blank });
            literals.push(if is_literal { *c } else { blank });
        }
        at += width;
    }
    (code, literals)
}

/// If a raw string opens here, the number of its hashes.
fn raw_text(chars: &[char], at: usize) -> Option<usize> {
    let within_name = at > 0 && {
        let before = chars[at - 1];
        // `br"` and `cr"` are raw strings too; any other letter before makes it a name.
        (before.is_alphanumeric() && !matches!(before, 'b' | 'c')) || before == '_'
    };
    if chars[at] != 'r' || within_name {
        return None;
    }
    let hashes = chars[at + 1..].iter().take_while(|c| **c == '#').count();
    (chars.get(at + 1 + hashes) == Some(&'"')).then_some(hashes)
}

fn closes(chars: &[char], at: usize, hashes: Option<usize>) -> bool {
    let wanted = hashes.unwrap_or(0);
    chars[at + 1..]
        .iter()
        .take(wanted)
        .filter(|c| **c == '#')
        .count()
        == wanted
}

/// The width of the character literal at a quote; 1 where the quote opens a lifetime.
fn character_width(chars: &[char], at: usize) -> usize {
    let rest = &chars[at + 1..];
    match rest.first() {
        // The first character after the backslash may itself be a quote.
        Some('\\') => rest
            .iter()
            .skip(2)
            .position(|c| *c == '\'')
            .map_or(1, |end| end + 4),
        Some(_) if rest.get(1) == Some(&'\'') => 3,
        _ => 1,
    }
}

/// For each line whether an item under `#[cfg(test)]` covers it.
fn test_lines(code: &str) -> Vec<bool> {
    let mut lines = vec![false; code.lines().count()];
    for attribute in ["#[cfg(test)]", "#[cfg(all(test,"] {
        for (start, _) in code.match_indices(attribute) {
            let first = code[..start].matches('\n').count();
            let end = item_end(code, start + attribute.len());
            let last = code[..end].matches('\n').count();
            for line in lines.iter_mut().take(last + 1).skip(first) {
                *line = true;
            }
        }
    }
    lines
}

/// Where the item that follows an attribute ends: at its closing brace, or at its semicolon.
fn item_end(code: &str, start: usize) -> usize {
    let mut depth = 0_usize;
    let mut brackets = 0_usize;
    for (offset, c) in code[start..].char_indices() {
        match c {
            '(' | '[' => brackets += 1,
            ')' | ']' => brackets = brackets.saturating_sub(1),
            '{' => depth += 1,
            '}' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return start + offset;
                }
            }
            ';' if depth == 0 && brackets == 0 => return start + offset,
            _ => {}
        }
    }
    code.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_literals_are_told_from_code() {
        let source =
            Source::parse("let a = \"x // y\"; // z\nlet b = r#\"q\"w\"#; /* c /* d */ */ e");
        assert_eq!(source.code.lines().next(), Some("let a = \"      \";     "));
        assert_eq!(
            source.literals.lines().next().map(str::trim),
            Some("x // y")
        );
        let second = source.code.lines().nth(1).unwrap();
        assert!(
            second.starts_with("let b = r#\"   \"#;") && second.ends_with(" e"),
            "{second}"
        );
        assert!(!second.contains('d'));
        assert_eq!(source.literals.lines().nth(1).map(str::trim), Some("q\"w"));
    }

    #[test]
    fn characters_and_lifetimes_open_no_literal() {
        let source =
            Source::parse("fn f<'a>(x: &'a str) { x == '\"' || x == '\\'' || y == '\\u{7f}' } z()");
        assert!(source.code.ends_with("} z()"), "{}", source.code);
        assert!(source.code.contains("fn f<'a>(x: &'a str)"));
    }

    #[test]
    fn items_for_tests_only_are_left_out() {
        let text = "one();\n#[cfg(test)]\nmod tests {\n  fn f() { two() }\n}\nthree();\n#[cfg(test)]\nmod four;\nfive();";
        let source = Source::parse(text);
        let kept: Vec<&str> = source.product(&source.code).map(|(_, line)| line).collect();
        assert_eq!(kept, ["one();", "three();", "five();"]);
        assert_eq!(source.test_modules(), ["four"]);
    }

    #[test]
    fn modules_are_found_under_any_visibility() {
        assert_eq!(declared_module("pub(crate) mod a;"), Some(("a", true)));
        assert_eq!(declared_module("mod b {"), Some(("b", false)));
        assert_eq!(declared_module("    model.run();"), None);
    }
}
