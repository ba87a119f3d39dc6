//! Sessions: one person's are never another's, and what ended stays ended.

use std::time::Duration;

use tenantry_core::session::{EndReason, Handle, Session, SessionKind, Subject};
use tenantry_core::user::SecurityVersion;
use tenantry_core::{AdminId, DeviceId, Generation, SessionId, TenantId, UserId};
use tenantry_store::control::StoredSession;

use crate::support::{Bench, Dialect};

on_both! {
    a_session_comes_back_as_added,
    a_token_is_replaced_once,
    a_session_ends_once,
    a_list_holds_what_is_alive_and_ones_own,
    a_session_without_idle_limit_is_listed,
    the_others_are_ended,
    an_admins_others_are_ended,
    use_is_noted_forward_only,
    a_session_is_carried_over_from_its_version,
    a_tenants_sessions_are_ended_and_removed,
    expired_sessions_are_forgotten,
    all_there_are_end_at_once,
    those_that_ended_for_a_reason_are_listed,
    sessions_end_with_their_device_and_with_the_pin,
    what_is_too_many_was_used_longest_ago,
}

const MINUTE: Duration = Duration::from_mins(1);

fn person(bench: &Bench) -> Subject {
    Subject::User {
        tenant: TenantId::from_uuid(bench.uuid()),
        generation: Generation::FIRST,
        user: UserId::from_uuid(bench.uuid()),
    }
}

fn session(bench: &Bench, subject: Subject) -> StoredSession {
    StoredSession {
        session: Session {
            id: SessionId::from_uuid(bench.uuid()),
            subject,
            security_version: SecurityVersion(3),
            kind: SessionKind::Browser,
            created_at: bench.now(),
            last_seen_at: bench.now(),
            expires_at: bench.now() + MINUTE * 60,
            idle: MINUTE * 10,
            ended_at: None,
            user_agent: None,
        },
        token_hash: bench.hash(),
        device: None,
        pin_digest: None,
        end_reason: None,
    }
}

/// A session that is nowhere, of this tenant.
fn nobody(bench: &Bench, subject: Subject) -> Handle {
    Handle {
        scope: subject.scope(),
        id: SessionId::from_uuid(bench.uuid()),
    }
}

async fn added(bench: &Bench, subject: Subject) -> StoredSession {
    let stored = session(bench, subject);
    apply!(bench, sessions().add(&stored));
    stored
}

async fn listed(bench: &Bench, subject: &Subject) -> Vec<SessionId> {
    let list = look!(bench, sessions().list(subject, bench.now(), None, 100));
    list.into_iter().map(|session| session.id).collect()
}

async fn a_session_comes_back_as_added(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let mut of_user = session(&bench, person(&bench));
    of_user.session.kind = SessionKind::Api;
    of_user.session.user_agent = Some("curl/8".to_owned());
    of_user.device = Some(DeviceId::from_uuid(bench.uuid()));
    let of_admin = session(&bench, Subject::Admin(AdminId::from_uuid(bench.uuid())));
    for stored in [of_user, of_admin] {
        apply!(bench, sessions().add(&stored));
        let found = look!(bench, sessions().lookup(&stored.session.handle())).unwrap();
        assert_eq!(format!("{found:?}"), format!("{stored:?}"));
    }
    assert!(look!(bench, sessions().lookup(&nobody(&bench, person(&bench)))).is_none());
}

async fn a_token_is_replaced_once(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let stored = added(&bench, person(&bench)).await;
    let (id, from, to) = (stored.session.handle(), stored.token_hash, bench.hash());
    let then = bench.time.advance(MINUTE);
    assert!(apply!(bench, sessions().rotate(&id, &from, &to, then)));
    assert!(!apply!(
        bench,
        sessions().rotate(&id, &from, &bench.hash(), then)
    ));
    let found = look!(bench, sessions().lookup(&id)).unwrap();
    assert_eq!((found.token_hash, found.session.last_seen_at), (to, then));
    apply!(bench, sessions().end(&id, EndReason::Reuse, then));
    assert!(
        !apply!(bench, sessions().rotate(&id, &to, &bench.hash(), then)),
        "it has ended"
    );
}

async fn a_session_ends_once(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let id = added(&bench, person(&bench)).await.session.handle();
    let then = bench.time.advance(MINUTE);
    assert!(apply!(bench, sessions().end(&id, EndReason::Logout, then)));
    assert!(!apply!(
        bench,
        sessions().end(&id, EndReason::Admin, then + MINUTE)
    ));
    let found = look!(bench, sessions().lookup(&id)).unwrap();
    assert_eq!(found.session.ended_at, Some(then));
    assert_eq!(found.end_reason, Some(EndReason::Logout));
    let nobody = nobody(&bench, person(&bench));
    assert!(!apply!(
        bench,
        sessions().end(&nobody, EndReason::Logout, then)
    ));
}

async fn a_list_holds_what_is_alive_and_ones_own(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let user = UserId::from_uuid(bench.uuid());
    let tenant = TenantId::from_uuid(bench.uuid());
    let here = |tenant, generation| Subject::User {
        tenant,
        generation,
        user,
    };
    let mine = here(tenant, Generation::FIRST);
    let ended = added(&bench, mine).await.session.handle();
    apply!(
        bench,
        sessions().end(&ended, EndReason::Logout, bench.now())
    );
    let mut idle = session(&bench, mine);
    idle.session.last_seen_at = bench.now() - MINUTE * 10;
    apply!(bench, sessions().add(&idle));
    let mut over = session(&bench, mine);
    over.session.expires_at = bench.now();
    apply!(bench, sessions().add(&over));
    added(&bench, here(tenant, Generation::FIRST.next())).await;
    added(
        &bench,
        here(TenantId::from_uuid(bench.uuid()), Generation::FIRST),
    )
    .await;
    let same_id = Subject::Admin(AdminId::from_uuid(user.uuid()));
    let admins = added(&bench, same_id).await.session.id;
    let mut older = session(&bench, mine);
    older.session.last_seen_at = bench.now() - MINUTE;
    apply!(bench, sessions().add(&older));
    let latest = added(&bench, mine).await.session.id;
    assert_eq!(listed(&bench, &mine).await, [latest, older.session.id]);
    assert_eq!(listed(&bench, &same_id).await, [admins]);
}

async fn a_session_without_idle_limit_is_listed(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let subject = person(&bench);
    let mut endless = session(&bench, subject);
    endless.session.idle = Duration::MAX;
    apply!(bench, sessions().add(&endless));
    assert_eq!(listed(&bench, &subject).await, [endless.session.id]);
}

async fn the_others_are_ended(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let Subject::User {
        tenant,
        generation,
        user,
    } = person(&bench)
    else {
        unreachable!()
    };
    let mine = Subject::User {
        tenant,
        generation,
        user,
    };
    let elsewhere = TenantId::from_uuid(bench.uuid());
    let theirs = Subject::User {
        tenant: elsewhere,
        generation,
        user,
    };
    let of_admin = Subject::Admin(AdminId::from_uuid(user.uuid()));
    let keep = added(&bench, mine).await.session.id;
    added(&bench, mine).await;
    added(&bench, mine).await;
    let other = added(&bench, theirs).await.session.id;
    let admins = added(&bench, of_admin).await.session.id;
    let (why, now) = (EndReason::Password, bench.now());
    assert_eq!(
        apply!(bench, sessions().end_others(&mine, Some(keep), why, now)),
        2
    );
    assert_eq!(
        apply!(bench, sessions().end_others(&mine, Some(keep), why, now)),
        0
    );
    assert_eq!(listed(&bench, &mine).await, [keep]);
    assert_eq!(
        apply!(bench, sessions().end_others(&mine, None, why, now)),
        1
    );
    assert_eq!(listed(&bench, &mine).await, []);
    assert_eq!(listed(&bench, &theirs).await, [other], "of another tenant");
    assert_eq!(listed(&bench, &of_admin).await, [admins], "of an admin");
}

async fn an_admins_others_are_ended(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let admin = Subject::Admin(AdminId::from_uuid(bench.uuid()));
    let keep = added(&bench, admin).await.session.id;
    added(&bench, admin).await;
    let (why, now) = (EndReason::Revoked, bench.now());
    assert_eq!(
        apply!(bench, sessions().end_others(&admin, Some(keep), why, now)),
        1
    );
    assert_eq!(listed(&bench, &admin).await, [keep]);
}

async fn use_is_noted_forward_only(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let id = added(&bench, person(&bench)).await.session.handle();
    let then = bench.now() + MINUTE;
    apply!(bench, sessions().touch(&id, then));
    apply!(bench, sessions().touch(&id, bench.now()));
    let found = look!(bench, sessions().lookup(&id)).unwrap();
    assert_eq!(found.session.last_seen_at, then);
    apply!(bench, sessions().end(&id, EndReason::Logout, then));
    apply!(bench, sessions().touch(&id, then + MINUTE));
    let found = look!(bench, sessions().lookup(&id)).unwrap();
    assert_eq!(found.session.last_seen_at, then, "it has ended");
}

async fn a_session_is_carried_over_from_its_version(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let id = added(&bench, person(&bench)).await.session.handle();
    assert!(!apply!(
        bench,
        sessions().carry_over(&id, SecurityVersion(2))
    ));
    assert!(apply!(
        bench,
        sessions().carry_over(&id, SecurityVersion(3))
    ));
    assert!(!apply!(
        bench,
        sessions().carry_over(&id, SecurityVersion(3))
    ));
    let found = look!(bench, sessions().lookup(&id)).unwrap();
    assert_eq!(found.session.security_version, SecurityVersion(4));
    apply!(bench, sessions().end(&id, EndReason::Logout, bench.now()));
    assert!(!apply!(
        bench,
        sessions().carry_over(&id, SecurityVersion(4))
    ));
}

async fn a_tenants_sessions_are_ended_and_removed(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let mine = person(&bench);
    let tenant = mine.tenant().unwrap();
    let theirs = person(&bench);
    added(&bench, mine).await;
    added(&bench, mine).await;
    let ended = added(&bench, mine).await.session.handle();
    apply!(
        bench,
        sessions().end(&ended, EndReason::Logout, bench.now())
    );
    let other = added(&bench, theirs).await.session.id;
    assert_eq!(look!(bench, sessions().count_live(tenant, bench.now())), 2);
    assert_eq!(
        look!(
            bench,
            sessions().count_live(tenant, bench.now() + MINUTE * 60)
        ),
        0
    );
    assert_eq!(
        apply!(
            bench,
            sessions().end_tenant(tenant, Generation::FIRST.next(), bench.now())
        ),
        2
    );
    assert_eq!(
        apply!(
            bench,
            sessions().end_tenant(tenant, Generation::FIRST.next(), bench.now())
        ),
        0
    );
    assert_eq!(look!(bench, sessions().count_live(tenant, bench.now())), 0);
    assert_eq!(apply!(bench, sessions().remove_tenant(tenant)), 3);
    assert_eq!(listed(&bench, &theirs).await, [other]);
}

async fn all_there_are_end_at_once(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let admin = Subject::Admin(AdminId::from_uuid(bench.uuid()));
    let mut open = Vec::new();
    for subject in [person(&bench), person(&bench), admin] {
        open.push(added(&bench, subject).await.session.handle());
    }
    let left = added(&bench, admin).await.session.handle();
    apply!(bench, sessions().end(&left, EndReason::Logout, bench.now()));
    assert_eq!(apply!(bench, sessions().end_everything(bench.now())), 3);
    assert_eq!(apply!(bench, sessions().end_everything(bench.now())), 0);
    for handle in open {
        let stored = look!(bench, sessions().lookup(&handle)).unwrap();
        assert_eq!(stored.end_reason, Some(EndReason::Tenant));
    }
    let stored = look!(bench, sessions().lookup(&left)).unwrap();
    assert_eq!(
        stored.end_reason,
        Some(EndReason::Logout),
        "the first reason"
    );
}

async fn those_that_ended_for_a_reason_are_listed(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let (mine, theirs) = (person(&bench), person(&bench));
    let mut reused = Vec::new();
    for (subject, reason, after) in [
        (mine, EndReason::Reuse, 1),
        (mine, EndReason::Reuse, 2),
        (mine, EndReason::Logout, 3),
        (theirs, EndReason::Reuse, 4),
    ] {
        let handle = added(&bench, subject).await.session.handle();
        let at = bench.now() + MINUTE * after;
        apply!(bench, sessions().end(&handle, reason, at));
        reused.push(handle.id);
    }
    added(&bench, mine).await;
    let listed = async |limit| {
        let list = look!(bench, sessions().list_ended(&mine, EndReason::Reuse, limit));
        list.into_iter().map(|one| one.id).collect::<Vec<_>>()
    };
    assert_eq!(listed(10).await, [reused[1], reused[0]], "the latest first");
    assert_eq!(listed(1).await, [reused[1]]);
}

async fn expired_sessions_are_forgotten(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let stored = added(&bench, person(&bench)).await;
    assert_eq!(
        apply!(bench, sessions().remove_expired(stored.session.expires_at)),
        0
    );
    let after = stored.session.expires_at + Duration::from_micros(1);
    assert_eq!(apply!(bench, sessions().remove_expired(after)), 1);
    assert!(look!(bench, sessions().lookup(&stored.session.handle())).is_none());
}

async fn sessions_end_with_their_device_and_with_the_pin(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let (ada, bob, stranger) = (person(&bench), person(&bench), person(&bench));
    let Subject::User {
        tenant, generation, ..
    } = ada
    else {
        panic!("a person is in a tenant");
    };
    let Subject::User { user: other, .. } = bob else {
        panic!("a person is in a tenant");
    };
    let bob = Subject::User {
        tenant,
        generation,
        user: other,
    };
    let [till, desk] = [bench.uuid(), bench.uuid()].map(DeviceId::from_uuid);
    let begun = async |subject: Subject, device: Option<DeviceId>| {
        let mut stored = session(&bench, subject);
        stored.device = device;
        apply!(bench, sessions().add(&stored));
        stored.session.handle()
    };
    let by_password = begun(ada, None).await;
    let at_till = begun(ada, Some(till)).await;
    let at_desk = begun(ada, Some(desk)).await;
    let bobs = begun(bob, Some(till)).await;
    let elsewhere = begun(stranger, Some(till)).await;
    let now = bench.now();
    assert_eq!(
        apply!(bench, sessions().end_device(tenant, generation, till, now)),
        2
    );
    assert_eq!(
        apply!(bench, sessions().end_device(tenant, generation, till, now)),
        0
    );
    assert_eq!(apply!(bench, sessions().end_on_devices(&ada, now)), 1);
    let ended = async |id: Handle| {
        let found = look!(bench, sessions().lookup(&id)).unwrap();
        found.session.ended_at.is_some()
    };
    for (id, expected) in [
        (by_password, false),
        (at_till, true),
        (at_desk, true),
        (bobs, true),
        (elsewhere, false),
    ] {
        assert_eq!(ended(id).await, expected, "{id:?}");
    }
}

async fn what_is_too_many_was_used_longest_ago(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let (somebody, other) = (person(&bench), person(&bench));
    let mut ids = Vec::new();
    for minutes in [4, 2, 3, 1, 1] {
        let mut stored = session(&bench, somebody);
        stored.session.last_seen_at = bench.now() + MINUTE * minutes;
        ids.push(stored.session.id);
        apply!(bench, sessions().add(&stored));
    }
    // What has ended, ran out or lay unused for too long is not counted; nor is anybody else's.
    let mut ended = session(&bench, somebody);
    ended.session.ended_at = Some(bench.now());
    ended.end_reason = Some(EndReason::Logout);
    let mut over = session(&bench, somebody);
    over.session.expires_at = bench.now();
    let mut unused = session(&bench, somebody);
    unused.session.idle = Duration::ZERO;
    for stored in [ended, over, unused, session(&bench, other)] {
        apply!(bench, sessions().add(&stored));
    }
    for (most, ended, left) in [
        (5, 0, vec![ids[0], ids[2], ids[1], ids[3], ids[4]]),
        (4, 1, vec![ids[0], ids[2], ids[1], ids[4]]),
        (2, 2, vec![ids[0], ids[2]]),
        (2, 0, vec![ids[0], ids[2]]),
    ] {
        let count = apply!(bench, sessions().end_surplus(&somebody, most, bench.now()));
        assert_eq!(count, ended, "{most}");
        assert_eq!(listed(&bench, &somebody).await, left, "{most}");
    }
    let first = Handle {
        scope: somebody.scope(),
        id: ids[1],
    };
    let ended = look!(bench, sessions().lookup(&first)).unwrap();
    assert_eq!(ended.end_reason, Some(EndReason::Limit));
    assert_eq!(
        apply!(bench, sessions().end_surplus(&other, 1, bench.now())),
        0
    );
}
