//! Words to the terms of the lexical leg: folded, split, stemmed.
//!
//! Unlike a plain word splitter it keeps `c++`, `c#` and `.net` whole and joins a course prefix to
//! its number (`CS 350` and `cs-350` are `cs350`), but never a month to a year.

use tantivy::tokenizer::{Language, Stemmer, TextAnalyzer, Token, TokenStream, Tokenizer};

use super::slug::fold;

/// Name under which the analyzer is registered with tantivy.
pub(crate) const ANALYZER: &str = "dossier";

/// Creates the analyzer that documents and questions go through.
pub(crate) fn analyzer() -> TextAnalyzer {
    let stemmer = Stemmer::new(Language::English);
    TextAnalyzer::builder(WordTokenizer).filter(stemmer).build()
}

/// Returns the terms of `text`, in order, repeated where they repeat.
pub fn terms(text: &str) -> Vec<String> {
    let mut terms = Vec::new();
    analyzer().token_stream(text).process(&mut |token| terms.push(token.text.clone()));
    terms
}

/// Whether a word, in any case, says nothing about what is asked for.
pub(crate) fn is_stop_word(word: &str) -> bool {
    STOP_WORDS.contains(&word.to_lowercase().as_str())
}

/// Returns the terms of a question that carry meaning, each once.
pub fn content_terms(question: &str) -> Vec<String> {
    let mut kept = Vec::new();
    for word in words(question).into_iter().filter(|word| !STOP_WORDS.contains(&word.as_str())) {
        for term in terms(&word) {
            if !kept.contains(&term) {
                kept.push(term);
            }
        }
    }
    kept
}

#[derive(Clone, Debug)]
struct WordTokenizer;

struct WordStream {
    words: std::vec::IntoIter<String>,
    token: Token,
}

impl Tokenizer for WordTokenizer {
    type TokenStream<'a> = WordStream;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> WordStream {
        WordStream { words: words(text).into_iter(), token: Token::default() }
    }
}

impl TokenStream for WordStream {
    fn advance(&mut self) -> bool {
        let Some(word) = self.words.next() else { return false };
        self.token.position = self.token.position.wrapping_add(1);
        self.token.text = word;
        true
    }

    fn token(&self) -> &Token {
        &self.token
    }

    fn token_mut(&mut self) -> &mut Token {
        &mut self.token
    }
}

/// Splits folded text into words.
pub(crate) fn words(text: &str) -> Vec<String> {
    let letters: Vec<char> = fold(text).chars().collect();
    let mut words: Vec<String> = Vec::new();
    let mut at = 0;
    // Whether only a space or hyphen stands between the last word and this one.
    let mut adjacent = false;
    while at < letters.len() {
        let start = at;
        while at < letters.len() && letters[at].is_alphanumeric() {
            at += 1;
        }
        if start == at {
            adjacent =
                adjacent && matches!(letters[at], ' ' | '-') && letters[at - 1].is_alphanumeric();
            at += 1;
            continue;
        }
        let mut word: String = letters[start..at].iter().collect();
        // `c++`, `c#`, `f#`: signs that belong to a short name, and `.net`.
        let signs: String = letters[at..].iter().take_while(|it| matches!(it, '+' | '#')).collect();
        if word.len() <= 2
            && word.chars().all(char::is_alphabetic)
            && matches!(signs.as_str(), "++" | "#")
        {
            at += signs.len();
            word.push_str(&signs);
        }
        if word == "net"
            && start > 0
            && letters[start - 1] == '.'
            && (start == 1 || letters[start - 2].is_whitespace())
        {
            word.insert(0, '.');
        }
        // Decimals and versions (`0.1`, `3.11.2`) stay whole.
        while at + 1 < letters.len()
            && letters[at] == '.'
            && letters[at + 1].is_ascii_digit()
            && word.ends_with(|it: char| it.is_ascii_digit())
        {
            word.push('.');
            at += 1;
            while at < letters.len() && letters[at].is_ascii_digit() {
                word.push(letters[at]);
                at += 1;
            }
        }
        match words.last_mut() {
            Some(prefix) if adjacent && is_course(prefix, &word) => prefix.push_str(&word),
            _ => words.push(word),
        }
        adjacent = true;
    }
    words
}

/// A course code is a prefix of 2 to 4 letters that is no common word, and a number of 3 digits
/// (4 would take in years).
fn is_course(prefix: &str, number: &str) -> bool {
    (2..=4).contains(&prefix.len())
        && prefix.bytes().all(|byte| byte.is_ascii_lowercase())
        && number.len() == 3
        && number.bytes().all(|byte| byte.is_ascii_digit())
        && !STOP_WORDS.contains(&prefix)
        && ![
            "page", "room", "over", "some", "item", "nos", "no", "vol", "than", "year", "only",
            "gave", "near",
        ]
        .contains(&prefix)
}

/// Words that say nothing about what is asked for.
const STOP_WORDS: &[&str] = &[
    "a", "about", "all", "also", "am", "an", "and", "any", "are", "as", "at", "be", "been",
    "being", "but", "by", "can", "could", "did", "do", "does", "doing", "ever", "for", "from",
    "give", "got", "had", "has", "have", "having", "he", "her", "hers", "him", "his", "how", "i",
    "if", "in", "into", "is", "it", "its", "just", "list", "many", "me", "much", "my", "name",
    "of", "on", "or", "our", "out", "please", "s", "she", "show", "so", "some", "t", "tell",
    "than", "that", "the", "their", "them", "then", "there", "these", "they", "this", "those",
    "to", "up", "us", "was", "we", "were", "what", "whats", "when", "where", "wheres", "which",
    "who", "whom", "whos", "whose", "why", "will", "with", "would", "you", "your",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_words() {
        for (text, expected) in [
            ("CS 350, cs-350", "cs350 cs350"),
            ("June 2026 in 2021", "june 2026 in 2021"),
            ("C++ and C# on .NET", "c++ and c# on .net"),
            ("Skłodowska’s 0.1 g", "sklodowska s 0.1 g"),
            ("3.11.2.", "3.11.2"),
            ("over 200 rooms", "over 200 rooms"),
            ("End. Net", "end net"),
        ] {
            assert_eq!(words(text).join(" "), expected, "{text}");
        }
    }

    #[test]
    fn stems_and_drops_stop_words() {
        assert_eq!(terms("prizes won").join(" "), "prize won");
        assert_eq!(
            content_terms("Which prizes did she win, and which prize?").join(" "),
            "prize win"
        );
    }
}
