//! Files and folders to documents, with the reason for each file left out.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use dossier_core::text::{Content, Document, DocumentError, MAX_DOCUMENT_BYTES, slug};
use dossier_readers::{ENDINGS, limits::MAX_FILE_BYTES};
use walkdir::WalkDir;

use crate::reading;

/// Endings of Markdown and plain text, which core reads itself; the others are the readers'.
const MARKDOWN: &[&str] = &["md", "markdown", "txt"];

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct Corpus {
    /// The documents, ordered by source; no two have the same id.
    pub(crate) documents: Vec<Document>,
    /// Files left out, each with the reason.
    pub(crate) skipped: Vec<(String, String)>,
}

/// A file that may be a document.
struct Found {
    /// Its name relative to the folder it was found in.
    source: String,
    /// That folder's own name; none for a file that was named itself.
    folder: Option<String>,
    path: PathBuf,
}

/// Reads every document in `paths`, folders with all that is below them. Hidden files are not
/// looked at, links to folders are not followed, and a file that is named twice is read once.
pub(crate) fn read(paths: &[PathBuf]) -> Corpus {
    let mut corpus = Corpus::default();
    for Found { source, path, .. } in files(paths, &mut corpus.skipped) {
        match document(&source, &path) {
            Ok(document) => corpus.documents.push(document),
            Err(reason) => corpus.skipped.push((source, reason)),
        }
    }
    name_apart(&mut corpus.documents);
    corpus
}

/// Gives documents of one id ids of their own: `cv` in two folders becomes `school-cv` and
/// `work-cv`, two formats in one folder `cv-md` and `cv-pdf`.
fn name_apart(documents: &mut [Document]) {
    let path = |source: &str| slug(&source.replace(['/', '_', '.'], "-"));
    for at in shared(documents) {
        let source = &documents[at].source;
        documents[at].id = path(source.rsplit_once('.').map_or(source, |(stem, _)| stem));
    }
    for at in shared(documents) {
        documents[at].id = path(&documents[at].source);
    }
    // What is left differs in letters alone that an id does not have.
    for (n, at) in shared(documents).into_iter().enumerate() {
        documents[at].id = format!("{}-{}", documents[at].id, n + 1);
    }
}

/// The documents whose id another one has too.
fn shared(documents: &[Document]) -> Vec<usize> {
    let mut count: BTreeMap<&str, usize> = BTreeMap::new();
    for document in documents {
        *count.entry(&document.id).or_default() += 1;
    }
    (0..documents.len()).filter(|at| count[documents[*at].id.as_str()] > 1).collect()
}

/// Every file in order, each with a name of its own.
fn files(paths: &[PathBuf], skipped: &mut Vec<(String, String)>) -> Vec<Found> {
    let mut files = Vec::new();
    let mut seen = BTreeSet::new();
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
                    let path = entry.path();
                    if seen.insert(path.canonicalize().unwrap_or_else(|_| path.to_owned())) {
                        files.push(found(root, &entry));
                    }
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
    let mut names: BTreeMap<String, usize> = BTreeMap::new();
    for file in &files {
        *names.entry(file.source.clone()).or_default() += 1;
    }
    // Two folders with a file of one name each: the folders' names tell them apart.
    for file in files.iter_mut().filter(|file| names[&file.source] > 1) {
        if let Some(folder) = &file.folder {
            file.source = format!("{folder}/{}", file.source);
        }
    }
    files
}

fn found(root: &Path, entry: &walkdir::DirEntry) -> Found {
    let below = entry.path().strip_prefix(root).ok().filter(|it| !it.as_os_str().is_empty());
    let name = below.unwrap_or_else(|| Path::new(entry.file_name()));
    let parts: Vec<_> = name.iter().map(|part| part.to_string_lossy()).collect();
    let own = if below.is_some() { root } else { root.parent().unwrap_or(root) };
    let folder = own.canonicalize().ok();
    let folder = folder.and_then(|it| Some(it.file_name()?.to_string_lossy().into_owned()));
    Found { source: parts.join("/"), folder, path: entry.path().to_owned() }
}

fn document(source: &str, path: &Path) -> Result<Document, String> {
    let ending = path.extension().map(|it| it.to_string_lossy().to_lowercase()).unwrap_or_default();
    let is_markdown = MARKDOWN.contains(&ending.as_str());
    if !is_markdown && !ENDINGS.iter().any(|(it, _)| *it == ending) {
        return Err(unsupported(&ending));
    }
    let metadata = fs::metadata(path).map_err(|error| format!("cannot be read: {error}"))?;
    if !metadata.is_file() {
        return Err("not a file".to_owned());
    }
    let most = if is_markdown { MAX_DOCUMENT_BYTES } else { MAX_FILE_BYTES };
    if metadata.len() > most as u64 {
        return Err(DocumentError::TooLarge { bytes: metadata.len() as usize, most }.to_string());
    }
    if is_markdown {
        let bytes = fs::read(path).map_err(|error| format!("cannot be read: {error}"))?;
        return Document::read(source, bytes).map_err(|error| error.to_string());
    }
    let dossier_readers::Content { text, metadata, pages } = reading::read(source, path)?;
    Document::converted(source, Content { text, metadata, pages })
        .map_err(|error| error.to_string())
}

fn unsupported(ending: &str) -> String {
    let endings = MARKDOWN.iter().chain(ENDINGS.iter().map(|(ending, _)| ending));
    let endings = endings.map(|ending| format!(".{ending}")).collect::<Vec<_>>().join(" ");
    let got = if ending.is_empty() { "no ending".to_owned() } else { format!(".{ending}") };
    format!("{got} is not read: expected one of {endings}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(sources: &[&str]) -> String {
        let read = |source: &&str| Document::read(source, b"text".to_vec()).unwrap();
        let mut documents: Vec<Document> = sources.iter().map(read).collect();
        name_apart(&mut documents);
        documents.into_iter().map(|it| it.id).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn ids_are_as_long_as_they_must_be() {
        assert_eq!(ids(&["cv.md", "work/letter.md"]), "cv letter");
        assert_eq!(ids(&["school/cv.md", "work/cv.md", "a.md"]), "school-cv work-cv a");
        assert_eq!(ids(&["cv.md", "cv.pdf", "x/cv.md"]), "cv-md cv-pdf x-cv");
        assert_eq!(ids(&["a b.md", "a_b.md"]), "a-b-md-1 a-b-md-2");
    }
}
