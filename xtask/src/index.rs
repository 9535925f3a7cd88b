//! The index pack, built from the documents by `dossier ingest`.

use std::fs;
use std::path::Path;
use std::time::SystemTime;

use anyhow::{Context as _, Result, ensure};

use crate::model::{self, Model};
use crate::shell::{Task, headline};
use crate::workspace::{Workspace, newest_change};

/// Where the documents are.
pub(crate) const DOCUMENTS: &str = "data/docs";

/// Where the pack goes; the chat component embeds it from there.
pub(crate) const PACK: &str = "data/index.pack";

/// Builds the pack when a document, the command or the model is newer than the last run.
///
/// # Errors
///
/// When `dossier ingest` fails.
pub(crate) fn prepare(workspace: &Workspace, model: &Model) -> Result<()> {
    let pack = workspace.path(PACK);
    let stamp = workspace.path(STAMP);
    let presence = match model {
        Model::Absent => "without model\n",
        Model::Present(_) => "with model\n",
    };
    let dossier = workspace.dossier();
    let documents = workspace.path(DOCUMENTS);
    let mut inputs = vec![documents.as_path(), dossier.as_path()];
    if let Model::Present(Some(folder)) = model {
        inputs.push(folder);
    }
    let same_model = fs::read_to_string(&stamp).is_ok_and(|last| last == presence);
    let newest = inputs.iter().filter_map(|path| newest_change(path)).max();
    if same_model && pack.exists() && is_current(newest, newest_change(&stamp)) {
        headline("index", "up to date");
        return Ok(());
    }
    headline("index", "building");
    Task::new(&dossier)
        .args(["ingest", DOCUMENTS, "--out", PACK])
        .folder(workspace.root())
        .remedy("the message above names the document; correct or remove it")
        .run()?;
    ensure!(pack.exists(), "`dossier ingest` ended well but left no {PACK}");
    write(&stamp, presence)
}

/// Builds the pack, and the model before it, when there is none to embed.
///
/// # Errors
///
/// As [`prepare`].
pub(crate) fn prepare_if_absent(workspace: &Workspace) -> Result<()> {
    if workspace.path(PACK).exists() {
        return Ok(());
    }
    prepare(workspace, &model::prepare(workspace)?)
}

/// Whether the last run is at least as new as every input.
fn is_current(newest_input: Option<SystemTime>, last_run: Option<SystemTime>) -> bool {
    matches!((newest_input, last_run), (Some(input), Some(run)) if run >= input)
}

fn write(file: &Path, text: &str) -> Result<()> {
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))
}

/// Says when `dossier ingest` last ran. The pack's own time will not do: a run that finds nothing
/// to do leaves the pack alone, so that the component around it is not built again.
const STAMP: &str = "target/index.stamp";

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn only_a_run_after_the_newest_input_is_current() {
        let early = SystemTime::UNIX_EPOCH;
        let late = early + Duration::from_secs(1);
        assert!(is_current(Some(early), Some(late)));
        assert!(is_current(Some(early), Some(early)));
        assert!(!is_current(Some(late), Some(early)));
        assert!(!is_current(Some(early), None));
        assert!(!is_current(None, Some(late)));
    }
}
