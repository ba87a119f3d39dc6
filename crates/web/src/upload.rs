//! Forms with a file, as browsers send them: `multipart/form-data` (RFC 7578; HTML standard,
//! "multipart form data"). The fields go on as those of any form do, and the file beside them.
//!
//! Strict, since only our own pages send these: one file at most, nothing that HTML's algorithm
//! would not write. The file's name and declared type are not even read.

use axum::body::{Body, Bytes};
use axum::extract::{FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, header};

use crate::extract;
use crate::problem::Failure;

/// The largest body. Far more than any file we take, so that whoever chose a photograph is told on
/// the page what to choose instead; only somebody signed in gets here.
const LIMIT: usize = 8 * 1024 * 1024;

/// The file that came with a form; empty where there was none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct File(pub(crate) Bytes);

impl<S: Sync> FromRequestParts<S> for File {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(parts.extensions.remove().unwrap_or_default())
    }
}

/// Takes the file out of a form. What is no form with a file is left as it is.
pub(crate) async fn unpacked(request: Request) -> Result<Request, Failure> {
    let Some(boundary) = boundary(request.headers()) else {
        return Ok(request);
    };
    let (mut parts, body) = request.into_parts();
    let bytes = extract::read_up_to(body, LIMIT).await?;
    let (fields, file) =
        parse(&bytes, &boundary).ok_or(Failure::Malformed("the form could not be read"))?;
    parts.extensions.insert(File(file));
    let kind = HeaderValue::from_static("application/x-www-form-urlencoded");
    parts.headers.insert(header::CONTENT_TYPE, kind);
    let fields = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(fields)
        .finish();
    Ok(Request::from_parts(parts, Body::from(fields)))
}

/// What stands between the parts (RFC 2046, section 5.1.1).
fn boundary(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    let (essence, rest) = value.split_once(';')?;
    if !essence.trim().eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    let (name, boundary) = rest.trim().split_once('=')?;
    let boundary = boundary.trim_matches('"');
    let fits = name.eq_ignore_ascii_case("boundary") && (1..=70).contains(&boundary.len());
    fits.then(|| boundary.to_owned())
}

type Fields = Vec<(String, String)>;

/// The fields and the file of a form.
fn parse(bytes: &Bytes, boundary: &str) -> Option<(Fields, Bytes)> {
    // A line's end before each boundary belongs to the boundary, also before the first.
    let between = format!("\r\n--{boundary}");
    let mut at = between.len() - 2;
    if !bytes.starts_with(&between.as_bytes()[2..]) {
        return None;
    }
    let (mut fields, mut file) = (Fields::new(), None);
    loop {
        let rest = &bytes[at..];
        if matches!(rest, b"--" | b"--\r\n") {
            return Some((fields, file.unwrap_or_default()));
        }
        let head = rest.strip_prefix(b"\r\n")?;
        let length = find(head, b"\r\n\r\n")?;
        let content = at + 2 + length + 4;
        let end = content + find(&bytes[content..], between.as_bytes())?;
        match part(&head[..length])? {
            (name, false) => {
                let text = std::str::from_utf8(&bytes[content..end]).ok()?;
                fields.push((name, text.to_owned()));
            }
            (_, true) => {
                if file.replace(bytes.slice(content..end)).is_some() {
                    return None;
                }
            }
        }
        at = end + between.len();
    }
}

/// The name of a part, and whether it is a file, by its head.
fn part(head: &[u8]) -> Option<(String, bool)> {
    let head = std::str::from_utf8(head).ok()?;
    let disposition = head.split("\r\n").find_map(|line| {
        let (name, value) = line.split_once(':')?;
        let is = name.eq_ignore_ascii_case("content-disposition");
        is.then(|| value.trim())
    })?;
    let rest = disposition.strip_prefix("form-data; name=\"")?;
    let (name, rest) = rest.split_once('"')?;
    let is_file = rest.starts_with("; filename=\"");
    (is_file || rest.is_empty()).then(|| (name.to_owned(), is_file))
}

fn find(within: &[u8], what: &[u8]) -> Option<usize> {
    within.windows(what.len()).position(|part| part == what)
}

#[cfg(test)]
mod tests;
