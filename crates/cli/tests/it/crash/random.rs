//! The server killed (-9) at no particular moment.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use super::stories::provision;
use super::{Ground, free_mail};
use crate::acts::all_is_well;

/// Whatever the moment, what was answered is kept, and what was not is finished or was never begun.
#[test]
fn provisioning_survives_a_kill_at_any_time() -> Result<()> {
    let story = provision(Ground::Files)?;
    for delay in (0..=12).map(|step| Duration::from_millis(step * 15)) {
        let installation = story.before.copy()?;
        let server = installation.serve()?;
        let address = server.address()?;
        let answered = std::thread::scope(|scope| {
            let asking = scope.spawn(|| story.ask.send(address));
            // The wait is the moment that is tried out; nothing depends on what happened by then.
            std::thread::sleep(delay);
            server.kill()?;
            let answer = asking.join().ok().context("the client broke off")?;
            Ok::<_, anyhow::Error>(answer.is_ok())
        })?;
        free_mail(&installation)?;
        let server = installation.serve()?;
        let scene = story.scene(&installation, server.address()?);
        let case = || {
            format!(
                "killed after {delay:?}, answered {answered}: {}",
                server.stderr()
            )
        };
        if answered || scene.run().is_ok() {
            scene.settled().with_context(case)?;
            (story.end)(&scene).with_context(case)?;
        }
        all_is_well(&installation).with_context(case)?;
        let strange = scene.left_behind()?;
        ensure!(strange.is_empty(), "left behind: {strange:?}; {}", case());
    }
    Ok(())
}
