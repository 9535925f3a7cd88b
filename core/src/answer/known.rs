//! What a passage, or a part of one, says, as far as its words tell.

use std::collections::BTreeSet;

use super::{
    claim::{Item, words},
    number::numbers,
};
use crate::text::terms;

/// What a passage, or a part of one, offers to claims.
#[derive(Clone, Debug, Default)]
pub(super) struct Known {
    terms: BTreeSet<String>,
    numbers: BTreeSet<String>,
    /// First letters of runs of capitalised words: `acs` of `American Chemical Society`.
    initials: BTreeSet<String>,
}

impl Known {
    /// Reads a text.
    pub(super) fn of(text: &str) -> Self {
        let mut known = Self::default();
        for word in words(text) {
            for number in numbers(word) {
                if word.contains('-')
                    && let Some(month) =
                        number.parse().ok().and_then(|it: usize| MONTHS.get(it.wrapping_sub(1)))
                {
                    // `2019-06` is also June 2019.
                    known.add(month);
                }
                known.numbers.insert(number);
            }
            if let Some(place) = MONTHS.iter().position(|month| word.to_lowercase() == *month) {
                known.numbers.insert((place + 1).to_string());
            }
        }
        for term in terms::terms(text) {
            known.add_term(term);
        }
        let mut run = String::new();
        for word in words(text) {
            if let Some(letter) = word.chars().next().filter(|letter| letter.is_uppercase()) {
                run.extend(letter.to_lowercase());
                let length = run.chars().count();
                let tails = (2..=length.min(6)).map(|last| run.chars().skip(length - last));
                known.initials.extend(tails.map(String::from_iter));
            } else if !["of", "the", "and", "for", "in", "de", "&"].contains(&word) {
                run.clear();
            }
        }
        known
    }

    fn add(&mut self, word: &str) {
        terms::terms(word).into_iter().for_each(|term| self.add_term(term));
    }

    fn add_term(&mut self, term: String) {
        for (short, long) in SHORT_FORMS {
            if term == *short {
                self.terms.extend(long.iter().map(|it| (*it).to_owned()));
            }
        }
        self.terms.insert(canonical(&term).to_owned());
    }

    /// Adds what `other` offers.
    pub(super) fn join(&mut self, other: &Self) {
        self.terms.extend(other.terms.iter().cloned());
        self.numbers.extend(other.numbers.iter().cloned());
        self.initials.extend(other.initials.iter().cloned());
    }

    /// Whether it says `item`.
    pub(super) fn says(&self, item: &Item) -> bool {
        match item {
            Item::Number(number) => self.numbers.contains(number),
            Item::Name(terms, acronym) => {
                terms.iter().all(|term| self.terms.contains(term))
                    || acronym.as_ref().is_some_and(|it| self.initials.contains(it))
            }
            Item::Subject(terms) => terms.iter().all(|term| self.terms.contains(term)),
            Item::Term(term) => {
                self.terms.contains(term) || self.terms.iter().any(|own| related(own, term))
            }
        }
    }
}

/// Stems of one family: `physicist` and `physics`, `teach` and `teacher`.
fn related(one: &str, other: &str) -> bool {
    /// Shorter beginnings are shared by words that have nothing in common.
    const SHARED: usize = 5;
    let shared = one.bytes().zip(other.bytes()).take_while(|(a, b)| a == b).count();
    let (short, long) = (one.len().min(other.len()), one.len().max(other.len()));
    (shared >= SHARED || shared == short && short >= 4) && long - shared <= 4
}

/// One term for words that name the same.
pub(super) fn canonical(term: &str) -> &str {
    SAME.iter().find(|group| group.contains(&term)).and_then(|group| group.first()).unwrap_or(&term)
}

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

/// Stems, as the terms of `text::terms` are, of words that name the same.
const SAME: &[&[&str]] = &[
    &["bachelor", "bsc", "ba", "beng", "bs"],
    &["master", "msc", "ma", "meng", "ms"],
    &["doctor", "doctorat", "phd", "dphil"],
    &["univers", "uni"],
    &["poland", "polish"],
    &["franc", "french"],
    &["germani", "german"],
    &["england", "english"],
    &["britain", "british", "uk"],
    &["america", "american", "usa"],
    &["spain", "spanish"],
    &["itali", "italian"],
    &["swiss", "switzerland"],
    &["postgresql", "postgr"],
    &["kubernet", "k8s"],
    &["javascript", "js"],
    &["typescript", "ts"],
    &["golang", "go"],
    &["work", "employ", "job"],
    &["studi", "student", "degre", "graduat"],
    &["teach", "taught", "teacher"],
    &["lead", "led", "leader", "head"],
    &["grade", "mark", "gpa"],
    &["award", "receiv", "gave", "given", "won", "win", "got"],
    &["speak", "spoken", "languag"],
    &["build", "built"],
    &["write", "wrote", "written", "author"],
];

/// Short forms of degrees, and the terms their long forms have beside the degree.
const SHORT_FORMS: &[(&str, &[&str])] = &[
    ("bsc", &["scienc"]),
    ("msc", &["scienc"]),
    ("ba", &["art"]),
    ("ma", &["art"]),
    ("beng", &["engin"]),
    ("meng", &["engin"]),
    ("phd", &["philosophi"]),
    ("mba", &["master", "busi", "administr"]),
];

#[cfg(test)]
mod tests {
    use super::{super::claim::Claim, *};

    #[test]
    fn what_a_passage_says() {
        let known =
            Known::of("Member of the American Chemical Society since 2019-06; BSc in Physics");
        for (sentence, expected) in [
            ("the ACS", true),
            ("the ABC", false),
            ("June 2019", true),
            ("May 2019", false),
            ("a Bachelor of Science", true),
            ("a Master of Science", false),
            ("a physicist", true),
        ] {
            let claim = Claim::of(&format!("it is {sentence}"));
            assert_eq!(claim.items().all(|item| known.says(item)), expected, "{sentence}");
        }
    }
}
