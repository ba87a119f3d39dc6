//! Three servers over one control database, with Redis and without: what is changed through one of
//! them counts on all within the bound, whatever becomes of the channels and of the servers.

/// Runs each of these functions with Redis and without, as a test of its own.
macro_rules! on_each_channel {
    ($($name:ident),+ $(,)?) => {$(
        mod $name {
            use crate::nodes::site::Over;

            #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
            async fn notify() -> anyhow::Result<()> {
                super::$name(Over::Notify).await
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
            async fn redis() -> anyhow::Result<()> {
                super::$name(Over::Redis).await
            }
        }
    )+};
}

mod asking;
mod cut;
mod killed;
mod paused;
mod refresh;
mod site;

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::json;

use asking::{Asking, Change};
use site::{A, B, C, Over, Site};

use crate::acts::done;
use crate::http::Ask;
use crate::{PASSWORD, eventually};

on_each_channel!(what_one_node_changes_counts_on_all);

async fn what_one_node_changes_counts_on_all(over: Over) -> Result<()> {
    let site = Site::start(over).await?;
    let [ada, globex, initech] = site.make_tenants(["acme", "globex", "initech"])?;
    let names = ["disabled", "promoted", "leaving", "changing", "reset"];
    let [disabled, promoted, leaving, changing, reset] = site.add_members(&ada, names)?;
    let people = [
        &disabled, &promoted, &leaving, &changing, &reset, &globex, &initech,
    ];
    let another = site.sign_in(A, Some("acme"), &changing.email)?;
    let another = another["access_token"].as_str().context("no token")?;
    let act = |slug: &str, act: &str| {
        Ask::post(&format!("/api/v1/tenants/{slug}/{act}")).bearer(&site.root)
    };
    let asks = [
        ("disabled", disabled.disabled(&ada)),
        (
            "promoted",
            promoted.changed(&ada, &json!({ "role": "admin" })),
        ),
        (
            "signed out",
            Ask::post("/api/v1/auth/logout-all").bearer(&leaving.bearer),
        ),
        (
            "password changed",
            Ask::post("/api/v1/auth/me/password")
                .bearer(another)
                .json(&json!({
                    "current_password": PASSWORD, "new_password": "another battery staple",
                })),
        ),
    ];
    let lives = [
        ("suspended", act("globex", "suspend")),
        (
            "recreated",
            act("initech", "recreate").json(&json!({ "confirm": "initech" })),
        ),
    ];
    let asking = Asking::start(&site, &[A, B, C], &people)?;
    let (heard, hits) = (
        [site.heard(B)?, site.heard(C)?],
        [site.hits(A)?, site.hits(B)?, site.hits(C)?],
    );

    let through =
        |(case, ask): &(&'static str, Ask)| Ok((*case, Change::make(|| site.done(A, ask))?));
    let mut made = asks.iter().map(through).collect::<Result<Vec<_>>>()?;
    // A command ends when what it did counts everywhere.
    let args = ["user", "reset-password", "acme", &reset.email];
    let by_command = Change::make(|| done(&site.node(A).installation, &args))?;
    made.push(("reset by a command", by_command));
    for life in &lives {
        made.push(through(life)?);
    }

    for (person, (case, change)) in made.iter().enumerate() {
        asking.expect(case, person, *change)?;
    }
    let (command, nodes) = (asks.len(), [A, B, C]);
    asking.expect_on("by a command", command, by_command, &nodes, |_| {
        Duration::ZERO
    })?;
    for (node, before) in [A, B, C].into_iter().zip(hits) {
        ensure!(site.hits(node)? > before, "nothing was asked of memory");
    }
    for (node, before) in [B, C].into_iter().zip(heard) {
        // Each of them is told, and none of it twice over two channels is counted on.
        let told = before + u64::try_from(made.len())?;
        eventually("the other nodes have heard of it", || {
            Ok((site.heard(node)? >= told).then_some(()))
        })?;
    }
    Ok(())
}
