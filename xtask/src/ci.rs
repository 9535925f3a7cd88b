//! Everything CI runs, in the order in which it is cheapest to fail.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Result, bail};

use crate::components::COMPONENTS;
use crate::shell::{Scratch, Task, find_program, headline, skip};
use crate::wasm_target::TARGET;
use crate::workspace::{Workspace, build_flags, cargo};
use crate::{build, suite, tidy};

/// Runs every check, then every test.
///
/// # Errors
///
/// When a check fails; the later ones are then not run.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    tidy::run(workspace)?;
    // The chat component embeds the model and the index, so it is linted after they are built.
    build::everything(workspace)?.within_budget()?;
    lint(workspace)?;
    document(workspace)?;
    supply_chain(workspace)?;
    suite::run(workspace, &[])
}

fn lint(workspace: &Workspace) -> Result<()> {
    headline("clippy", "native crates");
    let deny = ["--", "-D", "warnings"];
    workspace.cargo(&["clippy", "--all-targets"]).args(build_flags()).args(deny).run()?;
    for component in COMPONENTS {
        headline("clippy", component.name);
        workspace
            .cargo(&["clippy", "-p", component.package, "--target", TARGET])
            .args(build_flags())
            .args(deny)
            .run()?;
    }
    Ok(())
}

fn document(workspace: &Workspace) -> Result<()> {
    headline("doc", "building");
    workspace
        .cargo(&["doc", "--no-deps", "--document-private-items"])
        .args(build_flags())
        .env("RUSTDOCFLAGS", "-Dwarnings")
        .run()
}

/// Licences, bans and sources always; advisories where their database can be fetched.
fn supply_chain(workspace: &Workspace) -> Result<()> {
    headline("deny", "checking the dependencies");
    let deny = match cargo_deny(workspace) {
        Ok(program) => program,
        Err(problem) => {
            skip("cargo-deny", &format!("{problem:#}"));
            return Ok(());
        }
    };
    let check = |checks: &[&str]| {
        Task::new(&deny)
            .args(["check", "--hide-inclusion-graph"])
            .args(checks)
            .folder(workspace.root())
            .env("CARGO_TERM_COLOR", "never")
    };
    check(&["bans", "licenses", "sources"]).remedy("see deny.toml").run()?;
    let (status, said) = check(&["advisories"]).watch()?;
    if status.success() {
        return Ok(());
    }
    if is_unreachable(&said) {
        skip("advisories", "the advisory database cannot be fetched from here");
        return Ok(());
    }
    bail!("a dependency has an advisory against it; update it, or argue the exception in deny.toml")
}

/// Whether cargo-deny could not fetch the advisory database, rather than found something in it.
fn is_unreachable(said: &str) -> bool {
    said.contains("failed to fetch advisory database")
}

/// cargo-deny from the PATH or the user's cache, where it is installed when it is missing.
fn cargo_deny(workspace: &Workspace) -> Result<PathBuf> {
    let tools = workspace.cache().join("tools");
    let installed = tools.join("bin/cargo-deny");
    if let Some(program) = find_program("cargo-deny") {
        return Ok(program);
    }
    if installed.exists() {
        return Ok(installed);
    }
    headline("deny", &format!("installing cargo-deny in {}", tools.display()));
    let scratch = Scratch::new("deny")?;
    cargo()
        .args(["install", "cargo-deny", "--locked", "--root"])
        .arg(&tools)
        // The product's target folder stays free of a tool's dependencies.
        .env("CARGO_TARGET_DIR", scratch.path().join("target"))
        .folder(scratch.path())
        .remedy("install cargo-deny by hand")
        .run_within(INSTALL_LIMIT, &scratch.path().join("install.log"))?;
    Ok(installed)
}

/// How long cargo-deny may take to compile: about five minutes on two cores.
const INSTALL_LIMIT: Duration = Duration::from_secs(1800);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_failed_fetch_counts_as_unreachable() {
        assert!(is_unreachable("[ERROR] failed to fetch advisory database https://x"));
        assert!(!is_unreachable("error[vulnerability]: Potential segfault in `time`"));
    }
}
