//! A domain whose proof is gone is lost after a week of answers, and of no other.

use tenantry_core::domain::{DomainKind, ProofProblem, ProofWay};
use tenantry_core::finding::{FindingCode, Severity};
use tenantry_service::Refusal;
use tenantry_service::domains::Publish;
use tenantry_service::webhooks::NewWebhook;
use tenantry_testkit::on_both;
use tenantry_testkit::receiver::{Receiver, Reply};
use tenantry_testkit::service::Driver;

use super::{DAY, at, host_elsewhere, proven, publish, world};
use crate::people::id;

async fn a_domain_whose_proof_is_gone_for_a_week_is_lost(driver: Driver) {
    let world = world(driver).await;
    let (test, service, acme) = (&world.test, &world.test.service, id(&world.acme));
    let hook = Receiver::start().await.unwrap();
    let new = NewWebhook {
        url: hook.url("/"),
        events: vec!["domain.lost".to_owned()],
        description: None,
    };
    service.add_webhook(&new).await.unwrap();
    let name = "shop.example";
    let domain = proven(&world, &world.acme, DomainKind::Host, name).await;
    let record = Publish::from(&domain).record;
    let find = async || {
        let mut domains = service.list_domains(acme).await.unwrap();
        domains.remove(0)
    };
    assert_eq!(service.look_after_domains().await.unwrap(), 0, "not due");
    test.clock.advance(DAY);
    assert_eq!(service.look_after_domains().await.unwrap(), 1);
    assert_eq!(find().await.checked_at, Some(test.clock.now()));

    // Gone for six days, found once, and gone again: a week begins anew.
    world.names.publish(&record, &[]);
    test.clock.advance(DAY);
    let since = test.clock.now();
    for _ in 0..6 {
        assert_eq!(service.look_after_domains().await.unwrap(), 1);
        assert_eq!(find().await.failing_since, Some(since));
        test.clock.advance(DAY);
    }
    let report = service
        .check_tenant(world.acme.tenant.clone())
        .await
        .unwrap();
    let finding = &report.findings[0];
    assert_eq!(
        (finding.code, finding.severity, finding.repairable),
        (FindingCode::DomainUnproven, Severity::Warning, false)
    );
    assert!(finding.detail.contains(name) && finding.detail.contains(&record));
    publish(&world, &domain);
    assert_eq!(service.look_after_domains().await.unwrap(), 1);
    assert_eq!(find().await.failing_since, None);
    let report = service
        .check_tenant(world.acme.tenant.clone())
        .await
        .unwrap();
    assert_eq!(report.findings, []);

    world.names.publish(&record, &[]);
    test.clock.advance(DAY);
    for _ in 0..7 {
        assert_eq!(at(service, name).await.unwrap().id(), Some(acme));
        assert_eq!(service.look_after_domains().await.unwrap(), 1);
        test.clock.advance(DAY);
    }
    assert_eq!(service.look_after_domains().await.unwrap(), 1);
    refused!(at(service, name).await, Refusal::TenantNotFound);
    assert_eq!(find().await.verified_at, None);
    assert_eq!(service.look_after_domains().await.unwrap(), 0);
    assert_eq!(service.deliver_due_notices().await.unwrap(), 1);
    let told = hook.seen()[0].json();
    assert_eq!(told["type"], "domain.lost");
    assert_eq!(told["data"]["tenant"]["slug"], "acme");
    assert_eq!(told["data"]["domain"]["name"], name);
    assert_eq!(told["data"]["detail"], "missing");
    // It is told until it is proven again or given up, and whoever comes may have it.
    let report = service
        .check_tenant(world.acme.tenant.clone())
        .await
        .unwrap();
    assert_eq!(report.findings.len(), 1);
    proven(&world, &world.globex, DomainKind::Host, name).await;
    let looked = service.verify_domain(acme, None, name).await.unwrap();
    assert_eq!(looked.problem, Some(ProofProblem::Different));
    let resolved = at(service, name).await.unwrap();
    assert_eq!(resolved.id(), Some(id(&world.globex)));
}

/// Our own resolver is out of order for a month: nobody said that the proof is gone.
async fn a_failure_to_ask_loses_no_domain(driver: Driver) {
    let world = world(driver).await;
    let (test, service, acme) = (&world.test, &world.test.service, id(&world.acme));
    let shop = proven(&world, &world.acme, DomainKind::Host, "shop.example").await;
    proven(&world, &world.acme, DomainKind::Email, "mail.example").await;
    let record = Publish::from(&shop).record;
    world.names.fail(true);
    for _ in 0..30 {
        test.clock.advance(DAY);
        assert_eq!(service.look_after_domains().await.unwrap(), 2);
    }
    for domain in service.list_domains(acme).await.unwrap() {
        assert!(domain.verified_at.is_some(), "{}", domain.name);
        assert_eq!(domain.problem, Some(ProofProblem::Unanswered));
        assert_eq!(domain.failing_since, None);
    }
    // One that said so once and then nobody is told by the first answer, and lost by another.
    world.names.fail(false);
    world.names.publish(&record, &[]);
    let find = async || service.list_domains(acme).await.unwrap().remove(1);
    test.clock.advance(DAY);
    service.look_after_domains().await.unwrap();
    assert_eq!(find().await.failing_since, Some(test.clock.now()));
    world.names.fail(true);
    test.clock.advance(DAY * 8);
    service.look_after_domains().await.unwrap();
    assert!(find().await.verified_at.is_some(), "nobody was asked");
    world.names.fail(false);
    test.clock.advance(DAY);
    service.look_after_domains().await.unwrap();
    assert!(find().await.verified_at.is_none());
}

/// A host proven by its file, while there is no record: what its web server answers decides.
async fn a_web_server_that_is_down_loses_no_domain(driver: Driver) {
    let world = world(driver).await;
    let (service, name) = (host_elsewhere(&world).await, "shop.localhost");
    let acme = id(&world.acme);
    let claim = service.add_domain(acme, DomainKind::Host, name).await;
    let value = Publish::from(&claim.unwrap()).value;
    world.web.answer(Reply::Text(value));
    let looked = service.verify_domain(acme, None, name).await.unwrap();
    assert_eq!(looked.domain.proven_by, Some(ProofWay::File));
    let find = async || service.list_domains(acme).await.unwrap().remove(0);
    let look = async |reply: Reply, days: u32| {
        world.web.answer(reply);
        for _ in 0..days {
            world.test.clock.advance(DAY);
            assert_eq!(service.look_after_domains().await.unwrap(), 1);
        }
        find().await
    };
    let down = look(Reply::Status(503), 10).await;
    assert!(down.verified_at.is_some());
    let looked = (down.problem, down.failing_since);
    assert_eq!(looked, (Some(ProofProblem::Unanswered), None));
    let gone = look(Reply::Status(404), 7).await;
    assert!(gone.verified_at.is_some() && gone.failing_since.is_some());
    assert_eq!(look(Reply::Status(410), 1).await.verified_at, None);
}

on_both!(
    a_domain_whose_proof_is_gone_for_a_week_is_lost,
    a_failure_to_ask_loses_no_domain,
    a_web_server_that_is_down_loses_no_domain,
);
