//! Whether the passages say what a sentence of the answer says.
//!
//! By their words: numbers and names of a sentence must stand in the passages it cites, near the
//! words they go with, and most of its other words must stand there too. Passages that contradict
//! a sentence in the same words cannot be told apart from ones that support it.

use super::{
    Passage,
    claim::{Claim, Item},
    known::Known,
    refusal::says_nothing,
};
use crate::text::{plain, sentences};

/// Share of a sentence's items that the passages it cites must have. Chosen on the cases marked
/// `dev` in `support.tsv`, like the two below.
const CITED: f32 = 0.5;
/// The same for a passage that the sentence does not cite.
const UNCITED: f32 = 0.65;
/// A number or name goes with the other words of its clause where it stands beside this share of
/// what any place in the passages has of them.
const BESIDE: f32 = 0.3;
/// The same for sentences in another language than the passages: only names remain alike.
const FOREIGN: f32 = 0.12;
/// A sentence without citation, number or name claims something if it has so many other terms:
/// "I hope this helps" has two.
const MIN_TERMS: usize = 3;
/// Weight of a word that stands everywhere in the passages, beside the logarithm that others have.
const EVERYWHERE: f32 = 0.1;

/// How a sentence stands to the passages.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Standing {
    /// It claims nothing that could be checked: an introduction, or that something is missing.
    Neutral,
    /// Passages say it.
    Supported,
    /// No passage says it.
    Unsupported,
}

/// What was found out about a sentence.
#[derive(Clone, Debug, PartialEq)]
pub struct Judgement {
    /// How it stands.
    pub standing: Standing,
    /// Positions of the passages that support it: those it cites, or the best other one.
    pub by: Vec<usize>,
    /// Share of its items that they have, 0 to 1.
    pub score: f32,
}

/// The passages of an answer, read for checking.
#[derive(Clone, Debug)]
pub struct Basis {
    passages: Vec<Source>,
    /// What sentences may be about: all that any passage says, and what the question named.
    subjects: Known,
}

#[derive(Clone, Debug)]
struct Source {
    all: Known,
    /// Each sentence with the one before it and the header.
    places: Vec<Known>,
}

impl Basis {
    /// Reads the passages. A sentence may begin with a name that `question` has and the passage it
    /// cites has not: whose documents these are is not written in every passage.
    pub fn of(passages: &[Passage], question: &str) -> Self {
        let passages: Vec<Source> = passages.iter().map(Source::of).collect();
        let mut subjects = Known::of(question);
        passages.iter().for_each(|source| subjects.join(&source.all));
        Self { passages, subjects }
    }

    /// Number of passages.
    pub fn len(&self) -> usize {
        self.passages.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.passages.is_empty()
    }

    /// Checks a sentence, without its citations, against the passages at `cited`; where those do
    /// not support it, or there are none, against each of the others.
    pub fn judge(&self, sentence: &str, cited: &[usize]) -> Judgement {
        let claim = Claim::of(sentence);
        let neutral = Judgement { standing: Standing::Neutral, by: Vec::new(), score: 0.0 };
        let terms = claim.items().filter(|item| matches!(item, Item::Term(_))).count();
        let least = if cited.is_empty() { MIN_TERMS } else { 1 };
        let bare = terms == claim.items().count() && terms < least;
        if bare || says_nothing(sentence) || sentence.trim_end().ends_with(':') {
            return neutral;
        }
        let sources: Vec<&Source> = cited.iter().filter_map(|at| self.passages.get(*at)).collect();
        if let Some(score) = self.support(&claim, &sources, CITED) {
            return Judgement { standing: Standing::Supported, by: cited.to_vec(), score };
        }
        let others = self.passages.iter().enumerate().filter(|(at, _)| !cited.contains(at));
        let best = others
            .filter_map(|(at, source)| Some((at, self.support(&claim, &[source], UNCITED)?)))
            .max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0)));
        match best {
            Some((at, score)) => Judgement { standing: Standing::Supported, by: vec![at], score },
            None => Judgement { standing: Standing::Unsupported, ..neutral },
        }
    }

    /// The share of the claim's items that the sources have, if that is enough to support it.
    fn support(&self, claim: &Claim, sources: &[&Source], enough: f32) -> Option<f32> {
        let says = |item: &Item| {
            sources.iter().any(|source| source.all.says(item))
                || matches!(item, Item::Subject(_)) && self.subjects.says(item)
        };
        let (mut found, mut total) = (0_usize, 0_usize);
        for item in claim.items() {
            let said = says(item);
            let must = match item {
                Item::Number(_) => true,
                // Other languages write common nouns with capitals, and names in their own way.
                Item::Name(..) | Item::Subject(_) => !claim.foreign,
                Item::Term(_) => false,
            };
            if must && !said {
                return None;
            }
            found += usize::from(said);
            total += 1;
        }
        let score = found as f32 / total.max(1) as f32;
        let enough = if claim.foreign { FOREIGN } else { enough };
        let places: Vec<&Known> = sources.iter().flat_map(|source| &source.places).collect();
        (score >= enough && claim.clauses.iter().all(|clause| belongs(clause, &places)))
            .then_some(score)
    }
}

impl Source {
    fn of(passage: &Passage) -> Self {
        let header = Known::of(&passage.header);
        let mut all = Known::of(&passage.text);
        all.join(&header);
        let text = plain(&passage.text);
        let mut places = Vec::new();
        for line in text.lines() {
            let mut before = Known::default();
            for sentence in sentences(line) {
                let own = Known::of(sentence);
                let mut place = own.clone();
                place.join(&before);
                place.join(&header);
                places.push(place);
                before = own;
            }
        }
        Self { all, places }
    }
}

/// Whether each number and name of a clause stands where the clause's other words stand: of two
/// medals and two years in a passage, each year goes with one of them.
fn belongs(clause: &[Item], places: &[&Known]) -> bool {
    let count = places.len().max(1) as f32;
    let weight = |item: &Item| {
        let has = places.iter().filter(|place| place.says(item)).count();
        if has == 0 { 0.0 } else { (count / has as f32).ln() + EVERYWHERE }
    };
    let weights: Vec<f32> = clause.iter().map(weight).collect();
    clause
        .iter()
        .enumerate()
        .filter(|(_, item)| matches!(item, Item::Number(_) | Item::Name(..)))
        .all(|(at, item)| {
            let share = |place: &&&Known| -> f32 {
                let others = clause.iter().zip(&weights).enumerate();
                // The parts of a date vouch for each other wherever the date stands.
                let own = |n: usize, it: &Item| n == at || item.is_date() && it.is_date();
                let said = others.filter(|(n, (it, _))| !own(*n, it) && place.says(it));
                said.map(|(_, (_, weight))| weight).sum()
            };
            let best = places.iter().map(|place| share(&place)).fold(0.0, f32::max);
            let beside = places.iter().filter(|place| place.says(item)).map(|place| share(&place));
            beside
                .fold(None, |most: Option<f32>, it| Some(most.map_or(it, |most| most.max(it))))
                // Said only in a heading or address within the text, which no sentence is.
                .is_none_or(|beside| beside >= BESIDE * best)
        })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    const CASES: &str = include_str!("support.tsv");

    #[test]
    fn whose_documents_these_are_need_not_stand_in_every_passage() {
        let passage = |header: &str, text: &str| Passage {
            title: String::new(),
            header: header.to_owned(),
            text: text.to_owned(),
        };
        let passages = [
            passage("Posts", "Engineer at Hollmer Yards, 2012"),
            passage("Ada Krone", "Born in Tarnby."),
        ];
        for (question, sentence, expected) in [
            ("", "Ada Krone was an engineer at Hollmer Yards.", Standing::Supported),
            ("", "Eva Brandt was an engineer at Hollmer Yards.", Standing::Unsupported),
            (
                "What did Eva Brandt do?",
                "Eva Brandt was an engineer at Hollmer Yards.",
                Standing::Supported,
            ),
            (
                "Was she at Kestrel Yards?",
                "She was an engineer at Kestrel Yards.",
                Standing::Unsupported,
            ),
        ] {
            let judgement = Basis::of(&passages, question).judge(sentence, &[0]);
            assert_eq!(judgement.standing, expected, "{question} {sentence}");
        }
    }

    /// Of the sentences judged unsupported, and of those that are: how many are both.
    #[derive(Default)]
    struct Tally {
        cases: usize,
        right: usize,
        found: usize,
        unsupported: usize,
        called: usize,
        wrong: Vec<String>,
    }

    #[test]
    fn sentences_stand_as_they_were_judged_by_hand() {
        let mut passages = BTreeMap::new();
        let mut tallies: BTreeMap<&str, Tally> = BTreeMap::new();
        for line in CASES.lines().filter(|line| !line.starts_with('#')) {
            let fields: Vec<&str> = line.split('\t').collect();
            if let ["passage", id, header, text] = fields[..] {
                let text = text.replace("\\n", "\n");
                let header = header.to_owned();
                passages.insert(id, Passage { title: String::new(), header, text });
                continue;
            }
            let [split, kind, expected, cited, ids, sentence] = fields[..] else {
                panic!("six fields: {line}");
            };
            let numbers = |list: &str| -> Vec<usize> {
                list.split(',').filter_map(|it| it.parse::<usize>().ok()).map(|it| it - 1).collect()
            };
            let shown: Vec<Passage> = ids.split(',').map(|id| passages[id].clone()).collect();
            let judgement = Basis::of(&shown, "").judge(sentence, &numbers(cited));
            let standing = match expected {
                "-" => Standing::Unsupported,
                "0" => Standing::Neutral,
                _ => Standing::Supported,
            };
            let by = if standing == Standing::Supported { numbers(expected) } else { Vec::new() };
            let tally = tallies.entry(split).or_default();
            tally.cases += 1;
            tally.unsupported += usize::from(standing == Standing::Unsupported);
            tally.called += usize::from(judgement.standing == Standing::Unsupported);
            tally.found +=
                usize::from(standing == Standing::Unsupported && judgement.standing == standing);
            if (judgement.standing, &judgement.by) == (standing, &by) {
                tally.right += 1;
            } else {
                tally.wrong.push(format!("{kind}: {sentence}: {judgement:?}"));
            }
        }
        assert!(tallies.values().map(|it| it.cases).sum::<usize>() >= 100);
        for (split, tally) in &tallies {
            let precision = tally.found as f32 / tally.called as f32;
            let recall = tally.found as f32 / tally.unsupported as f32;
            eprintln!(
                "{split}: {} of {} right; unsupported: precision {precision:.2}, recall {recall:.2}\n{}",
                tally.right,
                tally.cases,
                tally.wrong.join("\n")
            );
        }
        for tally in tallies.values() {
            assert!(tally.right * 100 >= tally.cases * 95);
            assert!(
                tally.found * 100 >= tally.called * 95
                    && tally.found * 100 >= tally.unsupported * 85
            );
        }
    }
}
