//! What a sentence claims, as far as its words tell: numbers, names and other terms.

use std::collections::BTreeSet;

use super::{known::canonical, number::numbers};
use crate::text::terms;

/// What a sentence claims.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Claim {
    /// Its clauses, each with at least one item.
    pub(super) clauses: Vec<Vec<Item>>,
    /// Whether it is written in another language than the terms are made for.
    pub(super) foreign: bool,
}

/// A part of a claim.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Item {
    /// A number in its normal form: `141358`, `3.9`.
    Number(String),
    /// The terms of a name, and its letters where it is an acronym.
    Name(Vec<String>, Option<String>),
    /// Any other word's term.
    Term(String),
    /// The terms of a name that the sentence begins with: mostly whom it is about.
    Subject(Vec<String>),
}

impl Item {
    /// Whether it may be a part of a date: a number or a month.
    pub(super) fn is_date(&self) -> bool {
        match self {
            Self::Number(_) => true,
            Self::Name(terms, _) => MONTH_TERMS.contains(&terms.concat().as_str()),
            Self::Term(_) | Self::Subject(_) => false,
        }
    }
}

impl Claim {
    /// Reads a sentence. What stands in a clause that denies something is not claimed.
    pub(super) fn of(sentence: &str) -> Self {
        let sentence = without_list_marker(sentence);
        let mut claim = Self { clauses: Vec::new(), foreign: is_foreign(sentence) };
        let mut first = true;
        let mut counts: Vec<(String, usize)> = Vec::new();
        let mut pieces = Vec::new();
        for clause in clauses(sentence) {
            let items = items(clause, std::mem::take(&mut first));
            for item in &items {
                if let Item::Number(number) = item {
                    counts.push((number.clone(), pieces.len()));
                }
            }
            pieces.push((denies(clause), items));
        }
        // A count of things that the sentence goes on to name can be checked right here.
        let total = pieces.len();
        let names_all = |number: &str, at: usize| {
            number.parse().is_ok_and(|count: usize| {
                count > 1 && (count == total - at || count + 1 == total - at)
            })
        };
        let counted: BTreeSet<String> = counts
            .into_iter()
            .filter(|(number, at)| names_all(number, *at))
            .map(|it| it.0)
            .collect();
        for (denied, mut items) in pieces {
            items.retain(|item| !matches!(item, Item::Number(number) if counted.contains(number)));
            if !denied && !items.is_empty() {
                claim.clauses.push(items);
            }
        }
        claim
    }

    /// All items.
    pub(super) fn items(&self) -> impl Iterator<Item = &Item> {
        self.clauses.iter().flatten()
    }
}

/// The words of a text as they are written, without the punctuation around them.
pub(super) fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|it: char| it.is_whitespace() || matches!(it, '/' | '(' | ')' | '|' | '*' | '`'))
        .map(|word| word.trim_matches(|it: char| !it.is_alphanumeric() && !matches!(it, '+' | '#')))
        .filter(|word| !word.is_empty())
}

/// The parts of a sentence that can be true or false apart from each other.
fn clauses(sentence: &str) -> Vec<&str> {
    let mut clauses = vec![sentence];
    for divider in [
        "; ", ", ", ": ", " – ", " — ", " and ", " but ", " while ", " then ", " und ", " et ",
        " y ",
    ] {
        clauses = clauses.into_iter().flat_map(|clause| clause.split(divider)).collect();
    }
    clauses
}

fn denies(clause: &str) -> bool {
    let clause = clause.to_lowercase();
    words(&clause)
        .any(|word| DENIALS.contains(&word) || word.ends_with("n't") || word.ends_with("n’t"))
}

fn items(clause: &str, starts_sentence: bool) -> Vec<Item> {
    let mut items = Vec::new();
    let all: Vec<&str> = words(clause).collect();
    let mut subject = starts_sentence;
    for (at, word) in all.iter().enumerate() {
        let name = is_name(word, at == 0 && starts_sentence, all.get(at + 1).copied());
        subject &= name;
        let found = numbers(word);
        if !found.is_empty() {
            items.extend(found.into_iter().map(Item::Number));
            continue;
        }
        let terms: Vec<String> = terms::content_terms(word)
            .into_iter()
            .filter(|term| !GLUE.contains(&term.as_str()))
            .map(|term| canonical(&term).to_owned())
            .collect();
        if terms.is_empty() {
            continue;
        }
        if subject {
            items.push(Item::Subject(terms));
        } else if name {
            let letters = word.len() > 1 && word.chars().all(char::is_uppercase);
            items.push(Item::Name(terms, letters.then(|| word.to_lowercase())));
        } else {
            items.extend(terms.into_iter().map(Item::Term));
        }
    }
    items
}

/// Whether a word is written as a name. The first word of a sentence is one if its form says so,
/// or if another capital follows.
fn is_name(word: &str, first: bool, next: Option<&str>) -> bool {
    let mut letters = word.chars();
    let capital = letters.next().is_some_and(char::is_uppercase);
    let inner =
        letters.any(|it| it.is_uppercase() || it.is_ascii_digit() || matches!(it, '+' | '#'));
    let follows = next.is_some_and(|next| next.starts_with(char::is_uppercase) && next.len() > 1);
    inner || capital && (!first || follows && !word.to_lowercase().ends_with("ing"))
}

fn without_list_marker(sentence: &str) -> &str {
    let rest = sentence.trim_start().trim_start_matches(|it: char| it.is_ascii_digit());
    match rest.strip_prefix(['.', ')']) {
        Some(text) if text.starts_with(' ') && rest.len() < sentence.trim_start().len() => text,
        _ => sentence,
    }
}

/// Whether other languages' small words outnumber English ones.
fn is_foreign(sentence: &str) -> bool {
    let lower = sentence.to_lowercase();
    let count = |list: &[&str]| words(&lower).filter(|word| list.contains(word)).count();
    count(FOREIGN) > count(ENGLISH)
}

/// The same as `text::terms` makes them.
const MONTH_TERMS: [&str; 12] = [
    "januari", "februari", "march", "april", "may", "june", "juli", "august", "septemb", "octob",
    "novemb", "decemb",
];

const DENIALS: &[&str] = &[
    "no", "not", "never", "neither", "nor", "none", "without", "cannot", "kein", "keine", "nicht",
];

/// Stems of words that carry an answer and claim nothing.
const GLUE: &[&str] = &[
    "accord",
    "addit",
    "addition",
    "also",
    "answer",
    "base",
    "both",
    "describ",
    "detail",
    "document",
    "follow",
    "further",
    "furthermor",
    "howev",
    "includ",
    "inform",
    "list",
    "mention",
    "moreov",
    "name",
    "no",
    "not",
    "note",
    "other",
    "overal",
    "passag",
    "provid",
    "sourc",
    "state",
    "such",
    "summari",
    "well",
    "yes",
];

const ENGLISH: &[&str] = &[
    "a", "an", "and", "as", "at", "by", "for", "from", "has", "he", "her", "his", "in", "is", "it",
    "of", "on", "she", "that", "the", "they", "to", "was", "were", "with", "you",
];
const FOREIGN: &[&str] = &[
    "als", "auf", "aus", "avec", "con", "das", "dans", "de", "del", "der", "des", "die", "du",
    "ein", "eine", "el", "ella", "elle", "en", "et", "für", "hat", "ist", "la", "las", "le", "les",
    "los", "mit", "par", "por", "pour", "que", "sie", "sind", "und", "une", "von", "war", "y",
    "zu", "è", "della", "het", "een", "van",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_is_numbers_names_and_terms() {
        let check = |sentence: &str, expected: &str| {
            let claim = Claim::of(sentence);
            let clause = |items: &Vec<Item>| {
                let item = |item: &Item| match item {
                    Item::Number(number) => format!("#{number}"),
                    Item::Name(terms, _) => format!("@{}", terms.join("+")),
                    Item::Subject(terms) => format!("@@{}", terms.join("+")),
                    Item::Term(term) => term.clone(),
                };
                items.iter().map(item).collect::<Vec<_>>().join(" ")
            };
            let got: Vec<String> = claim.clauses.iter().map(clause).collect();
            assert_eq!(got.join(" | "), expected, "{sentence}");
        };
        check(
            "She won the Davy Medal in 1903 and the Albert Medal in 1910.",
            "award @davi @medal #1903 | @albert @medal #1910",
        );
        check("1. Davy Medal, 1903", "@@davi @@medal | #1903");
        check("No, she does not hold a PhD, but an MSc in Nursing.", "@master @nurs");
        check("She holds three medals: A1, B2 and C3.", "hold medal | @a1 | @b2 | @c3");
        check("Yes.", "");
    }
}
