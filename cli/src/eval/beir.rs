//! A collection in the layout of BEIR (Thakur et al. 2021): `corpus.jsonl`, `queries.jsonl` and
//! `qrels/<split>.tsv`, with graded judgements.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};
use dossier_core::text::Chunk;
use serde::{Deserialize, de::DeserializeOwned};

use super::case::{Case, Place, Relevant};

/// The file by which a folder is known to be such a collection.
pub(crate) const CORPUS: &str = "corpus.jsonl";
const QUERIES: &str = "queries.jsonl";
/// The judgements used where there are none of the split wanted.
const DEFAULT_SPLIT: &str = "test";

#[derive(Deserialize)]
struct Record {
    #[serde(rename = "_id")]
    id: String,
    #[serde(default)]
    title: String,
    #[serde(default)]
    text: String,
}

/// Reads the corpus, one chunk a document: title and text.
///
/// # Errors
/// The file that cannot be read, with the line at fault.
pub(crate) fn chunks(folder: &Path) -> Result<Vec<Chunk>> {
    let records: Vec<Record> = lines(&folder.join(CORPUS))?;
    let chunk = |record: Record| Chunk {
        id: record.id.clone(),
        source: record.id,
        title: record.title,
        heading: Vec::new(),
        lead: String::new(),
        span: 0..record.text.len(),
        text: record.text,
        page: None,
        summary: String::new(),
        metadata: BTreeMap::new(),
    };
    Ok(records.into_iter().map(chunk).collect())
}

/// Reads the queries that `qrels/<split>.tsv` has judgements for, in the order of the queries; a
/// judgement of 0 or below means not relevant.
///
/// # Errors
/// The file that cannot be read, with the line at fault.
pub(crate) fn cases(folder: &Path, split: &str) -> Result<Vec<Case>> {
    let mut judgements = judgements(&qrels(folder, split))?;
    let queries: Vec<Record> = lines(&folder.join(QUERIES))?;
    let case = |query: Record| {
        let relevant = judgements.remove(&query.id)?;
        Some(Case {
            id: query.id,
            query: query.text,
            category: "query".to_owned(),
            relevant,
            ..Case::default()
        })
    };
    Ok(queries.into_iter().filter_map(case).collect())
}

fn qrels(folder: &Path, split: &str) -> PathBuf {
    let file = |split: &str| folder.join("qrels").join(split).with_extension("tsv");
    Some(file(split)).filter(|it| it.is_file()).unwrap_or_else(|| file(DEFAULT_SPLIT))
}

fn judgements(file: &Path) -> Result<BTreeMap<String, Vec<Relevant>>> {
    let text = fs::read_to_string(file).with_context(|| file.display().to_string())?;
    let mut judgements: BTreeMap<String, Vec<Relevant>> = BTreeMap::new();
    // The first line names the columns.
    for (at, line) in text.lines().enumerate().skip(1).filter(|(_, line)| !line.trim().is_empty()) {
        let fields: Vec<&str> = line.split('\t').map(str::trim).collect();
        let grade = fields.get(2).and_then(|grade| grade.parse::<f64>().ok());
        let (&[query, document, _], Some(grade)) = (fields.as_slice(), grade) else {
            bail!(
                "{}:{}: expected query, document and score between tabs, got: {line}",
                file.display(),
                at + 1
            );
        };
        if grade > 0.0 {
            let place = Place::Document(document.to_owned());
            judgements.entry(query.to_owned()).or_default().push(Relevant { place, grade });
        }
    }
    Ok(judgements)
}

fn lines<T: DeserializeOwned>(file: &Path) -> Result<Vec<T>> {
    let text = fs::read_to_string(file).with_context(|| file.display().to_string())?;
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines
        .map(|(at, line)| {
            serde_json::from_str(line).with_context(|| format!("{}:{}", file.display(), at + 1))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(qrels: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let corpus = "{\"_id\": \"d1\", \"title\": \"T\", \"text\": \"wings\"}\n\
                      {\"_id\": \"d2\", \"title\": \"\", \"text\": \"heat\"}\n";
        let queries =
            "{\"_id\": \"q1\", \"text\": \"which wing\"}\n{\"_id\": \"q2\", \"text\": \"x\"}\n";
        fs::write(folder.path().join(CORPUS), corpus).unwrap();
        fs::write(folder.path().join(QUERIES), queries).unwrap();
        fs::create_dir(folder.path().join("qrels")).unwrap();
        fs::write(folder.path().join("qrels/test.tsv"), qrels).unwrap();
        folder
    }

    #[test]
    fn a_folder_is_read() {
        let folder = folder("query-id\tcorpus-id\tscore\nq1\td1\t2\nq1\td2\t0\n");
        let chunks = chunks(folder.path()).unwrap();
        assert_eq!((chunks[0].id.as_str(), chunks[0].lexical_text().as_str()), ("d1", "T\nwings"));
        // Without judgements of `dev`, those of `test` are used; q2 has none.
        let cases = cases(folder.path(), "dev").unwrap();
        assert_eq!((cases.len(), cases[0].query.as_str()), (1, "which wing"));
        let expected = Relevant { place: Place::Document("d1".to_owned()), grade: 2.0 };
        assert_eq!(cases[0].relevant, [expected]);
    }

    #[test]
    fn the_line_at_fault_is_named() {
        let folder = folder("query-id\tcorpus-id\tscore\nq1 d1 2\n");
        let error = cases(folder.path(), "test").unwrap_err().to_string();
        assert!(error.contains("test.tsv:2: expected"), "{error}");
        fs::write(folder.path().join(CORPUS), "{\"_id\": \"d1\"}\n{\n").unwrap();
        let error = chunks(folder.path()).unwrap_err().to_string();
        assert!(error.contains("corpus.jsonl:2"), "{error}");
    }
}
