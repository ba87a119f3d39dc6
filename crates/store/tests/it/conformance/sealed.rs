//! Sealed values: in each column those that name another data key are found and replaced.

use tenantry_core::application::ApplicationState;
use tenantry_core::credential::Slot;
use tenantry_core::keys::SigningState;
use tenantry_core::tenant::EmailUniqueness;
use tenantry_core::webhooks::EventKind;
use tenantry_core::workflow::WorkflowState;
use tenantry_core::{ApplicationId, Generation, NoticeId, OutboxId, WebhookId, WorkflowId};
use tenantry_store::control::{
    ApplicationRecord, ClusterRecord, InstanceRow, NewCredential, NewDelivery, SealedAt,
    SealedColumn, SealedSigningKey, WebhookRecord,
};
use uuid::Uuid;

use super::workflows::claim;
use crate::support::{Bench, Dialect};

on_both! {
    what_names_another_key_is_found_and_replaced_in_each_column,
    a_page_goes_on_where_the_last_one_ended,
    the_plans_of_unfinished_runs_are_replaced,
    runs_that_end_meanwhile_hide_no_plan,
}

const ALL: (i64, i64) = (100, 0);

/// A value as it is sealed: a format, the key's id, and what no database looks at.
fn value(key: Uuid, mark: u8) -> Vec<u8> {
    [&[1][..], key.as_bytes(), &[mark; 30]].concat()
}

/// A value in every column; where each lies.
async fn plant(bench: &Bench, key: Uuid) -> Vec<SealedAt> {
    let now = bench.now();
    let tenant = bench.tenant("acme").await.id;
    let sealed = value(key, 1);
    let instance = InstanceRow {
        key_check: sealed.clone(),
        email_uniqueness: EmailUniqueness::PerTenant,
    };
    assert!(apply!(bench, instance().add(&instance, now)));
    let signing = SealedSigningKey {
        kid: "kid".to_owned(),
        sealed_seed: Some(sealed.clone()),
        public_key: vec![2; 32],
        state: SigningState::Active,
        since: now,
        created_at: now,
    };
    assert!(apply!(bench, keys().add_signing_key(&signing)));
    let cluster = ClusterRecord {
        name: "west".to_owned(),
        sealed_url: sealed.clone(),
        host: "db.example".to_owned(),
        port: 5432,
        accepts: true,
        capacity: None,
        sealed_shared: None,
        created_at: now,
        tenants: 0,
    };
    assert!(apply!(bench, clusters().add(&cluster)));
    assert!(apply!(bench, clusters().keep_shared("west", &sealed)));
    let credential = NewCredential {
        tenant,
        generation: Generation::FIRST,
        serial: 1,
        slot: Slot::Service,
        name: "role",
        sealed_secret: &sealed,
    };
    assert!(apply!(bench, credentials().add(&credential, now)));
    let webhook = WebhookId::from_uuid(bench.uuid());
    let receiver = WebhookRecord {
        id: webhook,
        url: "https://hooks.example/in".to_owned(),
        description: String::new(),
        events: Vec::new(),
        sealed_secret: sealed.clone(),
        created_at: now,
        waiting: 0,
        failed: 0,
    };
    apply!(bench, webhooks().add(&receiver));
    let notice = NoticeId::from_uuid(bench.uuid());
    let delivery = NewDelivery {
        webhook,
        id: notice,
        event: EventKind::TenantCreated,
        sealed: &sealed,
        at: now,
    };
    apply!(bench, webhooks().add_delivery(delivery));
    let mail = OutboxId::from_uuid(bench.uuid());
    apply!(bench, outbox().add(mail, None, &sealed, now));
    let application = ApplicationId::from_uuid(bench.uuid());
    let record = ApplicationRecord {
        id: application,
        state: ApplicationState::PendingProof,
        name: "Globex".to_owned(),
        slug: "globex".to_owned(),
        applicant: sealed.clone(),
        expires_at: now,
        reason: None,
        tenant: None,
        created_at: now,
        proven_at: None,
        decided_at: None,
    };
    apply!(bench, applications().add(&record, &bench.hash()));
    let name = "shop".parse().unwrap();
    assert!(apply!(bench, adopted().add(tenant, "west", &name, now)));
    assert!(apply!(bench, adopted().keep_report(tenant, &sealed)));
    let hash = bench.hash();
    let begun = idempotent(bench, hash).await;
    assert!(begun && apply!(bench, idempotency().keep(hash, &sealed)));
    vec![
        SealedAt::KeyCheck,
        SealedAt::SigningSeed("kid".to_owned()),
        SealedAt::ClusterUrl("west".to_owned()),
        SealedAt::ClusterShared("west".to_owned()),
        SealedAt::Credential(tenant, Generation::FIRST, 1),
        SealedAt::WebhookSecret(webhook),
        SealedAt::Notice(webhook, notice),
        SealedAt::Mail(mail),
        SealedAt::Applicant(application),
        SealedAt::Report(tenant),
        SealedAt::Answer(hash.to_vec()),
    ]
}

async fn idempotent(bench: &Bench, hash: [u8; 32]) -> bool {
    let now = bench.now();
    apply!(bench, idempotency().begin(hash, hash, None, now, now))
}

async fn what_names_another_key_is_found_and_replaced_in_each_column(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let (old, new) = (Uuid::from_u128(1), Uuid::from_u128(2));
    let planted = plant(&bench, old).await;
    assert_eq!(planted.len(), SealedColumn::ALL.len());
    // What was emptied names nothing, as does what was never set.
    let done = OutboxId::from_uuid(bench.uuid());
    apply!(bench, outbox().add(done, None, &[], bench.now()));
    assert!(idempotent(&bench, bench.hash()).await);
    for (column, at) in SealedColumn::ALL.iter().zip(&planted) {
        let (column, tell) = (*column, column.name());
        assert_eq!(look!(bench, sealed().count(column, new)), 1, "{tell:?}");
        assert_eq!(look!(bench, sealed().count(column, old)), 0, "{tell:?}");
        assert_eq!(
            look!(bench, sealed().count_naming(column, old)),
            1,
            "{tell:?}"
        );
        assert_eq!(
            look!(bench, sealed().count_naming(column, new)),
            0,
            "{tell:?}"
        );
        assert!(look!(bench, sealed().list(column, old, ALL)).is_empty());
        let found = look!(bench, sealed().list(column, new, ALL));
        assert_eq!(found.len(), 1, "{tell:?}");
        assert_eq!(&found[0].at, at);
        let (read, sealed) = (found[0].sealed.clone(), value(new, 2));
        assert_eq!(read, value(old, 1), "{tell:?}");
        // Somebody changed it meanwhile.
        let stale = value(old, 3);
        assert!(!apply!(bench, sealed().replace(at, &stale, &sealed)));
        assert!(apply!(bench, sealed().replace(at, &read, &sealed)));
        assert!(!apply!(bench, sealed().replace(at, &read, &sealed)));
        assert_eq!(look!(bench, sealed().count(column, new)), 0, "{tell:?}");
    }
}

async fn a_page_goes_on_where_the_last_one_ended(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let (old, new) = (Uuid::from_u128(1), Uuid::from_u128(2));
    let mut mails = Vec::new();
    for mark in 0..3 {
        let id = OutboxId::from_uuid(bench.uuid());
        apply!(
            bench,
            outbox().add(id, None, &value(old, mark), bench.now())
        );
        mails.push(SealedAt::Mail(id));
    }
    let mut found = Vec::new();
    for page in [(2, 0), (2, 2), (2, 4)] {
        let listed = look!(bench, sealed().list(SealedColumn::Mail, new, page));
        found.extend(listed.into_iter().map(|value| value.at));
    }
    assert_eq!(found, mails);
}

async fn the_plans_of_unfinished_runs_are_replaced(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let id = WorkflowId::from_uuid(bench.uuid());
    let (now, plan) = (bench.now(), "{\"owner\":\"old\"}");
    assert!(apply!(
        bench,
        workflows().add(id, "provision", 1, None, plan, now)
    ));
    let listed = look!(bench, sealed().list_plans(None, 100));
    assert_eq!(listed, [(id, plan.to_owned())]);
    assert!(look!(bench, sealed().list_plans(Some(id), 1)).is_empty());
    let new = "{\"owner\":\"new\"}";
    assert!(!apply!(bench, sealed().replace_plan(id, new, plan)));
    assert!(apply!(bench, sealed().replace_plan(id, plan, new)));
    let listed = look!(bench, sealed().list_plans(None, 100));
    assert_eq!(listed, [(id, new.to_owned())]);
}

async fn runs_that_end_meanwhile_hide_no_plan(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let mut ids = Vec::new();
    for _ in 0..4 {
        let (id, now) = (WorkflowId::from_uuid(bench.uuid()), bench.now());
        let added = apply!(bench, workflows().add(id, "provision", 1, None, "{}", now));
        assert!(added);
        ids.push(id);
    }
    let listed = async |after| -> Vec<WorkflowId> {
        let plans = look!(bench, sealed().list_plans(after, 2));
        plans.into_iter().map(|(id, _)| id).collect()
    };
    assert_eq!(listed(None).await, ids[..2]);
    let claim = claim(&bench, ids[0]).await.unwrap();
    let (run, done) = ((ids[0], claim.fence), WorkflowState::Succeeded);
    let finished = apply!(bench, workflows().finish(run, done, None, bench.now()));
    assert!(finished);
    assert_eq!(listed(Some(ids[1])).await, ids[2..]);
    assert!(listed(Some(ids[3])).await.is_empty());
}
