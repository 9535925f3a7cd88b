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
/// looked at, links are followed to files within `paths` alone, and a file that is named twice is
/// read once.
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
    let roots: Vec<PathBuf> = paths.iter().filter_map(|path| path.canonicalize().ok()).collect();
    for root in paths {
        let hidden = |entry: &walkdir::DirEntry| {
            entry.depth() > 0 && entry.file_name().to_string_lossy().starts_with('.')
        };
        for entry in
            WalkDir::new(root).sort_by_file_name().into_iter().filter_entry(|it| !hidden(it))
        {
            match entry {
                Ok(entry) if entry.file_type().is_dir() => {}
                // A link that was named itself, and is followed.
                Ok(entry) if entry.depth() == 0 && entry.path().is_dir() => {}
                Ok(entry) => {
                    let (path, file) = (entry.path(), found(root, &entry));
                    if let Some(reason) = unfollowed(&entry, &roots) {
                        skipped.push((file.source, reason));
                    } else if seen.insert(path.canonicalize().unwrap_or_else(|_| path.to_owned())) {
                        files.push(file);
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

/// Why a link is not followed: whoever gives away a folder, or takes one over, need not know where
/// its links lead.
fn unfollowed(entry: &walkdir::DirEntry, roots: &[PathBuf]) -> Option<String> {
    if entry.depth() == 0 || !entry.path_is_symlink() {
        return None;
    }
    match entry.path().canonicalize() {
        Err(error) => Some(format!("a link that leads nowhere: {error}")),
        Ok(target) if !roots.iter().any(|root| target.starts_with(root)) => Some(format!(
            "a link out of the folder, to {}: name that itself to have it read",
            target.display()
        )),
        Ok(target) if target.is_dir() => {
            Some("a link to a folder within, which is read where it is".to_owned())
        }
        Ok(_) => None,
    }
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

    #[cfg(unix)]
    #[test]
    fn links_are_followed_within_what_is_read() {
        use std::os::unix::fs::symlink;

        let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (inside, outside) = (folder.path(), other.path());
        fs::create_dir(inside.join("more")).unwrap();
        for file in [inside.join("cv.md"), inside.join("more/letter.md"), outside.join("other.md")]
        {
            fs::write(file, "text").unwrap();
        }
        symlink("cv.md", inside.join("same.md")).unwrap();
        symlink("more", inside.join("again")).unwrap();
        symlink(".", inside.join("more/loop")).unwrap();
        symlink("circle.md", inside.join("circle.md")).unwrap();
        symlink("gone.md", inside.join("lost.md")).unwrap();
        symlink(outside.join("other.md"), inside.join("out.md")).unwrap();
        symlink(outside, inside.join("outer")).unwrap();
        let check = |paths: &[&Path], sources: &[&str], skipped: &[(&str, &str)]| {
            let paths: Vec<PathBuf> = paths.iter().map(|path| path.to_path_buf()).collect();
            let corpus = read(&paths);
            let read: Vec<&str> = corpus.documents.iter().map(|it| it.source.as_str()).collect();
            assert_eq!(read, sources);
            let names: Vec<&str> = corpus.skipped.iter().map(|(name, _)| name.as_str()).collect();
            assert_eq!(names, skipped.iter().map(|(name, _)| *name).collect::<Vec<_>>());
            for ((name, reason), (_, expected)) in corpus.skipped.iter().zip(skipped) {
                assert!(reason.starts_with(expected), "{name}: {reason}");
            }
        };
        let within = [
            ("again", "a link to a folder within"),
            ("circle.md", "a link that leads nowhere"),
            ("lost.md", "a link that leads nowhere"),
            ("more/loop", "a link to a folder within"),
        ];
        let out = [("out.md", "a link out of the folder"), ("outer", "a link out of the folder")];
        check(&[inside], &["cv.md", "more/letter.md"], &[&within[..], &out].concat());
        // What is named itself is meant.
        check(&[&inside.join("out.md")], &["out.md"], &[]);
        check(&[&inside.join("outer")], &["other.md"], &[]);
    }

    #[test]
    fn ids_are_as_long_as_they_must_be() {
        assert_eq!(ids(&["cv.md", "work/letter.md"]), "cv letter");
        assert_eq!(ids(&["school/cv.md", "work/cv.md", "a.md"]), "school-cv work-cv a");
        assert_eq!(ids(&["cv.md", "cv.pdf", "x/cv.md"]), "cv-md cv-pdf x-cv");
        assert_eq!(ids(&["a b.md", "a_b.md"]), "a-b-md-1 a-b-md-2");
    }
}
