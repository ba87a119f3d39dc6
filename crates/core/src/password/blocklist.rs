//! The passwords that too many people choose (NIST SP 800-63B-4, section 3.1.1.2).
//!
//! The list is one text in the program, sorted, looked up in place: no index is built, and nothing
//! is read from a file. Where it comes from is written beside it, in `blocklist.LICENSE.txt`.

/// 100,000 lines, in lower case as far as ASCII goes, sorted by their octets.
const LIST: &str = include_str!("blocklist.txt");

/// Whether a password is on the list, whatever its case.
pub(super) fn is_common(password: &str) -> bool {
    let wanted = password.to_ascii_lowercase();
    // Between these two octets, each at the beginning of a line or the end of the text.
    let (mut low, mut high) = (0, LIST.len());
    while low < high {
        let middle = low + (high - low) / 2;
        let before = &LIST.as_bytes()[low..middle];
        let begin = before
            .iter()
            .rposition(|octet| *octet == b'\n')
            .map_or(low, |newline| low + newline + 1);
        let rest = &LIST.as_bytes()[begin..high];
        let length = rest.iter().position(|octet| *octet == b'\n');
        let end = length.map_or(high, |length| begin + length);
        match LIST.as_bytes()[begin..end].cmp(wanted.as_bytes()) {
            std::cmp::Ordering::Equal => return true,
            std::cmp::Ordering::Less => low = high.min(end + 1),
            std::cmp::Ordering::Greater => high = begin,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_what_the_lookup_needs() {
        let lines: Vec<_> = LIST.lines().collect();
        assert_eq!(lines.len(), 100_000);
        assert!(lines.is_sorted_by(|one, next| one.as_bytes() < next.as_bytes()));
        for line in &lines {
            assert!(line.chars().count() >= 8, "{line}");
            assert_eq!(*line, line.to_ascii_lowercase());
        }
    }

    #[test]
    fn every_line_is_found_and_nothing_beside_them() {
        for line in LIST.lines() {
            assert!(is_common(line), "{line}");
            assert!(!is_common(&format!("{line}\u{1}")), "{line}");
            assert!(!is_common(&format!("\u{1}{line}")), "{line}");
        }
        assert!(is_common("PassWord"));
        assert!(!is_common(""));
        assert!(!is_common("\u{10ffff}"));
        assert!(!is_common("password\n12345678"));
    }
}
