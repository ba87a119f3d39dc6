//! How commands end: codes, one line on stderr, data alone on stdout, signals, broken pipes.

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use tenantry_testkit::process::{Ended, Installation, Signal, broken_pipe};

use crate::acts::{self, all_is_well, done};
use crate::{eventually, installation};

const ADA: &str = "ada@example.com";

fn with_acme() -> Result<Installation> {
    let installation = installation()?;
    acts::make_tenant(&installation, "acme", ADA)?;
    Ok(installation)
}

/// A refusal: this code, nothing on stdout, one line on stderr.
fn is_refusal(ended: &Ended, code: i32) -> Result<()> {
    ensure!(ended.code == Some(code), "expected {code}: {ended:?}");
    ensure!(ended.stdout.is_empty(), "data with a refusal: {ended:?}");
    ensure!(
        ended.stderr.lines().count() == 1 && ended.stderr.starts_with("error: "),
        "not one line: {ended:?}"
    );
    Ok(())
}

#[test]
fn refusals_end_with_three_and_one_line() -> Result<()> {
    let installation = with_acme()?;
    let nobody = "01890000-0000-7000-8000-000000000000";
    for (args, code) in [
        (&["tenant", "show", "nobody"][..], "not_found"),
        (&["tenant", "show", "No Slug"], "not_found"),
        (&["tenant", "check", "nobody"], "not_found"),
        (&["tenant", "repair", "nobody"], "not_found"),
        (&["tenant", "suspend", "nobody"], "not_found"),
        (&["tenant", "delete", "nobody", "--force"], "not_found"),
        (&["tenant", "restore", "acme"], "conflict"),
        (&["tenant", "resume", "acme"], "conflict"),
        (&["workflow", "show", nobody], "not_found"),
        (&["workflow", "retry", nobody], "not_found"),
        (
            &[
                "tenant",
                "create",
                "A",
                "--slug",
                "acme",
                "--owner-email",
                ADA,
            ],
            "slug_taken",
        ),
        (
            &[
                "tenant",
                "create",
                "A",
                "--slug",
                "www",
                "--owner-email",
                ADA,
            ],
            "validation_failed",
        ),
        (
            &[
                "tenant",
                "create",
                "A",
                "--slug",
                "bell",
                "--owner-email",
                "x",
            ],
            "validation_failed",
        ),
        (
            &[
                "tenant",
                "create",
                " ",
                "--slug",
                "bell",
                "--owner-email",
                ADA,
            ],
            "validation_failed",
        ),
        (
            &[
                "tenant",
                "create",
                "A",
                "--slug",
                "bell",
                "--owner-email",
                ADA,
                "--cluster",
                "x",
            ],
            "validation_failed",
        ),
        (&["tenant", "delete", "acme"], "confirmation_required"),
        (
            &["tenant", "delete", "acme", "--purge"],
            "confirmation_required",
        ),
        (
            &["tenant", "recreate", "acme", "--owner-email", ADA],
            "confirmation_required",
        ),
    ] {
        let case = || format!("{args:?}");
        is_refusal(&installation.run(args)?, 3).with_context(case)?;
        let ended = installation.run(args.iter().chain(&["--json"]))?;
        ensure!(
            ended.code == Some(3) && ended.stdout.is_empty(),
            "{args:?}: {ended:?}"
        );
        let told: Value = serde_json::from_str(&ended.stderr).with_context(case)?;
        ensure!(told["error"]["code"] == code, "{args:?}: {told}");
        ensure!(told["error"]["message"].is_string(), "{args:?}: {told}");
    }
    let list = done(&installation, &["tenant", "list"])?;
    let items = list["items"].as_array().context("no list")?;
    ensure!(items.len() == 1 && items[0]["status"] == "active" && items[0]["generation"] == 1);
    all_is_well(&installation)
}

#[test]
fn wrong_use_ends_with_two_and_touches_nothing() -> Result<()> {
    let installation = installation()?;
    for args in [
        &[][..],
        &["frobnicate"],
        &["tenant"],
        &["tenant", "show"],
        &["tenant", "show", "a", "b"],
        &["tenant", "list", "--loud"],
        &["tenant", "create", "Acme"],
        &["tenant", "check", "acme", "--all"],
        &["--config"],
    ] {
        let ended = installation.run(args)?;
        ensure!(
            ended.code == Some(2) && ended.stdout.is_empty(),
            "{args:?}: {ended:?}"
        );
        ensure!(!ended.stderr.is_empty(), "{args:?}: {ended:?}");
    }
    ensure!(
        !installation.data().exists(),
        "wrong use made a data folder"
    );
    for (args, input) in [
        (&["admin", "create", "--email", "nobody"][..], ""),
        (&["admin", "create", "--email", ADA, "--password-stdin"], ""),
        (&["workflow", "show", "x"], ""),
        (
            &[
                "tenant",
                "create",
                "A",
                "--slug",
                "acme",
                "--owner-email",
                ADA,
                "--isolation",
                "x",
            ],
            "",
        ),
    ] {
        is_refusal(&installation.run_with_input(args, input)?, 2)
            .with_context(|| format!("{args:?}"))?;
    }
    for args in [
        &["--help"][..],
        &["--version"],
        &["tenant", "create", "--help"],
    ] {
        let ended = installation.run(args)?;
        ensure!(
            ended.code == Some(0) && ended.stderr.is_empty(),
            "{args:?}: {ended:?}"
        );
    }
    Ok(())
}

#[test]
fn every_answer_is_one_json_document() -> Result<()> {
    let installation = with_acme()?;
    let run = done(&installation, &["workflow", "list"])?;
    let id = run["items"][0]["id"].as_str().context("no run")?;
    for args in [
        &["config"][..],
        &["doctor"],
        &["admin", "create", "--email", "a@example.com"],
        &["admin", "list"],
        &["tenant", "list"],
        &["tenant", "show", "acme"],
        &["tenant", "suspend", "acme"],
        &["tenant", "resume", "acme"],
        &["tenant", "check"],
        &["tenant", "check", "acme"],
        &["tenant", "repair"],
        &["tenant", "repair", "--dry-run"],
        &["tenant", "repair", "--prune"],
        &["workflow", "list"],
        &["workflow", "show", id],
        &["tenant", "delete", "acme", "--force"],
        &["tenant", "restore", "acme"],
        &[
            "tenant",
            "recreate",
            "acme",
            "--force",
            "--owner-email",
            ADA,
        ],
        &["tenant", "delete", "acme", "--force", "--purge"],
        &[
            "tenant",
            "create",
            "A",
            "--slug",
            "bell",
            "--owner-email",
            ADA,
        ],
    ] {
        done(&installation, args)?;
    }
    Ok(())
}

/// `| head -1`: the reader is gone before the last line, or before the first.
#[test]
fn a_reader_that_goes_away_is_no_failure() -> Result<()> {
    let installation = with_acme()?;
    for args in [
        &["tenant", "list"][..],
        &["tenant", "check"],
        &["config"],
        &["--help"],
    ] {
        let mut command = installation.command(args);
        let ended = command.stdout(broken_pipe()?).output()?;
        let told = String::from_utf8_lossy(&ended.stderr);
        ensure!(ended.status.code() == Some(0), "{args:?}: {ended:?}");
        ensure!(told.is_empty(), "{args:?}: {told}");
    }
    let mut command = installation.command(["tenant", "show", "nobody"]);
    let ended = command.stderr(broken_pipe()?).output()?;
    ensure!(ended.status.code() == Some(3), "{ended:?}");
    Ok(())
}

/// Whether a process has a handler for SIGINT (proc(5), `SigCgt`), so that one arrives there.
fn hears_interrupts(id: u32) -> Result<bool> {
    let status = std::fs::read_to_string(format!("/proc/{id}/status"))?;
    let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
    let caught = u64::from_str_radix(caught.context("no SigCgt")?.trim(), 16)?;
    Ok(caught & 0b10 != 0)
}

#[test]
fn an_interrupt_ends_with_130_also_while_it_reads() -> Result<()> {
    let installation = installation()?;
    let args = ["admin", "create", "--email", ADA, "--password-stdin"];
    let mut command = installation.command(args);
    let mut waiting = command.stdin(std::process::Stdio::piped()).spawn()?;
    // Waiting for a process closes what it reads from, and an end of input is no interrupt.
    let input = waiting.stdin.take();
    eventually("it hears interrupts", || {
        Ok(hears_interrupts(waiting.id())?.then_some(()))
    })?;
    let id = i32::try_from(waiting.id())?;
    let process = rustix::process::Pid::from_raw(id).context("no process")?;
    rustix::process::kill_process(process, Signal::INT)?;
    let status = waiting.wait()?;
    drop(input);
    ensure!(status.code() == Some(130), "{status}");
    ensure!(done(&installation, &["admin", "list"])?["items"] == serde_json::json!([]));
    Ok(())
}

#[test]
fn interrupted_work_is_finished_by_whoever_comes_next() -> Result<()> {
    let mut installation = installation()?;
    installation.configure("[workflows]\nlease_seconds = 1\n")?;
    installation.set("TENANTRY_FAULT", "provision/owner/started");
    let command = installation.start([
        "tenant",
        "create",
        "Acme",
        "--slug",
        "acme",
        "--owner-email",
        ADA,
    ])?;
    command.says("fault reached")?;
    command.signal(Signal::INT)?;
    let ended = command.ended()?;
    ensure!(ended.code == Some(130), "{ended:?}");
    ensure!(ended.stderr.ends_with("error: interrupted\n"), "{ended:?}");
    installation.unset("TENANTRY_FAULT");
    let _server = installation.serve()?;
    eventually("the tenant is active", || {
        let tenant = done(&installation, &["tenant", "show", "acme"])?;
        Ok((tenant["status"] == "active").then_some(()))
    })?;
    all_is_well(&installation)
}

#[test]
fn a_terminal_is_asked() -> Result<()> {
    let installation = with_acme()?;
    for typed in ["no\n", "\n", "ACME\n", "acme2\n", "\u{4}"] {
        let ended = installation.run_at_terminal(["tenant", "delete", "acme"], typed)?;
        ensure!(ended.code == Some(3), "{typed:?}: {ended:?}");
        ensure!(ended.stderr.contains("Type acme to go ahead"), "{ended:?}");
    }
    ensure!(done(&installation, &["tenant", "show", "acme"])?["status"] == "active");
    let ended = installation.run_at_terminal(["tenant", "delete", "acme"], "acme\n")?;
    ensure!(ended.code == Some(0), "{ended:?}");
    ensure!(done(&installation, &["tenant", "show", "acme"])?["status"] == "deleted");
    Ok(())
}
