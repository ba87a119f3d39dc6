//! Domains of tenants' own: hints only once they are proven, by whoever proves them first.

use std::time::Duration;

use tenantry_core::TenantId;
use tenantry_core::domain::{DomainKind, DomainName, ProofProblem, ProofWay};
use tenantry_store::control::DomainRecord;
use tenantry_store::{ErrorKind, Hint};

use crate::support::{Bench, Dialect};

on_both! {
    only_verified_domains_of_the_right_kind_count,
    a_claim_holds_nothing_and_the_first_proof_does,
    a_proof_that_is_gone_is_told_and_a_domain_can_be_lost,
    each_due_look_is_taken_once,
    a_claim_that_was_made_anew_is_another,
}

const DAY: Duration = Duration::from_hours(24);

fn name(text: &str) -> DomainName {
    text.parse().unwrap()
}

async fn claimed(bench: &Bench, tenant: TenantId, kind: DomainKind, text: &str) -> DomainRecord {
    let token = format!("token of {tenant}");
    let now = bench.now();
    assert!(apply!(
        bench,
        domains().add(tenant, (kind, &name(text)), &token, now)
    ));
    look!(bench, domains().find(tenant, kind, &name(text))).unwrap()
}

async fn proven(bench: &Bench, tenant: TenantId, kind: DomainKind, text: &str) -> DomainRecord {
    let claim = claimed(bench, tenant, kind, text).await;
    let now = bench.now();
    assert!(apply!(
        bench,
        domains().mark_proven(&claim, ProofWay::Record, now, now + DAY)
    ));
    look!(bench, domains().find(tenant, kind, &name(text))).unwrap()
}

async fn only_verified_domains_of_the_right_kind_count(dialect: Dialect) {
    use DomainKind::{Email, Host};
    let bench = Bench::open(dialect).await;
    let tenant = bench.active_tenant("acme").await;
    for (text, kind, verified) in [
        ("z.example", Host, true),
        ("a.example", Host, true),
        ("new.example", Host, false),
        ("mail.example", Email, true),
        ("newmail.example", Email, false),
    ] {
        if verified {
            proven(&bench, tenant.id, kind, text).await;
        } else {
            claimed(&bench, tenant.id, kind, text).await;
        }
    }
    assert_eq!(
        look!(bench, domains().list_hosts(tenant.id)),
        ["a.example", "z.example"]
    );
    let found = look!(bench, tenants().find_by_domain("a.example")).unwrap();
    assert_eq!(found.id, tenant.id);
    let found = look!(bench, tenants().find(&Hint::Domain("z.example".to_owned())));
    assert_eq!(found.map(|tenant| tenant.id), Some(tenant.id));
    for domain in ["new.example", "mail.example", "other.example"] {
        assert!(
            look!(bench, tenants().find_by_domain(domain)).is_none(),
            "{domain}"
        );
    }
    let found = look!(bench, domains().find_by_mail_domain("mail.example"));
    assert_eq!(found, Some(tenant.id));
    for domain in ["newmail.example", "a.example", "other.example"] {
        assert_eq!(
            look!(bench, domains().find_by_mail_domain(domain)),
            None,
            "{domain}"
        );
    }
    let listed = look!(bench, domains().list(tenant.id));
    let listed: Vec<&str> = listed.iter().map(|domain| domain.name.as_str()).collect();
    assert_eq!(
        listed,
        [
            "mail.example",
            "newmail.example",
            "a.example",
            "new.example",
            "z.example"
        ]
    );
}

async fn a_claim_holds_nothing_and_the_first_proof_does(dialect: Dialect) {
    use DomainKind::{Email, Host};
    let bench = Bench::open(dialect).await;
    let acme = bench.active_tenant("acme").await.id;
    let globex = bench.active_tenant("globex").await.id;
    let shop = name("shop.example");
    let theirs = claimed(&bench, acme, Host, "shop.example").await;
    assert_eq!(
        (theirs.tenant, theirs.kind, &theirs.name, theirs.created_at),
        (acme, Host, &shop, bench.now())
    );
    assert_eq!((theirs.verified_at, theirs.checked_at), (None, None));
    let ours = claimed(&bench, globex, Host, "shop.example").await;
    let now = bench.now();
    let again = apply!(bench, domains().add(globex, (Host, &shop), "another", now));
    assert!(!again);
    let kept = look!(bench, domains().find(globex, Host, &shop)).unwrap();
    assert_eq!(kept.token, ours.token);
    assert_eq!(look!(bench, domains().holder(Host, &shop)), None);

    assert!(apply!(
        bench,
        domains().mark_proven(&ours, ProofWay::Record, now, now + DAY)
    ));
    assert_eq!(look!(bench, domains().holder(Host, &shop)), Some(globex));
    assert_eq!(look!(bench, domains().holder(Email, &shop)), None);
    let kind = refused!(
        bench,
        domains().mark_proven(&theirs, ProofWay::Record, now, now + DAY)
    );
    assert_eq!(kind, ErrorKind::Unique);
    // For mail it is another matter.
    proven(&bench, acme, Email, "shop.example").await;

    assert!(apply!(bench, domains().remove(globex, Host, &shop)));
    assert!(!apply!(bench, domains().remove(globex, Host, &shop)));
    assert!(apply!(
        bench,
        domains().mark_proven(&theirs, ProofWay::Record, now, now + DAY)
    ));
    assert_eq!(look!(bench, domains().holder(Host, &shop)), Some(acme));
}

async fn a_proof_that_is_gone_is_told_and_a_domain_can_be_lost(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let acme = bench.active_tenant("acme").await.id;
    let find = async || {
        let shop = name("shop.example");
        look!(bench, domains().find(acme, DomainKind::Host, &shop)).unwrap()
    };
    let claim = claimed(&bench, acme, DomainKind::Host, "shop.example").await;
    let begun = bench.now();
    let missing = ProofProblem::Missing;
    assert!(apply!(
        bench,
        domains().mark_unfound(&claim, missing, begun, begun + DAY)
    ));
    let seen = find().await;
    assert_eq!(
        (seen.checked_at, seen.problem, seen.failing_since),
        (Some(begun), Some(missing), None),
        "what was never proven does not fail"
    );
    assert!(!apply!(bench, domains().lose(&claim, begun)));

    assert!(apply!(
        bench,
        domains().mark_proven(&claim, ProofWay::Record, begun, begun + DAY)
    ));
    let seen = find().await;
    assert_eq!((seen.verified_at, seen.problem), (Some(begun), None));
    assert_eq!(seen.proven_by, Some(ProofWay::Record));
    let told = Some(begun + DAY * 2);
    for (problem, since) in [
        (ProofProblem::Unanswered, None),
        (ProofProblem::Different, told),
        (ProofProblem::Unanswered, told),
        (ProofProblem::Missing, told),
    ] {
        bench.time.advance(DAY);
        let now = bench.now();
        assert!(apply!(
            bench,
            domains().mark_unfound(&claim, problem, now, now + DAY)
        ));
        let seen = find().await;
        assert_eq!(seen.failing_since, since, "{problem}");
        assert_eq!((seen.problem, seen.checked_at), (Some(problem), Some(now)));
        assert_eq!(seen.verified_at, Some(begun), "one look decides nothing");
    }
    assert!(!apply!(bench, domains().lose(&claim, begun)));
    // Found again, it begins anew, and is proven since the first time.
    let now = bench.now();
    assert!(apply!(
        bench,
        domains().mark_proven(&claim, ProofWay::Record, now, now + DAY)
    ));
    let seen = find().await;
    assert_eq!((seen.verified_at, seen.failing_since), (Some(begun), None));
    assert!(!apply!(bench, domains().lose(&claim, now)));
    assert!(apply!(
        bench,
        domains().mark_unfound(&claim, missing, now, now + DAY)
    ));
    assert!(apply!(bench, domains().lose(&claim, now)));
    assert!(!apply!(bench, domains().lose(&claim, now)));
    let seen = find().await;
    assert_eq!((seen.verified_at, seen.failing_since), (None, Some(now)));
    assert!(look!(bench, domains().list_hosts(acme)).is_empty());
}

async fn each_due_look_is_taken_once(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let acme = bench.active_tenant("acme").await.id;
    let first = proven(&bench, acme, DomainKind::Host, "one.example").await;
    bench.time.advance(Duration::from_secs(1));
    let second = proven(&bench, acme, DomainKind::Email, "one.example").await;
    claimed(&bench, acme, DomainKind::Host, "claimed.example").await;
    let claim = async || {
        let now = bench.now();
        apply!(
            bench,
            domains().claim_due(now, now + Duration::from_mins(2))
        )
    };
    assert_eq!(claim().await, None);
    bench.time.advance(DAY);
    assert_eq!(claim().await, Some(first.clone()));
    assert_eq!(claim().await, Some(second));
    assert_eq!(claim().await, None, "both are in somebody's hands");
    // Whoever took it died.
    bench.time.advance(Duration::from_mins(2));
    assert_eq!(claim().await, Some(first));
}

async fn a_claim_that_was_made_anew_is_another(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let acme = bench.active_tenant("acme").await.id;
    let before = proven(&bench, acme, DomainKind::Host, "shop.example").await;
    let (kind, shop, now) = (DomainKind::Host, name("shop.example"), bench.now());
    assert!(apply!(bench, domains().remove(acme, kind, &shop)));
    assert!(apply!(
        bench,
        domains().add(acme, (kind, &shop), "another", now)
    ));
    assert!(!apply!(
        bench,
        domains().mark_proven(&before, ProofWay::Record, now, now + DAY)
    ));
    let missing = ProofProblem::Missing;
    assert!(!apply!(
        bench,
        domains().mark_unfound(&before, missing, now, now + DAY)
    ));
    assert!(!apply!(bench, domains().lose(&before, now)));
    let seen = look!(bench, domains().find(acme, kind, &shop)).unwrap();
    assert_eq!((seen.verified_at, seen.checked_at), (None, None));
}
