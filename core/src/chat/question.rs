//! A question that passed validation.

use std::collections::BTreeMap;

use unicode_normalization::UnicodeNormalization as _;

use crate::{
    RequestError,
    retrieval::{Filter, MAX_TOP_K, TOP_K},
    session,
    wire::{ChatRequest, FieldError, SearchRequest},
};

/// Shortest question, in characters after trimming.
pub const MIN_CHARS: usize = 3;
/// Longest question, in characters.
pub const MAX_CHARS: usize = 2_000;
/// Longest question, in words.
pub const MAX_WORDS: usize = 300;
/// Above this many words, one in ten must be new.
const REPETITION_WORDS: usize = 10;

/// A question, clean and within the limits.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Question {
    /// The text: NFKC, no control characters, trimmed.
    pub text: String,
    /// Passages wanted.
    pub top_k: usize,
    /// Conditions on the passages.
    pub filters: Vec<Filter>,
    /// The conversation it continues, if any.
    pub session_id: Option<String>,
}

impl Question {
    /// Validates a chat request.
    ///
    /// # Errors
    /// [`RequestError::Invalid`] with every field at fault.
    pub fn from_chat(request: ChatRequest) -> Result<Self, RequestError> {
        let mut faults = Vec::new();
        if request.session_id.as_deref().is_some_and(|id| !session::is_id(id)) {
            faults.push(fault("session_id", "session_id must be 1 to 64 of A-Z a-z 0-9 _ -"));
        }
        Self::check("question", &request.question, request.top_k, request.filter, faults)
            .map(|question| Self { session_id: request.session_id, ..question })
    }

    /// Validates a search request.
    ///
    /// # Errors
    /// [`RequestError::Invalid`] with every field at fault.
    pub fn from_search(request: SearchRequest) -> Result<Self, RequestError> {
        Self::check("query", &request.query, request.top_k, request.filter, Vec::new())
    }

    fn check(
        field: &str,
        raw: &str,
        top_k: Option<usize>,
        filter: BTreeMap<String, String>,
        mut faults: Vec<FieldError>,
    ) -> Result<Self, RequestError> {
        let text = clean(raw);
        let chars = text.chars().count();
        let words: Vec<String> = text.split_whitespace().map(str::to_lowercase).collect();
        let distinct: std::collections::BTreeSet<&String> = words.iter().collect();
        if !(MIN_CHARS..=MAX_CHARS).contains(&chars) {
            faults.push(fault(
                field,
                format!("{field} must have {MIN_CHARS} to {MAX_CHARS} characters, got {chars}"),
            ));
        } else if words.len() > MAX_WORDS {
            faults.push(fault(
                field,
                format!("{field} must have at most {MAX_WORDS} words, got {}", words.len()),
            ));
        } else if words.len() > REPETITION_WORDS && distinct.len() * 10 < words.len() {
            faults.push(fault(
                field,
                format!(
                    "{field} repeats itself: {} different words of {}",
                    distinct.len(),
                    words.len()
                ),
            ));
        }
        let top_k = top_k.unwrap_or(TOP_K);
        if !(1..=MAX_TOP_K).contains(&top_k) {
            faults.push(fault("top_k", format!("top_k must be 1 to {MAX_TOP_K}, got {top_k}")));
        }
        if !faults.is_empty() {
            return Err(RequestError::Invalid { fields: faults });
        }
        let filters = filter.into_iter().map(|(key, value)| Filter { key, value }).collect();
        Ok(Self { text, top_k, filters, session_id: None })
    }
}

fn fault(field: &str, message: impl Into<String>) -> FieldError {
    FieldError { field: field.to_owned(), message: message.into() }
}

fn clean(raw: &str) -> String {
    let spaced = |letter: char| if letter.is_whitespace() { ' ' } else { letter };
    let clean: String = raw.nfkc().map(spaced).filter(|letter| !letter.is_control()).collect();
    clean.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(question: &str) -> Result<Question, RequestError> {
        Question::from_chat(ChatRequest { question: question.to_owned(), ..ChatRequest::default() })
    }

    #[test]
    fn cleans() {
        let question = ask("  What\u{0}\tis ﬁne?\n").unwrap();
        assert_eq!((question.text.as_str(), question.top_k), ("What is fine?", TOP_K));
    }

    #[test]
    fn limits() {
        for good in
            ["abc", &"x".repeat(MAX_CHARS), &(0..300).map(|n| format!("{n} ")).collect::<String>()]
        {
            assert!(ask(good).is_ok(), "{good}");
        }
        for (bad, words) in [
            ("", "got 0"),
            (" \u{7}a b\u{0} ", ""),
            ("ab", "got 2"),
            (&"x".repeat(MAX_CHARS + 1), "got 2001"),
            (&(0..301).map(|n| format!("{n} ")).collect::<String>(), "at most 300 words, got 301"),
            (&"spam ".repeat(21), "repeats itself: 1 different words of 21"),
        ] {
            match ask(bad) {
                Err(RequestError::Invalid { fields }) => assert!(fields[0].message.contains(words)),
                other => assert_eq!((words, other.is_ok()), ("", true), "{bad}"),
            }
        }
    }

    #[test]
    fn names_every_field_at_fault() {
        let request = ChatRequest {
            question: String::new(),
            session_id: Some("../x".to_owned()),
            top_k: Some(0),
            ..ChatRequest::default()
        };
        let Err(RequestError::Invalid { fields }) = Question::from_chat(request) else { panic!() };
        let names: Vec<&str> = fields.iter().map(|it| it.field.as_str()).collect();
        assert_eq!(names, ["session_id", "question", "top_k"]);
    }
}
