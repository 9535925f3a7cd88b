//! A collection: cases with the index they are asked of, loaded from what a path turns out to be.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, anyhow};
use dossier_core::{index::Index, model::Encoder, text};

use super::{
    beir, cache,
    case::{self, Case},
    dataset,
};
use crate::{corpus, output::Failure, pack};

/// The sample's cases.
const SAMPLE: &str = "data/eval/cases.json";
/// The folder of the collections that come with the sources.
const COLLECTIONS: &str = "data/eval/collections";
/// Cases and documents in a collection's folder.
const CASES: &str = "cases.json";
const DOCUMENTS: &str = "docs";

/// Cases, and the index they are asked of.
pub(crate) struct Collection {
    /// Its name.
    pub(crate) name: String,
    /// The cases of the split wanted.
    pub(crate) cases: Vec<Case>,
    /// The index.
    pub(crate) index: Index,
}

/// Where a collection comes from.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Source {
    /// A BEIR folder.
    Beir(PathBuf),
    /// A file of cases, asked of a pack.
    Cases(PathBuf),
    /// A folder with documents and cases.
    Documents(PathBuf),
}

/// How to load.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Loader<'a> {
    /// The pack that files of cases are asked of.
    pub(crate) pack: &'a Path,
    /// Which cases: `dev`, `test` or `all`.
    pub(crate) split: &'a str,
    /// What documents and questions are encoded with.
    pub(crate) encoder: Option<&'a Encoder>,
}

impl Source {
    /// Tells what each path is; without paths, the sample and the collections beside it.
    ///
    /// # Errors
    /// A path that is nothing to measure.
    pub(crate) fn find(paths: &[PathBuf]) -> Result<Vec<Self>, Failure> {
        if !paths.is_empty() {
            let found: Result<Vec<Vec<Self>>, Failure> =
                paths.iter().map(|path| Self::find_in(path)).collect();
            return Ok(found?.concat());
        }
        let mut sources = vec![Self::Cases(SAMPLE.into())];
        sources.extend(Self::folders(Path::new(COLLECTIONS)));
        Ok(sources)
    }

    fn find_in(path: &Path) -> Result<Vec<Self>, Failure> {
        let sources = match path.is_dir() {
            false => vec![Self::Cases(path.to_owned())],
            true => Self::folder(path).map_or_else(|| Self::folders(path), |it| vec![it]),
        };
        if sources.is_empty() {
            return Err(Failure::usage(anyhow!(
                "nothing to measure in {}: expected {DOCUMENTS}/ and {CASES}, or {}, or folders \
                 with them",
                path.display(),
                beir::CORPUS
            )));
        }
        Ok(sources)
    }

    fn folder(path: &Path) -> Option<Self> {
        if path.join(beir::CORPUS).is_file() {
            Some(Self::Beir(path.to_owned()))
        } else if path.join(CASES).is_file() && path.join(DOCUMENTS).is_dir() {
            Some(Self::Documents(path.to_owned()))
        } else {
            None
        }
    }

    /// The collections right below a folder, by name.
    fn folders(path: &Path) -> Vec<Self> {
        let entries = fs::read_dir(path).into_iter().flatten().flatten();
        let mut folders: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
        folders.sort();
        folders.iter().filter_map(|folder| Self::folder(folder)).collect()
    }

    /// Loads the collection.
    ///
    /// # Errors
    /// Files that cannot be read, and a split without cases.
    pub(crate) fn load(&self, loader: &Loader<'_>) -> Result<Collection, Failure> {
        let cases = match self {
            Self::Beir(folder) => beir::cases(folder, loader.split),
            Self::Cases(file) => cases(file, loader.split),
            Self::Documents(folder) => cases(&folder.join(CASES), loader.split),
        };
        let cases = cases.map_err(Failure::usage)?;
        let name = self.name();
        if cases.is_empty() {
            return Err(Failure::usage(anyhow!("no case of the split {} in {name}", loader.split)));
        }
        let index = match self {
            Self::Beir(folder) => {
                let chunks = beir::chunks(folder).map_err(Failure::usage)?;
                cache::index(folder, &chunks, loader.encoder)?
            }
            Self::Cases(_) => pack::read(loader.pack)?,
            Self::Documents(folder) => {
                let read = corpus::read(&[folder.join(DOCUMENTS)]);
                for (source, reason) in &read.skipped {
                    eprintln!("skipped {name}/{source}: {reason}");
                }
                let chunks: Vec<_> = read.documents.iter().flat_map(text::chunks).collect();
                cache::index(folder, &chunks, loader.encoder)?
            }
        };
        index.check_model(loader.encoder.map(Encoder::id)).map_err(Failure::usage)?;
        Ok(Collection { name, cases, index })
    }

    /// What the collection is called in reports: its folder's or file's name.
    fn name(&self) -> String {
        let path = match self {
            Self::Cases(file) if file == Path::new(SAMPLE) => return "sample".to_owned(),
            Self::Cases(file) => file.file_stem(),
            Self::Beir(folder) | Self::Documents(folder) => folder.file_name(),
        };
        path.map_or_else(|| "collection".to_owned(), |name| name.to_string_lossy().into_owned())
    }
}

/// The cases of `split` in a file: an array of cases, or a dataset of tests.
fn cases(file: &Path, split: &str) -> anyhow::Result<Vec<Case>> {
    let json = fs::read_to_string(file).with_context(|| file.display().to_string())?;
    let parse = if json.trim_start().starts_with('[') { case::parse } else { dataset::parse };
    let mut cases = parse(&json).with_context(|| file.display().to_string())?;
    cases.retain(|case| split == "all" || case.split.is_empty() || case.split == split);
    Ok(cases)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_told_apart() {
        let root = tempfile::tempdir().unwrap();
        let at = |path: &str| root.path().join(path);
        fs::create_dir_all(at("all/person/docs")).unwrap();
        fs::create_dir_all(at("all/other")).unwrap();
        fs::create_dir_all(at("beir")).unwrap();
        fs::write(at("all/person/cases.json"), "[]").unwrap();
        fs::write(at("beir/corpus.jsonl"), "").unwrap();
        let check = |path: &str, expected: Vec<Source>| {
            assert_eq!(Source::find(&[at(path)]).unwrap(), expected, "{path}");
        };
        check("beir", vec![Source::Beir(at("beir"))]);
        check("all/person", vec![Source::Documents(at("all/person"))]);
        check("all", vec![Source::Documents(at("all/person"))]);
        check("cases.json", vec![Source::Cases(at("cases.json"))]);
        let failure = Source::find(&[at("all/other")]).unwrap_err();
        assert!(failure.error.to_string().contains("nothing to measure"), "{}", failure.error);
    }

    #[test]
    fn cases_are_chosen_by_their_split() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("cases.json");
        let case = |id: &str, split: &str| {
            format!(
                "{{\"id\": \"{id}\", \"query\": \"q\", \"category\": \"c\", \"split\": \"{split}\"}}"
            )
        };
        fs::write(&file, format!(" [{}, {}]", case("a", "dev"), case("b", "test"))).unwrap();
        let ids = |split: &str| -> Vec<String> {
            cases(&file, split).unwrap().into_iter().map(|case| case.id).collect()
        };
        assert_eq!((ids("dev"), ids("all").len(), ids("none").len()), (vec!["a".to_owned()], 2, 0));
        fs::write(&file, "{\"retrieval_tests\": [{\"id\": \"r\", \"query\": \"q\"}]}").unwrap();
        assert_eq!(ids("test"), ["r"]);
    }
}
