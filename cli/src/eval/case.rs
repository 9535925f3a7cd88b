//! A case: one question with what a good search and a good answer must have.

use serde::Deserialize;

/// A question and what is expected of it. What a case leaves empty is not judged.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Case {
    /// Its name.
    pub(crate) id: String,
    /// The question as a user would type it.
    pub(crate) query: String,
    /// What kind of question it is.
    pub(crate) category: String,
    /// `dev` or `test`; empty where the cases are not split.
    pub(crate) split: String,
    /// Earlier questions of the conversation, oldest first.
    pub(crate) history: Vec<String>,
    /// What a search should find.
    pub(crate) relevant: Vec<Relevant>,
    /// Strings that must occur in the passages found.
    pub(crate) required_content: Vec<String>,
    /// Lower-case strings that an answer must contain; `a|b` means either one.
    pub(crate) expected_facts: Vec<String>,
    /// Words that an answer must not contain.
    pub(crate) must_not_contain: Vec<String>,
    /// Whether the answer must be declined; `None` where the case does not say.
    pub(crate) refuse: Option<bool>,
}

impl Case {
    /// Whether the case asks for an answer, or for passages alone.
    pub(crate) fn judges_answer(&self) -> bool {
        self.refuse.is_some() || !self.expected_facts.is_empty()
    }
}

/// Something that a search should find.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Relevant {
    /// Where it is.
    pub(crate) place: Place,
    /// How relevant it is, above 0; 1 where cases know only relevant and not.
    pub(crate) grade: f64,
}

/// A place in the documents.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Place {
    /// A whole document, by its id.
    Document(String),
    /// A section and all below it, `<document>#<slug of the heading path>`.
    Section(String),
}

impl Place {
    /// Reads a section's id; a version (`@…`) and a passage's number (`:n`) are dropped, since the
    /// numbers change with the way documents are cut.
    pub(crate) fn section(id: &str) -> Self {
        let (document, path) = id.split_once('#').unwrap_or((id, ""));
        let document = document.split('@').next().unwrap_or(document);
        Self::Section(match without_number(path) {
            "" => document.to_owned(),
            path => format!("{document}#{path}"),
        })
    }

    /// Whether the passage `id` lies in it.
    pub(crate) fn holds(&self, id: &str) -> bool {
        match self {
            Self::Document(document) => document == id,
            Self::Section(section) => {
                let below = if section.contains('#') { '-' } else { '#' };
                let rest = without_number(id).strip_prefix(section.as_str());
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(below))
            }
        }
    }

    /// Its id.
    pub(crate) fn id(&self) -> &str {
        match self {
            Self::Document(id) | Self::Section(id) => id,
        }
    }
}

fn without_number(id: &str) -> &str {
    match id.rsplit_once(':') {
        Some((own, number)) if number.bytes().all(|byte| byte.is_ascii_digit()) => own,
        _ => id,
    }
}

/// A record of `cases.json`: see `data/eval/README.md`.
#[derive(Deserialize)]
struct Record {
    id: String,
    query: String,
    category: String,
    split: String,
    #[serde(default)]
    history: Vec<String>,
    #[serde(default)]
    expected_chunks: Vec<String>,
    #[serde(default)]
    required_content: Vec<String>,
    #[serde(default)]
    expected_facts: Vec<String>,
    #[serde(default)]
    must_not_contain: Vec<String>,
    #[serde(default)]
    refuse: bool,
}

/// Reads the array of cases of `data/eval/README.md`.
///
/// # Errors
/// What is wrong with the JSON, and where.
pub(crate) fn parse(json: &str) -> serde_json::Result<Vec<Case>> {
    let records: Vec<Record> = serde_json::from_str(json)?;
    Ok(records.into_iter().map(Case::from).collect())
}

impl From<Record> for Case {
    fn from(record: Record) -> Self {
        Self {
            id: record.id,
            query: record.query,
            category: record.category,
            split: record.split,
            history: record.history,
            relevant: sections(&record.expected_chunks),
            required_content: record.required_content,
            expected_facts: lower(&record.expected_facts),
            must_not_contain: record.must_not_contain,
            refuse: Some(record.refuse),
        }
    }
}

/// Sections that are all equally relevant.
pub(super) fn sections(ids: &[String]) -> Vec<Relevant> {
    ids.iter().map(|id| Relevant { place: Place::section(id), grade: 1.0 }).collect()
}

pub(super) fn lower(texts: &[String]) -> Vec<String> {
    texts.iter().map(|text| text.to_lowercase()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_holds_its_passages_and_what_is_below_it() {
        let check = |section: &str, id: &str, expected: bool| {
            assert_eq!(Place::section(section).holds(id), expected, "{section} {id}");
        };
        check("cv#work", "cv#work:0", true);
        check("cv#work", "cv#work-paris:2", true);
        check("cv#work:3", "cv#work:0", true);
        check("cv@2024-01-31#work:3", "cv#work:0", true);
        check("cv", "cv#work:0", true);
        check("cv", "cv-old#work:0", false);
        check("cv#work", "cv#workshop:0", false);
        check("cv#work", "cv#other:0", false);
        check("cv#work-paris", "cv#work:0", false);
        assert!(Place::Document("1".to_owned()).holds("1"));
        assert!(!Place::Document("1".to_owned()).holds("1-2"));
    }

    #[test]
    fn cases_are_read() {
        let json = r#"[{"id": "a", "query": "Who?", "category": "c", "split": "dev",
                        "expected_chunks": ["cv#work"], "expected_facts": ["Ada|Byron"]}]"#;
        let cases = parse(json).unwrap();
        assert_eq!(cases[0].relevant, sections(&["cv#work".to_owned()]));
        assert_eq!(cases[0].expected_facts, ["ada|byron"]);
        assert_eq!(cases[0].refuse, Some(false));
        assert!(parse("{}").is_err());
    }
}
