//! Programs of cargo's that a command needs and a machine may lack.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;

use crate::shell::{Scratch, find_program, headline};
use crate::workspace::{Workspace, cargo};

/// How long a program may take to compile: some minutes on two cores.
const INSTALL_LIMIT: Duration = Duration::from_secs(1800);

/// The program `name` from the PATH or the user's cache, where it is installed when it is missing.
///
/// # Errors
///
/// When it cannot be installed.
pub(crate) fn find(workspace: &Workspace, name: &str) -> Result<PathBuf> {
    let tools = workspace.cache().join("tools");
    let installed = tools.join("bin").join(name);
    if let Some(program) = find_program(name) {
        return Ok(program);
    }
    if installed.exists() {
        return Ok(installed);
    }
    headline(name, &format!("installing in {}", tools.display()));
    let scratch = Scratch::new(name)?;
    cargo()
        .args(["install", name, "--locked", "--root"])
        .arg(&tools)
        // The product's target folder stays free of a tool's dependencies.
        .env("CARGO_TARGET_DIR", scratch.path().join("target"))
        .folder(scratch.path())
        .remedy(format!("install {name} by hand"))
        .run_within(INSTALL_LIMIT, &scratch.path().join("install.log"))?;
    Ok(installed)
}
