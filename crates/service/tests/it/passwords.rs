//! What a password must not be: common, made of the names around it, known from a breach; and how
//! long it must be in which tenant.

use std::time::Duration;

use tenantry_core::session::SessionKind;
use tenantry_service::password::{BreachCheck, BreachLooks};
use tenantry_service::tenants::{MinLength, TenantPatch};
use tenantry_service::{Refusal, Service};
use tenantry_testkit::on_both;
use tenantry_testkit::receiver::{Receiver, Reply};
use tenantry_testkit::service::{Driver, Options, PASSWORD, TestService};
use tenantry_webhooks::{Deliverer, Rules};

use crate::people::{ADA, OTHER, id, principal, sign_in, start};

on_both! {
    what_is_tried_first_is_refused_beside_its_field,
    a_tenant_has_a_number_of_its_own,
}

/// Sets Ada's password; the code of what is wrong with it.
async fn set(test: &TestService, service: &Service, chosen: &str) -> Result<(), &'static str> {
    let (_, issued) = sign_in(test, "acme", ADA, PASSWORD, SessionKind::Browser).await;
    let ada = principal(test, issued.token.expose()).await;
    match service.change_password(&ada, PASSWORD, chosen, None).await {
        Ok(()) => {
            // Back to the one that everything here begins with.
            // Two services that do not hear each other: this one may be half a second behind.
            test.service.clear_caches(None).await.unwrap();
            let ada = principal(test, issued.token.expose()).await;
            let back = test.service.change_password(&ada, chosen, PASSWORD, None);
            back.await.unwrap();
            Ok(())
        }
        Err(Refusal::Validation(errors)) => {
            assert_eq!(errors[0].field, "new_password");
            Err(errors[0].code)
        }
        Err(other) => panic!("{other:?}"),
    }
}

async fn what_is_tried_first_is_refused_beside_its_field(driver: Driver) {
    let test = start(driver).await;
    test.make_tenant("analytical-engines", "bob@example.org", PASSWORD)
        .await
        .unwrap();
    let mut acme = TestService::new_tenant("acme", ADA, Some(PASSWORD)).unwrap();
    "Analytical Engines".clone_into(&mut acme.name);
    acme.owner.username = Some("countess".parse().unwrap());
    acme.owner.full_name = Some("Augusta King".to_owned());
    for (password, code) in [
        ("1qaz2wsx3edc4rfv", "too_common"),
        ("AnalyticalEngines1", "too_close"),
        ("countesscountess", "too_close"),
        ("august", "too_short"),
    ] {
        let mut new = acme.clone();
        new.owner.password = Some(password.to_owned());
        let Err(refusal) = test.create(new).await else {
            panic!("{password} was taken");
        };
        let Ok(Refusal::Validation(errors)) = refusal.downcast::<Refusal>() else {
            panic!("{password}: refused otherwise");
        };
        let (field, told) = (&*errors[0].field, errors[0].code);
        assert_eq!((field, told), ("owner.password", code), "{password}");
    }
    test.create(acme).await.unwrap();
    for (password, code) in [
        ("1QAZ2wsx3edc4rfv", Err("too_common")),
        ("analytical engines!", Err("too_close")),
        ("Augusta-King-1815", Err("too_close")),
        ("acmeacmeacmeacme", Err("too_close")),
        (OTHER, Ok(())),
    ] {
        assert_eq!(
            set(&test, &test.service, password).await,
            code,
            "{password}"
        );
    }
}

async fn a_tenant_has_a_number_of_its_own(driver: Driver) {
    let test = start(driver).await;
    let acme = test.make_tenant("acme", ADA, PASSWORD).await.unwrap();
    let patch = |min| TenantPatch {
        password_min: Some(min),
        ..TenantPatch::default()
    };
    let with = async |min| test.service.patch_tenant(id(&acme), patch(min)).await;
    assert_eq!(
        set(&test, &test.service, "twelve chars").await,
        Err("too_short")
    );
    let changed = with(MinLength::Own(12)).await.unwrap();
    assert_eq!(changed.tenant.password_min, Some(12));
    assert_eq!(set(&test, &test.service, "twelve chars").await, Ok(()));
    assert_eq!(
        set(&test, &test.service, "eleven char").await,
        Err("too_short")
    );
    with(MinLength::Own(64)).await.unwrap();
    assert_eq!(set(&test, &test.service, OTHER).await, Err("too_short"));
    for wrong in [0, 7, 65] {
        refused!(with(MinLength::Own(wrong)).await, Refusal::Validation(_));
    }
    let changed = with(MinLength::Platform).await.unwrap();
    assert_eq!(changed.tenant.password_min, None);
    assert_eq!(
        set(&test, &test.service, "twelve chars").await,
        Err("too_short")
    );
    // What a patch does not name stays.
    with(MinLength::Own(20)).await.unwrap();
    let other = test.service.patch_tenant(id(&acme), TenantPatch::default());
    assert_eq!(other.await.unwrap().tenant.password_min, Some(20));
}

/// A process that asks there.
async fn asking(test: &TestService, url: &str) -> Service {
    let rules = Rules {
        allow_http: true,
        allow_private: true,
    };
    let check = BreachCheck {
        url: url.parse().unwrap(),
        http: Deliverer::new(rules).with_patience(Duration::from_millis(200)),
    };
    let opened = test.open_otherwise(|settings| settings.breach_check = Some(check), None);
    Box::pin(opened).await.unwrap().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_password_known_from_a_breach_is_refused() {
    let test = TestService::start(Options::sqlite()).await.unwrap();
    test.make_tenant("acme", ADA, PASSWORD).await.unwrap();
    let there = Receiver::start().await.unwrap();
    let service = asking(&test, &there.url("/range/")).await;
    // The SHA-1 of OTHER is 70BA9 and what follows here.
    let found =
        "00000000000000000000000000000000000:0\r\n25F3F7C65E118E59623EA467B8B2D4D0664:3\r\n";
    there.answer(Reply::Text(found.to_owned()));
    assert_eq!(set(&test, &service, OTHER).await, Err("breached"));
    // What was never met only pads the answer.
    there.answer(Reply::Text(found.replace(":3", ":0")));
    assert_eq!(set(&test, &service, OTHER).await, Ok(()));
    let seen = there.seen();
    for request in &seen {
        assert_eq!(request.line, "GET /range/70BA9 HTTP/1.1");
        assert_eq!(request.header("add-padding"), "true");
        assert!(request.body.is_empty());
    }
    assert_eq!(seen.len(), 2);
    // What the other rules refuse is asked about nobody.
    assert_eq!(
        set(&test, &service, "1qaz2wsx3edc4rfv").await,
        Err("too_common")
    );
    assert_eq!(there.seen().len(), 2);
    let looks = BreachLooks {
        found: 1,
        not_found: 1,
        failed: 0,
    };
    assert_eq!(service.breach_looks(), looks);
    service.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_an_answer_a_password_is_allowed_and_that_is_counted() {
    let test = TestService::start(Options::sqlite()).await.unwrap();
    test.make_tenant("acme", ADA, PASSWORD).await.unwrap();
    let there = Receiver::start().await.unwrap();
    let service = asking(&test, &there.url("/range/")).await;
    let long = "0".repeat(2 << 20);
    for reply in [
        Reply::Status(503),
        Reply::Silence,
        Reply::Redirect(there.url("/other/")),
        Reply::Text(long),
    ] {
        there.answer(reply);
        assert_eq!(set(&test, &service, OTHER).await, Ok(()));
    }
    assert_eq!(service.breach_looks().failed, 4);
    service.close().await;
    let nobody = asking(&test, "http://127.0.0.1:1/range/").await;
    assert_eq!(set(&test, &nobody, OTHER).await, Ok(()));
    assert_eq!(nobody.breach_looks().failed, 1);
    nobody.close().await;
}
