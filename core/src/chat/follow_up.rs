//! Follow-ups: a question that leans on the one before it gets that one's words for the search.

use crate::{
    text::terms::{content_terms, words},
    wire::TurnRecord,
};

/// Words that point back to something said before. `she` and `her` do not: in one person's
/// documents they mean the person.
const POINTERS: &[&str] = &[
    "it", "its", "that", "this", "those", "these", "them", "they", "their", "there", "then", "one",
    "ones", "same", "other", "others", "else", "more", "both", "former", "latter", "first",
    "second",
];
/// Openings that continue a thought.
const OPENINGS: &[&str] =
    &["and", "but", "also", "so", "or", "what about", "how about", "why", "really"];
/// A question with fewer terms of its own than this cannot stand alone.
const OWN_TERMS: usize = 2;

/// Returns the text to search for: the question, with the last questions it leans on before it.
///
/// Questions that lean on each other chain: the text reaches back to the last that stood alone.
pub fn condense(question: &str, turns: &[TurnRecord]) -> String {
    let mut parts = vec![question];
    for turn in turns.iter().rev() {
        if !parts.last().is_some_and(|last| leans(last)) {
            break;
        }
        parts.push(&turn.question);
    }
    parts.reverse();
    parts.join(" ")
}

fn leans(question: &str) -> bool {
    let words = words(question);
    let points = words.iter().any(|word| POINTERS.contains(&word.as_str()));
    let text = words.join(" ");
    let opens = OPENINGS.iter().any(|opening| {
        text.strip_prefix(opening).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
    });
    opens
        || content_terms(question).len() < OWN_TERMS
        || (points && content_terms(question).len() <= 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reaches_back_to_what_stood_alone() {
        let turns = ["Which prize did she receive in 1903?", "Who gave it to her?"]
            .map(|it| TurnRecord { question: it.to_owned(), answer: String::new() });
        for (question, expected) in [
            (
                "And when was that?",
                "Which prize did she receive in 1903? Who gave it to her? And when was that?",
            ),
            ("Where did she study mathematics?", "Where did she study mathematics?"),
            (
                "What about 1911?",
                "Which prize did she receive in 1903? Who gave it to her? What about 1911?",
            ),
        ] {
            assert_eq!(condense(question, &turns), expected);
        }
        assert_eq!(condense("And when was that?", &[]), "And when was that?");
    }
}
