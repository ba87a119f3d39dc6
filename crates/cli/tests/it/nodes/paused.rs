//! A node that stands still for a while, as one does on a machine that has no memory left or whose
//! disk hangs, and goes on with what it had in memory.

use std::io::Write as _;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use tenantry_testkit::process::Signal;
use tenantry_testkit::proxy::Fate;

use super::asking::BOUND;
use super::site::{A, BUSY, C, Over, Person, Site, WAYS};
use crate::acts::done;
use crate::http::{Answer, Ask, connect, read_answer};

/// For how long a node may take tokens of a key that was revoked (`docs/ARCHITECTURE.md`, "Keys").
const KEYS: Duration = Duration::from_secs(1);

/// The node stands still with everybody in its memory, and hears nobody afterwards. Meanwhile `act`
/// happens, and people go on asking it, from when that counts; what they are answered once it goes
/// on, in the ways of [`Person::asks`].
fn meanwhile(
    site: &Site,
    people: &[&Person],
    bound: Duration,
    act: impl FnOnce() -> Result<()>,
) -> Result<Vec<Vec<Answer>>> {
    let server = site.address(C)?;
    let asks: Vec<Ask> = people.iter().flat_map(|person| person.asks()).collect();
    for _ in 0..3 {
        for ask in &asks {
            site.done(C, ask)?;
        }
    }
    site.set_channels(Fate::Held, Fate::Held);
    site.node(C).running()?.signal(Signal::STOP)?;
    act()?;
    let counts = Instant::now() + bound;
    std::thread::sleep(counts.saturating_duration_since(Instant::now()));
    // The system takes the connections and what is sent over them, and keeps it for the process.
    let mut asked = Vec::new();
    for ask in &asks {
        let mut stream = connect(server)?;
        stream.write_all(&ask.bytes())?;
        asked.push(stream);
    }
    site.node(C).running()?.signal(Signal::CONT)?;
    let mut answers = Vec::new();
    for (mut stream, ask) in asked.into_iter().zip(&asks) {
        let answer = read_answer(&mut stream)?;
        // Whoever is told that the node is busy is not let in, and asks again.
        let is_busy = answer.status == BUSY;
        answers.push(if is_busy { site.ask(C, ask)? } else { answer });
    }
    site.set_channels(Fate::Carried, Fate::Carried);
    Ok(answers.chunks(WAYS).map(<[_]>::to_vec).collect())
}

fn seen(answers: &[Answer]) -> Vec<(u16, String)> {
    let seen = |answer: &Answer| (answer.status, answer.code());
    answers.iter().map(seen).collect()
}

fn stale() -> (u16, String) {
    (401, "session_stale".to_owned())
}

on_each_channel!(a_node_that_stood_still_goes_on_with_what_is_true_now);

async fn a_node_that_stood_still_goes_on_with_what_is_true_now(over: Over) -> Result<()> {
    let site = Site::start(over).await?;
    let [ada, globex] = site.make_tenants(["acme", "globex"])?;
    let [sam] = site.add_members(&ada, ["sam"])?;
    let people = [&sam, &globex, &ada];
    let answers = meanwhile(&site, &people, BOUND, || {
        site.done(A, &sam.disabled(&ada))?;
        let suspend = Ask::post("/api/v1/tenants/globex/suspend");
        site.done(A, &suspend.bearer(&site.root)).map(drop)
    })?;
    for gone in &answers[..2] {
        ensure!(seen(gone).iter().all(|seen| *seen == stale()), "{gone:?}");
    }
    let still = answers[2].iter().all(|answer| answer.status == 200);
    ensure!(still, "{:?}", answers[2]);

    let answers = meanwhile(&site, &[&ada], KEYS, || {
        let args = ["key", "rotate", "--signing", "--now"];
        done(&site.node(A).installation, &args).map(drop)
    })?;
    let revoked = (401, "authentication_required".to_owned());
    // The first of them is the browser's, which shows no token.
    let cookie = (200, String::new());
    ensure!(seen(&answers[0]) == [cookie, revoked], "{answers:?}");
    Ok(())
}
