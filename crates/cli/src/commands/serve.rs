//! `tenantry serve`

use std::fs::{File, TryLockError};
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};

use tenantry_service::Service;
use tenantry_service::demo::DemoPerson;
use tenantry_web::{App, Front, Options, serve};
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

use super::acts;
use crate::config::Config;
use crate::exit::Exit;
use crate::open;
use crate::output::{Output, table};

static SERVING: AtomicBool = AtomicBool::new(false);

/// Whether a server runs that ends itself in order.
pub(crate) fn handles_signals() -> bool {
    SERVING.load(Ordering::Relaxed)
}

/// Runs the server until it is told to stop.
pub(super) async fn run(config: &Config, demo: bool, out: Output) -> Result<ExitCode, Exit> {
    open::data_dir(config)?;
    let _lock = lock(&config.data_dir.join("server.lock"))?;
    let listener = TcpListener::bind(config.bind).await.map_err(|error| {
        Exit::refused(
            "invalid_setting",
            format!("TENANTRY_BIND: can't listen on {}: {error}", config.bind),
        )
    })?;
    // With port 0 the system chose one.
    let address = listener
        .local_addr()
        .map_err(|error| Exit::failed("asking for the address listened on", error))?;
    let service = open::service(config).await?;
    settle_sessions(&service).await?;
    // From here on, so that one who reads the greeting can count on an end in order.
    let mut signals = Signals::listen()?;
    SERVING.store(true, Ordering::Relaxed);
    let (stop, stopped) = watch::channel(false);
    let worker = tokio::spawn({
        let (service, stopped) = (service.clone(), stopped.clone());
        async move { service.work(until(stopped)).await }
    });
    let people = if demo {
        let making = async { Ok(service.make_demo().await?) };
        acts::around(&service, acts::demo(), Box::pin(making)).await?
    } else {
        Vec::new()
    };
    greet((config, address), &service, &people, out).await?;

    let options = Options {
        trusted_proxies: config.http.trusted_proxies.clone(),
    };
    let serving = tokio::spawn(serve(
        listener,
        Front::new(App::new(service.clone(), options)),
        until(stopped),
    ));
    let code = signals.next().await;
    tracing::info!("stopping: answers under way are let out");
    // Nobody listens any more only if both have ended already.
    let _ = stop.send(true);
    serving
        .await
        .map_err(|error| Exit::failed("serving", error))?;
    worker
        .await
        .map_err(|error| Exit::failed("working in the background", error))?;
    service.close().await;
    tracing::info!("stopped");
    Ok(code)
}

/// Remembers where sessions lie, and says what it means when they lay elsewhere before.
async fn settle_sessions(service: &Service) -> Result<(), Exit> {
    if let Some(before) = service.settle_session_driver().await? {
        tracing::warn!(
            sessions.before = %before, sessions.now = %service.session_driver(),
            "TENANTRY_SESSIONS has changed: everybody is signed out and signs in anew"
        );
    }
    Ok(())
}

/// The signals that end a server in order: SIGTERM with 0, Ctrl-C with 130. One that comes before
/// anybody waits is kept.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn listen() -> Result<Self, Exit> {
        let listen =
            |kind| signal(kind).map_err(|error| Exit::failed("listening for signals", error));
        Ok(Self {
            terminate: listen(SignalKind::terminate())?,
            interrupt: listen(SignalKind::interrupt())?,
        })
    }

    async fn next(&mut self) -> ExitCode {
        tokio::select! {
            _ = self.terminate.recv() => ExitCode::SUCCESS,
            _ = self.interrupt.recv() => ExitCode::from(130),
        }
    }
}

async fn until(mut stopped: watch::Receiver<bool>) {
    // A sender that is gone means the same as one that says stop.
    let _ = stopped.wait_for(|stop| *stop).await;
}

/// One server on one data folder: the lock goes with the process, however it ends.
fn lock(path: &Path) -> Result<File, Exit> {
    let refused =
        |why: String| Exit::refused("invalid_setting", format!("TENANTRY_DATA_DIR: {why}"));
    let file = File::options()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(path)
        .map_err(|error| refused(format!("{} can't be used: {error}", path.display())))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(refused(format!(
            "another server runs on {}",
            path.parent().unwrap_or(path).display()
        ))),
        Err(TryLockError::Error(error)) => Err(refused(format!(
            "{} can't be locked: {error}",
            path.display()
        ))),
    }
}

async fn greet(
    (config, address): (&Config, SocketAddr),
    service: &Service,
    people: &[DemoPerson],
    out: Output,
) -> Result<(), Exit> {
    tracing::info!(bind = %address, url = %config.public_url, data = %config.data_dir.display(), "ready");
    if out.json || !people.is_empty() {
        let answer = serde_json::json!({
            "address": format!("http://{address}"),
            "public_url": config.public_url,
            "people": people,
        });
        out.show(&answer, || {
            let kept = "as printed at the first start";
            let rows = people.iter().map(|person| {
                [
                    person.url.clone(),
                    person.role.to_string(),
                    person.email.clone(),
                    person.password.clone().unwrap_or_else(|| kept.to_owned()),
                ]
            });
            let listed = table(["Open", "Role", "E-mail", "Password"], rows);
            format!("\nTwo tenants to look around in (sam is two people, one in each):\n{listed}\n")
        })?;
    }
    if service.list_admins().await?.is_empty() {
        out.say("No platform admin yet: `tenantry admin create --email you@example.org` prints a setup link.");
    }
    out.say(&format!(
        "Listening on http://{address}, reached at {}",
        config.public_url
    ));
    Ok(())
}
