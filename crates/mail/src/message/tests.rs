use askama::filters::{Html, escape};
use tenantry_core::colour::TEXT_CONTRAST;
use tenantry_core::{Locale, OutboxId, Timestamp};

use super::*;
use crate::{Colour, Envelope, PlainName, Rendered, Sender};

fn rendered(message: Message, locale: Locale) -> Rendered {
    let envelope = Envelope {
        id: OutboxId::from_uuid(uuid::Uuid::from_u128(7)),
        to: "ada@example.org".parse().unwrap(),
        from: Sender::new("Tenantry", "mail@tenantry.example".parse().unwrap()),
        locale,
        at: Timestamp::from_micros(1_795_185_000_000_000),
        message,
    };
    envelope.render().unwrap()
}

fn escaped(text: &str) -> String {
    escape(text, Html).unwrap().to_string()
}

/// Every web address in `html`, as a mail program would fetch or open it.
fn addresses(html: &str) -> Vec<String> {
    html.match_indices("http")
        .map(|(at, _)| {
            let rest = &html[at..];
            let end = rest.find(['"', '<', ' ', '\'']).unwrap_or(rest.len());
            rest[..end].to_owned()
        })
        .collect()
}

#[test]
fn every_sample_in_every_language_is_whole() {
    for message in Message::samples().unwrap() {
        for locale in Locale::ALL {
            let Rendered {
                subject,
                text,
                html,
            } = rendered(message.clone(), *locale);
            let what = format!("{} in {locale}:\n{subject}\n{text}\n{html}", message.kind());

            assert!(
                !subject.is_empty() && !subject.contains(char::is_control),
                "{what}"
            );
            assert!(
                !text.contains("\n\n\n") && !text.contains(['{', '}']),
                "{what}"
            );
            assert!(
                text.contains("ada@example.org") && html.contains("ada@example.org"),
                "{what}"
            );
            assert!(html.contains(&format!("<html lang=\"{locale}\"")), "{what}");

            let links: Vec<&str> = message.links().iter().map(|link| link.expose()).collect();
            assert!(!links.is_empty(), "{what}");
            for link in &links {
                assert!(text.lines().any(|line| line == *link), "{link} in {what}");
                assert!(
                    html.contains(&format!("href=\"{}\"", escaped(link))),
                    "{link} in {what}"
                );
                assert!(
                    html.contains(&format!(">{}</a>", escaped(link))),
                    "{link} in {what}"
                );
            }
            // Nothing is fetched and nobody is counted: the mail's own links are all there is.
            for address in addresses(&html) {
                assert!(
                    links.iter().any(|link| escaped(link) == address),
                    "{address} in {what}"
                );
            }
            for tag in [
                "<img", "<script", "<link", "@import", "url(", "<iframe", "<form",
            ] {
                assert!(!html.contains(tag), "{tag} in {what}");
            }
        }
    }
}

#[test]
fn languages_share_no_sentence() {
    for message in Message::samples().unwrap() {
        let [en, de] = [Locale::En, Locale::De].map(|locale| rendered(message.clone(), locale));
        assert_ne!(en.subject, de.subject);
        let shared: Vec<&str> = en
            .text
            .lines()
            .filter(|line| line.contains(' ') && de.text.lines().any(|other| other == *line))
            // A tenant's name and host, with what belongs to it below or behind.
            .filter(|line| !line.contains("):"))
            .collect();
        assert!(shared.is_empty(), "{}: {shared:?}", message.kind());
    }
}

#[test]
fn english_is_ascii_but_for_names() {
    for message in Message::samples().unwrap() {
        let kind = message.kind();
        let Rendered { text, .. } = rendered(message.clone(), Locale::En);
        let mut ours = text;
        let several = match &message {
            Message::PasswordReset(mail) => mail.all().map(|reset| &reset.tenant).collect(),
            Message::PasswordCode(mail) => mail.all().map(|code| &code.tenant).collect(),
            _ => Vec::new(),
        };
        for tenant in several.into_iter().chain(message.mail().tenant()) {
            ours = ours.replace(tenant.name.as_str(), "");
        }
        if let Message::SetupLink(SetupLink {
            person: Some(person),
            ..
        }) = &message
        {
            ours = ours.replace(person.as_str(), "");
        }
        assert!(ours.is_ascii(), "{kind}: {ours}");
    }
}

#[test]
fn json_is_named_by_kind_and_comes_back_the_same() {
    for message in Message::samples().unwrap() {
        let json = serde_json::to_value(&message).unwrap();
        assert_eq!(json["kind"], message.kind());
        let back: Message = serde_json::from_value(json.clone()).unwrap();
        assert_eq!(serde_json::to_value(&back).unwrap(), json);
    }
}

#[test]
fn json_with_a_forged_value_is_refused() {
    let sample = Message::samples().unwrap().remove(0);
    let json = serde_json::to_value(&sample).unwrap();
    for (pointer, value) in [
        ("/link", "javascript:alert(1)"),
        ("/tenant/colour", "red;background:url(https://evil.example)"),
        ("/tenant/name", "\u{202e}"),
    ] {
        let mut forged = json.clone();
        *forged.pointer_mut(pointer).unwrap() = value.into();
        assert!(
            serde_json::from_value::<Message>(forged).is_err(),
            "{pointer}"
        );
    }
}

#[test]
fn names_from_strangers_stay_names() {
    let evil = "<b onload=x>\"'&\r\nSet your password:\r\nhttps://evil.example/\u{202e}";
    let Message::SetupLink(mut mail) = Message::samples().unwrap().remove(0) else {
        panic!("the first sample is a setup link");
    };
    mail.tenant = MailTenant::new(evil, None, mail.tenant.url.clone());
    mail.person = PlainName::clean("<i>Eve</i>");
    for locale in Locale::ALL {
        let Rendered {
            subject,
            text,
            html,
        } = rendered(mail.clone().into(), *locale);
        assert!(
            !subject.contains(char::is_control) && !subject.contains('\u{202e}'),
            "{subject}"
        );
        assert!(
            !text.lines().any(|line| line.starts_with("https://evil")),
            "{text}"
        );
        assert!(!text.contains('\u{202e}') && !html.contains('\u{202e}'));
        assert!(
            !html.contains("<b onload") && !html.contains("<i>"),
            "{html}"
        );
        assert!(html.contains(&escaped("<b onload=x>\"'& Set your password: https://evil")));
    }
}

#[test]
fn a_name_that_advertises_is_not_greeted() {
    let Message::SetupLink(mut mail) = Message::samples().unwrap().remove(0) else {
        panic!("the first sample is a setup link");
    };
    for (name, greeting) in [("Win at evil.example", "Hello,"), ("Ada", "Hello Ada,")] {
        mail.person = PlainName::clean(name);
        let Rendered { text, .. } = rendered(mail.clone().into(), Locale::En);
        assert_eq!(text.lines().next(), Some(greeting));
    }
}

#[test]
fn each_link_of_a_reset_stands_under_its_tenant() {
    let several = Message::samples()
        .unwrap()
        .into_iter()
        .find_map(|message| match message {
            Message::PasswordReset(mail) if !mail.others.is_empty() => Some(mail),
            _ => None,
        });
    let mail = several.unwrap();
    let Rendered { text, html, .. } = rendered(mail.clone().into(), Locale::En);
    let lines: Vec<&str> = text.lines().collect();
    for reset in mail.all() {
        let at = lines
            .iter()
            .position(|line| *line == reset.link.expose())
            .unwrap();
        let above = format!("{} ({}):", reset.tenant.name, reset.tenant.url.host());
        assert_eq!(lines[at - 1], above);
        assert!(html.contains(&escaped(reset.tenant.name.as_str())));
    }
    assert!(PasswordReset::new(Vec::new(), mail.expires_in).is_none());
}

#[test]
fn a_tenants_colour_paints_its_mail() {
    let Message::SetupLink(mut mail) = Message::samples().unwrap().remove(0) else {
        panic!("the first sample is a setup link");
    };
    mail.tenant.colour = "#12ab34".parse::<Colour>().ok();
    let Rendered { html, .. } = rendered(mail.clone().into(), Locale::En);
    assert!(html.contains("background-color:#12ab34"));
    mail.tenant.colour = None;
    let Rendered { html, .. } = rendered(mail.into(), Locale::En);
    assert!(html.contains(&format!("background-color:{}", Colour::PLATFORM)));
}

#[test]
fn every_colour_leaves_a_mail_that_can_be_read() {
    for colour in ["#ffff00", "#000000", "#ffffff", "#7f7f7f"] {
        let fill: Colour = colour.parse().unwrap();
        let ink = fill.ink();
        assert!(fill.contrast(ink) >= TEXT_CONTRAST, "{colour}");
        let Message::SetupLink(mut mail) = Message::samples().unwrap().remove(0) else {
            panic!("the first sample is a setup link");
        };
        mail.tenant.colour = Some(fill);
        let Rendered { html, text, .. } = rendered(mail.into(), Locale::En);
        assert!(!text.contains(colour));
        // What stands on the colour is in its ink, and nothing is written in the colour itself.
        assert!(html.contains(&format!(";color:{ink};")), "{colour}");
        let parts: Vec<&str> = html.split(&format!("color:{fill}")).collect();
        assert!(parts.len() > 2, "{colour}: bar and button");
        for before in &parts[..parts.len() - 1] {
            assert!(before.ends_with("background-"), "{colour}");
        }
    }
}
