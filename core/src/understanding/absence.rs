//! Absence: whether the documents never mention a name, however they might spell it.
//!
//! Built to be wrong in one direction only: whatever might be a mention counts as one.

use std::cmp::min;

use super::{category::Category, token::tokens};
use crate::{
    index::Index,
    text::{fold, terms::terms},
};

/// Shorter terms are not compared by spelling: too many words are near to them.
const SPELLED: usize = 5;
/// Terms from this length on may differ by two letters.
const LONG: usize = 8;
/// Passages searched for a name of several words.
const POOL: usize = 50;
/// Passages searched for what an abbreviation stands for; in a larger index nothing is said about one.
const PASSAGES: usize = 3_000;

/// Whether none of `words`, as the visitor wrote them, is in `index`.
///
/// A language counts as mentioned under its own name alone: one can visit Spain without Spanish.
pub(super) fn absent(index: &Index, words: &[String], category: Category) -> bool {
    let initials: String = words.iter().filter_map(|it| fold(it).chars().next()).collect();
    let abbreviated = words.len() > 1 && index.lexical().frequency(&initials) > 0;
    let mentioned = |word: &String| is_mentioned(index, word, category);
    !words.is_empty() && !abbreviated && !words.iter().any(mentioned)
}

fn is_mentioned(index: &Index, word: &str, category: Category) -> bool {
    let folded = tokens(word).first().map_or_else(String::new, |it| it.word.clone());
    let peoples: &[&[&str]] = if category == Category::Language { &[] } else { COUNTRIES };
    let mut forms = vec![folded.as_str()];
    for group in SYNONYMS.iter().chain(peoples).filter(|group| group.contains(&folded.as_str())) {
        forms.extend(*group);
    }
    let mut stems = Vec::new();
    for form in forms {
        match <[String; 1]>::try_from(terms(form)) {
            Ok([stem]) => stems.push(stem),
            Err(parts) if has_together(index, &parts) => return true,
            Err(_) => {}
        }
    }
    if stems.iter().any(|stem| index.lexical().frequency(stem) > 0) {
        return true;
    }
    let like = |term: &str| stems.iter().any(|stem| alike(stem, term));
    // Of a damaged index nothing can be said.
    index.lexical().any_term(like).unwrap_or(true) || is_spelled_out(index, word)
}

/// Whether one of the best passages for `parts` has them one after the other.
fn has_together(index: &Index, parts: &[String]) -> bool {
    let found = index.lexical().search(parts, POOL, None).unwrap_or_default();
    found.iter().filter_map(|it| index.chunks().get(it.ordinal)).any(|chunk| {
        let own = terms(&chunk.lexical_text());
        own.windows(parts.len().max(1)).any(|window| window == parts)
    })
}

/// Whether two terms may be one word, misspelt or continued.
fn alike(one: &str, other: &str) -> bool {
    let (short, long) = if one.len() < other.len() { (one, other) } else { (other, one) };
    let length = short.chars().count();
    if length < SPELLED {
        return length + 1 == SPELLED && long.starts_with(short) && short == one;
    }
    long.starts_with(short) || distance(one, other) <= if length < LONG { 1 } else { 2 }
}

/// Letters to change, add, drop or swap with their neighbour to get from one word to the other;
/// at least 3 where the lengths differ by as much.
fn distance(one: &str, other: &str) -> usize {
    let (one, other): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    if one.len().abs_diff(other.len()) > 2 {
        return 3;
    }
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (at, letter) in one.iter().enumerate() {
        let mut next = vec![at + 1];
        for (to, target) in other.iter().enumerate() {
            let change = row[to] + usize::from(letter != target);
            let mut least = min(change, min(row[to + 1], next[to]) + 1);
            if at > 0 && to > 0 && one[at - 1] == *target && other[to - 1] == *letter {
                least = min(least, before[to - 1] + 1);
            }
            next.push(least);
        }
        before = std::mem::replace(&mut row, next);
    }
    row.last().copied().unwrap_or_default()
}

/// Whether an abbreviation in capitals is written out somewhere: `MIT`, "Massachusetts Institute of
/// Technology".
fn is_spelled_out(index: &Index, word: &str) -> bool {
    let letters: Vec<char> = word.chars().filter(|it| it.is_alphabetic()).collect();
    if !(2..=6).contains(&letters.len()) || !letters.iter().all(|it| it.is_uppercase()) {
        return false;
    }
    if index.chunks().len() > PASSAGES {
        return true;
    }
    index.chunks().iter().any(|chunk| {
        let text = chunk.lexical_text();
        let initials: Vec<char> = text
            .split(|it: char| !it.is_alphanumeric())
            .filter_map(|it| it.chars().next())
            .filter(|it| it.is_uppercase())
            .collect();
        initials.windows(letters.len()).any(|window| window == letters)
    })
}

/// Words for one thing. A group too wide only keeps the documents from being said to be silent.
const SYNONYMS: &[&[&str]] = &[
    &["phd", "dphil", "doctorate", "doctoral", "doctor", "dr"],
    &["master", "masters", "msc", "ma", "mphil", "meng"],
    &["mba", "business administration"],
    &["bachelor", "bachelors", "bsc", "ba", "bs", "beng", "undergraduate", "licence"],
    &["postdoc", "postdoctoral"],
    &["farsi", "persian"],
    &["flemish", "dutch"],
    &["javascript", "js", "node.js", "typescript"],
    &["kubernetes", "k8s"],
    &["golang", "go"],
    &["aws", "amazon"],
    &["azure", "microsoft"],
    &["gcp", "google"],
    &["facebook", "meta"],
    &["oscar", "oscars", "academy award"],
];
/// Countries and what is theirs.
const COUNTRIES: &[&[&str]] = &[
    &["us", "usa", "america", "american", "united states"],
    &[
        "uk",
        "britain",
        "british",
        "england",
        "english",
        "scotland",
        "wales",
        "united kingdom",
        "london",
    ],
    &["germany", "german"],
    &["france", "french"],
    &["spain", "spanish"],
    &["italy", "italian"],
    &["poland", "polish"],
    &["russia", "russian", "soviet"],
    &["norway", "norwegian"],
    &["sweden", "swedish"],
    &["denmark", "danish"],
    &["finland", "finnish"],
    &["netherlands", "holland", "dutch"],
    &["belgium", "belgian"],
    &["switzerland", "swiss"],
    &["austria", "austrian", "vienna"],
    &["portugal", "portuguese"],
    &["greece", "greek"],
    &["turkey", "turkish"],
    &["japan", "japanese", "tokyo"],
    &["china", "chinese", "mandarin", "cantonese"],
    &["india", "indian", "hindi"],
    &["brazil", "brazilian"],
    &["canada", "canadian"],
    &["ukraine", "ukrainian"],
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::understanding::samples;

    #[test]
    fn whatever_might_be_a_mention_counts() {
        let index = samples::index(&[(
            "cv.md",
            "# CV\n\nDoctoral studies at the Massachusetts Institute of Technology. Certified by AWS. Uses \
             PostgreSQL, JavaScript and Kubernetes. Speaks Ukrainian. Lived in Norway.",
        )]);
        for (words, expected) in [
            (&["PhD"][..], false),
            (&["MIT"], false),
            (&["Amazon", "Web", "Services"], false),
            (&["Postgres"], false),
            (&["Ukranian"], false),
            (&["Norwegian"], false),
            (&["k8s"], false),
            (&["Java"], false),
            (&["Technologies"], false),
            (&["MBA"], true),
            (&["Google"], true),
            (&["Oracle"], true),
            (&["Spanish"], true),
            (&["Google", "Kubernetes"], false),
            (&["Academy", "Award"], true),
            (&["CERN"], true),
            (&[], false),
        ] {
            let words: Vec<String> = words.iter().map(|&it| it.to_owned()).collect();
            assert_eq!(absent(&index, &words, Category::Skill), expected, "{words:?}");
        }
    }

    #[test]
    fn a_country_is_not_its_language() {
        let index = samples::index(&[("cv.md", "# CV\n\nLived in Spain.")]);
        let spanish = ["Spanish".to_owned()];
        assert!(absent(&index, &spanish, Category::Language));
        assert!(!absent(&index, &spanish, Category::Place));
    }

    #[test]
    fn distances() {
        for (one, other, expected) in [
            ("oracle", "oracle", 0),
            ("recieve", "receive", 1),
            ("oracle", "oracel", 1),
            ("google", "goggles", 2),
            ("ab", "abcdef", 3),
        ] {
            assert_eq!(distance(one, other), expected, "{one} {other}");
        }
    }
}
