//! Bringing people along with the password hashes they have elsewhere.

use tenantry_core::Role;
use tenantry_core::session::SessionKind;
use tenantry_service::Refusal;
use tenantry_service::import::lines::Lines;
use tenantry_service::import::{Import, Imported, ndjson};
use tenantry_service::sessions::Principal;
use tenantry_service::signin::Person;
use tenantry_service::staff::{Acting, StaffChange};
use tenantry_store::TenantCtx;
use tenantry_testkit::on_each_isolation;
use tenantry_testkit::receiver::Receiver;
use tenantry_testkit::service::{Options, PASSWORD, TestService};

use crate::people::{ADA, OTHER, one, principal, sign_in, sign_in_twice, try_in};

on_each_isolation! {
    people_sign_in_with_the_password_they_had,
    a_wrong_line_stops_nothing,
    the_same_file_again_is_skipped,
    more_people_than_one_batch,
    an_address_of_another_tenant_is_refused_where_it_may_belong_to_one,
    looking_writes_nothing,
}

/// The test kit's password as PHP, Django's PBKDF2 and Django's scrypt hash it.
const PHP: &str = "$2y$04$abcdefghijklmnopqrstuuqREtd3VJD2QVZbuFskFSLk6eRIrQoOS";
const PBKDF2: &str = "pbkdf2_sha256$1000$saltsaltsalt$GacV8oEzUl3KM0Mwey9yrMcTPKpkL4jXrFpbKB8oOnI=";
const SCRYPT: &str = "scrypt$1024$saltsaltsalt$8$1$efPjhLsc6g6F87C4r8JW+Ndthiq2j1fCZEA8arGU0o3/TjGA65EPRYx1wTd/gdXDlUret5ZYlZXfFAAA26fydg==";

fn line(email: &str, more: &str, hash: &str) -> String {
    format!("{{\"email\":\"{email}\"{more},\"password_hash\":\"{hash}\"}}\n")
}

async fn take(mut import: Import, text: &str) -> Result<Imported, Refusal> {
    let (mut lines, mut records) = (Lines::default(), Vec::new());
    lines.push(text.as_bytes(), |number, line| {
        records.push(ndjson::record(number, &line));
    });
    lines.end(|number, line| records.push(ndjson::record(number, &line)));
    for record in records {
        import.take(record).await?;
    }
    import.finish().await
}

async fn start(options: Options) -> (TestService, TenantCtx) {
    let test = TestService::start(options).await.unwrap();
    let view = test.make_tenant("acme", ADA, PASSWORD).await.unwrap();
    let ctx = test.service.enter_as_operator(view.tenant.id).await;
    (test, ctx.unwrap())
}

async fn signed_in(test: &TestService, email: &str) -> Principal {
    let (_, issued) = sign_in(test, "acme", email, PASSWORD, SessionKind::Browser).await;
    principal(test, issued.token.expose()).await
}

/// What a line came to: its number and a word.
fn told(imported: &Imported) -> Vec<(u64, &'static str)> {
    let told = |error: &tenantry_service::import::LineError| (error.line, error.code);
    imported.errors.iter().map(told).collect()
}

fn counts(imported: &Imported) -> (u64, u64, u64) {
    (imported.imported, imported.skipped, imported.failed)
}

async fn entries(test: &TestService, state: &str) -> i64 {
    let sql = format!("SELECT COUNT(*) FROM directory WHERE state = '{state}'");
    test.control().number(&sql).await.unwrap()
}

async fn people_sign_in_with_the_password_they_had(options: Options) {
    let (test, ctx) = start(options).await;
    let owner = signed_in(&test, ADA).await;
    let acting = Acting::of(&owner).unwrap();
    let text = [
        line("php@example.org", ",\"username\":\"rasmus\"", PHP),
        line("django@example.org", ",\"full_name\":\"D. R.\"", PBKDF2),
        line("scrypt@example.org", ",\"role\":\"admin\"", SCRYPT),
    ]
    .concat();
    let imported = take(test.service.import_staff(&acting), &text).await;
    assert_eq!(counts(&imported.unwrap()), (3, 0, 0));
    assert_eq!(
        (
            entries(&test, "confirmed").await,
            entries(&test, "reserved").await
        ),
        (4, 0)
    );
    for email in [
        "php@example.org",
        "django@example.org",
        "scrypt@example.org",
    ] {
        refused!(
            try_in(&test, None, email, OTHER).await,
            Refusal::InvalidCredentials
        );
        // By the directory alone; and once more, with the hash that took the old one's place.
        for _ in 0..2 {
            let (person, _) = one(try_in(&test, None, email, PASSWORD).await.unwrap());
            assert_eq!(person.tenant().unwrap().id, ctx.id());
        }
    }
    let people = test.service.list_staff(&ctx, None, 10).await.unwrap();
    let of = |email: &str| {
        people
            .iter()
            .find(|user| user.email.as_str() == email)
            .unwrap()
    };
    assert_eq!(of("php@example.org").username.as_deref(), Some("rasmus"));
    assert_eq!(of("django@example.org").full_name.as_deref(), Some("D. R."));
    assert_eq!(of("scrypt@example.org").role, Role::Admin);
}

async fn a_wrong_line_stops_nothing(options: Options) {
    let (test, _) = start(options).await;
    let owner = signed_in(&test, ADA).await;
    let acting = Acting::of(&owner).unwrap();
    let first = line(
        "bob@example.org",
        ",\"username\":\"bob\",\"role\":\"admin\"",
        PHP,
    );
    take(test.service.import_staff(&acting), &first)
        .await
        .unwrap();
    // Bob is an admin, who makes nobody an owner.
    let bob = signed_in(&test, "bob@example.org").await;
    let acting = Acting::of(&bob).unwrap();
    let text = [
        line("one@example.org", "", PHP),
        "nonsense\n".to_owned(),
        line("no address", "", PHP),
        line("two@example.org", ",\"role\":\"owner\"", PHP),
        line("three@example.org", ",\"role\":\"platform_admin\"", PHP),
        line("four@example.org", ",\"name\":\"Four\"", PHP),
        line(
            "five@example.org",
            "",
            "$2x$04$abcdefghijklmnopqrstuuqREtd3VJD2QVZbuFskFSLk6eRIrQoOS",
        ),
        line("six@example.org", "", &PHP.replace("$04$", "$31$")),
        line("seven@example.org", ",\"username\":\"BOB\"", PHP),
        "\n".to_owned(),
        line("ONE@example.org", "", PHP),
        line("eight@example.org", ",\"username\":\"eight\"", PHP),
    ]
    .concat();
    let imported = take(test.service.import_staff(&acting), &text)
        .await
        .unwrap();
    assert_eq!(
        told(&imported),
        [
            (2, "malformed"),
            (3, "invalid"),
            (4, "forbidden"),
            (5, "invalid"),
            (6, "unknown_field"),
            (7, "unsupported_hash"),
            (8, "hash_too_costly"),
            (9, "username_taken"),
        ]
    );
    assert_eq!(counts(&imported), (2, 1, 8));
    assert_eq!(
        (
            entries(&test, "confirmed").await,
            entries(&test, "reserved").await
        ),
        (4, 0)
    );
    for error in &imported.errors {
        assert!(!error.message.contains("abcdefghij"), "{}", error.message);
    }
    one(try_in(&test, Some("acme"), "eight@example.org", PASSWORD)
        .await
        .unwrap());
}

async fn the_same_file_again_is_skipped(options: Options) {
    let (test, ctx) = start(options).await;
    let text = line("one@example.org", "", PHP) + &line(ADA, ",\"role\":\"member\"", SCRYPT);
    for wanted in [(1, 1, 0), (0, 2, 0)] {
        let import = test.service.import_as_operator(&ctx, false);
        assert_eq!(counts(&take(import, &text).await.unwrap()), wanted);
    }
    let people = test.service.list_staff(&ctx, None, 10).await.unwrap();
    assert_eq!(people.len(), 2);
    assert!(people.iter().any(|user| user.role == Role::Owner));
}

async fn more_people_than_one_batch(options: Options) {
    let (test, ctx) = start(options).await;
    let one = |number: usize| line(&format!("p{number}@example.org"), "", PHP);
    let text: String = (0..450).map(one).collect();
    let import = test.service.import_as_operator(&ctx, false);
    assert_eq!(counts(&take(import, &text).await.unwrap()), (450, 0, 0));
    assert_eq!(
        (
            entries(&test, "confirmed").await,
            entries(&test, "reserved").await
        ),
        (451, 0)
    );
    let people = test.service.list_staff(&ctx, None, 500).await.unwrap();
    assert_eq!(people.len(), 451);
}

async fn an_address_of_another_tenant_is_refused_where_it_may_belong_to_one(options: Options) {
    let (test, ctx) = start(options.with_global_addresses()).await;
    let globex = "bob@example.org";
    test.make_tenant("globex", globex, PASSWORD).await.unwrap();
    let text = line(globex, "", PHP) + &line("one@example.org", "", PHP);
    let import = test.service.import_as_operator(&ctx, false);
    let imported = take(import, &text).await.unwrap();
    assert_eq!(told(&imported), [(1, "email_taken")]);
    assert_eq!(counts(&imported), (1, 0, 1));
    let people = test.service.list_staff(&ctx, None, 10).await.unwrap();
    assert!(people.iter().all(|user| user.email.as_str() != globex));
    assert_eq!(
        (
            entries(&test, "confirmed").await,
            entries(&test, "reserved").await
        ),
        (3, 0)
    );
}

async fn looking_writes_nothing(options: Options) {
    let (test, ctx) = start(options).await;
    let text = [
        line("one@example.org", ",\"username\":\"one\"", PHP),
        line("two@example.org", ",\"username\":\"One\"", PHP),
        line(ADA, "", PHP),
    ]
    .concat();
    let import = test.service.import_as_operator(&ctx, true);
    let imported = take(import, &text).await.unwrap();
    assert_eq!(counts(&imported), (1, 1, 1));
    assert_eq!(told(&imported), [(2, "username_taken")]);
    assert_eq!(
        test.service.list_staff(&ctx, None, 10).await.unwrap().len(),
        1
    );
    assert_eq!(
        (
            entries(&test, "confirmed").await,
            entries(&test, "reserved").await
        ),
        (1, 0)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_is_demoted_meanwhile_adds_nobody_more() {
    let (test, ctx) = start(Options::sqlite()).await;
    let owner = signed_in(&test, ADA).await;
    let acting = Acting::of(&owner).unwrap();
    let admin = line("bob@example.org", ",\"role\":\"admin\"", PHP);
    take(test.service.import_staff(&acting), &admin)
        .await
        .unwrap();
    let bob = signed_in(&test, "bob@example.org").await;
    let import = test.service.import_staff(&Acting::of(&bob).unwrap());
    let Person::User { user, .. } = &bob.person else {
        panic!("bob is no user");
    };
    let demoted = StaffChange {
        role: Some(Role::Member),
        ..StaffChange::default()
    };
    test.service
        .change_staff(&acting, user.id, demoted)
        .await
        .unwrap();
    refused!(
        take(import, &line("eve@example.org", "", PHP)).await,
        Refusal::Forbidden
    );
    assert_eq!(
        test.service.list_staff(&ctx, None, 10).await.unwrap().len(),
        2
    );
    assert_eq!(entries(&test, "reserved").await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn receivers_are_told_of_each_one() {
    let (test, ctx) = start(Options::sqlite()).await;
    let receiver = Receiver::start().await.unwrap();
    let wanted = tenantry_service::webhooks::NewWebhook {
        url: receiver.url("/in"),
        events: vec!["user.created".to_owned()],
        description: None,
    };
    test.service.add_webhook(&wanted).await.unwrap();
    let text = line("one@example.org", "", PHP) + &line(ADA, "", PHP) + "nonsense\n";
    take(test.service.import_as_operator(&ctx, false), &text)
        .await
        .unwrap();
    test.service.deliver_due_notices().await.unwrap();
    let seen = receiver.seen();
    assert_eq!(seen.len(), 1);
    let notice = seen[0].json();
    assert_eq!(notice["data"]["user"]["email"], "one@example.org");
    assert!(!notice.to_string().contains("$2y$"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operator_gives_somebody_a_new_password() {
    let (test, ctx) = start(Options::sqlite()).await;
    let before = sign_in_twice(&test, "acme", ADA, PASSWORD).await;
    let email = ADA.parse().unwrap();
    let password = test.service.reset_password_of(&ctx, &email).await.unwrap();
    before.expect_stale(&test.service, "a reset").await;
    refused!(
        try_in(&test, Some("acme"), ADA, PASSWORD).await,
        Refusal::InvalidCredentials
    );
    let drawn = password.expose();
    let (person, _) = one(try_in(&test, Some("acme"), ADA, drawn).await.unwrap());
    assert!(person.must_change_password());
    let nobody = "nobody@example.org".parse().unwrap();
    refused!(
        test.service.reset_password_of(&ctx, &nobody).await,
        Refusal::NotFound
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_sign_in_replaces_the_hash() {
    let test = TestService::start(Options::sqlite()).await.unwrap();
    let view = test.make_tenant("acme", ADA, PASSWORD).await.unwrap();
    let ctx = test
        .service
        .enter_as_operator(view.tenant.id)
        .await
        .unwrap();
    let text = line("one@example.org", "", PHP);
    take(test.service.import_as_operator(&ctx, false), &text)
        .await
        .unwrap();
    let stored = async |form: &str| {
        let sql = format!(
            "UPDATE tenantry_users SET full_name = full_name
             WHERE email_key = 'one@example.org' AND password_hash LIKE '{form}%'"
        );
        test.damage_tenant(&view, &sql).await.unwrap()
    };
    assert_eq!(
        (stored("$2y$04$").await, stored("$argon2id$").await),
        (1, 0)
    );
    // One that does not fit replaces nothing.
    refused!(
        try_in(&test, Some("acme"), "one@example.org", OTHER).await,
        Refusal::InvalidCredentials
    );
    assert_eq!(
        (stored("$2y$04$").await, stored("$argon2id$").await),
        (1, 0)
    );
    one(try_in(&test, Some("acme"), "one@example.org", PASSWORD)
        .await
        .unwrap());
    assert_eq!(
        (stored("$2y$04$").await, stored("$argon2id$").await),
        (0, 1)
    );
}
