//! Measurements: speed by the benchmarks, quality by the evaluation cases.

use anyhow::Result;

use crate::build;
use crate::index::{self, PACK};
use crate::model::{self, Model};
use crate::shell::Task;
use crate::workspace::{Workspace, build_flags};

/// Builds everything and runs the benchmarks on it.
///
/// # Errors
///
/// When a build fails or a benchmark misses its bar.
pub(crate) fn bench(workspace: &Workspace, args: &[String]) -> Result<()> {
    build::everything(workspace)?;
    workspace.cargo(&["run", "--bin", "bench"]).args(build_flags()).arg("--").args(args).run()
}

/// Measures retrieval and answers: on the sample, with the pack that is embedded, and on the
/// collections beside it, or on what `args` name.
///
/// # Errors
///
/// When a build fails or the figures are below their floors.
pub(crate) fn eval(workspace: &Workspace, args: &[String]) -> Result<()> {
    let model = model::prepare(workspace)?;
    index::prepare(workspace, &model)?;
    Task::new(workspace.dossier())
        .args(["eval", "--pack", PACK, "--floors", FLOORS])
        .args(args)
        .folder(workspace.root())
        .run()
}

/// Trains the guard's classifier, or measures the guard on attacks and honest texts.
///
/// # Errors
///
/// When the build fails, or with `eval --check` a target is missed.
pub(crate) fn guard(workspace: &Workspace, args: &[String]) -> Result<()> {
    let model = model::prepare(workspace)?;
    index::prepare(workspace, &model)?;
    let task = workspace
        .cargo(&["run", "-p", "dossier-core", "--features", "training", "--example", "guard"])
        .args(build_flags())
        .arg("--")
        .args(args);
    match model {
        Model::Present(Some(folder)) => task.env("DOSSIER_MODEL_DIR", folder).run(),
        Model::Present(None) | Model::Absent => task.run(),
    }
}

/// The evaluation cases, below the repository.
pub(crate) const CASES: &str = "data/eval/cases.json";

/// What the figures must reach, below the repository.
pub(crate) const FLOORS: &str = "data/eval/floors.json";
