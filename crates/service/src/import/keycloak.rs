//! Keycloak's exports: one JSON document for a realm, or for a part of its people, with a list
//! `users` in it. It is read as it comes, one person at a time.

use std::fmt;
use std::io::Read;
use std::ops::ControlFlow;

use serde::Deserialize;
use serde::de::{
    DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor,
};
use tenantry_core::Secret;
use tenantry_keys::password::{KeycloakArgon2, KeycloakHash, StoredHashError};

use super::record::{Found, Hash, LineError, Record, Said};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct User {
    #[serde(default)]
    username: Option<String>,
    #[serde(default)]
    email: Option<String>,
    #[serde(default)]
    first_name: Option<String>,
    #[serde(default)]
    last_name: Option<String>,
    #[serde(default)]
    enabled: Option<bool>,
    #[serde(default)]
    service_account_client_id: Option<String>,
    #[serde(default)]
    credentials: Vec<Credential>,
}

#[derive(Deserialize)]
struct Credential {
    #[serde(rename = "type", default)]
    kind: Option<String>,
    #[serde(rename = "secretData", default)]
    secret: Option<String>,
    #[serde(rename = "credentialData", default)]
    data: Option<String>,
}

#[derive(Deserialize)]
struct SecretData {
    value: String,
    #[serde(default)]
    salt: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CredentialData {
    #[serde(default)]
    hash_iterations: u32,
    algorithm: String,
    #[serde(default)]
    additional_parameters: Parameters,
}

/// Each is a list of one text.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Parameters {
    #[serde(rename = "type")]
    kind: Vec<String>,
    version: Vec<String>,
    memory: Vec<String>,
    parallelism: Vec<String>,
}

impl Credential {
    fn stored_form(&self) -> Result<Secret<String>, StoredHashError> {
        let malformed = |_| StoredHashError::Malformed;
        let text = |part: &Option<String>| part.clone().ok_or(StoredHashError::Malformed);
        let secret: SecretData = serde_json::from_str(&text(&self.secret)?).map_err(malformed)?;
        let data: CredentialData = serde_json::from_str(&text(&self.data)?).map_err(malformed)?;
        // Keycloak offers to hash with bcrypt by extensions, which store its own form whole.
        if data.algorithm == "bcrypt" {
            let stored = tenantry_keys::password::stored_form(&secret.value);
            return stored.map(Secret::new);
        }
        let first = |list: &[String]| list.first().cloned().unwrap_or_default();
        let number = |list: &[String]| first(list).parse().ok();
        let parameters = &data.additional_parameters;
        let (kind, version) = (first(&parameters.kind), first(&parameters.version));
        let argon2 = match (number(&parameters.memory), number(&parameters.parallelism)) {
            (Some(memory), Some(lanes)) => Some(KeycloakArgon2 {
                kind: &kind,
                version: &version,
                memory,
                lanes,
            }),
            _ => None,
        };
        let hash = KeycloakHash {
            algorithm: &data.algorithm,
            iterations: data.hash_iterations,
            salt: &secret.salt,
            value: &secret.value,
            argon2,
        };
        hash.stored_form().map(Secret::new)
    }
}

impl User {
    /// Everybody is a member: roles of a realm mean what its applications make of them.
    fn found(self) -> Found {
        if self.service_account_client_id.is_some() {
            return Found::Nobody;
        }
        let email = self.email.unwrap_or_default();
        let names = [self.first_name, self.last_name];
        let names: Vec<_> = names.into_iter().flatten().collect();
        let password = |credential: &&Credential| credential.kind.as_deref() == Some("password");
        let hash = self.credentials.iter().find(password);
        Found::Somebody(Box::new(Said {
            // Where people sign in with their address, it is their username too.
            username: self
                .username
                .filter(|name| !name.eq_ignore_ascii_case(&email)),
            full_name: (!names.is_empty()).then(|| names.join(" ")),
            role: None,
            hash: hash.map_or(Hash::None, |hash| Hash::Formed(hash.stored_form())),
            disabled: self.enabled == Some(false),
            email,
        }))
    }
}

/// Reads a document, and gives each person to `each`, counted from 1. Blocks, as reading does. Fails
/// where the text is no such document; whoever `each` was told of before is no less there.
pub fn read(
    text: impl Read,
    each: &mut dyn FnMut(Record) -> ControlFlow<()>,
) -> Result<(), serde_json::Error> {
    let mut deserializer = serde_json::Deserializer::from_reader(text);
    let mut walk = Walk {
        each,
        line: 0,
        stopped: false,
    };
    let read = Document(&mut walk).deserialize(&mut deserializer);
    if walk.stopped {
        return Ok(());
    }
    read
}

/// Where reading stands.
struct Walk<'a> {
    each: &'a mut dyn FnMut(Record) -> ControlFlow<()>,
    line: u64,
    stopped: bool,
}

/// The document as a whole.
struct Document<'a, 'w>(&'a mut Walk<'w>);

impl<'de> DeserializeSeed<'de> for Document<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Document<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a realm's export with a list of users")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut found = false;
        while let Some(key) = map.next_key::<String>()? {
            if key == "users" {
                found = true;
                map.next_value_seed(Users(&mut *self.0))?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        if found {
            Ok(())
        } else {
            Err(A::Error::missing_field("users"))
        }
    }

    /// Several realms in one file.
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while seq.next_element_seed(Document(&mut *self.0))?.is_some() {}
        Ok(())
    }
}

/// The list of people.
struct Users<'a, 'w>(&'a mut Walk<'w>);

impl<'de> DeserializeSeed<'de> for Users<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Users<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of users")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let walk = self.0;
        // Each as JSON first, so that one who is spelt otherwise stops nobody else.
        while let Some(value) = seq.next_element::<serde_json::Value>()? {
            walk.line += 1;
            let line = walk.line;
            let found = User::deserialize(value).map(User::found).map_err(|_| {
                LineError::new(line, "invalid", "a field of this user has the wrong type")
            });
            if (walk.each)(Record { line, found }).is_break() {
                walk.stopped = true;
                return Err(A::Error::custom("stopped"));
            }
        }
        Ok(())
    }
}
