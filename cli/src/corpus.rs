//! Files and folders to documents, with the reason for each file left out.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use dossier_core::text::{Document, DocumentError, MAX_DOCUMENT_BYTES};
use walkdir::WalkDir;

/// Endings of the files that are read.
const ENDINGS: &[&str] = &["md", "markdown", "txt"];

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct Corpus {
    /// The documents, ordered by source.
    pub(crate) documents: Vec<Document>,
    /// Files left out, each with the reason.
    pub(crate) skipped: Vec<(String, String)>,
}

/// Reads every document in `paths`, folders with all that is below them. Hidden files are not
/// looked at, links to folders are not followed.
pub(crate) fn read(paths: &[PathBuf]) -> Corpus {
    let mut corpus = Corpus::default();
    let mut seen: BTreeMap<String, String> = BTreeMap::new();
    for (source, path) in files(paths, &mut corpus.skipped) {
        match document(&source, &path) {
            Ok(document) => match seen.get(&document.id) {
                Some(other) => {
                    corpus
                        .skipped
                        .push((source, format!("same name as {other}: rename one of them")));
                }
                None => {
                    seen.insert(document.id.clone(), source);
                    corpus.documents.push(document);
                }
            },
            Err(reason) => corpus.skipped.push((source, reason)),
        }
    }
    corpus
}

/// Every file with its name relative to the folder it was found in, in order.
fn files(paths: &[PathBuf], skipped: &mut Vec<(String, String)>) -> Vec<(String, PathBuf)> {
    let mut files = Vec::new();
    for root in paths {
        let hidden = |entry: &walkdir::DirEntry| {
            entry.depth() > 0 && entry.file_name().to_string_lossy().starts_with('.')
        };
        for entry in
            WalkDir::new(root).sort_by_file_name().into_iter().filter_entry(|it| !hidden(it))
        {
            match entry {
                Ok(entry) if entry.file_type().is_dir() => {}
                Ok(entry) => {
                    let name = entry
                        .path()
                        .strip_prefix(root)
                        .ok()
                        .filter(|it| !it.as_os_str().is_empty());
                    let name = name.unwrap_or_else(|| Path::new(entry.file_name()));
                    let parts: Vec<_> = name.iter().map(|part| part.to_string_lossy()).collect();
                    files.push((parts.join("/"), entry.into_path()));
                }
                Err(error) => {
                    let path = error.path().unwrap_or(root).display().to_string();
                    let reason =
                        error.io_error().map_or_else(|| error.to_string(), ToString::to_string);
                    skipped.push((path, reason));
                }
            }
        }
    }
    files
}

fn document(source: &str, path: &Path) -> Result<Document, String> {
    let ending = path.extension().map(|it| it.to_string_lossy().to_lowercase()).unwrap_or_default();
    if !ENDINGS.contains(&ending.as_str()) {
        return Err(format!("not a document: expected one of .{}", ENDINGS.join(" .")));
    }
    let metadata = fs::metadata(path).map_err(|error| format!("cannot be read: {error}"))?;
    if !metadata.is_file() {
        return Err("not a file".to_owned());
    }
    if metadata.len() > MAX_DOCUMENT_BYTES as u64 {
        return Err(DocumentError::TooLarge { bytes: metadata.len() as usize }.to_string());
    }
    let bytes = fs::read(path).map_err(|error| format!("cannot be read: {error}"))?;
    Document::read(source, bytes).map_err(|error| error.to_string())
}
