//! The words of a question as the visitor wrote them, with what their spelling tells.

use std::ops::Range;

use crate::{index::Index, text::fold};

/// A word of a question.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Token {
    /// Folded, without the signs around it and without a possessive's ending: `curie`, `phd`, `c++`.
    pub(super) word: String,
    /// Where it stands in the question, without the signs around it.
    pub(super) span: Range<usize>,
    /// Whether it is written as a name: with a capital, where the question tells small letters from
    /// capitals and it does not just open a sentence.
    pub(super) name: bool,
    /// Whether a sign that ends a phrase stands between it and the next word.
    pub(super) closes: bool,
}

impl Token {
    /// Whether it is one of `words`.
    pub(super) fn is(&self, words: &[&str]) -> bool {
        words.contains(&self.word.as_str())
    }

    /// Whether it is a year.
    pub(super) fn is_year(&self) -> bool {
        self.word.len() == 4
            && matches!(self.word.get(..2), Some("18" | "19" | "20"))
            && self.word.bytes().all(|byte| byte.is_ascii_digit())
    }
}

/// Splits a question into words.
pub(super) fn tokens(text: &str) -> Vec<Token> {
    let mut tokens: Vec<Token> = Vec::new();
    let mut opens = true;
    for piece in text.split_whitespace() {
        let start = piece.as_ptr().addr() - text.as_ptr().addr();
        let body = piece
            .trim_start_matches(|it: char| !it.is_alphanumeric() && it != '.')
            .trim_end_matches(|it: char| !it.is_alphanumeric() && !matches!(it, '+' | '#'));
        let body = match body.strip_prefix('.') {
            Some(rest) if !rest.starts_with(char::is_alphanumeric) => rest.trim_start_matches('.'),
            _ => body,
        };
        if !body.contains(char::is_alphanumeric) {
            continue;
        }
        let from = start + (body.as_ptr().addr() - piece.as_ptr().addr());
        let after = &text[from + body.len()..start + piece.len()];
        let own = ["'s", "’s"].iter().find_map(|ending| body.strip_suffix(ending)).unwrap_or(body);
        let capital = own.starts_with(char::is_uppercase) || own.chars().any(char::is_uppercase);
        tokens.push(Token {
            word: spelled(own),
            span: from..from + own.len(),
            name: capital && !(opens && is_function(&spelled(own))),
            closes: after.contains([',', ';', ':', '.', '?', '!', ')', '"']),
        });
        opens = after.contains(['.', '?', '!']) && !own.contains('.');
    }
    // Where "She" and "The" have capitals, capitals tell no names.
    let shouted = |token: &Token| token.name && token.word != "i" && is_function(&token.word);
    if tokens.iter().any(shouted) {
        tokens.iter_mut().for_each(|token| token.name = false);
    }
    tokens.iter_mut().filter(|token| token.word == "i").for_each(|token| token.name = false);
    tokens
}

/// Folds a word; an abbreviation loses its full stops: `Ph.D.` is `phd`.
fn spelled(word: &str) -> String {
    let word = fold(word);
    let abbreviated = word.contains('.')
        && word
            .split('.')
            .all(|part| part.len() <= 2 && part.bytes().all(|it| it.is_ascii_lowercase()));
    if abbreviated { word.replace('.', "") } else { word }
}

/// The names in a question, longest runs of words: `Legion of Honour`. The person whose documents
/// these are is none of them.
pub(super) fn names(tokens: &[Token], index: &Index) -> Vec<Range<usize>> {
    let mut names: Vec<Range<usize>> = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let start = at;
        let mut end = at;
        while tokens.get(at).is_some_and(|token| token.name || at > start && token.is(LINKS)) {
            at += 1;
            if tokens[at - 1].name {
                end = at;
            }
            if tokens[at - 1].closes {
                break;
            }
        }
        if tokens[start..end].iter().any(|token| !index.is_subject(&token.word)) {
            names.push(start..end);
        }
        at = end.max(start + 1);
    }
    names
}

/// Whether a word only holds sentences together.
pub(super) fn is_function(word: &str) -> bool {
    QUESTION_WORDS.contains(&word)
        || AUXILIARIES.contains(&word)
        || PREPOSITIONS.contains(&word)
        || OTHERS.contains(&word)
}

/// Words inside of names.
const LINKS: &[&str] = &["of", "de", "du", "des", "la", "von", "van", "der", "for"];
/// Words that open questions.
pub(super) const QUESTION_WORDS: &[&str] =
    &["who", "whom", "whose", "what", "where", "when", "why", "how", "which"];
/// Verbs that help others.
pub(super) const AUXILIARIES: &[&str] = &[
    "do", "does", "did", "don't", "doesn't", "didn't", "is", "isn't", "are", "aren't", "was",
    "wasn't", "were", "weren't", "has", "hasn't", "have", "haven't", "had", "can", "could", "will",
    "would", "should", "may",
];
/// Words before a place, a time, a company.
pub(super) const PREPOSITIONS: &[&str] = &[
    "in", "at", "on", "for", "with", "to", "from", "by", "about", "during", "after", "before",
    "under", "near", "between", "into", "since", "until", "through", "of",
];
const OTHERS: &[&str] = &[
    "a", "an", "the", "and", "or", "but", "so", "also", "any", "some", "all", "there", "then",
    "that", "this", "these", "those", "it", "its", "i", "you", "he", "she", "they", "we", "him",
    "her", "hers", "his", "them", "their", "my", "your", "our", "me", "us", "not", "no", "yes",
    "please", "hi", "hello", "hey", "tell", "show", "give", "list", "name", "describe", "explain",
    "compare", "as", "than", "if", "be", "been", "being", "ever", "just", "really", "ok", "okay",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_with_spelling() {
        for (text, expected) in [
            ("Did she get a Ph.D. from Yale?", "did she get a Ph.D from Yale"),
            ("Pierre's dog (Rex) knew C++ and .NET", "Pierre dog Rex knew C++ and .NET"),
            ("Hi! What about Google, then?", "hi what about Google then"),
            ("And Spain?", "and Spain"),
            ("Did She Live In Spain?", "did she live in spain"),
            ("DID SHE LIVE IN SPAIN?", "did she live in spain"),
            ("  \u{1f600} … ?! ", ""),
            ("the Curies' house", "the Curies house"),
            ("’s x", "s x"),
        ] {
            let tokens = tokens(text);
            let words =
                tokens.iter().map(|it| if it.name { &text[it.span.clone()] } else { &it.word });
            assert_eq!(words.collect::<Vec<_>>().join(" "), expected, "{text}");
        }
    }
}
