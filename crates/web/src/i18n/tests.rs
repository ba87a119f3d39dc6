//! Tests over all texts.

use std::collections::BTreeSet;

use super::*;

fn all() -> Vec<(&'static str, &'static str, &'static str)> {
    let lists = [
        everywhere::CommonTexts::ALL,
        words::WordTexts::ALL,
        login::LoginTexts::ALL,
        choose_tenant::ChooseTenantTexts::ALL,
        password::PasswordTexts::ALL,
        recovery::RecoveryTexts::ALL,
        registration::RegistrationTexts::ALL,
        credentials::CredentialsTexts::ALL,
        dashboard::DashboardTexts::ALL,
        account::AccountTexts::ALL,
        staff::StaffTexts::ALL,
        devices::DeviceTexts::ALL,
        brand::BrandTexts::ALL,
        dev_mail::DevMailTexts::ALL,
        home::HomeTexts::ALL,
        admin::AdminTexts::ALL,
        applications::ApplicationTexts::ALL,
        domains::DomainTexts::ALL,
        docs::DocsTexts::ALL,
        field::FieldTexts::ALL,
    ];
    let mut all: Vec<_> = lists.into_iter().flatten().copied().collect();
    for code in problem::ProblemCode::ALL {
        let (en, de) = (code.text(Locale::En), code.text(Locale::De));
        all.push((code.as_str(), en.title, de.title));
        all.push((code.as_str(), en.detail, de.detail));
        all.push((code.as_str(), en.next, de.next));
    }
    all
}

fn places(text: &str) -> BTreeSet<&str> {
    text.split('{')
        .skip(1)
        .filter_map(|rest| rest.split('}').next())
        .collect()
}

#[test]
fn languages_leave_the_same_places_to_fill() {
    for (name, en, de) in all() {
        assert_eq!(places(en), places(de), "{name}");
    }
}

#[test]
fn no_text_is_empty_or_carelessly_set() {
    for (name, en, de) in all() {
        for text in [en, de] {
            assert!(!text.is_empty() && text == text.trim(), "{name}: {text:?}");
            assert!(
                !text.contains("  ") && !text.contains("..."),
                "{name}: {text:?}"
            );
            assert!(
                !text.contains('\''),
                "{name} has a typewriter's apostrophe: {text:?}"
            );
            assert_eq!(text.ends_with('.'), en.ends_with('.'), "{name}: {text:?}");
        }
    }
}

#[test]
fn german_does_not_say_du() {
    for (name, _, de) in all() {
        let words: Vec<String> = de
            .split(|c: char| !c.is_alphabetic())
            .map(str::to_lowercase)
            .collect();
        for word in ["du", "dein", "deine", "dich", "dir"] {
            assert!(!words.iter().any(|w| w == word), "{name}: {de}");
        }
    }
}

#[test]
fn fills_every_place_once() {
    assert_eq!(fill("{a} and {a}", "a", "{a}"), "{a} and {a}");
    assert_eq!(fill("to {tenant}", "tenant", "Acme"), "to Acme");
}
