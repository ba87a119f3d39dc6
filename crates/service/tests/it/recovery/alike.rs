//! Nothing tells whether an account exists: what is done before the answer is the same.

use std::time::Instant;

use tenantry_core::Locale;
use tenantry_service::recovery::Way;
use tenantry_service::resolve::Resolved;
use tenantry_testkit::service::{Options, PASSWORD, TestService};

use crate::people::{ADA, named, try_in};

/// The chance that a known account's time is above an unknown one's (the area under the ROC curve,
/// from the ranks of all times: Mann and Whitney 1947). One half tells nothing.
fn auc(known: &[f64], unknown: &[f64]) -> f64 {
    let mut above = 0.0;
    for one in known {
        for other in unknown {
            above += if one > other {
                1.0
            } else if one < other {
                0.0
            } else {
                0.5
            };
        }
    }
    #[expect(clippy::cast_precision_loss, reason = "hundreds, not 2^52")]
    let pairs = (known.len() * unknown.len()) as f64;
    above / pairs
}

/// Times of known and unknown in turn, the first of each pair changing, so that whatever else the
/// machine does meets both alike.
async fn compare<F: Future<Output = ()>>(pairs: usize, ask: impl Fn(bool, usize) -> F) -> f64 {
    let (mut known, mut unknown) = (Vec::new(), Vec::new());
    for at in 0..pairs {
        for turn in [at % 2 == 0, at % 2 == 1] {
            let begun = Instant::now();
            ask(turn, at).await;
            let took = begun.elapsed().as_secs_f64();
            if turn { &mut known } else { &mut unknown }.push(took);
        }
    }
    auc(&known, &unknown)
}

fn email(known: bool, at: usize) -> String {
    if known {
        ADA.to_owned()
    } else {
        format!("nobody{at:04}@example.org")
    }
}

async fn bench() -> TestService {
    let options = Options::sqlite().without_rate_limits();
    let test = TestService::start(options).await.unwrap();
    test.make_tenant("acme", ADA, PASSWORD).await.unwrap();
    test
}

fn expect_alike(what: &str, auc: f64) {
    assert!((0.45..=0.55).contains(&auc), "{what}: AUC {auc:.3}");
}

/// One more look where chance alone may have told them apart: what is really unlike shows again.
async fn expect<F: Future<Output = f64>>(what: &str, measure: impl Fn() -> F) {
    let mut auc = 0.0;
    for _ in 0..3 {
        auc = measure().await;
        if (0.45..=0.55).contains(&auc) {
            return;
        }
    }
    expect_alike(what, auc);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn asking_takes_as_long_for_nobody() {
    let test = bench().await;
    let acme = named(&test.service, "acme").await.unwrap();
    for (what, tenant) in [("with a tenant", &acme), ("without", &Resolved::None)] {
        for way in [Way::Link, Way::Code] {
            expect(what, || {
                compare(300, |known, at| {
                    let (service, tenant) = (test.service.clone(), tenant.clone());
                    let email = email(known, at).parse().unwrap();
                    async move {
                        let asked = service.ask_for_reset(&tenant, &email, way, Locale::En, None);
                        asked.await.unwrap();
                    }
                })
            })
            .await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_code_takes_as_long_for_nobody() {
    let test = bench().await;
    let acme = named(&test.service, "acme").await.unwrap();
    for (what, tenant) in [("with a tenant", &acme), ("without", &Resolved::None)] {
        expect(what, || {
            compare(150, |known, at| {
                let (service, tenant) = (test.service.clone(), tenant.clone());
                let email = email(known, at).parse().unwrap();
                async move {
                    let tried = service.verify_code(&tenant, &email, "123456", None);
                    assert!(tried.await.is_err());
                }
            })
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sign_in_takes_as_long_for_nobody() {
    let test = bench().await;
    for slug in [Some("acme"), None] {
        expect("sign-in", || {
            compare(100, |known, at| {
                let (test, email) = (&test, email(known, at));
                async move {
                    let tried = try_in(test, slug, &email, "not the right password").await;
                    assert!(tried.is_err());
                }
            })
        })
        .await;
    }
}
