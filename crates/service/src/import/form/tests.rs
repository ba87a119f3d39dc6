use super::*;
use crate::import::record::{Found, Hash, Said};

/// What each record says in a few words.
fn told(form: Option<Form>, text: &str) -> Vec<String> {
    let mut told = Vec::new();
    // Cut as a file may be.
    let text = text.as_bytes();
    let (one, other) = text.split_at(text.len() / 2);
    Form::read(form, one.chain(other), &mut |record| {
        told.push(match &record.found {
            Ok(Found::Somebody(said)) => format!("{} {}", record.line, words(said)),
            Ok(Found::Nobody) => format!("{} nobody", record.line),
            Err(error) => format!("{} {}", record.line, error.code),
        });
        ControlFlow::Continue(())
    })
    .unwrap();
    told
}

fn words(said: &Said) -> String {
    let hash = match &said.hash {
        Hash::None => "-".to_owned(),
        Hash::Text(hash) | Hash::Formed(Ok(hash)) => hash.expose().clone(),
        Hash::Formed(Err(error)) => error.to_string(),
    };
    let or_dash = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
    let disabled = if said.disabled { " disabled" } else { "" };
    format!(
        "{} {} {} {} {hash}{disabled}",
        said.email,
        or_dash(&said.username),
        or_dash(&said.full_name),
        or_dash(&said.role)
    )
}

const KEYCLOAK: &str = r#"{
  "id": "8d2a", "realm": "acme", "roles": {"realm": [{"name": "users"}]},
  "users": [
    {"username": "ada", "email": "ada@example.org", "firstName": "Ada", "lastName": "Lovelace", "enabled": true,
     "credentials": [
       {"type": "otp", "secretData": "{\"value\":\"x\"}", "credentialData": "{}"},
       {"type": "password",
        "secretData": "{\"value\":\"4375YNS9YZWjOkSSca8vGMcgaeQJp2FL1QhyXildVT4oSSkLryljlt7+BW5BvK9TYoZKYFniLZZt2JG6YAFAKQ==\",\"salt\":\"AAECAwQFBgcICQoLDA0ODw==\",\"additionalParameters\":{}}",
        "credentialData": "{\"hashIterations\":1000,\"algorithm\":\"pbkdf2-sha256\",\"additionalParameters\":{}}"}]},
    {"username": "bob@example.org", "email": "bob@example.org", "enabled": false,
     "credentials": [
       {"type": "password",
        "secretData": "{\"value\":\"jbktBzLYgmupY6eWIqMHK+LE3aQs7DlNi6avnmGLF/w=\",\"salt\":\"AAECAwQFBgcICQoLDA0ODw==\"}",
        "credentialData": "{\"hashIterations\":2,\"algorithm\":\"argon2\",\"additionalParameters\":{\"hashLength\":[\"32\"],\"memory\":[\"256\"],\"type\":[\"id\"],\"version\":[\"1.3\"],\"parallelism\":[\"1\"]}}"}]},
    {"username": "service-account-app", "serviceAccountClientId": "app"},
    {"username": "eve", "email": 7},
    {"username": "federated", "email": "fed@example.org"}
  ],
  "scopeMappings": []
}"#;

#[test]
fn keycloaks_export() {
    let wanted = [
        "1 ada@example.org ada Ada Lovelace - $pbkdf2-sha256$i=1000$AAECAwQFBgcICQoLDA0ODw$4375YNS9YZWjOkSSca8vGMcgaeQJp2FL1QhyXildVT4oSSkLryljlt7+BW5BvK9TYoZKYFniLZZt2JG6YAFAKQ",
        "2 bob@example.org - - - $argon2id$v=19$m=256,t=2,p=1$AAECAwQFBgcICQoLDA0ODw$jbktBzLYgmupY6eWIqMHK+LE3aQs7DlNi6avnmGLF/w disabled",
        "3 nobody",
        "4 invalid",
        "5 fed@example.org federated - - -",
    ];
    assert_eq!(told(None, KEYCLOAK), wanted);
    // On one line, in a list of realms, and with a byte-order mark.
    assert_eq!(told(None, &KEYCLOAK.replace('\n', " ")), wanted);
    assert_eq!(told(None, &format!("[{KEYCLOAK}]")), wanted);
    assert_eq!(told(None, &format!("\u{feff}{KEYCLOAK}")), wanted);
    let none = Form::read(Some(Form::Keycloak), "{}".as_bytes(), &mut |_| {
        ControlFlow::Continue(())
    });
    assert!(matches!(none, Err(ReadError::Keycloak(_))));
    let cut = Form::read(None, &KEYCLOAK.as_bytes()[..900], &mut |_| {
        ControlFlow::Continue(())
    });
    assert!(matches!(cut, Err(ReadError::Keycloak(_))));
}

#[test]
fn auth0s_export() {
    let text = concat!(
        r#"{"_id":{"$oid":"60425da93519d90068f82966"},"email_verified":false,"email":"ada@example.org","passwordHash":"$2b$10$Z6hUTEEeoJXN5","tenant":"acme","name":"ada@example.org"}"#,
        "\n",
        r#"{"user_id":"auth0|1","email":"bob@example.org","name":"Bob","username":"bob","blocked":true}"#,
        "\n",
    );
    assert_eq!(
        told(None, text),
        [
            "1 ada@example.org - - - $2b$10$Z6hUTEEeoJXN5",
            "2 bob@example.org bob Bob - - disabled",
        ]
    );
}

#[test]
fn laravels_table() {
    let csv = "\u{feff}id,name,email,password,role,remember_token,deleted_at\n\
               1,\"Ada \"\"L\"\"\",ada@example.org,$2y$12$abc,Admin,NULL,NULL\n\
               2,Bob,bob@example.org\n\
               3,Eve,eve@example.org,$2y$12$def,superuser,x,2024-01-01\n\
               4,Mia,mia@example.org,NULL,superuser,x,\n";
    assert_eq!(
        told(None, csv),
        [
            "2 ada@example.org - Ada \"L\" admin $2y$12$abc",
            "3 malformed",
            "4 nobody",
            "5 mia@example.org - Mia - -",
        ]
    );
    let json = r#"[{"id":1,"name":"Ada","email":"ada@example.org","password":"$2y$12$abc","deleted_at":null},
                  7, {"email":"bob@example.org","username":"bob"}]"#;
    assert_eq!(
        told(None, json),
        [
            "1 ada@example.org - Ada - $2y$12$abc",
            "2 malformed",
            "3 bob@example.org bob - - -",
        ]
    );
    let headless = Form::read(None, "1,Ada,ada@example.org\n".as_bytes(), &mut |_| {
        ControlFlow::Continue(())
    });
    assert!(matches!(headless, Err(ReadError::Table(_))));
}

#[test]
fn our_own_lines_in_any_number() {
    let line = "{\"email\":\"ada@example.org\",\"password_hash\":\"x\"}\n";
    // More than is looked at to tell the form.
    let count = 4 * CHUNK / line.len();
    let told = told(None, &line.repeat(count));
    assert_eq!(told.len(), count);
    assert_eq!(told[count - 1], format!("{count} ada@example.org - - - x"));
    let strict = format!("{line}{{\"email\":\"a\",\"password_hash\":\"b\",\"_id\":1}}\n");
    assert_eq!(super::tests::told(None, &strict)[1], "2 unknown_field");
}

#[test]
fn reading_stops_where_it_is_told_to() {
    let line = "{\"email\":\"ada@example.org\",\"password_hash\":\"x\"}\n";
    let csv = "email,password\na@example.org,x\nb@example.org,x\n";
    let json = r#"[{"email":"a"},{"email":"b"}]"#;
    for text in [&line.repeat(9), KEYCLOAK, csv, json] {
        let mut seen = 0;
        Form::read(None, text.as_bytes(), &mut |_| {
            seen += 1;
            ControlFlow::Break(())
        })
        .unwrap();
        assert_eq!(seen, 1);
    }
}
