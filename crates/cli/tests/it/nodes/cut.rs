//! A node that is cut off from what the others tell, while everything else of it goes on.

use std::time::Duration;

use anyhow::{Result, ensure};
use tenantry_testkit::proxy::Fate;

use super::asking::{Asking, Change};
use super::site::{A, B, C, Over, Person, Site};
use crate::acts::done;
use crate::eventually;

/// Keeps somebody out through the first node, and sees that it counts on all.
fn disable(site: &Site, asking: &Asking, by: &Person, people: &[Person], who: usize) -> Result<()> {
    let change = Change::make(|| site.done(A, &people[who].disabled(by)))?;
    asking.expect(&people[who].email, who, change)
}

fn hears_more(site: &Site, node: usize, than: u64) -> Result<()> {
    eventually("the node hears of it", || {
        Ok((site.heard(node)? > than).then_some(()))
    })
}

on_each_channel!(a_node_that_hears_nobody_lets_nobody_in_for_longer);

async fn a_node_that_hears_nobody_lets_nobody_in_for_longer(over: Over) -> Result<()> {
    let site = Site::start(over).await?;
    let [ada] = site.make_tenants(["acme"])?;
    let people = site.add_members(&ada, ["one", "two", "three", "four"])?;
    let all: Vec<&Person> = people.iter().collect();
    let asking = Asking::start(&site, &[A, B, C], &all)?;

    // One channel is enough, and carries on while the other one hangs.
    let database = match over {
        Over::Notify => Fate::Carried,
        Over::Redis => Fate::Held,
    };
    site.set_channels(database, Fate::Carried);
    let heard = site.heard(C)?;
    disable(&site, &asking, &ada, &people, 0)?;
    hears_more(&site, C, heard)?;

    // None carries anything, and nobody can know.
    site.set_channels(Fate::Held, Fate::Held);
    let heard = [site.heard(B)?, site.heard(C)?];
    disable(&site, &asking, &ada, &people, 1)?;
    hears_more(&site, B, heard[0])?;
    ensure!(site.heard(C)? == heard[1], "it was to hear nothing");
    // What was held comes after all.
    site.set_channels(Fate::Carried, Fate::Carried);
    hears_more(&site, C, heard[1])?;

    // They break, and are not to be had again.
    site.set_channels(Fate::Cut, Fate::Cut);
    let channels: &[&str] = match over {
        Over::Notify => &["database"],
        Over::Redis => &["database", "redis"],
    };
    for channel in channels {
        eventually("the node notices", || {
            Ok((!site.hears_over(C, channel)?).then_some(()))
        })?;
    }
    // A command has ended when what it did counts everywhere, whoever heard of it.
    let args = ["user", "reset-password", "acme", &people[2].email];
    let change = Change::make(|| done(&site.node(A).installation, &args))?;
    asking.expect_on("a command", 2, change, &[A, B, C], |_| Duration::ZERO)?;
    ensure!(!site.hears(C)? && site.hears(B)?, "the other one hears on");

    site.set_channels(Fate::Carried, Fate::Carried);
    eventually("the node hears the others again", || {
        Ok(site.hears(C)?.then_some(()))
    })?;
    let heard = site.heard(C)?;
    disable(&site, &asking, &ada, &people, 3)?;
    hears_more(&site, C, heard)
}
