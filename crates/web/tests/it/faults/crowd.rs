//! People of two tenants who send requests all the while, and what holds for every answer.
//!
//! Whatever is broken: who is let in is let in as himself and into his own tenant; what has ended,
//! was forged or belongs elsewhere opens nothing; guessing is limited as ever; who is turned away is
//! told so in time and in the contract's words, which name no tenant; nothing breaks (`500`).

mod asked;
mod people;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::json;
use tenantry_core::throttle::Limits;
use tenantry_service::facts::BOUND;
use tenantry_testkit::app::{Answer, Call, SignIn, TestApp, TestTenant};
use tenantry_testkit::service::PASSWORD;
use tokio::sync::{RwLock, RwLockWriteGuard};
use tokio::task::JoinSet;

pub(super) use people::Member;

/// Between two requests of one of them. Few enough that two cores have room for what is tested.
const PACE: Duration = Duration::from_millis(15);

/// What a request may take to arrive, on a machine that does much else.
const ON_THE_WAY: Duration = Duration::from_millis(700);

/// What may happen to somebody who did nothing wrong.
#[derive(Clone, Copy)]
pub(super) struct Bounds {
    /// With what 503s may say.
    pub(super) away: &'static [&'static str],
    /// How long any answer may take.
    pub(super) longest: Duration,
}

/// A tenant whose people send requests.
pub(super) struct Side {
    pub(super) tenant: TestTenant,
    pub(super) bounds: Bounds,
    /// Signed in throughout.
    pub(super) owner: Member,
    /// Signed out before anything happened.
    pub(super) gone: Member,
    /// Signs in and out all the while.
    pub(super) comes: String,
}

/// What was seen: for which tenant and what was asked, with which status.
type Seen = BTreeMap<(String, &'static str, u16), u64>;

/// All of them, and what they saw.
pub(super) struct Crowd {
    pub(super) app: Arc<TestApp>,
    pub(super) sides: [Arc<Side>; 2],
    ground: Arc<Ground>,
    asking: Mutex<JoinSet<()>>,
}

/// What the people share.
#[derive(Default)]
struct Ground {
    seen: Mutex<Seen>,
    phase: Mutex<&'static str>,
    /// When somebody of a tenant asked last who was let in by what he had.
    let_in: Mutex<BTreeMap<String, Instant>>,
    /// Sessions may be lost: where they lay was emptied.
    emptied: AtomicBool,
    enough: AtomicBool,
    /// Read by whoever waits for a handler's answer.
    under_way: RwLock<()>,
    /// Signed out while everything went on, and told so.
    ended: Mutex<Vec<(usize, SignIn)>>,
}

impl Ground {
    fn note(&self, side: &Side, asked: &'static str, status: u16, since: Instant) {
        let slug = side.tenant.slug.clone();
        if status == 200 && matches!(asked, "verify" | "api" | "page") {
            let mut let_in = locked(&self.let_in);
            let last = let_in.entry(slug.clone()).or_insert(since);
            *last = since.max(*last);
        }
        *locked(&self.seen).entry((slug, asked, status)).or_default() += 1;
    }

    fn phase(&self) -> &'static str {
        *locked(&self.phase)
    }
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Crowd {
    /// Lets people of these two tenants begin; each is told what may happen to its own.
    pub(super) async fn gathered(
        app: TestApp,
        tenants: [TestTenant; 2],
        bounds: [Bounds; 2],
    ) -> Self {
        let app = Arc::new(app);
        let [one, other] = tenants;
        let sides = [
            Arc::new(Side::of(&app, one, bounds[0]).await),
            Arc::new(Side::of(&app, other, bounds[1]).await),
        ];
        let ground = Arc::new(Ground::default());
        *locked(&ground.phase) = "calm";
        let mut asking = JoinSet::new();
        for (place, side) in sides.iter().enumerate() {
            let one = asked::Asking {
                app: Arc::clone(&app),
                side: Arc::clone(side),
                other: Arc::clone(&sides[1 - place]),
                place,
                ground: Arc::clone(&ground),
            };
            asking.spawn(one.clone().stays());
            asking.spawn(one.clone().tries_what_opens_nothing());
            asking.spawn(one.clone().comes_and_goes());
            asking.spawn(one.guesses());
        }
        let crowd = Self {
            app,
            sides,
            ground,
            asking: Mutex::new(asking),
        };
        for side in [0, 1] {
            crowd.is_well(side).await;
            crowd.meet(side, &[("guess", 401)]).await;
        }
        crowd
    }

    /// From here on it is this that happens; what was seen before is forgotten. The moment.
    pub(super) fn now(&self, phase: &'static str) -> Instant {
        self.looked_after();
        *locked(&self.ground.phase) = phase;
        locked(&self.ground.seen).clear();
        Instant::now()
    }

    /// Waits until no handler is at work, and keeps it so. What a handler asked a server that then
    /// hangs is given up when the server's own limit for a statement is well over (35 s), which is
    /// longer than a test may take.
    pub(super) async fn at_rest(&self) -> RwLockWriteGuard<'_, ()> {
        self.ground.under_way.write().await
    }

    /// From here on sessions may be lost.
    pub(super) fn may_lose_sessions(&self) {
        self.ground.emptied.store(true, Ordering::SeqCst);
    }

    /// How often people of a tenant were answered this way in this phase.
    pub(super) fn count(&self, side: usize, asked: &'static str, status: u16) -> u64 {
        let key = (self.sides[side].tenant.slug.clone(), asked, status);
        locked(&self.ground.seen).get(&key).copied().unwrap_or(0)
    }

    /// Waits until people of a tenant are answered in each of these ways, once more than by now.
    pub(super) async fn meet(&self, side: usize, answers: &[(&'static str, u16)]) {
        let count = |(asked, status): &(&'static str, u16)| self.count(side, asked, *status);
        let before: Vec<u64> = answers.iter().map(count).collect();
        let what = format!("{answers:?} ({})", self.ground.phase());
        super::until(&what, async || {
            self.looked_after();
            let mut seen = answers.iter().map(count).zip(&before);
            seen.all(|(now, before)| now > *before).then_some(())
        })
        .await;
    }

    /// Waits until everything works again for both tenants.
    pub(super) async fn is_all_well(&self) {
        for side in [0, 1] {
            self.is_well(side).await;
        }
    }

    /// Waits until everything works again for a tenant, for those who were there all along too.
    pub(super) async fn is_well(&self, side: usize) {
        let all = ["page", "api", "verify", "sign in", "refresh", "sign out"];
        self.meet(side, &all.map(|asked| (asked, 200))).await;
    }

    /// Waits until people of a tenant are turned away, and sees that nobody was let in from when on
    /// nothing counts any more that was known before `since`.
    pub(super) async fn is_turned_away(&self, side: usize, since: Instant) {
        let all = ["page", "api", "verify", "sign in"];
        self.meet(side, &all.map(|asked| (asked, 503))).await;
        let until = since + BOUND + ON_THE_WAY;
        tokio::time::sleep_until(until.into()).await;
        self.meet(side, &[("verify", 503)]).await;
        let let_in = locked(&self.ground.let_in)[&self.sides[side].tenant.slug];
        let phase = self.ground.phase();
        assert!(let_in < until, "{:?} after {phase}", let_in - since);
    }

    /// Tells at once where one of them met what may not be.
    fn looked_after(&self) {
        while let Some(ended) = locked(&self.asking).try_join_next() {
            ended.unwrap();
        }
    }

    /// Ends it; what was ended on the way is good for nothing now either.
    pub(super) async fn goes_home(self) -> Arc<TestApp> {
        self.ground.enough.store(true, Ordering::SeqCst);
        let mut asking = std::mem::take(&mut *locked(&self.asking));
        while let Some(ended) = asking.join_next().await {
            ended.unwrap();
        }
        let ended = std::mem::take(&mut *locked(&self.ground.ended));
        assert!(!ended.is_empty(), "nobody signed out");
        for (place, signed) in ended {
            let host = &self.sides[place].tenant.host;
            let call = self.app.get("/auth/verify").host(host);
            let answer = call.bearer(&signed.access).send().await;
            answer.problem(401, "session_stale");
        }
        self.app
    }
}

/// Sends a request; how long it took.
async fn timed(call: Call) -> (Answer, Duration) {
    let since = Instant::now();
    let answer = call.send().await;
    (answer, since.elapsed())
}

/// More tries at one name than are free.
const TRIES: i64 = 2 * Limits::ACCOUNT.free;

fn sign_in(app: &TestApp, host: &str, email: &str, password: &str) -> Call {
    let body = json!({ "email": email, "password": password });
    app.post("/api/v1/auth/login").host(host).json(&body)
}

impl Side {
    async fn of(app: &TestApp, tenant: TestTenant, bounds: Bounds) -> Self {
        let owner = Member::signed_in(app, &tenant, &tenant.owner).await;
        let comes = format!("comes@{}.example", tenant.slug);
        for email in [&comes, &format!("gone@{}.example", tenant.slug)] {
            let body = json!({ "email": email, "role": "member", "password": PASSWORD });
            let call = app.post("/api/v1/users").bearer(&owner.signed.access);
            call.json(&body).send().await.ok(201);
        }
        let gone = format!("gone@{}.example", tenant.slug);
        let gone = Member::signed_in(app, &tenant, &gone).await;
        let out = app.post("/api/v1/auth/logout-all");
        out.bearer(&gone.signed.access).send().await.ok(200);
        Self {
            tenant,
            bounds,
            owner,
            gone,
            comes,
        }
    }
}
