//! Every sample of every page in every language, held against what each page must be.

mod markup;

use std::collections::HashSet;

use tenantry_core::Locale;
use tenantry_core::logo::LogoTag;

use self::markup::{Element, read};
use super::{encoded, paths, samples};
use crate::assets;

/// Calls `check` with each page's name, its HTML and its elements.
fn each_page(check: impl Fn(&str, &str, &[Element])) {
    for locale in Locale::ALL {
        for (name, html) in samples::render_all(*locale).unwrap() {
            let name = format!("{name}.{locale}");
            let elements = read(&html).unwrap_or_else(|error| panic!("{name}: {error}"));
            check(&name, &html, &elements);
        }
    }
}

fn named<'a>(elements: &'a [Element], name: &'a str) -> impl Iterator<Item = &'a Element> {
    elements.iter().filter(move |element| element.name == name)
}

#[test]
fn names_of_samples_are_unique() {
    let names: Vec<_> = samples::render_all(Locale::En).unwrap();
    let distinct: HashSet<_> = names.iter().map(|(name, _)| name).collect();
    assert_eq!(names.len(), distinct.len());
}

#[test]
fn pages_say_their_language_and_have_one_heading() {
    each_page(|name, _, elements| {
        let locale = name.rsplit('.').next();
        assert_eq!(elements[0].attribute("lang"), locale, "{name}");
        for part in ["title", "main", "h1"] {
            let found: Vec<_> = named(elements, part).collect();
            assert_eq!(found.len(), 1, "{name}: <{part}>");
            assert!(
                part == "main" || !found[0].text.trim().is_empty(),
                "{name}: empty <{part}>"
            );
        }
    });
}

#[test]
fn languages_differ_where_they_should() {
    let (en, de) = (
        samples::render_all(Locale::En),
        samples::render_all(Locale::De),
    );
    for ((name, en), (_, de)) in en.unwrap().iter().zip(&de.unwrap()) {
        let lead = |html: &str| {
            let elements = read(html).unwrap();
            let lead = named(&elements, "p").find(|p| p.attribute("class") == Some("lead"));
            lead.map(|lead| lead.text.clone())
        };
        // An address reads the same in every language.
        let address = name.starts_with("admin-tenant") || name.starts_with("staff-person");
        assert!(
            address || lead(en).is_none_or(|text| Some(text) != lead(de)),
            "{name}"
        );
    }
}

#[test]
fn nothing_is_inline_that_the_policy_forbids() {
    each_page(|name, _, elements| {
        assert_eq!(named(elements, "style").count(), 0, "{name}");
        for script in named(elements, "script") {
            assert!(
                script.attribute("src").is_some() && script.text.is_empty(),
                "{name}"
            );
        }
        for element in elements {
            for key in element.attributes.keys() {
                assert!(key != "style" && !key.starts_with("on"), "{name}: {key}");
            }
            let href = element.attribute("href").unwrap_or_default();
            assert!(!href.starts_with("javascript:"), "{name}: {href}");
        }
    });
}

#[test]
fn everything_loaded_is_ours_and_there() {
    each_page(|name, _, elements| {
        let loading = |e: &&Element| ["script", "link", "img"].contains(&e.name.as_str());
        for element in elements.iter().filter(loading) {
            let address = element
                .attribute("src")
                .or(element.attribute("href"))
                .unwrap();
            let path = address
                .strip_prefix("/assets/")
                .and_then(|rest| rest.split('?').next());
            let logo = path.and_then(|path| path.strip_prefix("tenant/logo/"));
            let is_logo = logo.is_some_and(|tag| tag.parse::<LogoTag>().is_ok());
            let there = is_logo || path.and_then(assets::find).is_some();
            assert!(there, "{name}: {address}");
        }
        for frame in named(elements, "iframe") {
            assert_eq!(
                frame.attribute("sandbox"),
                Some(""),
                "{name}: a frame has no rights"
            );
        }
    });
}

#[test]
fn every_control_has_a_name_to_be_called_by() {
    each_page(|name, _, elements| {
        let labels: HashSet<&str> = named(elements, "label")
            .filter_map(|label| label.attribute("for"))
            .collect();
        for input in named(elements, "input") {
            if input.attribute("type") == Some("hidden") {
                continue;
            }
            let id = input
                .attribute("id")
                .unwrap_or_else(|| panic!("{name}: input without id"));
            assert!(labels.contains(id), "{name}: no label for {id}");
            // What is chosen is not typed.
            let typed = !matches!(input.attribute("type"), Some("radio" | "checkbox" | "file"));
            let completes = input.attribute("autocomplete").is_some();
            assert!(completes || !typed, "{name}: {id}");
        }
        for control in elements
            .iter()
            .filter(|e| e.name == "button" || e.name == "a")
        {
            let called =
                !control.text.trim().is_empty() || control.attribute("aria-label").is_some();
            assert!(called, "{name}: {control:?}");
        }
        for image in named(elements, "svg") {
            assert_eq!(image.attribute("aria-hidden"), Some("true"), "{name}");
        }
    });
}

#[test]
fn ids_are_unique_and_references_lead_to_them() {
    each_page(|name, _, elements| {
        let mut ids = HashSet::new();
        for id in elements
            .iter()
            .filter_map(|element| element.attribute("id"))
        {
            assert!(ids.insert(id), "{name}: #{id} twice");
        }
        for element in elements {
            for key in [
                "for",
                "aria-describedby",
                "aria-labelledby",
                "data-reveal",
                "data-copy",
            ] {
                for id in element
                    .attribute(key)
                    .into_iter()
                    .flat_map(str::split_whitespace)
                {
                    assert!(ids.contains(id), "{name}: {key} leads to no #{id}");
                }
            }
            if let Some(id) = element
                .attribute("href")
                .and_then(|href| href.strip_prefix('#'))
            {
                assert!(ids.contains(id), "{name}: a link leads to no #{id}");
            }
        }
    });
}

#[test]
fn an_error_stands_beside_its_field() {
    each_page(|name, _, elements| {
        for input in named(elements, "input") {
            if input.attribute("aria-invalid").is_some() {
                let described = input.attribute("aria-describedby").unwrap_or_default();
                let id = described.split_whitespace().next().unwrap_or_default();
                let error = elements
                    .iter()
                    .find(|element| element.attribute("id") == Some(id));
                let text = error.map(|error| error.text.trim()).unwrap_or_default();
                assert!(id.ends_with("-error") && !text.is_empty(), "{name}");
            }
        }
    });
}

#[test]
fn every_form_that_changes_something_carries_the_token() {
    each_page(|name, _, elements| {
        for (place, form) in elements.iter().enumerate() {
            if form.name != "form" {
                continue;
            }
            let changes = match form.attribute("method") {
                Some("post") => 1,
                // It only asks, and the token does not belong into an address.
                Some("get") => 0,
                other => panic!("{name}: {other:?}"),
            };
            let tokens = elements.iter().filter(|element| {
                element.around.contains(&place) && element.attribute("name") == Some(paths::CSRF)
            });
            assert_eq!(tokens.count(), changes, "{name}");
        }
    });
}

#[test]
fn what_people_typed_stays_text() {
    each_page(|name, html, _| {
        for markup in [
            "<script>alert",
            "<img src=x",
            "<everything>",
            "<yet>",
            "<now>",
            "<b>",
        ] {
            assert!(!html.contains(markup), "{name}: {markup}");
        }
        if name.contains("hostile") {
            assert!(
                html.contains("&#60;script&#62;alert(&#39;x&#39;)"),
                "{name}"
            );
        }
    });
}

#[test]
fn a_cursor_stays_one_part_of_the_query() {
    assert_eq!(encoded("a&b=\"c ü\""), "a%26b%3D%22c%20%C3%BC%22");
    assert_eq!(encoded("AZaz09-._~"), "AZaz09-._~");
}
