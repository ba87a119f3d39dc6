//! The process killed (-9) after each entry of a workflow's log.
//!
//! A good run tells which entries there are, so that a new step is covered by itself. Debug builds
//! stand still after the entry that `TENANTRY_FAULT` names and say so; then they are killed. What
//! comes next must put everything right without anybody's help.

mod random;
mod retried;
mod stories;

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use tenantry_testkit::cluster::TestCluster;
use tenantry_testkit::process::{Installation, Running, alter_sqlite};

use crate::acts::{self, all_is_well};
use crate::eventually;
use crate::http::{Answer, Ask};

/// Cases at once: most of a case is waiting for a lease to run out.
const AT_ONCE: usize = 4;

/// How long what changed may count as it was, where it is known from memory.
const KNOWN: Duration = Duration::from_secs(1);

/// How often a case is tried again in which another process was faster.
const TRIES: u32 = 5;

/// Steps that are the same wherever tenants lie, and are tried with tenants in files.
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

/// Where tenants lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ground {
    Files,
    Server,
}

/// An act on the tenant `acme`, and what must come of it whatever happens in between.
struct Story {
    /// Tells it from the beginning again.
    tell: fn(Ground) -> Result<Self>,
    /// What of its log no other story has, where tenants lie on a server and each case takes its
    /// time.
    own: fn(&str, &str) -> bool,
    /// The server that its tenants lie on. Two installations can't work on one: what lies there is
    /// not copied with the data folder.
    server: Option<TestCluster>,
    /// The workflow it starts.
    kind: &'static str,
    /// How things are before, with nobody running.
    before: Installation,
    /// The platform admin's access token.
    admin: String,
    /// An access token of the tenant's earlier life, which must not come to life again.
    earlier: Option<String>,
    /// Who tries to get in all the time.
    visitor: &'static str,
    /// What the visitor is answered once the tenant is active.
    welcome: u16,
    /// The act over the API.
    ask: Ask,
    /// The act over the command line.
    args: &'static [&'static str],
    /// What must be true in the end.
    end: fn(&Scene<'_>) -> Result<()>,
}

/// A running server in the end of a story.
struct Scene<'a> {
    installation: &'a Installation,
    server: SocketAddr,
    story: &'a Story,
}

/// A place in a workflow's log.
type Moment = (String, String);

/// Where the process is that is killed.
#[derive(Clone, Copy, Debug)]
enum Door {
    /// The server itself; another one is started after it.
    Server,
    /// A command beside a server, which goes on.
    Command,
}

impl Story {
    /// The places in the log of a run that nobody disturbs.
    fn moments(&self) -> Result<Vec<Moment>> {
        let installation = self.before.copy()?;
        let server = installation.serve()?;
        let scene = self.scene(&installation, server.address()?);
        self.ask.send(scene.server)?;
        scene.settled()?;
        let id = scene.run()?["id"].as_str().context("no id")?.to_owned();
        let run = acts::done(&installation, &["workflow", "show", &id])?;
        let mut moments: Vec<Moment> = Vec::new();
        for entry in run["steps"].as_array().context("no log")? {
            let text = |field: &str| entry[field].as_str().unwrap_or_default().to_owned();
            let moment = (text("step"), text("event"));
            if !moments.contains(&moment) {
                moments.push(moment);
            }
        }
        ensure!(moments.len() >= 8, "a suspiciously short log: {run}");
        (self.end)(&scene).context("the run that nobody disturbed")?;
        all_is_well(&installation)?;
        if self.server.is_some() {
            let own = |(step, event): &Moment| {
                !ON_THE_REGISTRY.contains(&step.as_str()) && (self.own)(step, event)
            };
            moments.retain(own);
        }
        Ok(moments)
    }

    fn scene<'a>(&'a self, installation: &'a Installation, server: SocketAddr) -> Scene<'a> {
        Scene {
            installation,
            server,
            story: self,
        }
    }

    /// Kills the process at every moment of the log, one after the other, each from the start.
    fn survives_every_moment(&self, door: Door) -> Result<()> {
        let moments = self.moments()?;
        let open = Mutex::new(moments.iter());
        let failures = Mutex::new(Vec::new());
        std::thread::scope(|scope| {
            for _ in 0..AT_ONCE {
                scope.spawn(|| {
                    loop {
                        let Some(moment) = open.lock().unwrap().next() else {
                            return;
                        };
                        if let Err(error) = self.survives(moment, door) {
                            let case =
                                format!("{}/{}/{}: {error:?}", self.kind, moment.0, moment.1);
                            failures.lock().unwrap().push(case);
                        }
                    }
                });
            }
        });
        let failures = failures.into_inner()?;
        ensure!(
            failures.is_empty(),
            "{} of {} moments:\n{}",
            failures.len(),
            moments.len(),
            failures.join("\n\n")
        );
        Ok(())
    }

    fn survives(&self, moment: &Moment, door: Door) -> Result<()> {
        if self.server.is_some() {
            return (self.tell)(Ground::Server)?.survives_here(moment, door);
        }
        self.survives_here(moment, door)
    }

    fn survives_here(&self, moment: &Moment, door: Door) -> Result<()> {
        let mut installation = self.before.copy()?;
        let fault = format!("{}/{}/{}", self.kind, moment.0, moment.1);
        let server = match door {
            Door::Server => self.kill_server(&mut installation, &fault)?,
            Door::Command => self.kill_command(&mut installation, &fault)?,
        };
        let scene = self.scene(&installation, server.address()?);
        scene.settled().with_context(|| server.stderr())?;
        (self.end)(&scene).with_context(|| server.stderr())?;
        all_is_well(&installation)?;
        let strange = scene.left_behind()?;
        ensure!(strange.is_empty(), "left behind: {strange:?}");
        Ok(())
    }

    /// Has the command run into the fault and kills it there; the server beside it.
    fn kill_command(&self, installation: &mut Installation, fault: &str) -> Result<Running> {
        // What the server did first can't be taken back where tenants lie on one.
        let tries = if self.server.is_some() { 1 } else { TRIES };
        for _ in 0..tries {
            let server = installation.serve()?;
            installation.set("TENANTRY_FAULT", fault);
            let command = installation.start(self.args)?;
            let reached = command.says(&format!("fault reached: {fault}"));
            installation.unset("TENANTRY_FAULT");
            if reached.is_ok() {
                self.scene(installation, server.address()?).keeps_out()?;
                command.kill()?;
                return Ok(server);
            }
            // The server was the faster one to take the run up; rare, and no fault.
            command.ended()?;
            server.kill()?;
            *installation = self.before.copy()?;
        }
        anyhow::bail!("{fault} was never reached")
    }

    /// Has the server run into the fault and kills it there; the server after it.
    fn kill_server(&self, installation: &mut Installation, fault: &str) -> Result<Running> {
        let server = installation.set("TENANTRY_FAULT", fault).serve()?;
        installation.unset("TENANTRY_FAULT");
        let address = server.address()?;
        std::thread::scope(|scope| {
            // Its answer never comes: the server dies under it.
            let asking = scope.spawn(|| self.ask.send(address));
            server.says(&format!("fault reached: {fault}"))?;
            let kept_out = self.scene(installation, address).keeps_out();
            server.kill()?;
            asking.join().map(drop).ok();
            kept_out
        })?;
        free_mail(installation)?;
        installation.serve()
    }
}

/// Waits for something of the test kit's.
pub(crate) fn wait_for<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(work)
}

/// A mail that a dead process was about to send is its own for some minutes yet. Nobody waits for
/// that here: it is due now. How many there were.
pub(crate) fn free_mail(installation: &Installation) -> Result<u64> {
    let control = installation.data().join("control.db");
    let due = "UPDATE outbox SET next_attempt_at = 0 WHERE sent_at IS NULL AND failed_at IS NULL";
    alter_sqlite(&control, due)
}

impl Scene<'_> {
    /// The tenant as the platform admin sees it; null where there is none.
    fn tenant(&self) -> Result<Value> {
        let answer = Ask::get("/api/v1/tenants/acme")
            .bearer(&self.story.admin)
            .send(self.server)?;
        match answer.status {
            200 => Ok(answer.json()),
            404 => Ok(Value::Null),
            _ => anyhow::bail!("looking at the tenant: {answer:?}"),
        }
    }

    /// Nobody gets in who should not, now. What he is told may be what was true a moment ago: a change
    /// counts at once where it is read, and within a moment where it is known from memory.
    fn keeps_out(&self) -> Result<()> {
        let mut first: Option<(Instant, Value)> = None;
        loop {
            let asked = Instant::now();
            let Some((before, answer)) = self.turned_away()? else {
                return Ok(());
            };
            let told = format!("with {before} the visitor is answered {answer:?}");
            let code = answer.code();
            let was_so_once = matches!(
                (answer.status, &*code),
                (503, "tenant_unavailable") | (404, "tenant_not_found")
            );
            ensure!(was_so_once, "{told}");
            match &first {
                Some((since, then)) if *then == before => {
                    ensure!(asked.duration_since(*since) < KNOWN, "{told}");
                }
                _ => first = Some((asked, before)),
            }
            std::thread::sleep(KNOWN / 20);
        }
    }

    /// What the visitor is answered, where it is not what fits the tenant as it is.
    fn turned_away(&self) -> Result<Option<(Value, Answer)>> {
        let before = self.tenant()?;
        let answer = acts::sign_in(self.server, Some("acme"), self.story.visitor)?;
        if let Some(earlier) = &self.story.earlier {
            let me = Ask::get("/api/v1/auth/me")
                .bearer(earlier)
                .send(self.server)?;
            ensure!(me.status == 401, "an old token is let in: {me:?}");
        }
        if before != self.tenant()? {
            return Ok(None);
        }
        let expected = match before["status"].as_str() {
            Some("active") => self.story.welcome,
            Some(_) => 503,
            None => 404,
        };
        let code = match expected {
            503 => "tenant_unavailable",
            404 => "tenant_not_found",
            401 => "invalid_credentials",
            _ => "",
        };
        let fits = answer.status == expected && answer.code() == code;
        Ok((!fits).then_some((before, answer)))
    }

    /// The newest run of the story's kind.
    fn run(&self) -> Result<Value> {
        let answer = Ask::get("/api/v1/workflows")
            .bearer(&self.story.admin)
            .send(self.server)?;
        let list = answer.json();
        let runs = list["items"].as_array().context("no list")?;
        let run = runs.iter().find(|run| run["kind"] == self.story.kind);
        run.cloned().with_context(|| format!("no run in {list}"))
    }

    /// Waits until the run has ended, by itself and for good.
    fn settled(&self) -> Result<()> {
        let state = eventually("the workflow ends", || {
            self.keeps_out()?;
            let run = self.run()?;
            let state = run["state"].as_str().unwrap_or_default().to_owned();
            Ok((state != "running" && state != "undoing").then_some(state))
        })?;
        ensure!(state != "stuck", "the run is stuck: {}", self.run()?);
        self.keeps_out()
    }

    /// What is in the data folder beside whole files that have their place there.
    fn left_behind(&self) -> Result<Vec<String>> {
        let names = |folder: &Path| -> Result<BTreeSet<String>> {
            std::fs::read_dir(folder)?
                .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
                .collect()
        };
        let whole = |name: &str| {
            let name = name.trim_end_matches("-wal").trim_end_matches("-shm");
            Path::new(name)
                .extension()
                .is_some_and(|extension| extension == "db")
        };
        let data = self.installation.data();
        let known = [
            "control.db",
            "mail",
            "master.key",
            "open.lock",
            "server.lock",
            "tenants",
        ];
        let mut strange: Vec<String> = names(&data)?
            .into_iter()
            .filter(|name| !known.contains(&name.trim_end_matches("-wal").trim_end_matches("-shm")))
            .collect();
        let tenants = names(&data.join("tenants"))?.into_iter();
        strange.extend(tenants.filter(|name| !whole(name)));
        Ok(strange)
    }
}
