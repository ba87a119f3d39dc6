//! Wrong tries: counted before the comparison, paused past the free ones, blocked past the limit.

use std::time::Duration;

use tenantry_core::throttle::Limits;
use tenantry_store::control::Counted;

use crate::support::{Bench, Dialect};

on_both! {
    past_the_free_ones_a_pause_follows,
    the_count_starts_anew_after_the_window,
    a_right_try_is_forgiven_and_the_others_stand,
    clearing_forgets_all,
    a_hundred_in_a_row_block_until_lifted,
    old_counters_are_forgotten_but_no_block,
}

const LIMITS: Limits = Limits {
    free: 3,
    pause: Duration::from_secs(10),
    longest: Duration::from_secs(40),
    window: Duration::from_hours(1),
    disable_after: Some(100),
};

const SECOND: Duration = Duration::from_secs(1);

async fn count(bench: &Bench, key: &[u8; 32]) -> Counted {
    apply!(bench, throttle().count(key, &LIMITS, bench.now()))
}

async fn past_the_free_ones_a_pause_follows(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let (key, other) = (bench.hash(), bench.hash());
    for failures in 1..=3 {
        assert_eq!(count(&bench, &key).await, Counted::Go(failures));
    }
    assert_eq!(count(&bench, &key).await, Counted::Wait(SECOND * 10));
    let blocked = look!(bench, throttle().blocked_for(&key, bench.now()));
    assert_eq!(blocked, SECOND * 10);
    assert_eq!(look!(bench, throttle().failures(&key)), 3);
    assert_eq!(look!(bench, throttle().failures(&other)), 0);
    assert_eq!(
        look!(bench, throttle().blocked_for(&other, bench.now())),
        Duration::ZERO
    );
    assert_eq!(
        count(&bench, &other).await,
        Counted::Go(1),
        "another key is another count"
    );
    bench.time.advance(SECOND * 9);
    assert_eq!(count(&bench, &key).await, Counted::Wait(SECOND));
    bench.time.advance(SECOND);
    assert_eq!(
        count(&bench, &key).await,
        Counted::Go(4),
        "nothing was counted while blocked"
    );
    assert_eq!(count(&bench, &key).await, Counted::Wait(SECOND * 20));
}

async fn the_count_starts_anew_after_the_window(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let key = bench.hash();
    for _ in 0..3 {
        count(&bench, &key).await;
    }
    bench.time.advance(LIMITS.window);
    assert_eq!(
        count(&bench, &key).await,
        Counted::Go(4),
        "the window is not quite over"
    );
    bench.time.advance(LIMITS.window + Duration::from_micros(1));
    assert_eq!(count(&bench, &key).await, Counted::Go(1));
    assert_eq!(count(&bench, &key).await, Counted::Go(2));
}

async fn a_right_try_is_forgiven_and_the_others_stand(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let key = bench.hash();
    apply!(
        bench,
        throttle().forgive(&key, LIMITS.free, bench.now() - Duration::from_hours(1))
    );
    for failures in 1..=3 {
        assert_eq!(count(&bench, &key).await, Counted::Go(failures));
    }
    apply!(
        bench,
        throttle().forgive(&key, LIMITS.free, bench.now() - Duration::from_hours(1))
    );
    assert_eq!(
        count(&bench, &key).await,
        Counted::Go(3),
        "the pause was the right try's alone"
    );
    bench.time.advance(SECOND * 10);
    assert_eq!(count(&bench, &key).await, Counted::Go(4));
    apply!(
        bench,
        throttle().forgive(&key, LIMITS.free, bench.now() - Duration::from_hours(1))
    );
    assert!(
        matches!(count(&bench, &key).await, Counted::Wait(_)),
        "three wrong ones stand"
    );
}

async fn clearing_forgets_all(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let key = bench.hash();
    for _ in 0..3 {
        count(&bench, &key).await;
    }
    apply!(bench, throttle().clear(&key));
    assert_eq!(count(&bench, &key).await, Counted::Go(1));
    apply!(bench, throttle().clear(&bench.hash()));
}

async fn a_hundred_in_a_row_block_until_lifted(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let key = bench.hash();
    for failures in 1..=100 {
        assert_eq!(count(&bench, &key).await, Counted::Go(failures));
        bench.time.advance(LIMITS.longest);
    }
    bench.time.advance(LIMITS.window * 10_000);
    assert!(matches!(count(&bench, &key).await, Counted::Wait(_)));
    assert_eq!(apply!(bench, throttle().remove_before(bench.now())), 0);
    assert!(matches!(count(&bench, &key).await, Counted::Wait(_)));
    apply!(bench, throttle().clear(&key));
    assert_eq!(count(&bench, &key).await, Counted::Go(1));
}

async fn old_counters_are_forgotten_but_no_block(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let (old, blocked) = (bench.hash(), bench.hash());
    count(&bench, &old).await;
    for _ in 0..3 {
        count(&bench, &blocked).await;
    }
    bench.time.advance(SECOND);
    assert_eq!(apply!(bench, throttle().remove_before(bench.now())), 1);
    assert_eq!(count(&bench, &old).await, Counted::Go(1));
    assert_eq!(count(&bench, &blocked).await, Counted::Wait(SECOND * 9));
}
