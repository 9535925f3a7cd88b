//! A dataset of retrieval tests and answer tests, as the service that Dossier replaces keeps it.
//!
//! Hits are counted by section as there, with three rules mended: an expected section counts once,
//! so that recall never exceeds 1; a section holds `work-paris` below `work`, but not `workshop`;
//! and every depth is measured, also where fewer passages came back. What must not be said is
//! looked for as whole words, as in all cases.

use serde::Deserialize;

use super::case::{Case, lower, sections};

#[derive(Deserialize)]
struct Dataset {
    #[serde(default, alias = "retrieval")]
    retrieval_tests: Vec<Retrieval>,
    #[serde(default, alias = "answer", alias = "answers")]
    answer_tests: Vec<Answer>,
}

#[derive(Deserialize)]
struct Retrieval {
    id: String,
    query: String,
    #[serde(default)]
    expected_chunks: Vec<String>,
    #[serde(default)]
    required_content: Vec<String>,
    #[serde(default)]
    category: String,
}

#[derive(Deserialize)]
struct Answer {
    id: String,
    query: String,
    #[serde(default)]
    expected_facts: Vec<String>,
    #[serde(default)]
    must_not_contain: Vec<String>,
    #[serde(default)]
    category: Option<String>,
}

/// Reads a dataset: an object with `retrieval_tests`, `answer_tests` or both.
///
/// Its cases belong to no split and do not say whether to decline.
///
/// # Errors
/// What is wrong with the JSON, and where.
pub(crate) fn parse(json: &str) -> serde_json::Result<Vec<Case>> {
    let dataset: Dataset = serde_json::from_str(json)?;
    let retrieval = dataset.retrieval_tests.into_iter().map(|test| Case {
        id: test.id,
        query: test.query,
        category: test.category,
        relevant: sections(&test.expected_chunks),
        required_content: test.required_content,
        ..Case::default()
    });
    let answers = dataset.answer_tests.into_iter().map(|test| Case {
        id: test.id,
        query: test.query,
        category: test.category.unwrap_or_else(|| "answer".to_owned()),
        expected_facts: lower(&test.expected_facts),
        must_not_contain: test.must_not_contain,
        ..Case::default()
    });
    Ok(retrieval.chain(answers).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eval::case::Place;

    #[test]
    fn both_kinds_of_tests_become_cases() {
        let json = r#"{
            "retrieval_tests": [{"id": "gpa-1", "query": "What is the GPA?", "category": "general",
                "expected_chunks": ["transcript@2024-05-01#grades:2"], "required_content": ["3.9"],
                "difficulty": "easy", "description": "overall"}],
            "answer_tests": [{"id": "gpa-2", "query": "GPA?", "expected_facts": ["3.9|A"],
                "must_not_contain": ["no"], "difficulty": "easy"}]}"#;
        let cases = parse(json).unwrap();
        assert_eq!(cases[0].relevant[0].place, Place::Section("transcript#grades".to_owned()));
        assert!(!cases[0].judges_answer() && cases[0].split.is_empty());
        assert_eq!((cases[1].category.as_str(), cases[1].refuse), ("answer", None));
        assert_eq!(cases[1].expected_facts, ["3.9|a"]);
        assert!(cases[1].judges_answer());
    }
}
