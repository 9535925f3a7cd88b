//! The embedding model in the user's cache.
//!
//! `dossier model` knows the sources, the checksums and the conversion; this runs it.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use crate::shell::{Task, headline, skip};
use crate::workspace::{Workspace, build_flags};

/// Whether the model could be had.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Model {
    /// No source answered: search runs on its lexical leg alone.
    Absent,
    /// Verified and converted, in this folder when `dossier model` named one.
    Present(Option<PathBuf>),
}

/// Builds the command line and has it prepare the model.
///
/// # Errors
///
/// When the build fails, or `dossier model` for any reason but that no source answers.
pub(crate) fn prepare(workspace: &Workspace) -> Result<Model> {
    build_dossier(workspace)?;
    headline("model", "preparing");
    let task = Task::new(workspace.dossier()).arg("model").folder(workspace.root());
    let (status, said) = task.ask()?;
    for line in said.lines() {
        println!("    {line}");
    }
    match status.code() {
        Some(0) => {
            let folder = named_folder(&said);
            let place = folder.as_deref().map(|path| format!(" in {}", path.display()));
            headline("model", &format!("ready{}", place.unwrap_or_default()));
            Ok(Model::Present(folder))
        }
        Some(NO_SOURCE) => {
            skip("model", "no source answered; search runs on its lexical leg alone");
            Ok(Model::Absent)
        }
        _ => bail!("`dossier model` ended with {status}; its message is above"),
    }
}

/// Builds `dossier` alone.
///
/// The package is not named: naming it would choose other features for the shared dependencies than
/// a build of everything does, and the large ones would be compiled once for each choice.
pub(crate) fn build_dossier(workspace: &Workspace) -> Result<()> {
    workspace.cargo(&["build", "--bin", "dossier"]).args(build_flags()).run()
}

/// The last line of the output that ends in an existing folder.
fn named_folder(said: &str) -> Option<PathBuf> {
    said.lines().rev().find_map(|line| {
        let line = line.trim();
        let word = line.rsplit(char::is_whitespace).next()?;
        [line, word].into_iter().map(Path::new).find(|path| path.is_dir()).map(Path::to_owned)
    })
}

/// The exit code by which `dossier model` says that the model could not be had.
const NO_SOURCE: i32 = 3;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folder_is_found_alone_and_at_the_end_of_a_line() {
        let folder = std::env::temp_dir();
        let shown = folder.display();
        assert_eq!(named_folder(&format!("fetched\n{shown}\n")), Some(folder.clone()));
        assert_eq!(named_folder(&format!("up to date: {shown}\n")), Some(folder.clone()));
        assert_eq!(named_folder("up to date: /no/such/folder/here\n"), None);
        assert_eq!(named_folder(""), None);
    }
}
