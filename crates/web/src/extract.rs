//! Bodies and queries: JSON, forms and what follows the question mark into the same types, strictly.

use std::fmt;
use std::marker::PhantomData;

use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use axum::response::Response;
use http_body_util::BodyExt as _;
use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeOwned, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use tenantry_core::logo::LOGO_OCTETS;
use tenantry_service::{FieldError, Refusal};

use crate::App;
use crate::context::Ctx;
use crate::problem::{Failure, respond};

/// The largest body of an ordinary request, in octets.
pub(crate) const LIMIT: usize = 64 * 1024;

/// How long a client may take to send a body.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(15);

/// A JSON body.
pub(crate) struct Json<T>(pub(crate) T);

/// The same where the body may be left out, which says what the defaults say.
pub(crate) struct JsonOrNothing<T>(pub(crate) T);

/// An image as the body, whatever its media type says.
pub(crate) struct Image(pub(crate) Vec<u8>);

/// A form's fields. The guard has checked and taken out its CSRF token.
pub(crate) struct Form<T>(pub(crate) T);

/// What may follow the question mark of an address.
pub(crate) trait Asked: DeserializeOwned {
    /// What it is made of, for whoever sent something else.
    const IS: &'static str;
}

/// A query's fields.
pub(crate) struct Query<T>(pub(crate) T);

/// A JSON object, and nothing else: serde would also take a list of a struct's fields in order,
/// which no client means.
pub(crate) struct Object<T>(pub(crate) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Fields<T> {
            type Value = Object<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Object<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(Object)
            }
        }
        deserializer.deserialize_map(Fields(PhantomData))
    }
}

/// Deserialises a nested struct from an object only; for `#[serde(deserialize_with)]`.
pub(crate) fn object<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    Object::deserialize(deserializer).map(|object| object.0)
}

/// An object where there is one.
pub(crate) fn some_object<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    let there = Option::<Object<T>>::deserialize(deserializer)?;
    Ok(there.map(|object| object.0))
}

/// Reads a body up to [`LIMIT`].
pub(crate) async fn read(body: Body) -> Result<Bytes, Failure> {
    read_up_to(body, LIMIT).await
}

/// Reads a body of at most so many octets.
pub(crate) async fn read_up_to(body: Body, limit: usize) -> Result<Bytes, Failure> {
    let collecting = http_body_util::Limited::new(body, limit).collect();
    let Ok(collected) = tokio::time::timeout(PATIENCE, collecting).await else {
        return Err(Failure::Malformed("the body took too long to come"));
    };
    match collected {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<http_body_util::LengthLimitError>() => {
            Err(Failure::PayloadTooLarge)
        }
        Err(_) => Err(Failure::Malformed("the body could not be read")),
    }
}

pub(crate) fn has_type(headers: &HeaderMap, wanted: &str) -> bool {
    headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .is_some_and(|essence| essence.trim().eq_ignore_ascii_case(wanted))
}

/// The name that serde's own sentence puts between backticks, and a word for what is wrong.
fn field_error(text: &str, path: &str) -> FieldError {
    let named = text.split('`').nth(1).unwrap_or_default();
    let at = |name: &str| match (path, name) {
        ("" | ".", name) => name.to_owned(),
        (path, "") => path.to_owned(),
        (path, name) if path == name || path.ends_with(&format!(".{name}")) => path.to_owned(),
        (path, name) => format!("{path}.{name}"),
    };
    let (field, code, message) = if text.starts_with("unknown field") {
        (
            at(named),
            "unknown_field",
            format!("there is no field {named} here"),
        )
    } else if text.starts_with("duplicate field") {
        (
            at(named),
            "duplicate_field",
            format!("{named} is given twice"),
        )
    } else if text.starts_with("missing field") {
        (at(named), "required", format!("{named} is required"))
    } else {
        (
            at(""),
            "invalid",
            "this has the wrong type or value".to_owned(),
        )
    };
    FieldError {
        field: field.into(),
        code,
        message,
    }
}

/// Parses JSON into a type of ours.
pub(crate) fn parse_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Failure> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let Object(parsed) = serde_path_to_error::deserialize::<_, Object<T>>(&mut deserializer)
        .map_err(|error| {
            let path = error.path().to_string();
            let inner = error.into_inner();
            match inner.classify() {
                serde_json::error::Category::Data => {
                    Failure::Refused(Refusal::Validation(vec![field_error(
                        &inner.to_string(),
                        &path,
                    )]))
                }
                _ => Failure::Malformed("the body is not valid JSON"),
            }
        })?;
    deserializer
        .end()
        .map_err(|_| Failure::Malformed("something follows the JSON"))?;
    Ok(parsed)
}

impl<T: DeserializeOwned> FromRequest<App> for Json<T> {
    type Rejection = Response;

    async fn from_request(request: Request, app: &App) -> Result<Self, Response> {
        let ctx = request.extensions().get::<Ctx>().cloned();
        let parsed = async {
            if !has_type(request.headers(), "application/json") {
                return Err(Failure::Malformed("the body must be application/json"));
            }
            parse_json(&read(request.into_body()).await?)
        }
        .await;
        parsed
            .map(Self)
            .map_err(|failure| respond(app, ctx.as_ref(), failure))
    }
}

impl FromRequest<App> for Image {
    type Rejection = Response;

    async fn from_request(request: Request, app: &App) -> Result<Self, Response> {
        let ctx = request.extensions().get::<Ctx>().cloned();
        let read = read_up_to(request.into_body(), LOGO_OCTETS).await;
        read.map(|bytes| Self(bytes.into()))
            .map_err(|failure| respond(app, ctx.as_ref(), failure))
    }
}

impl<T: DeserializeOwned + Default> FromRequest<App> for JsonOrNothing<T> {
    type Rejection = Response;

    async fn from_request(request: Request, app: &App) -> Result<Self, Response> {
        if request.headers().contains_key(header::CONTENT_TYPE) {
            let Json(asked) = Json::from_request(request, app).await?;
            return Ok(Self(asked));
        }
        let ctx = request.extensions().get::<Ctx>().cloned();
        let nothing = read(request.into_body()).await.and_then(|bytes| {
            if bytes.is_empty() {
                Ok(Self(T::default()))
            } else {
                Err(Failure::Malformed("the body must be application/json"))
            }
        });
        nothing.map_err(|failure| respond(app, ctx.as_ref(), failure))
    }
}

impl<T: DeserializeOwned> FromRequest<App> for Form<T> {
    type Rejection = Response;

    async fn from_request(request: Request, app: &App) -> Result<Self, Response> {
        let ctx = request.extensions().get::<Ctx>().cloned();
        let parsed = async {
            if !has_type(request.headers(), "application/x-www-form-urlencoded") {
                return Err(Failure::Malformed(
                    "the body must be application/x-www-form-urlencoded",
                ));
            }
            let bytes = read(request.into_body()).await?;
            serde_urlencoded::from_bytes(&bytes).map_err(|error| {
                Failure::Refused(Refusal::Validation(vec![field_error(
                    &error.to_string(),
                    "",
                )]))
            })
        }
        .await;
        parsed
            .map(Self)
            .map_err(|failure| respond(app, ctx.as_ref(), failure))
    }
}

impl<T: Asked> FromRequestParts<App> for Query<T> {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Response> {
        axum::extract::Query::try_from_uri(&parts.uri)
            .map(|axum::extract::Query(query)| Self(query))
            .map_err(|_| {
                let ctx = parts.extensions.get::<Ctx>();
                respond(app, ctx, Failure::Malformed(T::IS))
            })
    }
}
