//! What an answer depends on, as a key.

use sha2::{Digest as _, Sha256};

use crate::retrieval::Filter;

/// Everything that decides an answer to a question that needs no conversation before it.
#[derive(Clone, Debug, Default)]
pub struct AnswerKey<'a> {
    /// The question; see [`normalise`].
    pub question: &'a str,
    /// Passages wanted.
    pub top_k: usize,
    /// Conditions on the passages.
    pub filters: &'a [Filter],
    /// Hash of the documents and of what was made of them: another corpus, another answer.
    pub corpus: &'a str,
    /// Who would answer: providers and models in their order, or `extractive`.
    pub model: &'a str,
    /// Further options that reach the model, such as temperature and effort, in a fixed form.
    pub options: &'a str,
    /// Version of the prompt and of the rules around it.
    pub version: u32,
}

impl AnswerKey<'_> {
    /// The record's name in the key-value store: `answer:` and 128 bits in hexadecimal.
    pub fn name(&self) -> String {
        let mut digest = Sha256::new();
        let mut part = |bytes: &[u8]| {
            // Lengths keep `ab` `c` apart from `a` `bc`.
            digest.update((bytes.len() as u64).to_le_bytes());
            digest.update(bytes);
        };
        part(normalise(self.question).as_bytes());
        part(&(self.top_k as u64).to_le_bytes());
        let mut filters: Vec<(&str, &str)> =
            self.filters.iter().map(|it| (it.key.as_str(), it.value.as_str())).collect();
        filters.sort_unstable();
        part(&(filters.len() as u64).to_le_bytes());
        for (key, value) in filters {
            part(key.as_bytes());
            part(value.as_bytes());
        }
        part(self.corpus.as_bytes());
        part(self.model.as_bytes());
        part(self.options.as_bytes());
        part(&self.version.to_le_bytes());
        let hash = digest.finalize();
        let hex: String = hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        format!("answer:{hex}")
    }
}

/// What two spellings of one question have in common: case, spaces and the marks at its end.
pub fn normalise(question: &str) -> String {
    let words: Vec<String> = question.split_whitespace().map(str::to_lowercase).collect();
    words.join(" ").trim_end_matches(['?', '!', '.', ' ']).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_question_share_a_name() {
        let name = |question| AnswerKey { question, ..AnswerKey::default() }.name();
        assert_eq!(name("Where was she born?"), name("  where was   she BORN "));
        assert_ne!(name("undergraduate GPA"), name("graduate GPA"));
        assert_ne!(name("Does she know C?"), name("Does she know C#?"));
        assert!(crate::ports::check_key(&name("x"), None).is_ok());
    }

    #[test]
    fn whatever_decides_the_answer_changes_the_name() {
        let filter = |key: &str, value: &str| Filter { key: key.into(), value: value.into() };
        let (one, other) = ([filter("a", "bc")], [filter("ab", "c")]);
        let both = [filter("a", "1"), filter("b", "2")];
        let turned = [filter("b", "2"), filter("a", "1")];
        let key =
            AnswerKey { question: "q", top_k: 5, corpus: "c", model: "m", ..AnswerKey::default() };
        let names = [
            key.clone(),
            AnswerKey { top_k: 6, ..key.clone() },
            AnswerKey { corpus: "d", ..key.clone() },
            AnswerKey { model: "n", ..key.clone() },
            AnswerKey { options: "o", ..key.clone() },
            AnswerKey { version: 1, ..key.clone() },
            AnswerKey { filters: &one, ..key.clone() },
            AnswerKey { filters: &other, ..key.clone() },
        ]
        .map(|key| key.name());
        let distinct: std::collections::BTreeSet<&String> = names.iter().collect();
        assert_eq!(distinct.len(), names.len());
        let name = |filters| AnswerKey { filters, ..key.clone() }.name();
        assert_eq!(name(&both), name(&turned));
    }
}
