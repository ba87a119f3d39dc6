//! Many sessions of a person or a device end at once.

use tenantry_core::session::{EndReason, Handle, Subject};
use tenantry_core::{AdminId, Generation, TenantId};

use crate::support::{Bench, on_each_driver};

on_each_driver! {
    the_others_are_ended,
    an_admins_others_are_ended,
    sessions_end_with_their_device_and_with_the_pin,
}

async fn the_others_are_ended(bench: Bench) {
    let mine = bench.person();
    let Subject::User {
        tenant,
        generation,
        user,
    } = mine
    else {
        unreachable!()
    };
    let theirs = Subject::User {
        tenant: TenantId::from_uuid(bench.uuid()),
        generation,
        user,
    };
    let later = Subject::User {
        tenant,
        generation: generation.next(),
        user,
    };
    let of_admin = Subject::Admin(AdminId::from_uuid(user.uuid()));
    let neighbour = bench.person_in(tenant, generation);
    let keep = bench.begun(mine).await.session.id;
    let other = bench.begun(mine).await.session.handle();
    bench.begun(mine).await;
    let left = [theirs, later, of_admin, neighbour];
    let mut beside = Vec::new();
    for subject in left {
        beside.push(bench.begun(subject).await.session.id);
    }
    let end = async |keep| {
        let ended = bench
            .store
            .end_others(&mine, keep, EndReason::Password, bench.now());
        ended.await.unwrap()
    };
    assert_eq!(end(Some(keep)).await, 2);
    assert_eq!(end(Some(keep)).await, 0);
    assert_eq!(bench.listed(&mine).await, [keep]);
    let found = bench.found(other).await;
    assert_eq!(found.end_reason, Some(EndReason::Password));
    assert_eq!(end(None).await, 1);
    assert_eq!(bench.listed(&mine).await, []);
    for (subject, id) in left.iter().zip(beside) {
        assert_eq!(bench.listed(subject).await, [id], "{subject:?}");
    }
}

async fn an_admins_others_are_ended(bench: Bench) {
    let admin = bench.admin();
    let keep = bench.begun(admin).await.session.id;
    bench.begun(admin).await;
    let ended = bench
        .store
        .end_others(&admin, Some(keep), EndReason::Revoked, bench.now());
    assert_eq!(ended.await.unwrap(), 1);
    assert_eq!(bench.listed(&admin).await, [keep]);
}

async fn sessions_end_with_their_device_and_with_the_pin(bench: Bench) {
    let tenant = TenantId::from_uuid(bench.uuid());
    let first = Generation::FIRST;
    let (ada, bob) = (
        bench.person_in(tenant, first),
        bench.person_in(tenant, first),
    );
    let Subject::User { user, .. } = ada else {
        unreachable!()
    };
    let ada_later = Subject::User {
        tenant,
        generation: first.next(),
        user,
    };
    let (till, desk) = (bench.device(), bench.device());
    let by_password = bench.begun(ada).await.session.handle();
    let at_till = bench.begun_on(ada, till).await.session.handle();
    let at_desk = bench.begun_on(ada, desk).await.session.handle();
    let bobs = bench.begun_on(bob, till).await.session.handle();
    let later = bench.begun_on(ada_later, till).await.session.handle();
    let elsewhere = bench.begun_on(bench.person(), till).await.session.handle();
    let now = bench.now();
    let ended = async || {
        let ended = bench.store.end_device(tenant, first, till, now);
        ended.await.unwrap()
    };
    assert_eq!(ended().await, 2);
    assert_eq!(ended().await, 0);
    let with_pin = bench.store.end_on_devices(&ada, now).await;
    assert_eq!(with_pin.unwrap(), 1);
    let why = async |handle: Handle| bench.found(handle).await.end_reason;
    for handle in [at_till, at_desk, bobs] {
        assert_eq!(why(handle).await, Some(EndReason::Admin), "{handle:?}");
    }
    for handle in [by_password, later, elsewhere] {
        assert_eq!(why(handle).await, None, "{handle:?}");
    }
}
