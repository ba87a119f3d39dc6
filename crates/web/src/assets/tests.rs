//! Tests of the assets as a whole.

use tenantry_core::colour::{EDGE_CONTRAST, TEXT_CONTRAST};

use super::*;

/// The value of a custom property in the day's or the night's part of `tokens.css`.
fn token(night: bool, name: &str) -> Colour {
    let css = include_str!("../../assets/css/tokens.css");
    let (day, dark) = css
        .split_once("@media (prefers-color-scheme: dark)")
        .unwrap();
    let part = if night { dark } else { day };
    let value = part
        .split(&format!("--{name}: "))
        .nth(1)
        .unwrap_or_else(|| panic!("no --{name} in tokens.css"));
    value[..7]
        .parse()
        .unwrap_or_else(|_| panic!("--{name} is not written as #rrggbb"))
}

#[test]
fn finds_files_and_colours_and_nothing_else() {
    for path in paths() {
        assert!(
            find(path).is_some_and(|asset| !asset.body.is_empty()),
            "{path}"
        );
    }
    assert!(find("tenant/0f766e.css").is_some());
    for path in [
        "",
        "site.css/",
        "../assets.rs",
        "tenant/0f766e",
        "tenant/red.css",
        "tenant/0f766.css",
    ] {
        assert!(find(path).is_none(), "{path}");
    }
}

#[test]
fn every_address_in_the_style_sheet_leads_somewhere() {
    let urls: Vec<&str> = SITE_CSS
        .split("url(")
        .skip(1)
        .filter_map(|rest| rest.split(')').next())
        .map(|url| url.trim_matches(['"', '\'']))
        .collect();
    assert!(!urls.is_empty());
    for url in urls {
        assert!(find(url).is_some(), "{url}");
    }
}

#[test]
fn fonts_stay_small() {
    let octets: usize = FILES
        .iter()
        .filter(|(path, ..)| path.starts_with("fonts/"))
        .map(|(_, _, body)| body.len())
        .sum();
    assert!(octets < 100 * 1024, "{octets} octets");
}

#[test]
fn the_grounds_are_those_of_the_style_sheet() {
    for (night, grounds) in [
        (false, tenant_css::LIGHT_GROUNDS),
        (true, tenant_css::DARK_GROUNDS),
    ] {
        let tokens = ["page", "raised", "sunken"].map(|name| token(night, name));
        assert_eq!(tokens, grounds);
    }
}

#[test]
fn neutral_text_can_be_read_on_every_ground() {
    for night in [false, true] {
        for ground in ["page", "raised", "sunken"] {
            for ink in ["ink", "soft", "bad", "good", "warn", "calm"] {
                let contrast = token(night, ink).contrast(token(night, ground));
                assert!(
                    contrast >= TEXT_CONTRAST,
                    "{ink} on {ground}: {contrast:.2}"
                );
            }
            let edge = token(night, "edge").contrast(token(night, ground));
            assert!(edge >= EDGE_CONTRAST, "edge on {ground}: {edge:.2}");
        }
        for kind in ["bad", "good", "warn", "calm"] {
            let contrast = token(night, kind).contrast(token(night, &format!("{kind}-wash")));
            assert!(
                contrast >= TEXT_CONTRAST,
                "{kind} on its wash: {contrast:.2}"
            );
        }
    }
}

#[test]
fn only_a_policy_for_forms_names_other_hosts() {
    assert!(content_security_policy("").ends_with("form-action 'self'"));
    let policy = content_security_policy("http://*.localhost:8000");
    assert!(policy.ends_with("form-action 'self' http://*.localhost:8000"));
    assert!(!policy.contains("unsafe"));
}
