//! A session is found by the whole of its handle, or not.

use tenantry_core::session::{EndReason, Handle};
use tenantry_core::user::SecurityVersion;
use tenantry_core::{Generation, SessionId, TenantId};

use crate::support::{Bench, on_each_driver};

on_each_driver! {
    another_tenants_handle_finds_and_changes_nothing,
}

async fn another_tenants_handle_finds_and_changes_nothing(bench: Bench) {
    let of_user = bench.begun(bench.person()).await;
    let of_admin = bench.begun(bench.admin()).await;
    let (tenant, _) = of_user.session.subject.scope().unwrap();
    let other = TenantId::from_uuid(bench.uuid());
    let before = bench.dump().await;
    let first = Generation::FIRST;
    let wrong = [
        (&of_user, Some((other, first))),
        (&of_user, Some((tenant, first.next()))),
        (&of_user, None),
        (&of_admin, Some((tenant, first))),
    ];
    let now = bench.now();
    for (stored, scope) in wrong {
        let handle = Handle {
            scope,
            id: stored.session.id,
        };
        let store = &bench.store;
        assert!(store.lookup(&handle).await.unwrap().is_none(), "{handle:?}");
        let (from, to) = (stored.token_hash, bench.hash());
        assert!(!store.rotate(&handle, &from, &to, now).await.unwrap());
        let version = SecurityVersion(3);
        assert!(!store.carry_over(&handle, version).await.unwrap());
        store
            .touch(&handle, now + crate::support::MINUTE)
            .await
            .unwrap();
        assert!(!store.end(&handle, EndReason::Logout, now).await.unwrap());
    }
    let nobody = Handle {
        scope: Some((tenant, first)),
        id: SessionId::from_uuid(bench.uuid()),
    };
    assert!(bench.store.lookup(&nobody).await.unwrap().is_none());
    let end = bench.store.end(&nobody, EndReason::Logout, now);
    assert!(!end.await.unwrap());
    assert_eq!(bench.dump().await, before);
}
