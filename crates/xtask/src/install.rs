//! Brings a machine to where the tests can run: Debian packages and cargo's tools.
//!
//! Nothing is installed that is there already, whatever its version or origin.

use anyhow::{Context, Result, bail};

use crate::services::{chromedriver, chromium, python_with_smtp, redis_server, server_binaries};
use crate::shell::{Shell, Terminal};

/// A Debian package, and how to see that what it brings is there.
struct Package {
    name: &'static str,
    present: fn(&Shell) -> bool,
}

const PACKAGES: [Package; 6] = [
    Package {
        name: "postgresql",
        present: |shell| server_binaries(shell).is_some(),
    },
    Package {
        name: "redis-server",
        present: |shell| redis_server(shell).is_some(),
    },
    Package {
        name: "chromium",
        present: |shell| chromium(shell).is_some(),
    },
    Package {
        name: "chromium-driver",
        present: |shell| chromedriver(shell).is_some(),
    },
    // Without any font Chromium lays out pages with empty boxes.
    Package {
        name: "fonts-liberation",
        present: |_| has_fonts(),
    },
    Package {
        name: "python3-aiosmtpd",
        present: |shell| python_with_smtp(shell).is_some(),
    },
];

/// A cargo subcommand and the version that is built where there is none.
struct Tool {
    name: &'static str,
    version: &'static str,
    /// Whether the tests can do without it.
    optional: bool,
}

const TOOLS: [Tool; 3] = [
    Tool {
        name: "cargo-nextest",
        version: "0.9.143",
        optional: true,
    },
    Tool {
        name: "cargo-deny",
        version: "0.20.2",
        optional: false,
    },
    Tool {
        name: "cargo-machete",
        version: "0.9.2",
        optional: false,
    },
];

/// Installs what is missing.
pub(crate) fn run(shell: &Shell) -> Result<()> {
    packages(shell)?;
    for tool in &TOOLS {
        if shell.find(tool.name).is_some() {
            continue;
        }
        match build(shell, tool) {
            Err(error) if tool.optional && shell.find(tool.name).is_none() => {
                eprintln!(
                    "{} can't be built, going on without it: {error:#}",
                    tool.name
                );
            }
            outcome => outcome?,
        }
    }
    Ok(())
}

fn packages(shell: &Shell) -> Result<()> {
    let missing: Vec<&str> = PACKAGES
        .iter()
        .filter(|package| !(package.present)(shell))
        .map(|package| package.name)
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let list = missing.join(" ");
    if shell.find("apt-get").is_none() {
        bail!("install what these Debian packages bring, by the means of this system: {list}");
    }
    let root = rustix::process::geteuid().is_root();
    if !root && shell.find("sudo").is_none() {
        bail!("neither root nor sudo; ask an administrator to install: {list}");
    }
    for step in [
        &["update"][..],
        &["install", "--yes", "--no-install-recommends"],
    ] {
        let mut command = shell.command(if root { "env" } else { "sudo" });
        if !root {
            command.arg("env");
        }
        command
            .args(["DEBIAN_FRONTEND=noninteractive", "apt-get"])
            .args(step);
        if step[0] == "install" {
            command.args(&missing);
        }
        shell
            .run(&mut command, Terminal::Shared)
            .with_context(|| format!("installing {list}"))?;
    }
    Ok(())
}

/// Builds a tool without optimisation: it runs for seconds, so a quick build is worth more.
fn build(shell: &Shell, tool: &Tool) -> Result<()> {
    let scratch = shell.root().join("target/tools/build");
    let mut command = shell.cargo(["install", "--locked", "--version", tool.version, tool.name]);
    command
        .arg("--root")
        .arg(shell.root().join("target/tools"))
        .env("CARGO_TARGET_DIR", &scratch)
        .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0")
        .env("CARGO_PROFILE_RELEASE_LTO", "off")
        .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16");
    shell.run(&mut command, Terminal::Detached)?;
    std::fs::remove_dir_all(&scratch).context("the build of a tool can't be cleared away")
}

fn has_fonts() -> bool {
    std::fs::read_dir("/usr/share/fonts/truetype").is_ok_and(|mut fonts| fonts.next().is_some())
}
