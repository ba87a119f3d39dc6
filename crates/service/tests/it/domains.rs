//! Domains of tenants' own, proven against a real name server and a real web server.

mod losing;

use std::time::Duration;

use tenantry_core::Locale;
use tenantry_core::domain::{DomainKind, ProofProblem};
use tenantry_core::session::SessionKind;
use tenantry_core::tenant::Registration;
use tenantry_service::domains::{DomainRecord, Publish};
use tenantry_service::registration::{NewRegistration, Registered};
use tenantry_service::resolve::{Hints, Resolved};
use tenantry_service::tenants::{TenantChange, TenantPatch, TenantView};
use tenantry_service::{Refusal, Service};
use tenantry_testkit::dns::NameServer;
use tenantry_testkit::on_both;
use tenantry_testkit::receiver::{Receiver, Reply};
use tenantry_testkit::service::{Driver, Options, PASSWORD, TestService, client};

use crate::people::{ADA, IP, OTHER, id, one, tenant_of, try_in};

const DAY: Duration = Duration::from_hours(24);

/// A service with a name server and a web server of its own, and two tenants.
struct World {
    test: TestService,
    names: NameServer,
    web: Receiver,
    acme: TenantView,
    globex: TenantView,
}

async fn world(driver: Driver) -> World {
    let names = NameServer::start().await.unwrap();
    let web = Receiver::start().await.unwrap();
    web.answer(Reply::Status(404));
    let options = Options::on(driver).with_names(&names, web.port());
    let test = TestService::start(options).await.unwrap();
    let acme = test.make_tenant("acme", ADA, PASSWORD).await.unwrap();
    let globex = test.make_tenant("globex", ADA, OTHER).await.unwrap();
    World {
        test,
        names,
        web,
        acme,
        globex,
    }
}

async fn claim(world: &World, tenant: &TenantView, kind: DomainKind, name: &str) -> DomainRecord {
    let service = &world.test.service;
    service.add_domain(id(tenant), kind, name).await.unwrap()
}

fn publish(world: &World, claim: &DomainRecord) {
    let wanted = Publish::from(claim);
    world.names.publish(&wanted.record, &[&wanted.value]);
}

/// A tenant that proved a domain.
async fn proven(world: &World, tenant: &TenantView, kind: DomainKind, name: &str) -> DomainRecord {
    let claim = claim(world, tenant, kind, name).await;
    publish(world, &claim);
    let service = &world.test.service;
    let looked = service.verify_domain(id(tenant), Some(kind), name).await;
    let looked = looked.unwrap();
    assert_eq!(looked.problem, None, "{name}");
    looked.domain
}

async fn at(service: &Service, host: &str) -> Result<Resolved, Refusal> {
    let hints = Hints {
        host: Some(host.to_owned()),
        ..Hints::default()
    };
    service.resolve(&hints).await
}

async fn a_claim_leads_nowhere_and_a_proof_leads_to_the_tenant(driver: Driver) {
    let world = world(driver).await;
    let (service, acme) = (&world.test.service, id(&world.acme));
    let claim = claim(&world, &world.acme, DomainKind::Host, "Shop.ACME.example.").await;
    assert_eq!(claim.name.as_str(), "shop.acme.example");
    let wanted = Publish::from(&claim);
    assert_eq!(wanted.record, "_tenantry.shop.acme.example");
    assert!(wanted.value.starts_with("tenantry-verification="));
    let file = "http://shop.acme.example/.well-known/tenantry-verification";
    assert_eq!(wanted.file.as_deref(), Some(file));
    let again = service.add_domain(acme, DomainKind::Host, "shop.acme.example");
    assert_eq!(again.await.unwrap(), claim, "claimed again, it is the same");

    let look = async || {
        let looked = service.verify_domain(acme, None, "shop.acme.example").await;
        looked.unwrap()
    };
    let unproven = async |why: ProofProblem| {
        let looked = look().await;
        assert_eq!(looked.problem, Some(why));
        assert_eq!(looked.domain.verified_at, None);
        assert_eq!(looked.domain.problem, Some(why));
        refused!(
            at(service, "shop.acme.example").await,
            Refusal::TenantNotFound
        );
        let view = service.view(acme).await.unwrap();
        assert!(view.domains.is_empty() && view.url.contains("acme.localhost"));
        assert_eq!(view.unproven_domains, ["shop.acme.example"]);
    };
    unproven(ProofProblem::Missing).await;
    for other in [
        "tenantry-verification=",
        "tenantry-verification=5f2c8a0e91d34b7fa6c3e8d2b1907f4a",
        claim.token.as_str(),
        "v=spf1 -all",
    ] {
        world.names.publish(&wanted.record, &[other]);
        unproven(ProofProblem::Different).await;
    }
    // At another name than the one that was told.
    world.names.publish(&wanted.record, &[]);
    world.names.publish("shop.acme.example", &[&wanted.value]);
    world
        .names
        .publish("_tenantry.acme.example", &[&wanted.value]);
    unproven(ProofProblem::Missing).await;
    world.names.fail(true);
    unproven(ProofProblem::Unanswered).await;
    world.names.fail(false);

    world
        .names
        .publish(&wanted.record, &["something else", &wanted.value]);
    let looked = look().await;
    assert_eq!((looked.problem, looked.domain.problem), (None, None));
    assert_eq!(looked.domain.verified_at, Some(world.test.clock.now()));
    let resolved = at(service, "shop.acme.example").await.unwrap();
    assert_eq!(resolved.id(), Some(acme));
    let view = service.view(acme).await.unwrap();
    assert_eq!(view.domains, ["shop.acme.example"]);
    assert_eq!(view.url, "http://shop.acme.example:8000/");
    // What is given up leads nowhere from the commit on.
    let removed = service.remove_domain(acme, None, "shop.acme.example").await;
    removed.unwrap();
    refused!(
        at(service, "shop.acme.example").await,
        Refusal::TenantNotFound
    );
    let again = service.remove_domain(acme, None, "shop.acme.example").await;
    refused!(again, Refusal::NotFound);
}

async fn nobody_holds_a_name_with_a_claim_and_the_first_proof_has_it(driver: Driver) {
    let world = world(driver).await;
    let service = &world.test.service;
    let (acme, globex) = (id(&world.acme), id(&world.globex));
    let (host, name) = (DomainKind::Host, "shop.example");
    let squatting = claim(&world, &world.globex, host, name).await;
    let owner = claim(&world, &world.acme, host, name).await;
    assert_ne!(owner.token, squatting.token);
    publish(&world, &owner);
    // What the owner published proves nothing for the other.
    let looked = service.verify_domain(globex, None, name).await.unwrap();
    assert_eq!(looked.problem, Some(ProofProblem::Different));
    let looked = service.verify_domain(acme, None, name).await.unwrap();
    assert_eq!(looked.problem, None);
    assert_eq!(at(service, name).await.unwrap().id(), Some(acme));
    // From here on it is taken, whatever else is published.
    let (ours, theirs) = (Publish::from(&owner), Publish::from(&squatting));
    world
        .names
        .publish(&ours.record, &[&ours.value, &theirs.value]);
    let taken = service.verify_domain(globex, None, name).await;
    refused!(taken, Refusal::DomainTaken);
    let removed = service.remove_domain(globex, None, name).await;
    removed.unwrap();
    refused!(
        service.add_domain(globex, host, name).await,
        Refusal::DomainTaken
    );
    // For mail it is another claim, and free once its tenant is gone.
    claim(&world, &world.globex, DomainKind::Email, name).await;
    service.delete_tenant(acme, true).await.unwrap();
    claim(&world, &world.globex, host, name).await;
}

async fn of_two_at_once_one_proves(driver: Driver) {
    let world = world(driver).await;
    let other = world.test.beside(tenantry_saga::Faults::none()).await;
    let (service, other) = (&world.test.service, other.unwrap());
    let (acme, globex) = (id(&world.acme), id(&world.globex));
    for round in 0..8 {
        let name = format!("round-{round}.example");
        let one = claim(&world, &world.acme, DomainKind::Host, &name).await;
        let two = claim(&world, &world.globex, DomainKind::Host, &name).await;
        let (one, two) = (Publish::from(&one), Publish::from(&two));
        world.names.publish(&one.record, &[&one.value, &two.value]);
        let (first, second) = tokio::join!(
            service.verify_domain(acme, None, &name),
            other.service.verify_domain(globex, None, &name),
        );
        let winner = match (first, second) {
            (Ok(_), Err(Refusal::DomainTaken)) => acme,
            (Err(Refusal::DomainTaken), Ok(_)) => globex,
            other => panic!("{name}: {other:?}"),
        };
        assert_eq!(at(service, &name).await.unwrap().id(), Some(winner));
    }
}

async fn what_can_be_nobodys_is_refused(driver: Driver) {
    let world = world(driver).await;
    let service = world.test.open_otherwise(
        |settings| {
            "id.platform.example".clone_into(&mut settings.base_domain);
            settings.public_url = "https://platform.example/".parse().unwrap();
        },
        None,
    );
    let service = service.await.unwrap().unwrap();
    let acme = id(&world.acme);
    let (host, mail) = (DomainKind::Host, DomainKind::Email);
    for (kind, name, code) in [
        (host, "platform.example", "reserved"),
        (host, "id.platform.example", "reserved"),
        (host, "ACME.id.platform.example.", "reserved"),
        (host, "192.0.2.1", "invalid"),
        (host, "localhost", "invalid"),
        (host, "https://shop.example", "invalid"),
        (host, "shop.example:443", "invalid"),
        (host, "co.uk", "public_suffix"),
        (mail, "gmail.com", "public_mail"),
        (mail, "GoogleMail.com.", "public_mail"),
        (host, "outlook.com", "public_mail"),
    ] {
        match service.add_domain(acme, kind, name).await {
            Err(Refusal::Validation(errors)) => {
                let seen: Vec<_> = errors
                    .iter()
                    .map(|error| (error.field.as_ref(), error.code))
                    .collect();
                assert_eq!(seen, [("domain", code)], "{name}");
            }
            other => panic!("{name}: {other:?}"),
        }
    }
    // The platform's own people may be a tenant's, and its other names too.
    for (kind, name) in [
        (mail, "platform.example"),
        (host, "shop.platform.example"),
        (host, "müller.example"),
    ] {
        let added = service.add_domain(acme, kind, name).await;
        assert!(added.is_ok(), "{name}: {added:?}");
    }
    let nobody = tenantry_core::TenantId::from_uuid(uuid::Uuid::from_u128(7));
    let refused = service.add_domain(nobody, host, "shop.example").await;
    refused!(refused, Refusal::NotFound);
}

async fn a_proven_mail_domain_leads_its_people_to_the_tenant(driver: Driver) {
    let world = world(driver).await;
    let service = &world.test.service;
    // The same address in two tenants: only one of them is asked once the domain is proven.
    let both = try_in(&world.test, None, ADA, OTHER).await;
    assert!(both.is_ok(), "globex by the directory");
    let claim = claim(&world, &world.acme, DomainKind::Email, "example.org").await;
    assert_eq!(Publish::from(&claim).file, None);
    assert!(try_in(&world.test, None, ADA, OTHER).await.is_ok());
    publish(&world, &claim);
    let looked = service.verify_domain(id(&world.acme), None, "example.org");
    assert_eq!(looked.await.unwrap().problem, None);
    assert!(
        world.web.seen().is_empty(),
        "a mail domain has no web server"
    );
    refused!(
        try_in(&world.test, None, ADA, OTHER).await,
        Refusal::InvalidCredentials
    );
    assert!(try_in(&world.test, None, ADA, PASSWORD).await.is_ok());
    refused!(at(service, "example.org").await, Refusal::TenantNotFound);
}

/// Without a tenant named, a proven mail domain says where somebody registers. Whoever has no account
/// there and one elsewhere signs in elsewhere, by the directory.
async fn a_proven_mail_domain_leads_a_registration_and_is_no_dead_end(driver: Driver) {
    let world = world(driver).await;
    let service = &world.test.service;
    let (eve, grace) = ("eve@example.org", "grace@example.org");
    let made = world.test.make_tenant("initech", eve, OTHER).await.unwrap();
    let client = client(SessionKind::Api, IP);
    let register = async || {
        let new = NewRegistration {
            username: "grace".to_owned(),
            email: grace.to_owned(),
            password: PASSWORD.to_owned(),
            full_name: None,
        };
        let nowhere = Resolved::None;
        service.register(&nowhere, &new, Locale::En, &client).await
    };
    let open = TenantPatch {
        registration: Some(Registration::Open),
        verify_email: Some(false),
        ..TenantPatch::default()
    };
    let patched = service.patch_tenant(id(&world.acme), open).await;
    patched.unwrap();
    refused!(register().await, Refusal::TenantRequired);
    proven(&world, &world.acme, DomainKind::Email, "example.org").await;
    let Registered::In(signed_in) = register().await.unwrap() else {
        panic!("nothing is to be proven here");
    };
    assert_eq!(tenant_of(&signed_in.0), id(&world.acme));
    let (person, _) = one(try_in(&world.test, None, grace, PASSWORD).await.unwrap());
    assert_eq!(tenant_of(&person), id(&world.acme));
    let (person, _) = one(try_in(&world.test, None, eve, OTHER).await.unwrap());
    assert_eq!(tenant_of(&person), id(&made));
    // As do those of a tenant that lets nobody in.
    service.suspend_tenant(id(&world.acme)).await.unwrap();
    one(try_in(&world.test, None, eve, OTHER).await.unwrap());
    refused!(register().await, Refusal::TenantUnavailable);
}

/// Names of this machine lead here; the platform's are elsewhere.
async fn host_elsewhere(world: &World) -> tenantry_service::Service {
    let service = world.test.open_otherwise(
        |settings| {
            "platform.example".clone_into(&mut settings.base_domain);
            settings.public_url = "https://platform.example/".parse().unwrap();
        },
        None,
    );
    service.await.unwrap().unwrap()
}

async fn a_file_proves_a_host(driver: Driver) {
    let world = world(driver).await;
    let service = host_elsewhere(&world).await;
    let (acme, name) = (id(&world.acme), "shop.localhost");
    let claim = service.add_domain(acme, DomainKind::Host, name).await;
    let value = Publish::from(&claim.unwrap()).value;
    let elsewhere = Receiver::start().await.unwrap();
    elsewhere.answer(Reply::Text(value.clone()));
    for (reply, problem) in [
        (Reply::Status(404), ProofProblem::Missing),
        (Reply::Redirect(elsewhere.url("/")), ProofProblem::Missing),
        (Reply::Text("nothing".to_owned()), ProofProblem::Different),
        (
            Reply::Text(format!("{value}\n").repeat(40)),
            ProofProblem::Missing,
        ),
    ] {
        world.web.answer(reply.clone());
        let looked = service.verify_domain(acme, None, name).await.unwrap();
        assert_eq!(looked.problem, Some(problem), "{reply:?}");
    }
    assert!(elsewhere.seen().is_empty(), "a redirect was followed");
    world.web.answer(Reply::Text(format!("{value}\n")));
    let looked = service.verify_domain(acme, None, name).await.unwrap();
    assert_eq!(looked.problem, None);
    let seen = world.web.seen();
    let last = seen.last().unwrap();
    assert_eq!(last.line, "GET /.well-known/tenantry-verification HTTP/1.1");
    assert_eq!(last.header("host"), format!("{name}:{}", world.web.port()));
    assert_eq!(at(&service, name).await.unwrap().id(), Some(acme));
}

/// A server inside is not asked unless the settings allow it for receivers too.
async fn what_lies_inside_is_not_asked_for_a_file(driver: Driver) {
    let world = world(driver).await;
    let service = world.test.open_otherwise(
        |settings| {
            "platform.example".clone_into(&mut settings.base_domain);
            settings.webhooks =
                tenantry_webhooks::Deliverer::new(tenantry_webhooks::Rules::default());
        },
        None,
    );
    let service = service.await.unwrap().unwrap();
    let (acme, name) = (id(&world.acme), "shop.localhost");
    let claim = service.add_domain(acme, DomainKind::Host, name).await;
    let value = Publish::from(&claim.unwrap()).value;
    world.web.answer(Reply::Text(value));
    let looked = service.verify_domain(acme, None, name).await.unwrap();
    assert_eq!(looked.problem, Some(ProofProblem::Missing));
    assert!(world.web.seen().is_empty());
}

async fn processes_share_the_looking(driver: Driver) {
    let world = world(driver).await;
    for place in 0..12 {
        let name = format!("mail-{place}.example");
        proven(&world, &world.acme, DomainKind::Email, &name).await;
    }
    let other = world.test.beside(tenantry_saga::Faults::none()).await;
    let other = other.unwrap();
    world.test.clock.advance(DAY);
    let before = world.names.asked();
    let (one, two) = tokio::join!(
        world.test.service.look_after_domains(),
        other.service.look_after_domains(),
    );
    assert_eq!(one.unwrap() + two.unwrap(), 12);
    assert_eq!(world.names.asked() - before, 12);
}

async fn domains_come_with_a_tenant_and_change_with_it(driver: Driver) {
    let world = world(driver).await;
    let service = &world.test.service;
    let taken = proven(&world, &world.acme, DomainKind::Host, "taken.example").await;
    let new = |domains: &[&str]| {
        let mut new = TestService::new_tenant("initech", ADA, Some(PASSWORD)).unwrap();
        new.domains = domains.iter().map(|&name| name.to_owned()).collect();
        new
    };
    let refused = world.test.create(new(&["a.example", "gmail.com"])).await;
    let refused = refused.unwrap_err().downcast::<Refusal>().unwrap();
    let Refusal::Validation(errors) = refused else {
        panic!("{refused:?}")
    };
    assert_eq!(
        (errors[0].field.as_ref(), errors[0].code),
        ("domains[1]", "public_mail")
    );
    let refused = world
        .test
        .create(new(&["taken.example"]))
        .await
        .unwrap_err();
    refused!(
        Err::<(), _>(refused.downcast().unwrap()),
        Refusal::DomainTaken
    );
    let none = service.find_tenant("initech").await;
    refused!(none, Refusal::NotFound);

    let view = world
        .test
        .create(new(&["a.example", "B.example", "b.example."]));
    let view = view.await.unwrap();
    assert_eq!(view.unproven_domains, ["a.example", "b.example"]);
    let initech = id(&view);
    let hosts = |names: &[&str]| {
        names
            .iter()
            .map(|&name| name.to_owned())
            .collect::<Vec<_>>()
    };
    let change = async |names: &[&str]| {
        let change = TenantChange {
            hosts: Some(hosts(names)),
            ..TenantChange::default()
        };
        let changed = service.change_tenant(initech, change).await;
        changed.map(|changed| changed.view)
    };
    let claims = service.list_domains(initech).await.unwrap();
    publish(&world, &claims[1]);
    let looked = service.verify_domain(initech, None, "b.example").await;
    assert_eq!(looked.unwrap().problem, None);
    // What stays keeps its proof, what is new is to be proven.
    let view = change(&["b.example", "c.example"]).await.unwrap();
    assert_eq!(view.domains, ["b.example"]);
    assert_eq!(view.unproven_domains, ["c.example"]);
    refused!(
        change(&["d.example", "taken.example"]).await,
        Refusal::DomainTaken
    );
    let view = service.patch_tenant(initech, TenantPatch::default()).await;
    let view = view.unwrap();
    assert_eq!(view.unproven_domains, ["c.example"], "nothing was changed");
    assert!(change(&[]).await.unwrap().domains.is_empty());
    refused!(at(service, "b.example").await, Refusal::TenantNotFound);
    assert!(taken.verified_at.is_some());
    let resolved = at(service, "taken.example").await.unwrap();
    assert_eq!(resolved.id(), Some(id(&world.acme)));
}

async fn a_domain_stays_over_the_tenants_lives(driver: Driver) {
    let world = world(driver).await;
    let (service, acme) = (&world.test.service, id(&world.acme));
    proven(&world, &world.acme, DomainKind::Host, "id.acme.example").await;
    let owner = TestService::new_tenant("acme", ADA, None).unwrap().owner;
    let made = service.recreate_tenant(acme, &owner).await.unwrap();
    assert_eq!(made.0.domains, ["id.acme.example"]);
    let mail = &world.test.mails().await.unwrap()[0];
    let link = "http://id.acme.example:8000/setup/password/";
    let text = mail.text.as_deref().unwrap();
    assert!(text.contains(link), "{text}");
    service.delete_tenant(acme, false).await.unwrap();
    let resolved = at(service, "id.acme.example").await.unwrap();
    assert!(matches!(resolved, Resolved::Closed(_)));
    service.restore_tenant(acme).await.unwrap();
    assert!(
        at(service, "id.acme.example")
            .await
            .unwrap()
            .open()
            .is_some()
    );
    service.delete_tenant(acme, true).await.unwrap();
    refused!(
        at(service, "id.acme.example").await,
        Refusal::TenantNotFound
    );
}

on_both!(
    a_claim_leads_nowhere_and_a_proof_leads_to_the_tenant,
    nobody_holds_a_name_with_a_claim_and_the_first_proof_has_it,
    of_two_at_once_one_proves,
    what_can_be_nobodys_is_refused,
    a_proven_mail_domain_leads_its_people_to_the_tenant,
    a_proven_mail_domain_leads_a_registration_and_is_no_dead_end,
    a_file_proves_a_host,
    what_lies_inside_is_not_asked_for_a_file,
    processes_share_the_looking,
    domains_come_with_a_tenant_and_change_with_it,
    a_domain_stays_over_the_tenants_lives,
);
