//! Tests of logos, with heads of images as encoders write them.

use super::*;

fn png(width: u32, height: u32) -> Vec<u8> {
    let mut body = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR".to_vec();
    body.extend(width.to_be_bytes());
    body.extend(height.to_be_bytes());
    body.extend([8, 6, 0, 0, 0]);
    body
}

fn jpeg(width: u16, height: u16) -> Vec<u8> {
    // An application's segment, a filling octet and a table before the frame.
    let mut body =
        b"\xff\xd8\xff\xe0\x00\x04JF\xff\xff\xdb\x00\x03\x00\xff\xc2\x00\x11\x08".to_vec();
    body.extend(height.to_be_bytes());
    body.extend(width.to_be_bytes());
    body.extend([3, 1, 0x22, 0]);
    body
}

fn webp(chunk: [u8; 4], rest: &[u8]) -> Vec<u8> {
    let mut body = b"RIFF\0\0\0\0WEBP".to_vec();
    body.extend(chunk);
    body.extend([0; 4]);
    body.extend(rest);
    body
}

fn kind(body: Vec<u8>) -> Result<ImageKind, LogoError> {
    Logo::read(body).map(|logo| logo.kind())
}

#[test]
fn images_are_known_by_their_first_octets() {
    assert_eq!(kind(png(200, 50)), Ok(ImageKind::Png));
    assert_eq!(kind(jpeg(640, 480)), Ok(ImageKind::Jpeg));
    let lossy = [0, 0, 0, 0x9d, 0x01, 0x2a, 0x40, 0x40, 0x20, 0x00];
    assert_eq!(kind(webp(*b"VP8 ", &lossy)), Ok(ImageKind::Webp));
    // 100 by 60: 99 in the lower 14 bits, 59 in the next.
    let bits = (99_u32 + (59 << 14)).to_le_bytes();
    let lossless = [&[0x2f][..], &bits].concat();
    assert_eq!(kind(webp(*b"VP8L", &lossless)), Ok(ImageKind::Webp));
    let extended = [0, 0, 0, 0, 99, 0, 0, 59, 0, 0];
    assert_eq!(kind(webp(*b"VP8X", &extended)), Ok(ImageKind::Webp));
}

#[test]
fn sizes_are_read_where_they_are() {
    let size = |body: Vec<u8>| size::of(&body).map(|(_, size)| size);
    assert_eq!(size(png(200, 50)), Some((200, 50)));
    assert_eq!(size(jpeg(640, 480)), Some((640, 480)));
    let lossy = [0, 0, 0, 0x9d, 0x01, 0x2a, 0x40, 0x41, 0x20, 0x80];
    assert_eq!(size(webp(*b"VP8 ", &lossy)), Some((0x140, 0x20)));
    let bits = (99_u32 + (59 << 14)).to_le_bytes();
    let lossless = [&[0x2f][..], &bits].concat();
    assert_eq!(size(webp(*b"VP8L", &lossless)), Some((100, 60)));
    let extended = [0, 0, 0, 0, 99, 0, 0, 59, 1, 0];
    assert_eq!(size(webp(*b"VP8X", &extended)), Some((100, 316)));
}

#[test]
fn what_is_no_image_is_refused_whatever_it_is_called() {
    assert_eq!(kind(Vec::new()), Err(LogoError::Missing));
    for bad in [
        &b"<svg xmlns=\"http://www.w3.org/2000/svg\"><script/></svg>"[..],
        b"GIF89a\x10\0\x10\0",
        b"<!doctype html><script>alert(1)</script>",
        b"\x89PNG\r\n\x1a\n<script>",
        b"\xff\xd8\xff\xda\x00\x02",
        b"\xff\xd8\xff\xd9",
        b"\xff\xd8\xff<script>",
        b"RIFF\0\0\0\0WAVEfmt ",
        b"RIFF\0\0\0\0WEBPVP8 ",
    ] {
        assert_eq!(kind(bad.to_vec()), Err(LogoError::NoImage), "{bad:?}");
    }
}

#[test]
fn a_head_that_is_cut_off_is_no_image() {
    let extended = [0, 0, 0, 0, 99, 0, 0, 59, 0, 0];
    let extended = webp(*b"VP8X", &extended);
    // Where each says how high or wide it is at last.
    for (whole, told) in [(png(200, 50), 24), (jpeg(640, 480), 23), (extended, 30)] {
        for length in 1..told {
            let cut = whole[..length].to_vec();
            assert_eq!(kind(cut), Err(LogoError::NoImage), "{length} of {whole:?}");
        }
        assert!(kind(whole[..told].to_vec()).is_ok());
    }
}

#[test]
fn octets_and_pixels_are_bounded() {
    let mut large = png(200, 50);
    large.resize(LOGO_OCTETS, 0);
    assert_eq!(kind(large.clone()), Ok(ImageKind::Png));
    large.push(0);
    assert_eq!(kind(large), Err(LogoError::TooLarge));
    for (width, height) in [
        (15, 50),
        (50, 15),
        (2049, 50),
        (50, 2049),
        (0, 0),
        (u32::MAX, 50),
    ] {
        assert_eq!(kind(png(width, height)), Err(LogoError::Size), "{width}");
    }
    assert_eq!(kind(png(16, 2048)), Ok(ImageKind::Png));
}

#[test]
fn a_tag_is_read_as_it_is_written() {
    let tag = LogoTag::of_hash(&std::array::from_fn(|place| {
        0xa5 ^ u8::try_from(place).unwrap_or_default()
    }));
    assert_eq!(tag.to_string().parse(), Ok(tag));
    let text = tag.to_string();
    for bad in [&text[1..], &text.to_uppercase(), "", &format!("{text}0")] {
        assert_eq!(bad.parse::<LogoTag>(), Err(LogoTagError), "{bad}");
    }
}
