use mail_parser::{MessageParser, MimeHeaders as _};

use super::*;
use crate::message::SetupLink;
use crate::{Link, MailTenant};

fn envelope(tenant: &str, sender: &str, locale: Locale) -> Envelope {
    let mut mail = SetupLink::samples().unwrap().remove(0);
    mail.tenant = MailTenant::new(tenant, None, mail.tenant.url);
    Envelope {
        id: "01926b3e-7c00-7abc-8def-0123456789ab".parse().unwrap(),
        to: "ada@example.org".parse().unwrap(),
        from: Sender::new(sender, "mail@tenantry.example".parse().unwrap()),
        locale,
        at: Timestamp::from_micros(1_795_185_000_123_456),
        message: mail.into(),
    }
}

/// The header lines, unfolded.
fn headers(mime: &[u8]) -> Vec<String> {
    let mime = std::str::from_utf8(mime).unwrap();
    let (head, _) = mime.split_once("\r\n\r\n").unwrap();
    head.replace("\r\n ", " ")
        .split("\r\n")
        .map(str::to_owned)
        .collect()
}

fn decoded(mime: &[u8], subtype: &str) -> String {
    let mail = MessageParser::default().parse(mime).unwrap();
    let part = mail.parts.iter().find(|part| {
        part.content_type()
            .is_some_and(|kind| kind.subtype() == Some(subtype))
    });
    part.unwrap().text_contents().unwrap().replace("\r\n", "\n")
}

#[test]
fn headers_say_who_when_and_that_a_machine_wrote() {
    let mime = envelope("Acme", "Tenantry", Locale::En)
        .to_mime()
        .unwrap()
        .formatted();
    assert_eq!(
        headers(&mime),
        [
            "Message-ID: <01926b3e-7c00-7abc-8def-0123456789ab@tenantry.example>",
            "Date: Fri, 20 Nov 2026 14:30:00 +0000",
            "From: Tenantry <mail@tenantry.example>",
            "To: ada@example.org",
            "Subject: Set up your account at Acme",
            "Content-Language: en",
            "Auto-Submitted: auto-generated",
            "X-Auto-Response-Suppress: All",
            "MIME-Version: 1.0",
            "Content-Type: multipart/alternative; \
             boundary=\"tenantry-01926b3e-7c00-7abc-8def-0123456789ab\"",
        ]
    );
}

#[test]
fn both_parts_survive_every_encoding() {
    for locale in Locale::ALL {
        for encoding in [Encoding::Ascii, Encoding::Readable] {
            let envelope = envelope("Bäckerei Müßig 山田", "Tenantry", *locale);
            let words = envelope.render().unwrap();
            let mime = envelope.compose(encoding).unwrap().formatted();
            assert_eq!(mime.is_ascii(), encoding == Encoding::Ascii);
            assert_eq!(decoded(&mime, "plain"), words.text);
            assert_eq!(decoded(&mime, "html"), words.html);
        }
    }
}

#[test]
fn english_links_are_whole_before_decoding() {
    let envelope = envelope("Acme", "Tenantry", Locale::En);
    let mime = String::from_utf8(envelope.to_mime().unwrap().formatted()).unwrap();
    for link in envelope.message.links() {
        assert!(
            mime.split("\r\n").any(|line| line == link.expose()),
            "{mime}"
        );
    }
}

#[test]
fn two_tries_are_one_mail() {
    let envelope = envelope("Acme", "Tenantry", Locale::De);
    let [one, other] = [(), ()].map(|()| envelope.to_mime().unwrap().formatted());
    assert_eq!(one, other);
}

#[test]
fn no_name_breaks_the_headers() {
    let count = headers(
        &envelope("Acme", "T", Locale::En)
            .to_mime()
            .unwrap()
            .formatted(),
    )
    .len();
    for name in [
        "Acme\r\nBcc: eve@example.org\r\n\r\n<h1>Hi</h1>",
        "\u{202e}emcA\u{2066}",
        &"w".repeat(300),
        &"ü ".repeat(300),
        "\"Acme\" <eve@example.org>, (x) \\",
        "=?utf-8?q?Acme?=",
    ] {
        for locale in Locale::ALL {
            let envelope = envelope(name, name, *locale);
            let mime = envelope.to_mime().unwrap().formatted();
            let lines = headers(&mime);
            assert_eq!(lines.len(), count, "{name}: {lines:#?}");
            assert!(mime.is_ascii());
            // RFC 5322, section 2.1.1.
            assert!(
                mime.split(|b| *b == b'\n').all(|line| line.len() <= 999),
                "{name}"
            );
            let mail = MessageParser::default().parse(&mime).unwrap();
            assert_eq!(mail.to().unwrap().iter().count(), 1, "{name}");
            let from: Vec<_> = mail
                .from()
                .unwrap()
                .iter()
                .map(|from| from.address())
                .collect();
            assert_eq!(from, [Some("mail@tenantry.example")], "{name}");
            assert!(mail.bcc().is_none());
        }
    }
}

#[test]
fn the_longest_link_stays_whole() {
    let mut envelope = envelope("Acme", "Tenantry", Locale::De);
    let link = format!("https://acme.example.org/?{}", "a=%3D&".repeat(145));
    let mut mail = SetupLink::samples().unwrap().remove(0);
    mail.link = Link::parse(&link).unwrap();
    envelope.message = mail.into();
    for encoding in [Encoding::Ascii, Encoding::Readable] {
        let mime = envelope.compose(encoding).unwrap().formatted();
        let text = decoded(&mime, "plain");
        assert!(text.lines().any(|line| line == link), "{text}");
    }
}

#[test]
fn a_time_outside_the_calendar_does_no_harm() {
    for micros in [i64::MIN, -1, i64::MAX] {
        let mut envelope = envelope("Acme", "Tenantry", Locale::En);
        envelope.at = Timestamp::from_micros(micros);
        assert!(envelope.to_mime().is_ok());
    }
}

#[test]
fn a_sender_without_a_name_is_called_by_its_domain() {
    let envelope = envelope("Acme", "\u{202e}", Locale::En);
    let mime = envelope.to_mime().unwrap().formatted();
    assert!(headers(&mime).contains(&"From: mail@tenantry.example".to_owned()));
    assert!(
        envelope
            .render()
            .unwrap()
            .text
            .contains("tenantry.example sent this")
    );
}
