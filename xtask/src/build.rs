//! The whole product, built in the order in which its parts need each other.
//!
//! The native binary makes the model and the index, and both are embedded in the chat component.

use std::time::Instant;

use anyhow::Result;

use crate::components::{self, Sizes};
use crate::shell::{Task, headline};
use crate::workspace::{Workspace, build_flags};
use crate::{index, model, wasm_target};

/// Builds target, native binaries, model, index and components.
///
/// # Errors
///
/// When a step fails. A model that cannot be had is no failure: search then has its lexical leg.
pub(crate) fn everything(workspace: &Workspace) -> Result<Sizes> {
    wasm_target::ensure_installed()?;
    headline("native", "building");
    workspace.cargo(&["build"]).args(build_flags()).run()?;
    let model = model::prepare(workspace)?;
    index::prepare(workspace, &model)?;
    components::prepare(workspace)
}

/// Builds everything and becomes `dossier up`.
///
/// # Errors
///
/// When a step fails or the binary cannot be started.
pub(crate) fn up(workspace: &Workspace, args: &[String], started: Instant) -> Result<()> {
    everything(workspace)?;
    headline("up", &format!("built in {:.1} s, starting", started.elapsed().as_secs_f64()));
    Task::new(workspace.dossier()).arg("up").args(args).folder(workspace.root()).replace()
}

/// Writes the description of the API, and what else is made from the wire types.
///
/// # Errors
///
/// When the build fails or a file cannot be written.
pub(crate) fn openapi(workspace: &Workspace) -> Result<()> {
    workspace
        .cargo(&["run", "-p", "dossier-core", "--features", "openapi", "--example", "openapi"])
        .args(build_flags())
        .run()
}

/// Builds the double of Groq and becomes it.
///
/// # Errors
///
/// When the build fails or the binary cannot be started.
pub(crate) fn fake_groq(workspace: &Workspace, args: &[String]) -> Result<()> {
    workspace
        .cargo(&["run", "--bin", "fake-groq"])
        .args(build_flags())
        .arg("--")
        .args(args)
        .replace()
}
