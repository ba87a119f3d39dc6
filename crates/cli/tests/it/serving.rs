//! The server: how it ends, what it does with clients that are slow or go away, its health.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use tenantry_testkit::process::{Installation, Running, Signal};

use crate::acts::{self, ADMIN, all_is_well, done};
use crate::http::{Ask, connect, read_answer};
use crate::{PASSWORD, eventually, installation};

const ADA: &str = "ada@example.com";

/// Within this an end that waits for nobody has come, also on a busy machine.
const SOON: Duration = Duration::from_secs(10);

/// Within this a client that does not send a whole head is cut off, and no longer in the way.
const HEADLESS: Duration = Duration::from_secs(22);

fn with_acme() -> Result<Installation> {
    let installation = installation()?;
    acts::make_admin(&installation)?;
    acts::make_tenant(&installation, "acme", ADA)?;
    Ok(installation)
}

/// A sign-in of which the server has read the head and waits for the body: it says so with
/// `100 Continue` (RFC 9110, section 10.1.1). What is still to be sent comes with it.
fn half_sent(server: SocketAddr) -> Result<(TcpStream, Vec<u8>)> {
    let body = json!({ "email": ADA, "password": PASSWORD });
    let ask = Ask::post("/api/v1/auth/login")
        .at("acme")
        .header("Expect", "100-continue")
        .json(&body);
    let bytes = ask.bytes();
    let text = String::from_utf8_lossy(&bytes);
    let head = text.find("\r\n\r\n").context("no head")? + 4;
    let mut stream = connect(server)?;
    stream.write_all(&bytes[..head])?;
    let mut go_on = [0; 25];
    stream.read_exact(&mut go_on)?;
    ensure!(
        go_on.starts_with(b"HTTP/1.1 100 Continue"),
        "{}",
        String::from_utf8_lossy(&go_on)
    );
    Ok((stream, bytes[head..].to_vec()))
}

fn ends_in_order(server: Running, code: i32) -> Result<()> {
    let ended = server.ended()?;
    ensure!(ended.code == Some(code), "{ended:?}");
    ensure!(
        ended.stderr.contains("stopped") && !ended.stderr.contains("ERROR"),
        "{ended:?}"
    );
    Ok(())
}

#[test]
fn answers_under_way_are_let_out() -> Result<()> {
    let installation = with_acme()?;
    for (signal, code) in [(Signal::TERM, 0), (Signal::INT, 130)] {
        let server = installation.serve()?;
        let address = server.address()?;
        let (mut slow, rest) = half_sent(address)?;
        server.signal(signal)?;
        server.says("stopping")?;
        eventually("nobody new is let in", || {
            Ok(TcpStream::connect(address).is_err().then_some(()))
        })?;
        slow.write_all(&rest)?;
        let answer = read_answer(&mut slow)?;
        ensure!(answer.status == 200, "{answer:?}");
        ensure!(answer.json()["access_token"].is_string(), "{answer:?}");
        ends_in_order(server, code)?;
    }
    all_is_well(&installation)
}

#[test]
fn a_signal_right_after_the_greeting_ends_it_in_order() -> Result<()> {
    let installation = installation()?;
    for _ in 0..10 {
        let server = installation.serve()?;
        server.signal(Signal::TERM)?;
        ends_in_order(server, 0)?;
    }
    Ok(())
}

/// A connection that has had its answer and is kept for the next request.
fn idle(server: SocketAddr) -> Result<TcpStream> {
    let mut idle = connect(server)?;
    idle.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")?;
    let mut first = [0; 12];
    idle.read_exact(&mut first)?;
    ensure!(
        &first == b"HTTP/1.1 200",
        "{}",
        String::from_utf8_lossy(&first)
    );
    Ok(idle)
}

#[test]
fn kept_connections_hold_up_no_end() -> Result<()> {
    let installation = installation()?;
    let server = installation.serve()?;
    let kept = [idle(server.address()?)?, idle(server.address()?)?];
    server.signal(Signal::TERM)?;
    ensure!(server.ends_within(SOON)?, "held up: {}", server.stderr());
    drop(kept);
    ends_in_order(server, 0)
}

#[test]
fn clients_that_send_nothing_hold_up_the_end_for_a_moment_only() -> Result<()> {
    let installation = installation()?;
    let server = installation.serve()?;
    let silent = connect(server.address()?)?;
    let mut halting = connect(server.address()?)?;
    halting.write_all(b"GET /healthz HT")?;
    // Taken up after them, so they are taken up too.
    let kept = idle(server.address()?)?;
    server.signal(Signal::TERM)?;
    ensure!(
        server.ends_within(HEADLESS)?,
        "held up: {}",
        server.stderr()
    );
    drop((silent, halting, kept));
    ends_in_order(server, 0)
}

/// A mail server that takes the connection and then says nothing must not hold up the end.
#[test]
fn a_mail_server_that_hangs_holds_up_no_end() -> Result<()> {
    let mut installation = installation()?;
    let hanging = std::net::TcpListener::bind("127.0.0.1:0")?;
    installation.set(
        "TENANTRY_SMTP_URL",
        format!("smtp://{}", hanging.local_addr()?),
    );
    acts::make_admin(&installation)?;
    let server = installation.serve()?;
    let admin = acts::token(server.address()?, None, ADMIN)?;
    let answer = Ask::post("/api/v1/tenants")
        .bearer(&admin)
        .json(&json!({ "name": "Acme", "slug": "acme", "owner": { "email": ADA } }))
        .send(server.address()?)?;
    ensure!(answer.status == 201, "{answer:?}");
    let (_connection, _) = hanging.accept()?;
    server.signal(Signal::TERM)?;
    ensure!(server.ends_within(SOON)?, "held up: {}", server.stderr());
    ends_in_order(server, 0)
}

#[test]
fn a_client_that_sends_its_head_too_slowly_is_cut_off() -> Result<()> {
    let server = installation()?;
    let server = server.serve()?;
    let mut slow = connect(server.address()?)?;
    let begun = Instant::now();
    slow.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n")?;
    let mut rest = Vec::new();
    slow.read_to_end(&mut rest)?;
    ensure!(
        !rest.starts_with(b"HTTP/1.1 200"),
        "{}",
        String::from_utf8_lossy(&rest)
    );
    ensure!(
        begun.elapsed() < Duration::from_mins(1),
        "after {:?}",
        begun.elapsed()
    );
    let answer = Ask::get("/healthz").send(server.address()?)?;
    ensure!(answer.status == 200, "{answer:?}");
    Ok(())
}

#[test]
fn a_client_that_hangs_up_leaves_nothing_half_done() -> Result<()> {
    let mut installation = installation()?;
    installation.configure("[workflows]\nlease_seconds = 1\n")?;
    acts::make_admin(&installation)?;
    let server = installation.serve()?;
    let address = server.address()?;
    let admin = acts::token(address, None, ADMIN)?;
    let create = |slug: &str| {
        let body = json!({ "name": "Acme", "slug": slug, "owner": { "email": ADA } });
        Ask::post("/api/v1/tenants")
            .bearer(&admin)
            .json(&body)
            .bytes()
    };
    // Half a request.
    let bytes = create("half");
    let mut stream = connect(address)?;
    stream.write_all(&bytes[..bytes.len() - 10])?;
    drop(stream);
    // Whole ones, from clients that go at once in one way or another.
    for number in 0..6 {
        let mut stream = connect(address)?;
        stream.write_all(&create(&format!("gone-{number}")))?;
        if number % 2 == 0 {
            stream.shutdown(Shutdown::Both)?;
        }
    }
    // One that waits, so that what came before it has been looked at.
    let mut stream = connect(address)?;
    stream.write_all(&create("stays"))?;
    let answer = read_answer(&mut stream)?;
    ensure!(answer.status == 201, "{answer:?}");
    eventually("all work has ended", || {
        let runs = done(&installation, &["workflow", "list"])?;
        let runs = runs["items"].as_array().context("no list")?;
        Ok(runs
            .iter()
            .all(|run| run["state"] == "succeeded")
            .then_some(()))
    })?;
    let tenants = done(&installation, &["tenant", "list"])?;
    let tenants = tenants["items"].as_array().context("no list")?;
    for tenant in tenants {
        ensure!(
            tenant["status"] == "active" && tenant["slug"] != "half",
            "{tenant}"
        );
    }
    eventually("each owner has a mail", || {
        Ok((acts::mails(&installation)?.len() == tenants.len()).then_some(()))
    })?;
    all_is_well(&installation)
}

#[test]
fn without_mail_it_is_degraded_and_goes_on() -> Result<()> {
    let mut installation = installation()?;
    let nobody = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    installation.set("TENANTRY_SMTP_URL", format!("smtp://{nobody}"));
    acts::make_tenant(&installation, "acme", ADA)?;
    let server = installation.serve()?;
    let ready = Ask::get("/readyz").send(server.address()?)?;
    ensure!(
        ready.status == 200 && ready.json()["status"] == "degraded",
        "{ready:?}"
    );
    ensure!(ready.json()["parts"]["mail"] == "degraded", "{ready:?}");
    ensure!(
        ready.json()["parts"]["control_database"] == "up",
        "{ready:?}"
    );
    ensure!(
        !ready.body.contains(&nobody.port().to_string()),
        "it tells where: {ready:?}"
    );
    acts::token(server.address()?, Some("acme"), ADA)?;
    let doctor = acts::answered(&installation.run(["doctor", "--json"])?, 1)?;
    ensure!(doctor["healthy"] == false, "{doctor}");
    Ok(())
}

#[test]
fn a_demo_can_be_started_again() -> Result<()> {
    let installation = installation()?;
    let people = |installation: &Installation,
                  check: &dyn Fn(SocketAddr, &[Value]) -> Result<()>| {
        let server = installation.start(["serve", "--demo", "--json"])?;
        server.says("ready")?;
        let document = eventually("it prints who is there", || {
            Ok(serde_json::from_str::<Value>(&server.stdout()).ok())
        })?;
        let address = document["address"].as_str().context("no address")?;
        let address = address.trim_start_matches("http://").parse()?;
        let people = document["people"].as_array().context("no people")?;
        check(address, people)?;
        server.signal(Signal::TERM)?;
        ends_in_order(server, 0)?;
        Ok::<Vec<Value>, anyhow::Error>(people.clone())
    };
    let sign_in_all = |address: SocketAddr, people: &[Value]| {
        for person in people {
            let text = |field: &str| person[field].as_str().context("a field is missing");
            let answer = acts::sign_in_with(
                address,
                Some(text("tenant")?),
                text("email")?,
                text("password")?,
            )?;
            ensure!(answer.status == 200, "{person}: {answer:?}");
            ensure!(
                answer.json()["user"]["role"] == person["role"],
                "{person}: {answer:?}"
            );
        }
        Ok(())
    };
    let first = people(&installation, &sign_in_all)?;
    ensure!(first.len() == 4, "{first:?}");
    let sam = first
        .iter()
        .filter(|person| person["email"] == "sam@example.com");
    ensure!(sam.count() == 2, "{first:?}");
    let second = people(&installation, &|address, _| sign_in_all(address, &first))?;
    ensure!(
        second.iter().all(|person| person["password"].is_null()),
        "{second:?}"
    );
    let tenants = done(&installation, &["tenant", "list"])?;
    ensure!(
        tenants["items"]
            .as_array()
            .is_some_and(|items| items.len() == 2),
        "{tenants}"
    );
    all_is_well(&installation)
}
