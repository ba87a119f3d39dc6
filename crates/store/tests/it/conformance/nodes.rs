//! The processes that serve, and what they are asked to take out of memory.

use std::time::Duration;

use tenantry_core::{InstanceId, TenantId};
use tenantry_store::control::CacheClearing;

use crate::support::{Bench, Dialect};

on_both! {
    processes_are_known_while_they_are_seen,
    who_was_seen_in_the_future_is_not_there,
    each_answers_once,
}

const MINUTE: Duration = Duration::from_mins(1);

fn node(bench: &Bench) -> InstanceId {
    InstanceId::from_uuid(bench.uuid())
}

async fn processes_are_known_while_they_are_seen(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let (one, other) = (node(&bench), node(&bench));
    let begun = bench.now();
    apply!(bench, nodes().mark_seen(one, begun));
    apply!(bench, nodes().mark_seen(other, begun));
    bench.time.advance(MINUTE);
    let later = bench.now();
    apply!(bench, nodes().mark_seen(one, later));
    let short = MINUTE.saturating_sub(Duration::from_micros(1));
    assert_eq!(look!(bench, nodes().count_others(one, MINUTE, later)), 1);
    assert_eq!(look!(bench, nodes().count_others(other, short, later)), 1);
    assert_eq!(look!(bench, nodes().count_others(one, short, later)), 0);
    assert_eq!(apply!(bench, nodes().remove_old(MINUTE, later)), 0);
    assert_eq!(apply!(bench, nodes().remove_old(short, later)), 1);
    apply!(bench, nodes().remove(one));
    assert_eq!(look!(bench, nodes().count_others(other, MINUTE, later)), 0);
}

/// It died while its clock was ahead: it is not waited for until that date.
async fn who_was_seen_in_the_future_is_not_there(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let (dead, here) = (node(&bench), node(&bench));
    let now = bench.now();
    let moment = Duration::from_micros(1);
    for (seen, there) in [(now + MINUTE, 1), (now + MINUTE + moment, 0)] {
        apply!(bench, nodes().mark_seen(dead, seen));
        let counted = look!(bench, nodes().count_others(here, MINUTE, now));
        assert_eq!(counted, there, "{seen}");
        assert_eq!(
            apply!(bench, nodes().remove_old(MINUTE, now)),
            1 - there,
            "{seen}"
        );
    }
}

async fn each_answers_once(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let (asking, answering) = (node(&bench), node(&bench));
    let begun = bench.now();
    let of_all = CacheClearing {
        id: bench.uuid(),
        tenant: None,
    };
    let of_one = CacheClearing {
        id: bench.uuid(),
        tenant: Some(TenantId::from_uuid(bench.uuid())),
    };
    apply!(bench, nodes().ask(&of_all, begun));
    bench.time.advance(MINUTE);
    let later = bench.now();
    apply!(bench, nodes().ask(&of_one, later));
    let asked = look!(bench, nodes().list_unanswered(answering, begun));
    assert_eq!(asked, [of_all, of_one]);
    let asked = look!(bench, nodes().list_unanswered(answering, later));
    assert_eq!(asked, [of_one], "what was asked before is over");
    for counts in ["{\"a\":1}", "{}"] {
        apply!(bench, nodes().answer(of_one.id, answering, counts));
    }
    apply!(bench, nodes().answer(of_one.id, asking, "{}"));
    let answers = look!(bench, nodes().list_answers(of_one.id, asking));
    assert_eq!(answers, ["{\"a\":1}"]);
    let asked = look!(bench, nodes().list_unanswered(answering, begun));
    assert_eq!(asked, [of_all]);
    assert_eq!(apply!(bench, nodes().remove_old(MINUTE / 2, later)), 1);
    // Forgotten meanwhile: nothing is left behind.
    apply!(bench, nodes().answer(of_all.id, answering, "{}"));
    assert!(look!(bench, nodes().list_answers(of_all.id, asking)).is_empty());
}
