//! Width and height of an image, from its head.

use super::ImageKind;

type Size = (u32, u32);

/// Kind, width and height of an image; `None` for anything else.
pub(super) fn of(body: &[u8]) -> Option<(ImageKind, Size)> {
    if body.starts_with(b"\x89PNG\r\n\x1a\n") {
        return Some((ImageKind::Png, png(body)?));
    }
    if body.starts_with(b"\xff\xd8\xff") {
        return Some((ImageKind::Jpeg, jpeg(body)?));
    }
    if body.starts_with(b"RIFF") && body.get(8..12)? == b"WEBP" {
        return Some((ImageKind::Webp, webp(body)?));
    }
    None
}

/// Big-endian.
fn big(body: &[u8], at: usize, octets: usize) -> Option<u32> {
    let part = body.get(at..at.checked_add(octets)?)?;
    Some(
        part.iter()
            .fold(0, |sum, octet| sum << 8 | u32::from(*octet)),
    )
}

/// Little-endian.
fn little(body: &[u8], at: usize, octets: usize) -> Option<u32> {
    let part = body.get(at..at.checked_add(octets)?)?;
    let octets = part.iter().rev();
    Some(octets.fold(0, |sum, octet| sum << 8 | u32::from(*octet)))
}

/// The first chunk is `IHDR`, of 13 octets (PNG, section 11.2.1).
fn png(body: &[u8]) -> Option<Size> {
    let is_head = big(body, 8, 4)? == 13 && body.get(12..16)? == b"IHDR";
    is_head.then_some((big(body, 16, 4)?, big(body, 20, 4)?))
}

/// The frame's header follows some segments, each with its length (ITU-T T.81, annex B).
fn jpeg(body: &[u8]) -> Option<Size> {
    let mut at = 2;
    loop {
        if *body.get(at)? != 0xff {
            return None;
        }
        let marker = *body.get(at + 1)?;
        match marker {
            // Octets that fill up, and markers that stand alone.
            0xff => at += 1,
            0x01 | 0xd0..=0xd7 => at += 2,
            // The start of a frame, but for C4, C8 and CC, which are tables and a reserved one.
            0xc0..=0xc3 | 0xc5..=0xc7 | 0xc9..=0xcb | 0xcd..=0xcf => {
                return Some((big(body, at + 7, 2)?, big(body, at + 5, 2)?));
            }
            // The image's data or its end, before any frame.
            0xd8..=0xda => return None,
            _ => at += 2 + usize::try_from(big(body, at + 2, 2)?.max(2)).ok()?,
        }
    }
}

/// One of three first chunks (RFC 9649, sections 2.5 to 2.7).
fn webp(body: &[u8]) -> Option<Size> {
    match body.get(12..16)? {
        b"VP8 " if body.get(23..26)? == [0x9d, 0x01, 0x2a] => {
            // The upper two bits scale.
            let side = |at| Some(little(body, at, 2)? & 0x3fff);
            Some((side(26)?, side(28)?))
        }
        b"VP8L" if *body.get(20)? == 0x2f => {
            let bits = little(body, 21, 4)?;
            Some(((bits & 0x3fff) + 1, (bits >> 14 & 0x3fff) + 1))
        }
        b"VP8X" => Some((little(body, 24, 3)? + 1, little(body, 27, 3)? + 1)),
        _ => None,
    }
}
