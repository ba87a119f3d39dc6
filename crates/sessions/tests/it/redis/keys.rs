//! What lies in Redis: under which names, for how long, and that it is no secret.

use std::time::Duration;

use tenantry_core::{Generation, TenantId};
use tenantry_sessions::{KEEP, Redis, RedisSessions, SessionError, SessionStore};
use tenantry_store::Changes;

use crate::support::{Bench, Lies, MINUTE};

#[tokio::test]
async fn names_come_from_ids_and_a_tenants_lie_together() {
    let bench = Bench::open(Lies::Redis).await;
    let tenant = TenantId::from_uuid(bench.uuid());
    let somebody = bench.person_in(tenant, Generation::FIRST.next());
    let device = bench.device();
    let mut stored = bench.draft(somebody);
    stored.device = Some(device);
    stored.session.user_agent = Some("{elsewhere}".to_owned());
    let id = bench.add(stored).await.session.id;
    let person = somebody.person();
    let mut expected = [
        format!("tenantry:{{{tenant}}}:2:all"),
        format!("tenantry:{{{tenant}}}:2:d:{device}"),
        format!("tenantry:{{{tenant}}}:2:p:{person}"),
        format!("tenantry:{{{tenant}}}:2:s:{id}"),
        format!("tenantry:{{{tenant}}}:generations"),
    ];
    expected.sort();
    assert_eq!(bench.redis().keys().unwrap(), expected);
    bench.redis().flush().unwrap();
    let admin = bench.admin();
    let id = bench.begun(admin).await.session.id;
    let mut expected = [
        "tenantry:{platform}:0:all".to_owned(),
        format!("tenantry:{{platform}}:0:p:{}", admin.person()),
        format!("tenantry:{{platform}}:0:s:{id}"),
    ];
    expected.sort();
    assert_eq!(bench.redis().keys().unwrap(), expected);
}

fn life(bench: &Bench, key: &str) -> Duration {
    let answer = bench.redis().ask(&["PTTL", key]).unwrap();
    Duration::from_millis(answer.trim_start_matches(':').parse().unwrap())
}

#[tokio::test]
async fn every_key_runs_out_with_the_longest_of_its_sessions() {
    let bench = Bench::open(Lies::Redis).await;
    let somebody = bench.person();
    let mut long = bench.draft(somebody);
    long.session.expires_at = bench.now() + MINUTE * 600;
    bench.add(long).await;
    let short = bench.begun(somebody).await.session.id;
    let keys = bench.redis().keys().unwrap();
    assert_eq!(keys.len(), 5);
    for key in keys {
        let expected = KEEP
            + MINUTE
                * if key.ends_with(&short.to_string()) {
                    60
                } else {
                    600
                };
        let life = life(&bench, &key);
        assert!(
            life <= expected && life + MINUTE > expected,
            "{key}: {life:?}"
        );
    }
    // An ended one is remembered as long, so that its person is told why.
    let listed = bench.store.list(&somebody, bench.now(), None, 10).await;
    for session in listed.unwrap() {
        let why = tenantry_core::session::EndReason::Logout;
        let handle = session.handle();
        let end = bench.store.end(&handle, why, bench.now());
        assert!(end.await.unwrap());
    }
    let keys = bench.redis().keys().unwrap();
    for key in keys {
        assert!(life(&bench, &key) > KEEP, "{key}");
    }
}

#[tokio::test]
async fn what_has_run_out_goes_by_itself() {
    let bench = Bench::open(Lies::Redis).await;
    let redis = Redis::at(&bench.redis().url().parse().unwrap()).unwrap();
    let sessions = RedisSessions::new(redis, Changes::default());
    let store = SessionStore::Redis(sessions.keeping(Duration::from_millis(1)));
    let mut brief = bench.draft(bench.person());
    brief.device = Some(bench.device());
    brief.session.expires_at = bench.now() + Duration::from_millis(20);
    store.add(&brief).await.unwrap();
    let gone = async {
        while !bench.redis().keys().unwrap().is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let gone = tokio::time::timeout(Duration::from_secs(10), gone);
    gone.await.expect("a key stays");
}

#[tokio::test]
async fn a_hash_that_was_tampered_with_is_nobodys() {
    let bench = Bench::open(Lies::Redis).await;
    let somebody = bench.person();
    let (tenant, _) = somebody.scope().unwrap();
    let other = bench
        .begun(bench.person_in(tenant, Generation::FIRST))
        .await;
    let good = bench.begun(somebody).await.session.id;
    for (field, value) in [
        ("token_hash", "00"),
        ("tenant", "0199"),
        ("generation", "2"),
        ("expires_at", "tomorrow"),
        ("kind", "root"),
        ("ended_at", "5"),
    ] {
        let stored = bench.begun(somebody).await;
        let handle = stored.session.handle();
        let key = format!("tenantry:{{{tenant}}}:1:s:{}", handle.id);
        bench.redis().ask(&["HSET", &key, field, value]).unwrap();
        let error = bench.store.lookup(&handle).await.unwrap_err();
        let SessionError::Damaged { place, .. } = &error else {
            panic!("{field}: {error}");
        };
        assert!(place.contains(&key) && error.to_string().contains("delete it"));
        assert_eq!(bench.listed(&somebody).await, [good], "{field}");
        bench.redis().ask(&["DEL", &key]).unwrap();
    }
    // One copied under another's name is not that one's.
    let handle = other.session.handle();
    let key = |id| format!("tenantry:{{{tenant}}}:1:s:{id}");
    let copy = ["COPY", &key(good), &key(handle.id), "REPLACE"];
    bench.redis().ask(&copy).unwrap();
    assert!(bench.store.lookup(&handle).await.is_err());
}
