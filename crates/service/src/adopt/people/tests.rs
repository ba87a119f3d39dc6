use super::*;

fn row(email: &str) -> PersonRow {
    PersonRow {
        ordinal: 1,
        email: Some(email.to_owned()),
        username: None,
        full_name: None,
        role: None,
        password_hash: None,
        disabled: None,
    }
}

#[test]
fn tables_and_columns_are_named_as_people_do() {
    let people = people_table("users", "email=mail").unwrap();
    assert_eq!(
        (
            people.schema.as_str(),
            people.table.as_str(),
            people.email.as_str()
        ),
        ("public", "users", "mail")
    );
    let people = people_table(
        "\"My \"\"App\"\".v1\".Users",
        "email=E Mail; username = login, role=kind,password_hash=pw,full_name=n,disabled=off_since",
    )
    .unwrap();
    assert_eq!(people.schema, "My \"App\".v1");
    assert_eq!(
        (people.table.as_str(), people.email.as_str()),
        ("Users", "E Mail")
    );
    assert_eq!(people.username.as_deref(), Some("login"));
    assert_eq!(people.disabled.as_deref(), Some("off_since"));
    for table in [
        "", ".", "a.", ".a", "a.b.c", "\"a", "\"a\"b", "a\"b", "\"\".a", "a\0",
    ] {
        let error = people_table(table, "email=mail").unwrap_err();
        assert_eq!(error.field, "users", "{table:?}");
    }
    for map in [
        "",
        "username=a",
        "email",
        "email=",
        "email=a,email=b",
        "email=a,role=b,role=c",
        "email=a,password=b",
    ] {
        let error = people_table("users", map).unwrap_err();
        assert_eq!(error.field, "map", "{map:?}");
    }
}

#[test]
fn a_row_is_somebody_or_says_why_not() {
    for (email, why) in [
        (None, "there is no address"),
        (Some("  "), "there is no address"),
        (Some("nobody"), "this is no mail address"),
    ] {
        let mut row = row("");
        row.email = email.map(str::to_owned);
        let Judged::Nobody { why: told, .. } = judge(&row) else {
            panic!("{email:?} is somebody");
        };
        assert_eq!(told, why);
    }
    let mut row = row(" Ada@Example.org ");
    row.username = Some("ada l".to_owned());
    row.full_name = Some(" Ada\u{7}\nLovelace ".to_owned());
    row.password_hash = Some(Secret::new("$2b$12$abcdefghijklmnopqrstuv".to_owned()));
    let Judged::Somebody {
        person,
        dropped_hash,
        dropped_username,
    } = judge(&row)
    else {
        panic!("she is nobody");
    };
    assert!(dropped_hash && dropped_username);
    assert_eq!(person.email.as_str(), "Ada@Example.org");
    assert_eq!(person.full_name.as_deref(), Some("AdaLovelace"));
    assert!(person.password_hash.is_none() && person.username.is_none());
}

#[test]
fn only_our_words_give_power_and_only_a_clear_no_lets_in() {
    for (word, wanted) in [
        (Some("owner"), Role::Owner),
        (Some(" Admin "), Role::Admin),
        (Some("platform_admin"), Role::Member),
        (Some("superuser"), Role::Member),
        (None, Role::Member),
    ] {
        assert_eq!(role(word), wanted, "{word:?}");
    }
    for (value, wanted) in [
        (None, false),
        (Some("f"), false),
        (Some("0"), false),
        (Some("t"), true),
        (Some("1"), true),
        (Some("2024-02-29 12:00:00+00"), true),
        (Some("maybe"), true),
    ] {
        assert_eq!(is_disabled(value), wanted, "{value:?}");
    }
}
