//! Many do the same at once, over two handles as two processes would have them: one wins, and
//! nobody is told otherwise.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tenantry_core::one_time::Purpose;
use tenantry_core::throttle::Limits;
use tenantry_core::workflow::LogEvent;
use tenantry_core::{Generation, OneTimeId, OutboxId, TenantId, TenantStatus, WorkflowId};
use tenantry_store::Control;
use tenantry_store::control::{Counted, StoredSecret};
use tokio::sync::Barrier;

use crate::conformance::{admin, email, person};
use crate::support::{Bench, Dialect, warm};

on_both! {
    one_of_many_uses_a_secret_up,
    one_of_many_uses_an_admins_secret_up,
    of_secrets_added_at_once_one_is_good,
    of_admins_secrets_added_at_once_one_is_good,
    no_more_tries_pass_than_are_free,
    one_of_many_gets_the_slug,
    no_number_is_given_twice,
    whoever_reads_first_may_write_too,
    one_of_many_gets_the_run,
    one_of_many_starts_work_on_a_tenant,
    one_of_many_changes_the_status,
    a_lost_fence_is_seen_before_anything_is_written,
    a_mail_goes_to_one,
    a_try_of_a_mail_has_one_outcome,
    an_address_goes_to_one_tenant,
}

/// Does a thing so many times at once; each gets its number.
async fn at_once<T, F>(times: usize, act: impl Fn(usize) -> F) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let start = Arc::new(Barrier::new(times));
    let tasks: Vec<_> = (0..times)
        .map(|number| {
            let (start, work) = (Arc::clone(&start), act(number));
            tokio::spawn(async move {
                start.wait().await;
                work.await
            })
        })
        .collect();
    let mut outcomes = Vec::with_capacity(times);
    for task in tasks {
        outcomes.push(task.await.unwrap());
    }
    outcomes
}

/// Two handles on one control database.
async fn handles(bench: &Bench) -> [Control; 2] {
    let handles = [bench.control.clone(), bench.another().await];
    for handle in &handles {
        warm(handle.db(), 16).await;
    }
    handles
}

fn secret(bench: &Bench, purpose: Purpose) -> StoredSecret {
    StoredSecret {
        id: OneTimeId::from_uuid(bench.uuid()),
        purpose,
        hash: bench.hash(),
        created_at: bench.now(),
        expires_at: bench.now() + Duration::from_hours(1),
    }
}

async fn one_of_many_uses_a_secret_up(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let people = Arc::new(bench.people().await);
    warm(&people.db, 4).await;
    let address = email("ada@example.com");
    let ada = person(&bench, &address);
    let (user, secret, now) = (ada.id, secret(&bench, Purpose::Setup), bench.now());
    apply!(people, users().add(&ada));
    apply!(people, secrets().add(user, &secret));
    let outcomes = at_once(50, |_| {
        let (people, id, hash) = (Arc::clone(&people), secret.id, secret.hash);
        async move { apply!(people, secrets().use_up(id, Purpose::Setup, &hash, now)) }
    });
    let winners: Vec<_> = outcomes.await.into_iter().flatten().collect();
    assert_eq!(winners.len(), 1);
    assert_eq!(winners[0].user, user);
}

async fn one_of_many_uses_an_admins_secret_up(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let record = admin(&bench, "root@example.com");
    let (secret, now) = (secret(&bench, Purpose::Setup), bench.now());
    apply!(bench, admins().add(&record));
    apply!(bench, one_time().add(record.admin.id, &secret));
    let handles = handles(&bench).await;
    let outcomes = at_once(50, |number| {
        let (control, id, hash) = (handles[number % 2].clone(), secret.id, secret.hash);
        async move { apply!(control, one_time().use_up(id, Purpose::Setup, &hash, now)) }
    });
    assert_eq!(outcomes.await.into_iter().flatten().count(), 1);
}

async fn of_secrets_added_at_once_one_is_good(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let people = Arc::new(bench.people().await);
    warm(&people.db, 4).await;
    let address = email("ada@example.com");
    let ada = person(&bench, &address);
    let (user, now) = (ada.id, bench.now());
    apply!(people, users().add(&ada));
    let secrets: Vec<_> = (0..8).map(|_| secret(&bench, Purpose::Reset)).collect();
    at_once(secrets.len(), |number| {
        let (people, secret) = (Arc::clone(&people), secrets[number].clone());
        async move { apply!(people, secrets().add(user, &secret)) }
    })
    .await;
    let mut good = 0;
    for secret in &secrets {
        let found = apply!(
            people,
            secrets().find_good(secret.id, secret.purpose, &secret.hash, now)
        );
        good += usize::from(found.is_some());
    }
    assert_eq!(good, 1, "a new one voids the old");
}

async fn of_admins_secrets_added_at_once_one_is_good(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let record = admin(&bench, "root@example.com");
    let (id, now) = (record.admin.id, bench.now());
    apply!(bench, admins().add(&record));
    let handles = handles(&bench).await;
    let secrets: Vec<_> = (0..8).map(|_| secret(&bench, Purpose::Reset)).collect();
    at_once(secrets.len(), |number| {
        let (control, secret) = (handles[number % 2].clone(), secrets[number].clone());
        async move { apply!(control, one_time().add(id, &secret)) }
    })
    .await;
    let mut good = 0;
    for secret in &secrets {
        let found = look!(
            bench,
            one_time().find_good(secret.id, secret.purpose, &secret.hash, now)
        );
        good += usize::from(found.is_some());
    }
    assert_eq!(good, 1, "a new one voids the old");
}

async fn no_more_tries_pass_than_are_free(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let (key, now) = (bench.hash(), bench.now());
    let handles = handles(&bench).await;
    let outcomes = at_once(200, |number| {
        let control = handles[number % 2].clone();
        async move { apply!(control, throttle().count(&key, &Limits::ACCOUNT, now)) }
    });
    let mut passed: Vec<_> = outcomes
        .await
        .into_iter()
        .filter_map(|outcome| match outcome {
            Counted::Go(failures) => Some(failures),
            Counted::Wait(_) => None,
        })
        .collect();
    passed.sort_unstable();
    assert_eq!(passed, [1, 2, 3, 4, 5]);
}

async fn one_of_many_gets_the_slug(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let handles = handles(&bench).await;
    let drafts: Vec<_> = (1..=20).map(|number| bench.draft("acme", number)).collect();
    let outcomes = at_once(drafts.len(), |number| {
        let (control, draft) = (handles[number % 2].clone(), drafts[number].clone());
        async move { apply!(control, tenants().add(&draft)) }
    });
    assert_eq!(outcomes.await.into_iter().filter(|added| *added).count(), 1);
    assert_eq!(look!(bench, tenants().list(0, 100)).len(), 1);
}

async fn no_number_is_given_twice(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let handles = handles(&bench).await;
    let outcomes = at_once(30, |number| {
        let control = handles[number % 2].clone();
        async move { apply!(control, tenants().next_number()) }
    });
    let mut numbers = outcomes.await;
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=30).collect::<Vec<_>>());
}

async fn whoever_reads_first_may_write_too(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let id = bench.active_tenant("acme").await.id;
    let handles = handles(&bench).await;
    let outcomes = at_once(20, |number| {
        let control = handles[number % 2].clone();
        async move {
            let mut tx = control.begin().await?;
            tx.tenants().lookup(id).await?;
            tokio::task::yield_now().await;
            tx.tenants().next_number().await?;
            tx.commit().await
        }
    });
    for outcome in outcomes.await {
        outcome.unwrap();
    }
    assert_eq!(
        apply!(bench, tenants().next_number()),
        22,
        "one for the tenant, twenty, this one"
    );
}

async fn a_run(bench: &Bench) -> WorkflowId {
    let id = WorkflowId::from_uuid(bench.uuid());
    apply!(
        bench,
        workflows().add(id, "create", 1, None, "{}", bench.now())
    );
    id
}

async fn one_of_many_gets_the_run(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let (id, now) = (a_run(&bench).await, bench.now());
    let until = now + Duration::from_mins(1);
    let handles = handles(&bench).await;
    let outcomes = at_once(20, |number| {
        let control = handles[number % 2].clone();
        async move { apply!(control, workflows().claim(id, now, until)) }
    });
    let claims: Vec<_> = outcomes.await.into_iter().flatten().collect();
    assert_eq!(claims.len(), 1);
    assert_eq!(claims[0].fence, 1);
}

async fn one_of_many_starts_work_on_a_tenant(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let tenant = Some(TenantId::from_uuid(bench.uuid()));
    let (ids, now) = (
        std::array::from_fn::<_, 20, _>(|_| bench.uuid()),
        bench.now(),
    );
    let handles = handles(&bench).await;
    let outcomes = at_once(ids.len(), |number| {
        let (control, id) = (
            handles[number % 2].clone(),
            WorkflowId::from_uuid(ids[number]),
        );
        async move { apply!(control, workflows().add(id, "create", 1, tenant, "{}", now)) }
    });
    assert_eq!(outcomes.await.into_iter().filter(|added| *added).count(), 1);
}

async fn one_of_many_changes_the_status(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let id = bench.active_tenant("acme").await.id;
    let handles = handles(&bench).await;
    let from = TenantStatus::Active;
    let outcomes = at_once(20, |number| {
        let control = handles[number % 2].clone();
        async move {
            apply!(
                control,
                tenants().begin_generation(id, from, Generation::FIRST)
            )
        }
    });
    assert_eq!(
        outcomes
            .await
            .into_iter()
            .filter(|changed| *changed)
            .count(),
        1
    );
    let tenant = look!(bench, tenants().lookup(id)).unwrap();
    assert_eq!(tenant.generation, Generation::FIRST.next());
}

/// The path of a worker: hold the run, then write to its log, in one transaction.
async fn write(control: &Control, at: (WorkflowId, i64), bench: &Bench) -> bool {
    let mut tx = control.begin().await.unwrap();
    let until = bench.now() + Duration::from_mins(1);
    if !tx.workflows().renew(at.0, at.1, until).await.unwrap() {
        return false;
    }
    let mut workflows = tx.workflows();
    workflows
        .append(at, "create", LogEvent::Started, None, bench.now())
        .await
        .unwrap();
    tx.commit().await.unwrap();
    true
}

async fn a_lost_fence_is_seen_before_anything_is_written(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let id = a_run(&bench).await;
    let [first, second] = handles(&bench).await;
    let claim = async |control: &Control| {
        let until = bench.now() + Duration::from_mins(1);
        apply!(control, workflows().claim(id, bench.now(), until))
    };
    let lost = (id, claim(&first).await.unwrap().fence);
    bench.time.advance(Duration::from_mins(1));
    let held = (id, claim(&second).await.unwrap().fence);
    assert!(!write(&first, lost, &bench).await);
    assert!(write(&second, held, &bench).await);
    assert!(!write(&first, lost, &bench).await);
    let log = look!(bench, workflows().log(id));
    assert_eq!(log.len(), 1, "only the holder has written: {log:?}");
}

async fn a_mail_goes_to_one(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let (id, now) = (OutboxId::from_uuid(bench.uuid()), bench.now());
    apply!(bench, outbox().add(id, None, b"sealed", now));
    let handles = handles(&bench).await;
    let outcomes = at_once(20, |number| {
        let control = handles[number % 2].clone();
        async move { apply!(control, outbox().claim(now, now + Duration::from_mins(1))) }
    });
    assert_eq!(outcomes.await.into_iter().flatten().count(), 1);
}

async fn a_try_of_a_mail_has_one_outcome(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let (id, now) = (OutboxId::from_uuid(bench.uuid()), bench.now());
    apply!(bench, outbox().add(id, None, b"sealed", now));
    let until = now + Duration::from_mins(1);
    let mail = apply!(bench, outbox().claim(now, until)).unwrap();
    let handles = handles(&bench).await;
    let outcomes = at_once(20, |number| {
        let (control, claim) = (handles[number % 2].clone(), mail.claim());
        async move {
            if number % 4 < 2 {
                apply!(control, outbox().mark_sent(claim, now))
            } else {
                apply!(control, outbox().mark_failed(claim, now, "550"))
            }
        }
    });
    let noted = outcomes.await.into_iter().filter(|noted| *noted);
    assert_eq!(noted.count(), 1);
}

async fn an_address_goes_to_one_tenant(dialect: Dialect) {
    use tenantry_core::UserId;
    use tenantry_store::control::{DirectoryEntry, EntryKind, EntryState, Reservation};
    let bench = Bench::open(dialect).await;
    let (hash, now) = (bench.hash(), bench.now());
    let mut entries = Vec::new();
    for number in 0..10 {
        let tenant = bench.active_tenant(&format!("tenant-{number}")).await;
        entries.push(DirectoryEntry {
            tenant: tenant.id,
            generation: tenant.generation,
            user: UserId::from_uuid(bench.uuid()),
            address_hash: hash,
            kind: EntryKind::Owner,
            state: EntryState::Reserved,
        });
    }
    let handles = handles(&bench).await;
    let outcomes = at_once(entries.len(), |number| {
        let (control, entry) = (handles[number % 2].clone(), entries[number].clone());
        async move { apply!(control, directory().reserve(&entry, true, now)) }
    });
    let held = outcomes
        .await
        .into_iter()
        .filter(|outcome| *outcome == Reservation::Held);
    assert_eq!(held.count(), 1);
}
