//! Tests of forms with a file, as Chromium and Firefox write them.

use super::*;

const BOUNDARY: &str = "----WebKitFormBoundaryx";

fn form(parts: &[&str]) -> Bytes {
    let part = |part: &&str| format!("--{BOUNDARY}\r\nContent-Disposition: form-data; {part}\r\n");
    let parts = parts.iter().map(part);
    let end = format!("--{BOUNDARY}--\r\n");
    Bytes::from(parts.chain([end]).collect::<String>())
}

fn read(bytes: &Bytes) -> Option<(Fields, Bytes)> {
    parse(bytes, BOUNDARY)
}

#[test]
fn fields_and_the_file_come_apart() {
    let sent = form(&[
        "name=\"csrf_token\"\r\n\r\nabc",
        "name=\"logo\"; filename=\"a;\\b.png\"\r\nContent-Type: image/png\r\n\r\n\x01\r\n--\r\n\r\n",
    ]);
    let (fields, file) = read(&sent).unwrap();
    assert_eq!(fields, [("csrf_token".to_owned(), "abc".to_owned())]);
    assert_eq!(&file[..], b"\x01\r\n--\r\n\r\n");
}

#[test]
fn a_form_may_hold_nothing() {
    assert_eq!(read(&form(&[])), Some((Vec::new(), Bytes::new())));
    let nothing_chosen =
        form(&["name=\"logo\"; filename=\"\"\r\nContent-Type: application/octet-stream\r\n\r\n"]);
    assert_eq!(read(&nothing_chosen), Some((Vec::new(), Bytes::new())));
}

#[test]
fn what_browsers_do_not_write_is_no_form() {
    let file = "name=\"logo\"; filename=\"x\"\r\n\r\n1";
    for bad in [
        Bytes::new(),
        Bytes::from_static(b"csrf_token=abc"),
        Bytes::from(format!("--{BOUNDARY}")),
        Bytes::from(format!("--{BOUNDARY}\r\nContent-Disposition: form-data")),
        form(&[file, file]),
        form(&["name=logo\r\n\r\n1"]),
        form(&["name=\"logo\"; filename*=UTF-8''x\r\n\r\n1"]),
        form(&["name=\"csrf_token\""]),
        form(&[file]).slice(..60),
        form(&[file]).slice(1..),
    ] {
        assert_eq!(read(&bad), None, "{bad:?}");
    }
    let not_text = [form(&["name=\"a\"\r\n\r\n"]).as_ref(), b""].concat();
    let mut not_text = not_text;
    let place = find(&not_text, b"\r\n\r\n").unwrap() + 4;
    not_text.insert(place, 0xff);
    assert_eq!(read(&Bytes::from(not_text)), None);
}

#[test]
fn only_forms_with_a_file_have_a_boundary() {
    let of = |kind: &'static str| {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        boundary(&headers)
    };
    assert_eq!(
        of("multipart/form-data; boundary=abc").as_deref(),
        Some("abc")
    );
    assert_eq!(
        of("Multipart/Form-Data;boundary=\"a b\"").as_deref(),
        Some("a b")
    );
    for none in [
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "multipart/form-data; boundary=",
        "multipart/mixed; boundary=abc",
    ] {
        assert_eq!(of(none), None, "{none}");
    }
}
