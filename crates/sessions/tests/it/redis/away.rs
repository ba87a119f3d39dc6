//! Redis is killed, frozen, hangs, is emptied and comes back: an error soon, never a session that is
//! none, and all as before once it is back.

use std::time::{Duration, Instant};

use tenantry_core::session::EndReason;
use tenantry_sessions::redis::{COMMAND, CONNECT, RedisState};
use tenantry_sessions::{Redis, RedisError, RedisSessions, SessionError, SessionStore};
use tenantry_store::Changes;
use tenantry_testkit::proxy::{Cut, Proxy};
use tenantry_testkit::services::RedisServer;
use tokio::task::JoinSet;

use crate::support::{Bench, Lies};

/// What is allowed over the deadlines on a machine that does much else.
const SLACK: Duration = Duration::from_millis(750);

/// The error of something that must fail, within the deadlines.
async fn fails<T>(asked: impl Future<Output = Result<T, SessionError>>) -> RedisError {
    let since = Instant::now();
    let outcome = asked.await;
    let took = since.elapsed();
    assert!(took < CONNECT + COMMAND + SLACK, "it took {took:?}");
    match outcome {
        Err(SessionError::Redis(error)) => error,
        Err(error) => panic!("another error: {error}"),
        Ok(_) => panic!("it did not fail"),
    }
}

/// Asks until Redis is used again, which it is by itself.
async fn back(redis: &Redis) {
    let again = async {
        while redis.check().await.is_err() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let again = tokio::time::timeout(Duration::from_secs(20), again);
    again.await.expect("Redis is not used again");
}

fn connection(bench: &Bench) -> Redis {
    match &bench.store {
        SessionStore::Redis(sessions) => sessions.redis().clone(),
        SessionStore::Database(_) | SessionStore::File(_) => panic!("not in Redis"),
    }
}

#[tokio::test]
async fn what_is_killed_is_told_at_once_and_used_again() {
    let bench = Bench::open(Lies::Redis).await;
    let redis = connection(&bench);
    assert_eq!(redis.state(), RedisState::Unasked);
    let stored = bench.begun(bench.person()).await;
    let handle = stored.session.handle();
    assert_eq!(redis.state(), RedisState::Up);
    bench.redis().kill().unwrap();
    for _ in 0..3 {
        fails(bench.store.lookup(&handle)).await;
    }
    let RedisState::Away(why) = redis.state() else {
        panic!("it is away: {:?}", redis.state());
    };
    assert!(
        why.contains(redis.place()) && !why.contains("of-one-test"),
        "{why}"
    );
    let error = fails(bench.store.add(&bench.draft(bench.person()))).await;
    assert!(matches!(error, RedisError::Unreachable { .. }), "{error:?}");
    fails(
        bench
            .store
            .list(&stored.session.subject, bench.now(), None, 10),
    )
    .await;
    let end = bench.store.end(&handle, EndReason::Logout, bench.now());
    fails(end).await;
    bench.redis().restart().unwrap();
    back(&redis).await;
    assert_eq!(redis.state(), RedisState::Up);
    // It came back empty: the session is not there, and that is all.
    assert!(bench.store.lookup(&handle).await.unwrap().is_none());
    bench.begun(bench.person()).await;
}

#[tokio::test]
async fn what_is_frozen_is_given_up_within_the_deadlines() {
    let bench = Bench::open(Lies::Redis).await;
    let stored = bench.begun(bench.person()).await;
    let handle = stored.session.handle();
    bench.redis().freeze().unwrap();
    let error = fails(bench.store.lookup(&handle)).await;
    assert!(matches!(error, RedisError::Slow { .. }), "{error:?}");
    // The connection that did not answer is given up; the next is let in by the kernel alone.
    fails(bench.store.lookup(&handle)).await;
    bench.redis().thaw().unwrap();
    back(&connection(&bench)).await;
    let found = bench.found(handle).await;
    assert_eq!(found.token_hash, stored.token_hash, "nothing was lost");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crowd_before_a_hanging_redis_waits_no_longer_than_one() {
    let bench = Bench::open(Lies::Redis).await;
    let url = bench.redis().url();
    let proxy = Proxy::before(&url).await.unwrap();
    let redis = Redis::at(&proxy.url().parse().unwrap()).unwrap();
    let store = SessionStore::Redis(RedisSessions::new(redis.clone(), Changes::default()));
    let handle = bench.begun(bench.person()).await.session.handle();
    assert!(store.lookup(&handle).await.unwrap().is_some());
    proxy.set_hanging(true);
    let mut crowd = JoinSet::new();
    for _ in 0..100 {
        let store = store.clone();
        crowd.spawn(async move { fails(store.lookup(&handle)).await });
    }
    crowd.join_all().await;
    // All of them at once, while there is no connection at all.
    let mut crowd = JoinSet::new();
    for _ in 0..100 {
        let store = store.clone();
        crowd.spawn(async move { fails(store.lookup(&handle)).await });
    }
    crowd.join_all().await;
    proxy.set_hanging(false);
    back(&redis).await;
    assert!(store.lookup(&handle).await.unwrap().is_some());
}

#[tokio::test]
async fn a_cut_around_a_change_is_an_error_and_the_next_connection_works() {
    let bench = Bench::open(Lies::Redis).await;
    let url = bench.redis().url();
    let proxy = Proxy::before(&url).await.unwrap();
    let redis = Redis::at(&proxy.url().parse().unwrap()).unwrap();
    let store = SessionStore::Redis(RedisSessions::new(redis.clone(), Changes::default()));
    // From here on Redis knows the script, so that the next request with it is the change itself.
    let known = bench.begun(bench.person()).await;
    let (handle, from) = (known.session.handle(), known.token_hash);
    let rotated = store
        .rotate(&handle, &from, &bench.hash(), bench.now())
        .await;
    assert!(rotated.unwrap());
    for (cut, done) in [
        (Cut::Before, Some(false)),
        (Cut::InAnswer(0), Some(true)),
        // Whether it arrives in time is the network's to say.
        (Cut::After, None),
    ] {
        let stored = bench.begun(bench.person()).await;
        let (handle, from, to) = (stored.session.handle(), stored.token_hash, bench.hash());
        store.lookup(&handle).await.unwrap();
        let key = format!("s:{}", handle.id);
        proxy.cut(&key, cut);
        fails(store.rotate(&handle, &from, &to, bench.now())).await;
        back(&redis).await;
        let found = bench.found(handle).await;
        if let Some(done) = done {
            assert_eq!(found.token_hash == to, done, "{cut:?}");
        }
        assert!(found.token_hash == to || found.token_hash == from);
    }
}

#[tokio::test]
async fn what_was_emptied_has_nobody_and_takes_new_sessions() {
    let bench = Bench::open(Lies::Redis).await;
    let somebody = bench.person();
    let handle = bench.begun(somebody).await.session.handle();
    bench.redis().flush().unwrap();
    assert!(bench.store.lookup(&handle).await.unwrap().is_none());
    assert_eq!(bench.listed(&somebody).await, []);
    let end = bench.store.end(&handle, EndReason::Logout, bench.now());
    assert!(!end.await.unwrap());
    // Its scripts are gone too, and sent again.
    bench.redis().ask(&["SCRIPT", "FLUSH"]).unwrap();
    let fresh = bench.begun(somebody).await;
    let to = bench.hash();
    let (handle, from) = (fresh.session.handle(), fresh.token_hash);
    let rotated = bench.store.rotate(&handle, &from, &to, bench.now());
    assert!(rotated.await.unwrap());
}

#[tokio::test]
async fn a_wrong_password_is_an_error_until_it_is_right() {
    let server = RedisServer::start().unwrap();
    let url = server.url().replace("of-one-test", "wrong");
    let redis = Redis::at(&url.parse().unwrap()).unwrap();
    for _ in 0..2 {
        let error = redis.check().await.unwrap_err();
        assert!(matches!(error, RedisError::Unreachable { .. }), "{error:?}");
    }
    server
        .ask(&["CONFIG", "SET", "requirepass", "wrong"])
        .unwrap();
    back(&redis).await;
}

#[tokio::test]
async fn one_that_takes_nothing_in_is_not_called_up() {
    let bench = Bench::open(Lies::Redis).await;
    let redis = connection(&bench);
    redis.check().await.unwrap();
    for setting in [
        ["CONFIG", "SET", "min-replicas-to-write", "1"],
        ["CONFIG", "SET", "maxmemory", "1"],
    ] {
        bench.redis().ask(&setting).unwrap();
        let error = redis.check().await.unwrap_err();
        assert!(matches!(error, RedisError::Refused { .. }), "{error:?}");
        let draft = bench.draft(bench.person());
        fails(bench.store.add(&draft)).await;
        let [config, set, name, _] = setting;
        bench.redis().ask(&[config, set, name, "0"]).unwrap();
        redis.check().await.unwrap();
    }
}
