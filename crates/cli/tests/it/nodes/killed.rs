//! A node that is killed and comes back.

use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};
use serde_json::Value;

use super::asking::{Asking, BOUND, Change};
use super::site::{A, B, C, Over, Person, Site, WAYS};
use crate::acts::done;
use crate::http::Ask;

/// Within this whoever waits for no dead node has ended, also on a busy machine: the nodes that
/// serve have three seconds to answer.
const SOON: Duration = Duration::from_secs(30);

on_each_channel!(what_a_killed_node_missed_it_does_not_serve);

async fn what_a_killed_node_missed_it_does_not_serve(over: Over) -> Result<()> {
    let mut site = Site::start(over).await?;
    let [ada, globex] = site.make_tenants(["acme", "globex"])?;
    let people = site.add_members(&ada, ["one", "two", "three", "four"])?;
    let mut all: Vec<&Person> = people.iter().collect();
    all.push(&globex);
    let asking = Asking::start(&site, &[A, B, C], &all)?;

    // In the middle of changes, and of what is asked of it.
    let mut made = Vec::new();
    let disable = |site: &Site, node: usize, who: usize| {
        Change::make(|| site.done(node, &people[who].disabled(&ada)))
    };
    made.push(disable(&site, A, 0)?);
    site.kill(C)?;
    made.push(disable(&site, A, 1)?);
    let bound = |node| if node == A { Duration::ZERO } else { BOUND };
    for (who, change) in made.iter().enumerate() {
        asking.expect_on("a node died", who, *change, &[A, B], bound)?;
    }

    // Nobody waits for it: not who clears what is kept, who is told that it was silent, and not who
    // changes something.
    let begun = Instant::now();
    let clear = Ask::delete("/api/v1/tenants/acme/cache").bearer(&site.root);
    let (by_api, by_command) = std::thread::scope(|scope| {
        let by_api = scope.spawn(|| Ok(site.done(A, &clear)?.json()));
        let args = ["cache", "clear", "--tenant", "globex", "--force"];
        let by_command = done(&site.node(B).installation, &args);
        let by_api: Result<Value> = by_api.join().unwrap_or_else(|_| bail!("it broke off"));
        (by_api, by_command)
    });
    let (by_api, by_command) = (by_api?, by_command?);
    ensure!(by_api["cache_keys_cleared"].as_u64() > Some(0), "{by_api}");
    ensure!(
        by_command["cache_keys_cleared"].as_u64() > Some(0),
        "{by_command}"
    );
    ensure!(by_command["nodes_silent"] == 1, "{by_command}");
    let args = ["tenant", "suspend", "globex"];
    let suspended = Change::make(|| done(&site.node(A).installation, &args))?;
    ensure!(begun.elapsed() < SOON, "after {:?}", begun.elapsed());
    let at_once = |_| Duration::ZERO;
    asking.expect_on("a command", all.len() - 1, suspended, &[A, B], at_once)?;

    // Back again: from its first answer on nobody is let in who is not elsewhere.
    site.restart(C)?;
    let ways = |who: &Person| who.asks();
    for who in [&people[0], &people[1], &globex] {
        for ask in ways(who) {
            let answer = site.ask(C, &ask)?;
            ensure!(
                (answer.status, answer.code().as_str()) == (401, "session_stale"),
                "{ask:?}: {answer:?}"
            );
        }
    }
    for ask in ways(&ada) {
        site.done(C, &ask)?;
    }

    // One that is killed as soon as it has answered may have told nobody.
    let change = disable(&site, A, 2)?;
    site.kill(A)?;
    asking.expect_on("it told nobody", 2, change, &[B], |_| BOUND)?;
    // And one in the middle of a change has made it or has not.
    let address = site.address(B)?;
    let last = people[3].disabled(&ada);
    let sending = std::thread::spawn(move || last.send(address));
    site.kill(B)?;
    let answered = sending.join().is_ok_and(|answer| answer.is_ok());
    site.restart(A)?;
    let seen = people[3].asks().map(|ask| site.ask(A, &ask));
    let seen: Vec<u16> = seen
        .into_iter()
        .map(|answer| answer.map(|answer| answer.status))
        .collect::<Result<_>>()?;
    ensure!(
        seen == [401; WAYS] || (!answered && seen == [200; WAYS]),
        "{seen:?}"
    );
    Ok(())
}
