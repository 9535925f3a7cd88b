//! What a sentence claims, as far as its words tell: numbers, names and other terms.

use std::collections::BTreeSet;

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
    /// The terms of a name; an acronym's one term is in `Name` too, and its letters in the second.
    Name(Vec<String>, Option<String>),
    /// Any other word's term.
    Term(String),
}

impl Item {
    /// Whether it may be a part of a date: a number or a month.
    pub(super) fn is_date(&self) -> bool {
        match self {
            Self::Number(_) => true,
            Self::Name(terms, _) => MONTH_TERMS.contains(&terms.concat().as_str()),
            Self::Term(_) => false,
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
            number.parse().is_ok_and(|count: usize| count > 1 && (count == total - at || count + 1 == total - at))
        };
        let counted: BTreeSet<String> =
            counts.into_iter().filter(|(number, at)| names_all(number, *at)).map(|it| it.0).collect();
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
                    && let Some(month) = number.parse().ok().and_then(|it: usize| MONTHS.get(it.wrapping_sub(1)))
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
                known.initials.extend((2..=run.chars().count().min(6)).filter_map(|length| {
                    let skip = run.chars().count() - length;
                    Some(run.chars().skip(skip).collect::<String>())
                }));
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

/// The words of a text as they are written, without the punctuation around them.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|it: char| it.is_whitespace() || matches!(it, '/' | '(' | ')' | '|' | '*' | '`'))
        .map(|word| word.trim_matches(|it: char| !it.is_alphanumeric() && !matches!(it, '+' | '#')))
        .filter(|word| !word.is_empty())
}

/// The parts of a sentence that can be true or false apart from each other.
fn clauses(sentence: &str) -> Vec<&str> {
    let mut clauses = vec![sentence];
    for divider in ["; ", ", ", ": ", " – ", " — ", " and ", " but ", " while ", " then ", " und ", " et ", " y "] {
        clauses = clauses.into_iter().flat_map(|clause| clause.split(divider)).collect();
    }
    clauses
}

fn denies(clause: &str) -> bool {
    let clause = clause.to_lowercase();
    words(&clause).any(|word| DENIALS.contains(&word) || word.ends_with("n't") || word.ends_with("n’t"))
}

fn items(clause: &str, starts_sentence: bool) -> Vec<Item> {
    let mut items = Vec::new();
    let all: Vec<&str> = words(clause).collect();
    for (at, word) in all.iter().enumerate() {
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
        if is_name(word, at == 0 && starts_sentence, all.get(at + 1).copied()) {
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
    let inner = letters.any(|it| it.is_uppercase() || it.is_ascii_digit() || matches!(it, '+' | '#'));
    let follows = next.is_some_and(|next| next.starts_with(char::is_uppercase) && next.len() > 1);
    inner || capital && (!first || follows && !word.to_lowercase().ends_with("ing"))
}

/// The numbers a word stands for, in their normal form; none for a word like `cs350`.
fn numbers(word: &str) -> Vec<String> {
    let lower = word.to_lowercase();
    if let Some(at) = SPELLED.iter().position(|it| *it == lower) {
        return vec![SPELLED_VALUES.get(at).map(ToString::to_string).unwrap_or_default()];
    }
    let parts: Vec<&str> = lower.split(['-', '–', '—', ':', '×']).collect();
    let found: Vec<String> = parts.iter().filter_map(|part| number(part)).collect();
    if found.len() == parts.len() { found } else { Vec::new() }
}

fn number(word: &str) -> Option<String> {
    let word = word.trim_matches(|it: char| !it.is_alphanumeric());
    let end = word.find(|it: char| !it.is_ascii_digit() && it != ',' && it != '.');
    let (digits, unit) = word.split_at(end.unwrap_or(word.len()));
    let digits = digits.trim_end_matches([',', '.']);
    if !digits.starts_with(|it: char| it.is_ascii_digit()) || unit.chars().count() > 4 {
        return None;
    }
    let groups: Vec<&str> = digits.split(',').collect();
    let thousands = groups.len() > 1 && groups.iter().skip(1).all(|it| it.get(..3).is_some_and(|it| !it.contains('.')));
    let digits = if thousands { digits.replace(',', "") } else { digits.replace(',', ".") };
    let (whole, fraction) = digits.split_once('.').unwrap_or((&digits, ""));
    let whole = whole.trim_start_matches('0');
    let fraction = fraction.trim_end_matches('0');
    let thousand = if unit == "k" && fraction.is_empty() { "000" } else { "" };
    let point = if fraction.is_empty() { "" } else { "." };
    let whole = if whole.is_empty() { "0" } else { whole };
    Some(format!("{whole}{thousand}{point}{fraction}"))
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

/// One term for words that name the same.
fn canonical(term: &str) -> &str {
    SAME.iter().find(|group| group.contains(&term)).and_then(|group| group.first()).unwrap_or(&term)
}

const MONTHS: [&str; 12] = [
    "january", "february", "march", "april", "may", "june", "july", "august", "september",
    "october", "november", "december",
];

/// The same as `text::terms` makes them.
const MONTH_TERMS: [&str; 12] = [
    "januari", "februari", "march", "april", "may", "june", "juli", "august", "septemb", "octob",
    "novemb", "decemb",
];

/// Spelled numbers; `one` is too often no number.
const SPELLED: &[&str] = &[
    "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty",
    "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety",
];
const SPELLED_VALUES: &[u8] = &[
    2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 30, 40, 50, 60, 70, 80, 90,
];

const DENIALS: &[&str] =
    &["no", "not", "never", "neither", "nor", "none", "without", "cannot", "kein", "keine", "nicht"];

/// Stems of words that carry an answer and claim nothing.
const GLUE: &[&str] = &[
    "accord", "addit", "addition", "also", "answer", "base", "both", "describ", "detail",
    "document", "follow", "further", "furthermor", "howev", "includ", "inform", "list", "mention",
    "moreov", "name", "no", "not", "note", "other", "overal", "passag", "provid", "sourc", "state",
    "such", "summari", "well", "yes",
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
    fn numbers_have_one_form() {
        for (word, expected) in [
            ("141,358", "141358"),
            ("3.90", "3.9"),
            ("4.00", "4"),
            ("€24,500", "24500"),
            ("50%", "50"),
            ("1st", "1"),
            ("20k", "20000"),
            ("06", "6"),
            ("1906–08", "1906 8"),
            ("2019-06-01", "2019 6 1"),
            ("3,5", "3.5"),
            ("three", "3"),
            ("CS350", ""),
            ("x-ray", ""),
            ("K-12", ""),
        ] {
            assert_eq!(numbers(word).join(" "), expected, "{word}");
        }
    }

    #[test]
    fn a_claim_is_numbers_names_and_terms() {
        let check = |sentence: &str, expected: &str| {
            let claim = Claim::of(sentence);
            let clause = |items: &Vec<Item>| {
                let item = |item: &Item| match item {
                    Item::Number(number) => format!("#{number}"),
                    Item::Name(terms, _) => format!("@{}", terms.join("+")),
                    Item::Term(term) => term.clone(),
                };
                items.iter().map(item).collect::<Vec<_>>().join(" ")
            };
            let got: Vec<String> = claim.clauses.iter().map(clause).collect();
            assert_eq!(got.join(" | "), expected, "{sentence}");
        };
        check("She won the Davy Medal in 1903 and the Albert Medal in 1910.", "award @davi @medal #1903 | @albert @medal #1910");
        check("1. Davy Medal, 1903", "@davi @medal | #1903");
        check("No, she does not hold a PhD, but an MSc in Nursing.", "@master @nurs");
        check("She holds three medals: A1, B2 and C3.", "hold medal | @a1 | @b2 | @c3");
        check("Yes.", "");
    }

    #[test]
    fn what_a_passage_says() {
        let known = Known::of("Member of the American Chemical Society since 2019-06; BSc in Physics");
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
