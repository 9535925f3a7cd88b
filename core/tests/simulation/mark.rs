//! How one visitor's words are told from another's: a word that no document, rule or answer has,
//! and three letters.

use std::collections::BTreeSet;

const STEM: &str = "quidnunc";
const LETTERS: usize = 3;

/// The mark of the visitor of this number, as he writes it.
pub(crate) fn mark(number: usize) -> String {
    let letters = [b'A' + (number / 26 % 26) as u8, b'a' + (number % 26) as u8, b'z'];
    letters
        .iter()
        .fold("Quidnunc".to_owned(), |mark, letter| mark + &char::from(*letter).to_string())
}

/// Every mark in a text, in small letters.
pub(crate) fn marks(text: &str) -> BTreeSet<String> {
    let text = text.to_lowercase();
    let found = text.match_indices(STEM).map(|(at, _)| {
        let letters = text[at..].chars().take(STEM.len() + LETTERS);
        letters.collect()
    });
    found.collect()
}

/// Holds `text` to the marks of one visitor.
///
/// # Panics
/// It has another's.
pub(crate) fn check_own(text: &str, own: &str, what: &str) {
    let own = own.to_lowercase();
    let others: Vec<String> = marks(text).into_iter().filter(|mark| *mark != own).collect();
    assert!(others.is_empty(), "{what} of {own} has {others:?}: {text}");
}
