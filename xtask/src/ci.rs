//! Everything CI runs, in the order in which it is cheapest to fail.

use anyhow::{Result, bail};

use crate::components::COMPONENTS;
use crate::shell::{Task, headline, skip};
use crate::wasm_target::TARGET;
use crate::workspace::{Workspace, build_flags};
use crate::{build, suite, tidy, tool};

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
    let deny = match tool::find(workspace, "cargo-deny") {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_failed_fetch_counts_as_unreachable() {
        assert!(is_unreachable("[ERROR] failed to fetch advisory database https://x"));
        assert!(!is_unreachable("error[vulnerability]: Potential segfault in `time`"));
    }
}
