//! Lines out of chunks, however those are cut, with a bound on each line.

/// The longest line that is read, in octets. A hash has 512 at most, names and address less.
const LONGEST: usize = 16 * 1024;

/// One line.
#[derive(Debug, PartialEq, Eq)]
pub enum Line {
    /// Its octets, without the end.
    Whole(Vec<u8>),
    /// It is longer than any that is read.
    TooLong,
}

/// Cuts chunks into lines. Holds no more than one line.
#[derive(Default)]
pub struct Lines {
    open: Vec<u8>,
    too_long: bool,
    number: u64,
}

impl Lines {
    /// Takes a chunk, and gives each line that ends in it to `each`, with its number from 1. Lines
    /// that are blank are counted and left out.
    pub fn push(&mut self, mut chunk: &[u8], mut each: impl FnMut(u64, Line)) {
        while let Some(end) = chunk.iter().position(|octet| *octet == b'\n') {
            self.extend(&chunk[..end]);
            chunk = &chunk[end + 1..];
            self.close(&mut each);
        }
        self.extend(chunk);
    }

    /// The number of the line that has not ended yet.
    pub const fn open_line(&self) -> u64 {
        self.number + 1
    }

    /// Gives the last line, where it has no end.
    pub fn end(mut self, mut each: impl FnMut(u64, Line)) {
        if self.too_long || !self.open.is_empty() {
            self.close(&mut each);
        }
    }

    fn extend(&mut self, octets: &[u8]) {
        if self.open.len() + octets.len() > LONGEST {
            self.too_long = true;
            self.open = Vec::new();
        }
        if !self.too_long {
            self.open.extend_from_slice(octets);
        }
    }

    fn close(&mut self, each: &mut impl FnMut(u64, Line)) {
        self.number += 1;
        let line = std::mem::take(&mut self.open);
        if std::mem::take(&mut self.too_long) {
            return each(self.number, Line::TooLong);
        }
        // Windows puts a byte-order mark before the first line.
        let line = match line.strip_prefix(b"\xef\xbb\xbf") {
            Some(rest) if self.number == 1 => rest.to_vec(),
            _ => line,
        };
        if !line.trim_ascii().is_empty() {
            each(self.number, Line::Whole(line));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(chunks: &[&[u8]]) -> Vec<(u64, Line)> {
        let mut found = Vec::new();
        let mut lines = Lines::default();
        for chunk in chunks {
            lines.push(chunk, |number, line| found.push((number, line)));
        }
        lines.end(|number, line| found.push((number, line)));
        found
    }

    fn whole(number: u64, text: &[u8]) -> (u64, Line) {
        (number, Line::Whole(text.to_vec()))
    }

    #[test]
    fn however_a_text_is_cut_its_lines_are_the_same() {
        let text = b"\xef\xbb\xbfone\r\n\n  \ntwo\nthree";
        let wanted = [whole(1, b"one\r"), whole(4, b"two"), whole(5, b"three")];
        for size in 1..=text.len() {
            let chunks: Vec<_> = text.chunks(size).collect();
            assert_eq!(cut(&chunks), wanted, "{size}");
        }
        let mut lines = Lines::default();
        lines.push(b"one\ntw", |_, _| {});
        assert_eq!(lines.open_line(), 2);
        assert_eq!(cut(&[]), []);
        assert_eq!(cut(&[b"one\n"]), [whole(1, b"one")]);
    }

    #[test]
    fn a_line_that_is_too_long_holds_no_memory_and_leaves_the_next() {
        let long = vec![b'x'; LONGEST];
        assert_eq!(
            cut(&[&long, b"x", &long, b"\nnext\n"]),
            [(1, Line::TooLong), whole(2, b"next")]
        );
        assert_eq!(cut(&[&long, b"x"]), [(1, Line::TooLong)]);
        assert_eq!(cut(&[&long]), [whole(1, &long)]);
        let mut lines = Lines::default();
        for _ in 0..100 {
            lines.push(&long, |_, _| panic!("there is no end"));
        }
        assert!(lines.open.capacity() <= LONGEST);
    }
}
