//! One refresh token, shown ten times at one moment to three servers.

use std::sync::Barrier;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use super::site::{A, ADA, B, BUSY, C, Over, Site};
use crate::http::{Answer, Ask};

/// How often it is tried.
const ROUNDS: usize = 5;

fn refresh(token: &Value) -> Ask {
    Ask::post("/api/v1/auth/refresh").json(&json!({ "refresh_token": token }))
}

fn is_stale(answer: &Answer) -> bool {
    (answer.status, answer.code().as_str()) == (401, "session_stale")
}

on_each_channel!(of_ten_who_refresh_at_once_one_at_most_does);

async fn of_ten_who_refresh_at_once_one_at_most_does(over: Over) -> Result<()> {
    let site = Site::start(over).await?;
    site.make_tenants(["acme"])?;
    let mut won = 0;
    for round in 0..ROUNDS {
        let begun = site.sign_in(round % 3, Some("acme"), ADA)?;
        let token = &begun["refresh_token"];
        ensure!(token.is_string(), "{begun}");
        let moment = Barrier::new(10);
        let answers: Vec<Answer> = std::thread::scope(|scope| {
            let asking: Vec<_> = (0..10)
                .map(|turn| {
                    let (moment, site) = (&moment, &site);
                    scope.spawn(move || {
                        let server = site.address([A, B, C][turn % 3]);
                        moment.wait();
                        Ok(refresh(token).send(server?)?)
                    })
                })
                .collect();
            let answer = |asking: std::thread::ScopedJoinHandle<'_, Result<Answer>>| {
                asking.join().ok().context("it broke off")?
            };
            asking.into_iter().map(answer).collect::<Result<_>>()
        })?;
        let (successors, refused): (Vec<_>, Vec<_>) =
            answers.iter().partition(|answer| answer.status == 200);
        ensure!(successors.len() <= 1, "{successors:?}");
        let is_refused = |answer: &&Answer| is_stale(answer) || answer.status == BUSY;
        ensure!(refused.iter().all(is_refused), "{refused:?}");
        won += successors.len();
        // One token was shown twice, so somebody has a copy: all of it is over, on every server.
        let mut family = vec![begun.clone()];
        family.extend(successors.iter().map(|answer| answer.json()));
        for (node, one) in [A, B, C].into_iter().zip(family.iter().cycle()) {
            let bearer = one["access_token"].as_str().context("no token")?;
            let me = Ask::get("/api/v1/auth/me").bearer(bearer);
            let answer = site.ask(node, &me)?;
            ensure!(is_stale(&answer), "round {round}: {answer:?}");
        }
        for one in &family {
            let answer = site.ask(C, &refresh(&one["refresh_token"]))?;
            ensure!(is_stale(&answer), "round {round}: {answer:?}");
        }
    }
    ensure!(won > 0, "nobody ever went on");
    Ok(())
}
