//! A disk without room: clear errors, nothing half-done, and all is well once there is room.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, ensure};
use serde_json::json;

use crate::acts::{self, ADMIN, all_is_well};
use crate::http::Ask;
use crate::{eventually, installation};

const ADA: &str = "ada@example.com";
const GRACE: &str = "grace@example.com";

/// A small file system in memory; unmounted when dropped.
struct Disk(PathBuf);

impl Disk {
    /// One of so many kilobytes at `path`; none where mounting is not permitted.
    fn mount(path: &Path, kilobytes: u32, more: &str) -> Result<Option<Self>> {
        fs::create_dir_all(path)?;
        let options = format!("size={kilobytes}k{more}");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &options, "tenantry-test"])
            .arg(path)
            .output();
        if mounted.as_ref().is_ok_and(|output| output.status.success()) {
            return Ok(Some(Self(path.to_owned())));
        }
        eprintln!("SKIPPED: this test needs the right to mount a file system: {mounted:?}");
        Ok(None)
    }

    /// Leaves no room at all.
    fn fill(&self) -> Result<()> {
        let mut file = File::create(self.0.join("filling"))?;
        while file.write_all(&[0; 4096]).is_ok() {}
        while file.write_all(&[0]).is_ok() {}
        Ok(())
    }

    fn make_room(&self) -> Result<()> {
        Ok(fs::remove_file(self.0.join("filling"))?)
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Lazily: a process that is just ending may still have a file open.
        let _unmounted = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[test]
fn a_full_disk_is_survived() -> Result<()> {
    let mut installation = installation()?;
    installation.configure("[workflows]\nlease_seconds = 1\n")?;
    let folder = installation.scratch().join("disk");
    let Some(disk) = Disk::mount(&folder, 4096, "")? else {
        return Ok(());
    };
    installation.set("TENANTRY_DATA_DIR", folder.join("data"));
    acts::make_admin(&installation)?;
    acts::make_tenant(&installation, "acme", ADA)?;
    let running = installation.serve()?;
    let server = running.address()?;
    let admin = acts::token(server, None, ADMIN)?;
    let create = Ask::post("/api/v1/tenants").bearer(&admin).json(&json!({
        "name": "Globex", "slug": "globex", "owner": { "email": GRACE },
    }));

    disk.fill()?;
    let create_refused = create.send(server)?;
    let sign_in_refused = acts::sign_in(server, Some("acme"), ADA)?;
    for answer in [&create_refused, &sign_in_refused] {
        ensure!(matches!(answer.status, 500 | 503), "{answer:?}");
        ensure!(
            answer.json()["request_id"].is_string(),
            "no problem details: {answer:?}"
        );
        for leak in ["disk", "SQL", "sql", "(code", ".db"] {
            ensure!(
                !answer.body.contains(leak),
                "an answer shows {leak:?}: {answer:?}"
            );
        }
    }
    ensure!(
        Ask::get("/healthz").send(server)?.status == 200,
        "the server has ended"
    );
    ensure!(
        Ask::get("/api/v1/tenants")
            .bearer(&admin)
            .send(server)?
            .status
            == 200,
        "reading needs no room"
    );
    let ended = installation.run(["tenant", "suspend", "acme"])?;
    ensure!(
        ended.code == Some(3) && ended.stdout.is_empty(),
        "{ended:?}"
    );
    ensure!(
        ended.stderr.lines().count() == 1 && ended.stderr.contains("full"),
        "{ended:?}"
    );

    disk.make_room()?;
    eventually("people get in again", || {
        let answer = acts::sign_in(server, Some("acme"), ADA)?;
        Ok((answer.status == 200).then_some(()))
    })?;
    let answer = create.send(server)?;
    ensure!(answer.status == 201, "{answer:?}");
    eventually("the mail leaves", || Ok(acts::mails(&installation)?.pop()))?;
    acts::owner_arrives(&installation, server, "globex", GRACE)?;
    all_is_well(&installation)
}

/// The room runs out in the middle of making tenants: each is there and good, or not at all.
#[test]
fn a_disk_that_fills_up_leaves_no_half_tenants() -> Result<()> {
    let mut installation = installation()?;
    installation.configure("[workflows]\nlease_seconds = 1\n")?;
    let folder = installation.scratch().join("disk");
    let Some(disk) = Disk::mount(&folder, 2048, "")? else {
        return Ok(());
    };
    installation.set("TENANTRY_DATA_DIR", folder.join("data"));
    let running = installation.serve()?;
    let mut refusals = 0;
    for number in 0..60 {
        let slug = format!("tenant-{number}");
        let args = [
            "tenant",
            "create",
            "T",
            "--slug",
            &slug,
            "--owner-email",
            ADA,
            "--json",
        ];
        let ended = installation.run(args)?;
        ensure!(!ended.stderr.contains("panicked"), "{ended:?}");
        if ended.code != Some(0) {
            ensure!(
                ended.code == Some(3) && ended.stdout.is_empty(),
                "{ended:?}"
            );
            refusals += 1;
        }
        if refusals == 3 {
            break;
        }
    }
    ensure!(refusals == 3, "the disk never filled up");
    ensure!(Ask::get("/healthz").send(running.address()?)?.status == 200);
    drop(running);
    // More room, and whatever was begun comes to its end.
    let more = Command::new("mount")
        .args(["-o", "remount,size=16384k"])
        .arg(&disk.0)
        .status()?;
    ensure!(more.success(), "no more room");
    let _running = installation.serve()?;
    eventually("all work has ended", || {
        let runs = acts::done(&installation, &["workflow", "list"])?;
        let open = runs["items"].as_array().is_none_or(|runs| {
            runs.iter()
                .any(|run| run["state"] != "succeeded" && run["state"] != "undone")
        });
        Ok((!open).then_some(()))
    })?;
    all_is_well(&installation)
}

#[test]
fn a_read_only_disk_is_named() -> Result<()> {
    let mut installation = installation()?;
    let folder = installation.scratch().join("disk");
    let Some(_disk) = Disk::mount(&folder, 512, ",ro")? else {
        return Ok(());
    };
    for data in [folder.clone(), folder.join("data")] {
        installation.set("TENANTRY_DATA_DIR", &data);
        for args in [&["serve"][..], &["tenant", "list"]] {
            let ended = installation.run(args)?;
            ensure!(
                ended.code == Some(3) && ended.stdout.is_empty(),
                "{ended:?}"
            );
            ensure!(
                ended.stderr.lines().count() == 1 && ended.stderr.contains("TENANTRY_DATA_DIR"),
                "{ended:?}"
            );
        }
    }
    Ok(())
}
