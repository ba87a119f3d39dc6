//! Style sheets, fonts, the icon and the one script, all inside the program.
//!
//! Owns what the pages load and the content security policy they are written for: nothing inline,
//! nothing from elsewhere. The router serves what [`find`] gives under `/assets/`; templates take
//! addresses from [`href`], which change with the content so that browsers may keep an answer for
//! good.

mod tenant_css;

use std::borrow::Cow;
use std::sync::LazyLock;

use tenantry_core::logo::LogoTag;

pub use tenant_css::tenant_css;
pub use tenantry_core::Colour;

/// How long a browser may keep an asset: the longest that is usual, since an address with a
/// version never changes its content (RFC 8246).
pub const CACHE_CONTROL: &str = "public, max-age=31536000, immutable";

/// The style sheet, in the order of the cascade.
const SITE_CSS: &str = concat!(
    include_str!("../assets/css/fonts.css"),
    include_str!("../assets/css/tokens.css"),
    include_str!("../assets/css/base.css"),
    include_str!("../assets/css/plate.css"),
    include_str!("../assets/css/forms.css"),
    include_str!("../assets/css/door.css"),
    include_str!("../assets/css/access.css"),
    include_str!("../assets/css/desk.css"),
    include_str!("../assets/css/tables.css"),
    include_str!("../assets/css/settings.css"),
    include_str!("../assets/css/mail.css"),
    include_str!("../assets/css/docs.css"),
);

const SITE_JS: &str = include_str!("../assets/site.js");
const DOCS_JS: &str = include_str!("../assets/docs.js");
const ICON: &str = include_str!("../assets/icon.svg");

/// Files with a name of their own, under `/assets/`.
const FILES: &[(&str, &str, &[u8])] = &[
    ("site.css", "text/css; charset=utf-8", SITE_CSS.as_bytes()),
    (
        "site.js",
        "text/javascript; charset=utf-8",
        SITE_JS.as_bytes(),
    ),
    (
        "docs.js",
        "text/javascript; charset=utf-8",
        DOCS_JS.as_bytes(),
    ),
    ("icon.svg", "image/svg+xml", ICON.as_bytes()),
    (
        "fonts/instrument-sans-latin.woff2",
        "font/woff2",
        include_bytes!("../assets/fonts/instrument-sans-latin.woff2"),
    ),
    (
        "fonts/instrument-sans-latin-ext.woff2",
        "font/woff2",
        include_bytes!("../assets/fonts/instrument-sans-latin-ext.woff2"),
    ),
    (
        "fonts/geist-mono-latin.woff2",
        "font/woff2",
        include_bytes!("../assets/fonts/geist-mono-latin.woff2"),
    ),
];

/// Changes with every change of a file or of the way tenants' style sheets are made.
static VERSION: LazyLock<String> = LazyLock::new(|| {
    let sample = tenant_css(Colour::new(0x1d, 0x4e, 0xd8));
    let octets = FILES
        .iter()
        .flat_map(|(_, _, body)| *body)
        .chain(sample.as_bytes());
    // FNV-1a: tells versions apart, protects nothing.
    let hash = octets.fold(0xcbf2_9ce4_8422_2325_u64, |hash, octet| {
        (hash ^ u64::from(*octet)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("{hash:016x}")
});

/// Something to load.
#[derive(Debug, Clone)]
pub struct Asset {
    /// The media type, for `Content-Type`.
    pub content_type: &'static str,
    /// The content.
    pub body: Cow<'static, [u8]>,
}

/// The asset at `path`, which is what follows `/assets/`: a file, or `tenant/{rrggbb}.css`.
pub fn find(path: &str) -> Option<Asset> {
    if let Some((_, content_type, body)) = FILES.iter().find(|(name, ..)| *name == path) {
        return Some(Asset {
            content_type,
            body: Cow::Borrowed(body),
        });
    }
    let digits = path.strip_prefix("tenant/")?.strip_suffix(".css")?;
    let colour: Colour = format!("#{digits}").parse().ok()?;
    Some(Asset {
        content_type: "text/css; charset=utf-8",
        body: Cow::Owned(tenant_css(colour).into_bytes()),
    })
}

/// The paths of all files, as [`find`] takes them.
pub fn paths() -> impl Iterator<Item = &'static str> {
    FILES.iter().map(|(path, ..)| *path)
}

/// The address of the asset at `path`.
pub fn href(path: &str) -> String {
    format!("/assets/{path}?v={}", *VERSION)
}

/// The address of the style sheet of a tenant's colour.
pub fn tenant_href(colour: Colour) -> String {
    href(&format!("tenant/{}.css", colour.hex()))
}

/// The path of a tenant's logo. It has no version: another logo has another tag.
pub fn logo_path(tag: LogoTag) -> String {
    format!("/assets/tenant/logo/{tag}")
}

/// The content security policy of an image that somebody sent, should a browser be led to show it
/// as a page.
pub const IMAGE_POLICY: &str = "default-src 'none'; frame-ancestors 'none'; sandbox";

/// The content security policy of the pages (CSP level 3). `form_targets` are sources beside this
/// host that a form may lead to: browsers also hold redirects after a form against `form-action`,
/// so choosing a tenant on the base domain needs something like `http://*.localhost:8000` here.
pub fn content_security_policy(form_targets: &str) -> String {
    let space = if form_targets.is_empty() { "" } else { " " };
    format!(
        "default-src 'none'; style-src 'self'; script-src 'self'; font-src 'self'; \
         img-src 'self'; connect-src 'self'; frame-src 'self'; base-uri 'none'; frame-ancestors 'none'; \
         form-action 'self'{space}{form_targets}"
    )
}

/// The content security policy of a mail's HTML part, which the page of the mail shows in a frame.
/// Its answer must not carry `X-Frame-Options: DENY`; the mail's own inline styles are allowed,
/// scripts and anything from elsewhere are not.
pub const MAIL_PART_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'self'; sandbox";

#[cfg(test)]
mod tests;
