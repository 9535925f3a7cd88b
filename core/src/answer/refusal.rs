//! Refusals: answers that say no more than that the documents do not say.
//!
//! A refusal is recognised as a whole. Words like "not available" in an answer that goes on to say
//! something, or that says it of a thing and not of the documents, make no refusal.

use super::citation::without_citations;
use crate::text::sentences;

/// The sentence that refuses, dictated to models and used without one.
pub const REFUSAL: &str = "I could not find an answer to that in the documents.";

/// Begins the sentence about what is nearest.
const NEAREST: &str = "The nearest they come is:";

/// A refusal that names the titles of the nearest documents, if there are any.
pub fn refusal(nearest: &[&str]) -> String {
    match nearest {
        [] => REFUSAL.to_owned(),
        titles => format!("{REFUSAL} {NEAREST} {}.", titles.join("; ")),
    }
}

/// Whether a whole answer refuses.
pub fn is_refusal(answer: &str) -> bool {
    let text = without_citations(answer).trim().to_owned();
    if let Some(rest) = text.strip_prefix(REFUSAL) {
        let rest = rest.trim();
        if rest.is_empty() || rest.starts_with(NEAREST) {
            return true;
        }
    }
    let mut refuses = false;
    for sentence in sentences(&text) {
        for clause in clauses(&normal(sentence)) {
            match meaning(&clause) {
                Meaning::Refuses => refuses = true,
                Meaning::Nothing => {}
                Meaning::Answers => return false,
            }
        }
    }
    refuses
}

/// Whether a sentence says no more than that the documents do not say something, or is a courtesy.
pub(super) fn says_nothing(sentence: &str) -> bool {
    clauses(&normal(sentence)).iter().all(|clause| meaning(clause) != Meaning::Answers)
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum Meaning {
    Answers,
    Nothing,
    Refuses,
}

fn meaning(clause: &str) -> Meaning {
    let has = |list: &[&str]| list.iter().any(|phrase| clause.contains(&format!(" {phrase} ")));
    if has(ALONE) || has(MISSING) && has(PLACES) {
        Meaning::Refuses
    } else if clause.trim().is_empty() || has(COURTESIES) {
        Meaning::Nothing
    } else {
        Meaning::Answers
    }
}

/// Small letters and single spaces, with one at either end.
fn normal(sentence: &str) -> String {
    let text = sentence.to_lowercase().replace(['’', '‘'], "'");
    let words = text.split(|it: char| !it.is_alphanumeric() && !matches!(it, '\'' | ';'));
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    format!(" {} ", words.join(" ").replace(';', " ; "))
}

/// Clauses of which one may refuse and the next answer.
fn clauses(normal: &str) -> Vec<String> {
    let mut clauses = vec![normal.to_owned()];
    for divider in [
        " but ",
        " however ",
        " although ",
        " though ",
        " instead ",
        " only that ",
        ";",
        " aber ",
        " mais ",
        " pero ",
    ] {
        let parts = clauses.iter().flat_map(|clause| clause.split(divider));
        clauses = parts.map(|part| format!(" {} ", part.trim())).collect();
    }
    clauses
}

/// Phrases that refuse without naming the documents.
const ALONE: &[&str] = &[
    "i don't know",
    "i do not know",
    "i'm not sure",
    "i am not sure",
    "i cannot answer",
    "i can't answer",
    "i can not answer",
    "i'm unable to answer",
    "i am unable to answer",
    "unable to answer that",
    "i don't have that information",
    "i do not have that information",
    "i don't have any information",
    "i do not have any information",
    "i don't have information",
    "i do not have information",
    "i don't have enough information",
    "i do not have enough information",
    "i have no information",
    "no relevant information",
    "no information is available",
    "no information was found",
    "insufficient information",
    "not enough information",
    "ich weiß es nicht",
    "je ne sais pas",
    "no lo sé",
];

/// Phrases that refuse where they are said of the documents.
const MISSING: &[&str] = &[
    "no mention",
    "no information",
    "no details",
    "no record",
    "no records",
    "no reference",
    "nothing about",
    "could not find",
    "couldn't find",
    "cannot find",
    "can't find",
    "did not find",
    "didn't find",
    "unable to find",
    "unable to locate",
    "unable to answer",
    "cannot be answered",
    "can't be answered",
    "cannot be determined",
    "cannot answer",
    "not mentioned",
    "not available in",
    "not found in",
    "not included in",
    "not provided in",
    "not specified in",
    "not stated in",
    "not covered",
    "not contained in",
    "not listed in",
    "do not mention",
    "does not mention",
    "don't mention",
    "doesn't mention",
    "do not say",
    "does not say",
    "don't say",
    "doesn't say",
    "do not contain",
    "does not contain",
    "don't contain",
    "doesn't contain",
    "do not include",
    "does not include",
    "don't include",
    "doesn't include",
    "do not provide",
    "does not provide",
    "don't provide",
    "doesn't provide",
    "do not specify",
    "does not specify",
    "don't specify",
    "doesn't specify",
    "do not state",
    "does not state",
    "don't state",
    "doesn't state",
    "do not list",
    "does not list",
    "don't list",
    "doesn't list",
    "do not cover",
    "does not cover",
    "do not discuss",
    "does not discuss",
    "do not have",
    "does not have",
    "don't have",
    "doesn't have",
    "keine angaben",
    "keine informationen",
    "keine antwort",
    "nicht erwähnt",
    "aucune information",
    "ne mentionnent pas",
    "ne contiennent pas",
    "ninguna información",
    "no mencionan",
    "no contienen",
];

/// Names of the documents.
const PLACES: &[&str] = &[
    "document",
    "documents",
    "passage",
    "passages",
    "context",
    "records",
    "file",
    "files",
    "sources",
    "text",
    "materials",
    "information provided",
    "provided information",
    "excerpts",
    "dokumenten",
    "dokumente",
    "unterlagen",
    "les documents",
    "documentos",
];

/// Sentences that go with a refusal and say nothing themselves.
const COURTESIES: &[&str] = &[
    "sorry",
    "apologize",
    "apologise",
    "please ask",
    "please try",
    "please let me know",
    "please feel free",
    "please provide",
    "feel free",
    "let me know",
    "is there anything else",
    "i can help",
    "i can answer",
    "i'd be happy",
    "i would be happy",
    "i'm happy",
    "you may want to",
    "you might want to",
    "you could contact",
    "try rephrasing",
    "could you rephrase",
    "the nearest they come is",
    "tut mir leid",
    "désolé",
    "lo siento",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_a_whole_answer() {
        for (answer, expected) in [
            (REFUSAL, true),
            (&refusal(&["Prizes", "Papers in 1903"]), true),
            ("I could not find an answer to that in the documents. [1]", true),
            ("I don't know.", true),
            ("I’m sorry, but I don’t have that information in my documents.", true),
            ("The documents do not mention a driving licence.", true),
            (
                "The provided passages don't contain any details about her salary. Please ask something else.",
                true,
            ),
            ("Unfortunately, there is no mention of a PhD in the documents [2].", true),
            ("Based on the context, this cannot be answered.", true),
            ("There is not enough information to say.", true),
            ("Die Dokumente enthalten dazu keine Angaben.", true),
            ("Les documents ne mentionnent pas son salaire.", true),
            ("She is not available on weekends [1].", false),
            ("4.00 [1]", false),
            ("No [1].", false),
            ("The documents do not mention a PhD, but they list an MSc in nursing [1].", false),
            ("The documents do not mention a PhD. Her highest degree is an MSc [1].", false),
            ("I don't know French, but I speak German [1].", false),
            ("She could not find a publisher until 1931 [1].", false),
            ("The licence is not available in Ireland [2].", false),
            ("He wrote that insufficient funding had stopped the work [1].", false),
            ("", false),
            ("Unfortunately the bridge collapsed in 1907 [1].", false),
        ] {
            assert_eq!(is_refusal(answer), expected, "{answer}");
        }
    }
}
