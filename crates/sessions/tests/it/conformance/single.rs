//! One session: added, found, used, renewed, ended.

use std::time::Duration;

use tenantry_core::marks::Topic;
use tenantry_core::session::{EndReason, Handle, Session, SessionKind, Subject};
use tenantry_core::user::SecurityVersion;
use tenantry_core::{AdminId, Generation, SessionId, TenantId, UserId};

use crate::support::{Bench, Lies, MINUTE, on_each_driver};

on_each_driver! {
    a_session_comes_back_as_added,
    a_session_is_added_once,
    a_token_is_replaced_once,
    a_session_ends_once_and_says_why,
    a_list_holds_what_is_alive_and_ones_own,
    a_list_comes_page_by_page,
    what_ended_for_a_reason_is_listed,
    a_session_without_idle_limit_is_listed,
    use_is_noted_forward_only,
    a_session_is_carried_over_from_its_version,
    expired_sessions_are_forgotten,
    a_change_is_told,
}

async fn a_session_comes_back_as_added(bench: Bench) {
    let mut of_user = bench.draft(bench.person());
    of_user.session.kind = SessionKind::Api;
    of_user.session.user_agent = Some("curl/8 \"ünder\" {1}\n".to_owned());
    of_user.device = Some(bench.device());
    of_user.pin_digest = Some(bench.hash());
    for stored in [of_user, bench.draft(bench.admin())] {
        bench.store.add(&stored).await.unwrap();
        let found = bench.found(stored.session.handle()).await;
        assert_eq!(format!("{found:?}"), format!("{stored:?}"));
    }
}

async fn a_session_is_added_once(bench: Bench) {
    let stored = bench.begun(bench.person()).await;
    let mut again = stored.clone();
    again.token_hash = bench.hash();
    assert!(bench.store.add(&again).await.is_err());
    let found = bench.found(stored.session.handle()).await;
    assert_eq!(found.token_hash, stored.token_hash);
}

async fn a_token_is_replaced_once(bench: Bench) {
    let stored = bench.begun(bench.person()).await;
    let (handle, from, to) = (stored.session.handle(), stored.token_hash, bench.hash());
    let then = bench.time.advance(MINUTE);
    assert!(bench.store.rotate(&handle, &from, &to, then).await.unwrap());
    let third = bench.hash();
    assert!(
        !bench
            .store
            .rotate(&handle, &from, &third, then)
            .await
            .unwrap()
    );
    let found = bench.found(handle).await;
    assert_eq!((found.token_hash, found.session.last_seen_at), (to, then));
    bench
        .store
        .end(&handle, EndReason::Reuse, then)
        .await
        .unwrap();
    let after = bench.store.rotate(&handle, &to, &third, then).await;
    assert!(!after.unwrap(), "it has ended");
}

async fn a_session_ends_once_and_says_why(bench: Bench) {
    let handle = bench.begun(bench.person()).await.session.handle();
    let then = bench.time.advance(MINUTE);
    assert!(
        bench
            .store
            .end(&handle, EndReason::Logout, then)
            .await
            .unwrap()
    );
    let again = bench.store.end(&handle, EndReason::Admin, then + MINUTE);
    assert!(!again.await.unwrap());
    let found = bench.found(handle).await;
    assert_eq!(found.session.ended_at, Some(then));
    assert_eq!(found.end_reason, Some(EndReason::Logout));
}

async fn what_ended_for_a_reason_is_listed(bench: Bench) {
    let mine = bench.person();
    let mut ended = Vec::new();
    for reason in [EndReason::Reuse, EndReason::Logout, EndReason::Reuse] {
        let id = bench.begun(mine).await.session.handle();
        let then = bench.time.advance(MINUTE);
        bench.store.end(&id, reason, then).await.unwrap();
        ended.push((id.id, then));
    }
    bench.begun(mine).await;
    let others = bench.begun(bench.person()).await.session.handle();
    let end = bench.store.end(&others, EndReason::Reuse, bench.now());
    end.await.unwrap();
    let list = async |limit| {
        let listed = bench.store.list_ended(&mine, EndReason::Reuse, limit);
        let listed = listed.await.unwrap().into_iter();
        let listed = listed.map(|session| (session.id, session.ended_at.unwrap()));
        listed.collect::<Vec<_>>()
    };
    assert_eq!(list(5).await, [ended[2], ended[0]]);
    assert_eq!(list(1).await, [ended[2]]);
}

async fn a_list_holds_what_is_alive_and_ones_own(bench: Bench) {
    let user = UserId::from_uuid(bench.uuid());
    let tenant = TenantId::from_uuid(bench.uuid());
    let here = |tenant, generation| Subject::User {
        tenant,
        generation,
        user,
    };
    let mine = here(tenant, Generation::FIRST);
    let ended = bench.begun(mine).await.session.handle();
    let end = bench.store.end(&ended, EndReason::Logout, bench.now());
    end.await.unwrap();
    let mut idle = bench.draft(mine);
    idle.session.last_seen_at = bench.now() - MINUTE * 10;
    bench.add(idle).await;
    let mut over = bench.draft(mine);
    over.session.expires_at = bench.now();
    bench.add(over).await;
    bench.begun(here(tenant, Generation::FIRST.next())).await;
    let elsewhere = TenantId::from_uuid(bench.uuid());
    bench.begun(here(elsewhere, Generation::FIRST)).await;
    bench
        .begun(bench.person_in(tenant, Generation::FIRST))
        .await;
    let same_id = Subject::Admin(AdminId::from_uuid(user.uuid()));
    let admins = bench.begun(same_id).await.session.id;
    let mut older = bench.draft(mine);
    older.session.last_seen_at = bench.now() - MINUTE;
    let older = bench.add(older).await.session.id;
    let latest = bench.begun(mine).await.session.id;
    assert_eq!(bench.listed(&mine).await, [latest, older]);
    assert_eq!(bench.listed(&same_id).await, [admins]);
}

async fn a_list_comes_page_by_page(bench: Bench) {
    let somebody = bench.person();
    let mut begun = Vec::new();
    for minute in [0, 0, 1, 1, 1, 0, 2] {
        bench.time.advance(MINUTE * minute);
        begun.push(bench.begun(somebody).await.session);
    }
    bench.begun(bench.person()).await;
    begun.sort_by_key(|session| (std::cmp::Reverse(session.last_seen_at), session.id));
    let ids = |sessions: &[Session]| -> Vec<_> { sessions.iter().map(|one| one.id).collect() };
    let whole = bench.store.list(&somebody, bench.now(), None, 100).await;
    assert_eq!(ids(&whole.unwrap()), ids(&begun));
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let page = bench.store.list(&somebody, bench.now(), after, 2).await;
        let page = page.unwrap();
        assert!(page.len() <= 2);
        let Some(last) = page.last() else {
            break;
        };
        after = Some((last.last_seen_at, last.id));
        found.extend(page);
    }
    assert_eq!(ids(&found), ids(&begun));
}

async fn a_session_without_idle_limit_is_listed(bench: Bench) {
    let mut endless = bench.draft(bench.person());
    endless.session.idle = Duration::MAX;
    let endless = bench.add(endless).await.session;
    assert_eq!(bench.listed(&endless.subject).await, [endless.id]);
}

async fn use_is_noted_forward_only(bench: Bench) {
    let handle = bench.begun(bench.person()).await.session.handle();
    let then = bench.now() + MINUTE;
    bench.store.touch(&handle, then).await.unwrap();
    bench.store.touch(&handle, bench.now()).await.unwrap();
    assert_eq!(bench.found(handle).await.session.last_seen_at, then);
    bench
        .store
        .end(&handle, EndReason::Logout, then)
        .await
        .unwrap();
    bench.store.touch(&handle, then + MINUTE).await.unwrap();
    let found = bench.found(handle).await.session;
    assert_eq!(found.last_seen_at, then, "it has ended");
    let nobody = Handle {
        id: SessionId::from_uuid(bench.uuid()),
        ..handle
    };
    bench.store.touch(&nobody, then).await.unwrap();
    let found = bench.store.lookup(&nobody).await.unwrap();
    assert!(found.is_none(), "a use makes no session");
}

async fn a_session_is_carried_over_from_its_version(bench: Bench) {
    let handle = bench.begun(bench.person()).await.session.handle();
    let carry = async |from| {
        let carried = bench.store.carry_over(&handle, SecurityVersion(from));
        carried.await.unwrap()
    };
    assert!(!carry(2).await);
    assert!(carry(3).await);
    assert!(!carry(3).await);
    let found = bench.found(handle).await.session;
    assert_eq!(found.security_version, SecurityVersion(4));
    let end = bench.store.end(&handle, EndReason::Logout, bench.now());
    end.await.unwrap();
    assert!(!carry(4).await, "it has ended");
}

async fn expired_sessions_are_forgotten(bench: Bench) {
    let stored = bench.begun_on(bench.person(), bench.device()).await;
    let (handle, end) = (stored.session.handle(), stored.session.expires_at);
    assert_eq!(bench.store.remove_expired(end).await.unwrap(), 0);
    let later = bench.begun(bench.person()).await;
    let mut long = bench.draft(bench.person());
    long.session.expires_at = end + MINUTE * 60 * 24;
    let long = bench.add(long).await;
    for kept in [&stored, &later, &long] {
        bench.found(kept.session.handle()).await;
    }
    let removed = bench.store.remove_expired(end + Duration::from_micros(1));
    if bench.lies == Lies::Redis {
        assert_eq!(removed.await.unwrap(), 0, "it forgets by itself");
        return;
    }
    assert_eq!(removed.await.unwrap(), 2);
    assert!(bench.store.lookup(&handle).await.unwrap().is_none());
    bench.found(long.session.handle()).await;
    let far = bench.store.remove_expired(end + MINUTE * 60 * 72);
    assert_eq!(far.await.unwrap(), 1);
    assert_eq!(bench.dump().await, [], "nothing is left");
}

async fn a_change_is_told(bench: Bench) {
    let stored = bench.begun(bench.person()).await;
    let handle = stored.session.handle();
    let mut told = bench.changes.carry();
    let to = bench.hash();
    let now = bench.now();
    bench
        .store
        .rotate(&handle, &stored.token_hash, &to, now)
        .await
        .unwrap();
    assert_eq!(told.recv().await, Some(Topic::Session(handle.id)));
    bench
        .store
        .end(&handle, EndReason::Logout, now)
        .await
        .unwrap();
    assert_eq!(told.recv().await, Some(Topic::Session(handle.id)));
    let subject = stored.session.subject;
    let others = bench
        .store
        .end_others(&subject, None, EndReason::Revoked, now);
    others.await.unwrap();
    assert_eq!(told.recv().await, Some(Topic::Person(subject.person())));
    let (tenant, generation) = subject.scope().unwrap();
    bench
        .store
        .end_tenant(tenant, generation, now)
        .await
        .unwrap();
    assert_eq!(told.recv().await, Some(Topic::Tenant(tenant)));
}
