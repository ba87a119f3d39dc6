//! Each workflow as a scene: what is there before, what is asked for, and what must be true in
//! the end. The places where a run can go wrong are read from the log of a run where nothing did,
//! so that a step that is added to a workflow is covered without a word here.

use std::collections::BTreeSet;
use std::time::Duration;

use tenantry_core::tenant::Isolation;
use tenantry_core::workflow::LogEvent;
use tenantry_core::{Generation, TenantId, TenantStatus};
use tenantry_saga::{Fault, Faults, Moment};
use tenantry_service::Refusal;
use tenantry_service::tenants::{Created, TenantView};
use tenantry_testkit::on_both;
use tenantry_testkit::service::{Driver, Options, PASSWORD, Place, Tenants, TestService, WAIT};

use crate::people::{ADA, OTHER, named, one, try_in};

/// Where registry and tenants lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Setting {
    pub(crate) registry: Driver,
    pub(crate) tenants: Tenants,
}

impl Setting {
    /// Everything in files.
    pub(crate) const FILES: Self = Self::files(Driver::Sqlite);

    /// Everything in PostgreSQL, a database for each tenant.
    pub(crate) const SERVER: Self = Self::server(Driver::Postgres, Isolation::Database);

    /// The same, a schema for each tenant.
    pub(crate) const SCHEMA: Self = Self::server(Driver::Postgres, Isolation::Schema);

    /// The same, rows for each tenant.
    pub(crate) const SHARED: Self = Self::server(Driver::Postgres, Isolation::Shared);

    /// Tenants in files.
    pub(crate) const fn files(registry: Driver) -> Self {
        Self {
            registry,
            tenants: Tenants::Files,
        }
    }

    /// Tenants on a server.
    pub(crate) const fn server(registry: Driver, isolation: Isolation) -> Self {
        Self {
            registry,
            tenants: Tenants::Cluster(isolation),
        }
    }

    /// Whether what a step does is another thing in this setting than with tenants in files, where
    /// every step is tried. A step that is added is taken to be.
    pub(crate) fn concerns(self, step: &str) -> bool {
        self.tenants == Tenants::Files || !ON_THE_REGISTRY.contains(&step)
    }

    pub(crate) fn options(self) -> Options {
        Options::on(self.registry)
            .with_tenants(self.tenants)
            .without_rate_limits()
    }
}

/// Steps that write in the registry alone, or as any request does in a tenant's database.
const ON_THE_REGISTRY: [&str; 10] = [
    "reserve",
    "reserve_directory",
    "carry_over_directory",
    "owner",
    "confirm_directory",
    "verify",
    "activate",
    "end_sessions",
    "remove_directory",
    "remove_records",
];

/// A workflow and how it is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scene {
    /// A tenant whose owner gets a setup link.
    Invite,
    /// A tenant whose owner has a password.
    Provision,
    Recreate,
    Restore,
    /// A tenant that is restored before its owner ever used the setup link: there is a new one.
    RestoreInvited,
    Purge,
}

impl Scene {
    pub(crate) const ALL: [Self; 6] = [
        Self::Invite,
        Self::Provision,
        Self::Recreate,
        Self::Restore,
        Self::RestoreInvited,
        Self::Purge,
    ];

    pub(crate) const fn kind(self) -> &'static str {
        match self {
            Self::Invite | Self::Provision => "provision",
            Self::Recreate => "recreate",
            Self::Restore | Self::RestoreInvited => "restore",
            Self::Purge => "purge",
        }
    }

    /// The password that lets in when everything went well.
    const fn password(self) -> &'static str {
        match self {
            Self::Recreate => OTHER,
            _ => PASSWORD,
        }
    }

    /// Fresh data, with what must be there before.
    pub(crate) async fn prepare(self, setting: Setting) -> TestService {
        let test = TestService::start(setting.options()).await.unwrap();
        self.set_up(&test).await;
        test
    }

    /// What must be there before.
    pub(crate) async fn set_up(self, test: &TestService) {
        if self.kind() != "provision" {
            let view = match self {
                Self::RestoreInvited => test.invite_tenant("acme", ADA).await.unwrap(),
                _ => test.make_tenant("acme", ADA, PASSWORD).await.unwrap(),
            };
            if self.kind() == "restore" {
                let deleted = test.service.delete_tenant(view.tenant.id, false).await;
                deleted.unwrap();
            }
        }
    }

    /// Asks for it.
    pub(crate) async fn act(self, test: &TestService) -> Result<(), Refusal> {
        // On the heap: use cases over several databases are large futures.
        Box::pin(self.begin(test)).await
    }

    async fn begin(self, test: &TestService) -> Result<(), Refusal> {
        let service = &test.service;
        // So that this run is the newest.
        test.clock.advance(Duration::from_millis(1));
        let owner = |password| test.new_tenant_here("acme", ADA, password).unwrap();
        match self {
            Self::Invite | Self::Provision => {
                let new = owner((self == Self::Provision).then_some(PASSWORD));
                let key = service.idempotency_key("admin", "key", "request");
                match service.create_tenant(new, Some(key), WAIT).await? {
                    Created::Active(_) => Ok(()),
                    Created::Later(..) => panic!("it takes too long"),
                }
            }
            Self::Recreate => {
                let owner = owner(Some(OTHER)).owner;
                service.recreate_tenant(acme(test).await, &owner).await?;
                Ok(())
            }
            Self::Restore | Self::RestoreInvited => {
                service.restore_tenant(acme(test).await).await.map(drop)
            }
            Self::Purge => service
                .delete_tenant(acme(test).await, true)
                .await
                .map(drop),
        }
    }

    /// What the log of the newest run says.
    async fn log(self, test: &TestService) -> Vec<(String, LogEvent)> {
        let runs = test.service.list_workflows(None, 1).await.unwrap();
        assert_eq!(runs[0].kind, self.kind());
        let (_, log) = test.service.find_workflow(runs[0].id).await.unwrap();
        log.into_iter()
            .map(|entry| (entry.step, entry.event))
            .collect()
    }

    /// The steps, in order.
    pub(crate) async fn steps(self) -> Vec<String> {
        let test = self.prepare(Setting::FILES).await;
        self.act(&test).await.unwrap();
        let log = self.log(&test).await;
        let begun = log
            .into_iter()
            .filter(|(_, event)| *event == LogEvent::Started);
        let steps: Vec<String> = begun.map(|(step, _)| step).collect();
        let different: BTreeSet<&String> = steps.iter().collect();
        assert_eq!(different.len(), steps.len());
        assert!(steps.len() >= 4, "{steps:?}");
        steps
    }

    /// The steps that reach a server where tenants lie on one.
    pub(crate) async fn steps_in(self, setting: Setting) -> Vec<String> {
        let mut steps = self.steps().await;
        steps.retain(|step| setting.concerns(step));
        steps
    }

    /// The entries that a run writes under these faults.
    pub(crate) async fn places(self, faults: Faults) -> Vec<Place> {
        let test = self.prepare(Setting::FILES).await;
        let acting = test.beside(faults).await.unwrap();
        // Whether it works is for the log to tell.
        drop(self.act(&acting).await);
        let log = self.log(&test).await;
        let places = log.into_iter().map(|(step, event)| Place {
            kind: self.kind().to_owned(),
            step,
            event,
        });
        places.collect()
    }

    /// While the tenant is not active nobody gets in, with whichever password.
    pub(crate) async fn expect_nobody_gets_in_half_way(self, test: &TestService, at: &str) {
        let Ok(view) = test.service.find_tenant("acme").await else {
            return;
        };
        if view.tenant.status == TenantStatus::Active {
            let database = view.database.unwrap();
            assert!(database.verified_at.is_some(), "{at}");
            return;
        }
        for password in [PASSWORD, OTHER] {
            let hinted = try_in(test, Some("acme"), ADA, password).await;
            refused!(hinted, Refusal::TenantUnavailable, at);
            let anywhere = try_in(test, None, ADA, password).await;
            refused!(anywhere, Refusal::InvalidCredentials, at);
        }
    }

    /// The work has come to its good end.
    pub(crate) async fn expect_done(self, test: &TestService, at: &str) {
        if self == Self::Purge {
            return expect_gone(test, None, at).await;
        }
        let view = test.service.find_tenant("acme").await.unwrap();
        assert_eq!(view.tenant.status, TenantStatus::Active, "{at}");
        let generation = match self {
            Self::Invite | Self::Provision => Generation::FIRST,
            _ => Generation::FIRST.next(),
        };
        assert_eq!(view.tenant.generation, generation, "{at}");
        if matches!(self, Self::Invite | Self::RestoreInvited) {
            let mails = test.mails().await.unwrap();
            assert_eq!(mails.len(), 1, "{at}");
            let token = test.setup_token_from_mail(ADA).await.unwrap();
            let set = test.service.setup_password(&token, PASSWORD, None, None);
            set.await.unwrap();
        } else {
            assert!(test.mails().await.unwrap().is_empty(), "{at}");
        }
        for slug in [Some("acme"), None] {
            one(try_in(test, slug, ADA, self.password()).await.unwrap());
        }
        let records = "SELECT COUNT(*) FROM tenant_databases";
        assert_eq!(test.control().number(records).await.unwrap(), 1, "{at}");
        let report = test.service.check_tenant(view.tenant.clone()).await;
        assert_eq!(report.unwrap().findings, [], "{at}");
        expect_only(test, &view, at).await;
        expect_sound(test, at).await;
    }
}

/// Of the tenant there is one generation, whole, and nothing else.
async fn expect_only(test: &TestService, view: &TenantView, at: &str) {
    let Some(cluster) = test.cluster() else {
        let (name, files) = (&view.database.as_ref().unwrap().name, test.tenant_files());
        let others: Vec<String> = files.unwrap();
        assert!(
            others.iter().all(|file| file.starts_with(name)),
            "{at}: {others:?}"
        );
        return;
    };
    assert_eq!(test.tenant_files().unwrap(), Vec::<String>::new(), "{at}");
    let found = cluster.belongings().await.unwrap();
    assert!(!found.is_empty(), "{at}");
    let stem = format!("t_{}_g{}", view.tenant.id.short(), view.tenant.generation);
    let (id, rows) = (view.tenant.id.to_string(), "rows of ");
    let is_its_own =
        |thing: &str| thing.contains(&stem) || (thing.starts_with(rows) && thing.contains(&id));
    let strange: Vec<&String> = found.iter().filter(|thing| !is_its_own(thing)).collect();
    assert!(strange.is_empty(), "{at}: {strange:?}");
}

async fn acme(test: &TestService) -> TenantId {
    test.service.find_tenant("acme").await.unwrap().tenant.id
}

/// No work is left, and no file that belongs to nobody.
async fn expect_sound(test: &TestService, at: &str) {
    assert_eq!(test.service.check_orphans().await.unwrap(), [], "{at}");
    let unfinished = "SELECT COUNT(*) FROM workflows WHERE finished_at IS NULL OR state = 'stuck'";
    assert_eq!(test.control().number(unfinished).await.unwrap(), 0, "{at}");
    let asked = "SELECT COUNT(*) FROM workflows WHERE params <> '{}'";
    assert_eq!(test.control().number(asked).await.unwrap(), 0, "{at}");
}

/// Nothing of any tenant is left, and the name is free.
pub(crate) async fn expect_gone(test: &TestService, tenant: Option<TenantId>, at: &str) {
    for table in [
        "tenants",
        "tenant_databases",
        "tenant_domains",
        "directory",
        "sessions",
        "outbox",
        "idempotency",
    ] {
        let count = format!("SELECT COUNT(*) FROM {table}");
        let count = test.control().number(&count).await.unwrap();
        assert_eq!(count, 0, "{table}, {at}");
    }
    if let Some(tenant) = tenant {
        let mentions = test.control().mentions(tenant.uuid()).await.unwrap();
        assert_eq!(mentions, ["workflows"], "{at}");
    }
    assert_eq!(test.tenant_files().unwrap(), Vec::<String>::new(), "{at}");
    if let Some(cluster) = test.cluster() {
        let left = cluster.belongings().await.unwrap();
        assert_eq!(left, Vec::<String>::new(), "{at}");
    }
    assert!(test.mails().await.unwrap().is_empty(), "{at}");
    refused!(
        named(&test.service, "acme").await,
        Refusal::TenantNotFound,
        at
    );
    expect_sound(test, at).await;
    if test.cluster().is_some() {
        // That nothing is left says it already, and making one takes its time there.
        return;
    }
    let again = test.beside(Faults::none()).await.unwrap();
    again.make_tenant("acme", ADA, PASSWORD).await.unwrap();
    one(try_in(&again, Some("acme"), ADA, PASSWORD).await.unwrap());
}

/// A fault for good at one moment of one step.
pub(crate) fn fatal(scene: Scene, step: &str, at: Moment) -> Faults {
    let (kind, wanted) = (scene.kind(), step.to_owned());
    Faults::new(move |running, step, moment| {
        let here = (running, step, moment) == (kind, wanted.as_str(), at);
        here.then_some(Fault::Fatal)
    })
}

async fn does_what_it_says(setting: Setting, scenes: &[Scene]) {
    for scene in scenes {
        let at = format!("{scene:?} in {setting:?}");
        let test = scene.prepare(setting).await;
        scene.act(&test).await.unwrap();
        scene.expect_done(&test, &at).await;
    }
}

async fn each_step_is_done_twice(setting: Setting, scenes: &[Scene]) {
    for scene in scenes {
        let at = format!("{scene:?} twice in {setting:?}");
        let test = scene.prepare(setting).await;
        let acting = test.beside(Faults::every_step_twice()).await.unwrap();
        scene.act(&acting).await.unwrap();
        scene.expect_done(&test, &at).await;
    }
}

async fn each_workflow_does_what_it_says(registry: Driver) {
    does_what_it_says(Setting::files(registry), &Scene::ALL).await;
}

async fn each_step_may_be_done_twice(registry: Driver) {
    each_step_is_done_twice(Setting::files(registry), &Scene::ALL).await;
}

on_both!(each_workflow_does_what_it_says, each_step_may_be_done_twice);

/// One of each workflow: on a server each takes its time.
const ONE_OF_EACH: [Scene; 4] = [Scene::Invite, Scene::Recreate, Scene::Restore, Scene::Purge];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_registry_in_a_file_goes_with_tenants_on_a_server() {
    let setting = Setting::server(Driver::Sqlite, Isolation::Database);
    does_what_it_says(setting, &[Scene::Provision, Scene::RestoreInvited]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_step_may_be_done_twice_in_databases() {
    each_step_is_done_twice(Setting::SERVER, &ONE_OF_EACH).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_step_may_be_done_twice_in_schemas() {
    each_step_is_done_twice(Setting::SCHEMA, &ONE_OF_EACH).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_step_may_be_done_twice_in_shared_tables() {
    each_step_is_done_twice(Setting::SHARED, &ONE_OF_EACH).await;
}
