//! A question that passed validation.

use std::collections::{BTreeMap, BTreeSet};

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

/// What models may be told of thinking.
pub const EFFORTS: [&str; 4] = ["none", "low", "medium", "high"];
/// Models take no more randomness.
pub const MAX_TEMPERATURE: f32 = 2.0;
/// Longest answer that can be asked for, in tokens: twenty times what an answer of four sentences
/// takes, and what the models' windows leave beside the passages.
pub const MAX_TOKENS: u32 = 4_096;
/// Longest name of a model, and longest key or value of a filter, in characters.
pub const MAX_NAME: usize = 200;

/// A question, clean and within the limits.
#[derive(Clone, Debug, PartialEq)]
pub struct Question {
    /// The text: NFKC, nothing invisible, trimmed.
    pub text: String,
    /// Passages wanted.
    pub top_k: usize,
    /// Conditions on the passages.
    pub filters: Vec<Filter>,
    /// The conversation it continues, if any.
    pub session_id: Option<String>,
    /// The model wanted; whether there is one of that name is not known here.
    pub model: Option<String>,
    /// `none`, `low`, `medium` or `high`.
    pub reasoning_effort: Option<String>,
    /// Randomness of the model, 0 to 2.
    pub temperature: Option<f32>,
    /// Longest answer in tokens, 1 to 4 096.
    pub max_tokens: Option<u32>,
}

impl Question {
    /// Validates a chat request.
    ///
    /// # Errors
    /// [`RequestError::Invalid`] with every field at fault.
    pub fn from_chat(request: ChatRequest) -> Result<Self, RequestError> {
        let mut faults = Faults::default();
        let text = faults.text("question", &request.question);
        if request.session_id.as_deref().is_some_and(|id| !session::is_id(id)) {
            faults.add("session_id", "must be 1 to 64 of A-Z a-z 0-9 _ -");
        }
        let top_k = faults.top_k(request.top_k);
        let of_fields = [
            ("doc_type", "doc_type", request.doc_type),
            ("term_id", "term", request.term_id),
            ("level", "level", request.level),
        ];
        let mut filter = request.filter;
        for (field, key, value) in of_fields {
            if let Some(value) = value {
                faults.name(field, &value);
                filter.entry(key.to_owned()).or_insert(value);
            }
        }
        let filters = faults.filters(filter);
        if let Some(model) = &request.model {
            faults.name("model", model);
        }
        if request.reasoning_effort.as_deref().is_some_and(|it| !EFFORTS.contains(&it)) {
            faults.add("reasoning_effort", format!("must be one of {}", EFFORTS.join(", ")));
        }
        if request.temperature.is_some_and(|it| !(0.0..=MAX_TEMPERATURE).contains(&it)) {
            faults.add("temperature", format!("must be 0 to {MAX_TEMPERATURE}"));
        }
        if let Some(got) = request.max_tokens.filter(|it| !(1..=MAX_TOKENS).contains(it)) {
            faults.add("max_tokens", format!("must be 1 to {MAX_TOKENS}, got {got}"));
        }
        faults.none()?;
        Ok(Self {
            text,
            top_k,
            filters,
            session_id: request.session_id,
            model: request.model,
            reasoning_effort: request.reasoning_effort,
            temperature: request.temperature,
            max_tokens: request.max_tokens,
        })
    }

    /// Validates a search request.
    ///
    /// # Errors
    /// [`RequestError::Invalid`] with every field at fault.
    pub fn from_search(request: SearchRequest) -> Result<Self, RequestError> {
        let mut faults = Faults::default();
        let text = faults.text("query", &request.query);
        let top_k = faults.top_k(request.top_k);
        let filters = faults.filters(request.filter);
        faults.none()?;
        Ok(Self {
            text,
            top_k,
            filters,
            session_id: None,
            model: None,
            reasoning_effort: None,
            temperature: None,
            max_tokens: None,
        })
    }
}

/// The fields at fault so far; a visitor is told of all at once.
#[derive(Default)]
struct Faults(Vec<FieldError>);

impl Faults {
    fn add(&mut self, field: &str, what: impl std::fmt::Display) {
        self.0.push(FieldError { field: field.to_owned(), message: format!("{field} {what}") });
    }

    fn text(&mut self, field: &str, raw: &str) -> String {
        let text = clean(raw);
        let chars = text.chars().count();
        let words: Vec<String> = text.split_whitespace().map(str::to_lowercase).collect();
        let distinct = words.iter().collect::<BTreeSet<_>>().len();
        if !(MIN_CHARS..=MAX_CHARS).contains(&chars) {
            self.add(
                field,
                format!("must have {MIN_CHARS} to {MAX_CHARS} characters, got {chars}"),
            );
        } else if words.len() > MAX_WORDS {
            self.add(field, format!("must have at most {MAX_WORDS} words, got {}", words.len()));
        } else if words.len() > REPETITION_WORDS && distinct * 10 < words.len() {
            let count = words.len();
            self.add(field, format!("repeats itself: {distinct} different words of {count}"));
        }
        text
    }

    fn top_k(&mut self, wanted: Option<i64>) -> usize {
        let Some(wanted) = wanted else { return TOP_K };
        let top_k = usize::try_from(wanted).ok().filter(|it| (1..=MAX_TOP_K).contains(it));
        if top_k.is_none() {
            self.add("top_k", format!("must be 1 to {MAX_TOP_K}, got {wanted}"));
        }
        top_k.unwrap_or(TOP_K)
    }

    fn name(&mut self, field: &str, value: &str) {
        let length = value.chars().count();
        if !(1..=MAX_NAME).contains(&length) || value.chars().any(char::is_control) {
            self.add(field, format!("must have 1 to {MAX_NAME} characters, got {length}"));
        }
    }

    fn filters(&mut self, filter: BTreeMap<String, String>) -> Vec<Filter> {
        for text in filter.iter().flat_map(|(key, value)| [key, value]) {
            if text.chars().count() > MAX_NAME {
                self.add(
                    "filter",
                    format!("must have keys and values of at most {MAX_NAME} characters"),
                );
                break;
            }
        }
        filter.into_iter().map(|(key, value)| Filter { key, value }).collect()
    }

    fn none(self) -> Result<(), RequestError> {
        if self.0.is_empty() { Ok(()) } else { Err(RequestError::Invalid { fields: self.0 }) }
    }
}

/// The text as a reader sees it: compatibility forms folded, white space as spaces, and nothing
/// that a screen does not show but a model would read.
fn clean(raw: &str) -> String {
    let spaced = |letter: char| if letter.is_whitespace() { ' ' } else { letter };
    let clean: String = raw.nfkc().map(spaced).filter(|letter| !is_invisible(*letter)).collect();
    clean.trim().to_owned()
}

/// Controls, marks of writing direction, zero-width and filler characters, tags, and variation
/// selectors beyond the sixteen that emoji use. The two joiners stay: Persian and Hindi words need
/// them.
fn is_invisible(letter: char) -> bool {
    letter.is_control()
        || matches!(letter,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}' | '\u{200e}' | '\u{200f}'
            | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}'
            | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
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
        assert_eq!(names, ["question", "session_id", "top_k"]);
    }

    #[test]
    fn nothing_invisible_is_left() {
        let check =
            |raw: &str, expected: &str| assert_eq!(ask(raw).unwrap().text, expected, "{raw:?}");
        check("Who\u{200b} is\u{202e} she\u{2066}?\u{feff}", "Who is she?");
        check("Who is she\u{e0041}\u{e0042}?\u{e0100}", "Who is she?");
        check("so\u{ad}ft\u{85}line\r\nnext\u{2028}last", "soft line  next last");
        check("می\u{200c}خواهم 👩\u{200d}🔬", "می\u{200c}خواهم 👩\u{200d}🔬");
        check("Ａｂ ① ½", "Ab 1 1⁄2");
        assert!(ask("\u{200b}a\u{200b}b\u{3164}").is_err());
    }

    #[test]
    fn options_have_ranges() {
        let good = ChatRequest {
            question: "abc".to_owned(),
            model: Some("groq".to_owned()),
            reasoning_effort: Some("high".to_owned()),
            temperature: Some(2.0),
            max_tokens: Some(4_096),
            ..ChatRequest::default()
        };
        let question = Question::from_chat(good.clone()).unwrap();
        assert_eq!((question.temperature, question.max_tokens), (Some(2.0), Some(4_096)));
        let check = |change: fn(&mut ChatRequest), message: &str| {
            let mut request = good.clone();
            change(&mut request);
            let Err(RequestError::Invalid { fields }) = Question::from_chat(request) else {
                panic!("{message}")
            };
            assert_eq!(fields[0].message, message);
        };
        let names = "must have 1 to 200 characters, got";
        check(|it| it.model = Some(String::new()), &format!("model {names} 0"));
        check(|it| it.model = Some("x".repeat(201)), &format!("model {names} 201"));
        check(|it| it.level = Some("a\nb".to_owned()), &format!("level {names} 3"));
        check(
            |it| it.reasoning_effort = Some("max".to_owned()),
            "reasoning_effort must be one of none, low, medium, high",
        );
        check(|it| it.temperature = Some(2.1), "temperature must be 0 to 2");
        check(|it| it.temperature = Some(f32::NAN), "temperature must be 0 to 2");
        check(|it| it.max_tokens = Some(0), "max_tokens must be 1 to 4096, got 0");
        check(|it| it.top_k = Some(0), "top_k must be 1 to 20, got 0");
        check(|it| it.top_k = Some(21), "top_k must be 1 to 20, got 21");
        check(|it| it.top_k = Some(-1), "top_k must be 1 to 20, got -1");
        check(
            |it| it.filter = [("a".to_owned(), "x".repeat(201))].into(),
            "filter must have keys and values of at most 200 characters",
        );
    }

    #[test]
    fn filters_may_stand_in_fields_of_their_own() {
        let request = ChatRequest {
            question: "abc".to_owned(),
            doc_type: Some("resume".to_owned()),
            term_id: Some("fall-2022".to_owned()),
            level: Some("graduate".to_owned()),
            filter: [("level".to_owned(), "other".to_owned())].into(),
            ..ChatRequest::default()
        };
        let filters = Question::from_chat(request).unwrap().filters;
        let filters: Vec<_> =
            filters.iter().map(|it| (it.key.as_str(), it.value.as_str())).collect();
        assert_eq!(filters, [("doc_type", "resume"), ("level", "other"), ("term", "fall-2022")]);
    }
}
