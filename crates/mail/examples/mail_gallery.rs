//! Writes every sample mail in every language as HTML and as text, to be looked at in a browser:
//! `cargo run -p tenantry-mail --example mail_gallery -- FOLDER`.

use std::error::Error;
use std::path::PathBuf;

use tenantry_core::{Locale, OutboxId, Timestamp};
use tenantry_mail::{Envelope, Message, Sender};

fn main() -> Result<(), Box<dyn Error>> {
    let dir = PathBuf::from(
        std::env::args_os()
            .nth(1)
            .ok_or("name a folder to write to")?,
    );
    std::fs::create_dir_all(&dir)?;
    for (number, message) in Message::samples()?.into_iter().enumerate() {
        for locale in Locale::ALL {
            let envelope = Envelope {
                id: OutboxId::from_uuid(uuid::Uuid::nil()),
                to: "ada@example.org".parse()?,
                from: Sender::new("Tenantry", "mail@tenantry.example".parse()?),
                locale: *locale,
                at: Timestamp::from_micros(1_795_185_000_000_000),
                message: message.clone(),
            };
            let words = envelope.render()?;
            let name = format!("{number}-{}-{locale}", message.kind());
            std::fs::write(dir.join(format!("{name}.html")), words.html)?;
            std::fs::write(dir.join(format!("{name}.txt")), words.text)?;
        }
    }
    Ok(())
}
