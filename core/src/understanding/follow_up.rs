//! Follow-ups: a question that leans on the conversation becomes one that stands alone.
//!
//! Rules first; where they are unsure they say so, and [`condensation`](super::condensation) has the
//! words with which a language model can be asked.

use super::{
    ellipsis::{self, Fragment, ORDINALS},
    reference,
    token::{AUXILIARIES, PREPOSITIONS, QUESTION_WORDS, Token, is_function, tokens},
};
use crate::{
    index::Index,
    text::terms::{content_terms, terms},
    wire::TurnRecord,
};

/// A question with more terms of its own than this is searched for as it is, whatever it points to.
const POINTING_TERMS: usize = 4;
/// A question with fewer terms of its own than this cannot stand alone, unless it asks for what
/// everybody has.
const OWN_TERMS: usize = 2;
/// Turns that one question can lean on where nobody noted what the last was understood as: who
/// follows further back has changed the subject.
const MAX_CHAIN: usize = 8;
/// Longest text, in characters, that a conversation is noted to be about.
const MAX_ABOUT: usize = 400;
/// One pronoun must be this much more frequent in the documents than the other to be the person's.
const DOMINANCE: usize = 2;

/// A question as the search and the prompt should see it.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Condensed {
    /// What to search for: the question with the words it leans on.
    pub search: String,
    /// The question itself, with what was left out put in where the rules are sure of it.
    pub question: String,
    /// Number of turns leaned on, counted back from the last; 0 for a question that stands alone.
    pub leaned_on: usize,
    /// Whether the rules are unsure, so that a language model may do better.
    pub needs_llm: bool,
    /// Whether they are unsure that it leans on anything: what the documents say to the question as
    /// it is may tell.
    pub may_stand_alone: bool,
}

impl Condensed {
    /// A question that leans on nothing.
    pub fn alone(question: &str) -> Self {
        Self { search: question.to_owned(), question: question.to_owned(), ..Self::default() }
    }

    /// What the next question leans on if it leans on this one, for its turn's record; `None` where
    /// the question says it itself.
    pub fn about(&self, turns: &[TurnRecord]) -> Option<String> {
        let last = turns.last().filter(|_| self.leaned_on > 0)?;
        // One more "why?" does not change the subject.
        let text =
            if self.search.chars().count() <= MAX_ABOUT { &self.search } else { last.alone() };
        Some(text.chars().take(MAX_ABOUT).collect())
    }
}

/// Makes `question` stand alone after `turns`, oldest first.
///
/// What stands alone by itself stays as it is, so that a change of subject drags nothing along.
pub fn condense(question: &str, turns: &[TurnRecord], index: &Index) -> Condensed {
    chained(question, turns, index, MAX_CHAIN)
}

fn chained(question: &str, turns: &[TurnRecord], index: &Index, reach: usize) -> Condensed {
    let Some((last, earlier)) = turns.split_last().filter(|_| reach > 0) else {
        return Condensed::alone(question);
    };
    let words = tokens(question);
    let lean = leaning(question, &words, index);
    if lean == Lean::Alone {
        return Condensed::alone(question);
    }
    if let Some(item) = reference::item(&words, last) {
        let text = format!("{} ({item})", question.trim_end_matches(['?', '.', ' ']));
        return Condensed { leaned_on: 1, ..Condensed::alone(&text) };
    }
    let before = match &last.about {
        Some(about) => {
            let leaned_on = earlier.iter().rev().take_while(|it| it.about.is_some()).count();
            let leaned_on = (leaned_on + 1).min(earlier.len());
            Condensed { search: about.clone(), leaned_on, ..Condensed::default() }
        }
        None => chained(&last.question, earlier, index, reach - 1),
    };
    let leaned_on = before.leaned_on + 1;
    if let Lean::Ellipsis(fragment) = &lean
        && let Some(filled) = ellipsis::fill(&before.search, fragment, index)
    {
        let needs_llm = filled.unsure;
        return Condensed { leaned_on, needs_llm, ..Condensed::alone(&filled.text) };
    }
    let hints = reference::hints(&words, last, index);
    let mut search = before.search;
    for part in hints.iter().map(String::as_str).chain([question]) {
        // Who asks the same again leans on what he leaned on.
        if !search.contains(part) {
            search.push(' ');
            search.push_str(part);
        }
    }
    let may_stand_alone = lean == Lean::Unsure;
    let needs_llm = may_stand_alone || before.needs_llm;
    Condensed { search, question: question.to_owned(), leaned_on, needs_llm, may_stand_alone }
}

/// How a question leans on the one before it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Lean {
    /// It does not.
    Alone,
    /// It leaves out what the one before it says: "and in 1911?".
    Ellipsis(Fragment),
    /// It points to something said before.
    Pointer,
    /// It has no term of its own: "why?".
    Short,
    /// It has one term of its own, and may or may not stand alone.
    Unsure,
}

/// Tells how `question` leans on whatever came before it.
pub(super) fn leaning(question: &str, words: &[Token], index: &Index) -> Lean {
    let opening = opening(words);
    let rest = &words[opening..];
    let own = own_terms(question, index);
    let clause = rest.iter().any(|it| it.is(QUESTION_WORDS) || it.is(AUXILIARIES) || it.is(VERBS));
    if !rest.is_empty() && !clause {
        let brief = own.len() <= POINTING_TERMS;
        if brief && (opening > 0 || rest[0].is(PREPOSITIONS) || own.len() == 1) {
            return Lean::Ellipsis(Fragment::new(question, rest));
        }
    }
    if own.len() <= POINTING_TERMS && points(words, index) {
        return Lean::Pointer;
    }
    match own.as_slice() {
        [] => Lean::Short,
        [only] if !is_universal(only) && own.len() < OWN_TERMS => Lean::Unsure,
        _ => Lean::Alone,
    }
}

/// The content terms of a question without the person's name, ordinals and words that only point;
/// the name if nothing else is left.
pub(super) fn own_terms(question: &str, index: &Index) -> Vec<String> {
    let mut own = index.question_terms(question);
    let pointing: Vec<String> = ORDINALS.iter().chain(POINTING).flat_map(|it| terms(it)).collect();
    own.retain(|term| !pointing.contains(term));
    own
}

/// Words at the start that continue a thought: "and", "what about".
fn opening(words: &[Token]) -> usize {
    let mut at = words.iter().take_while(|it| it.is(OPENINGS)).count();
    if let [first, second, ..] = &words[at..]
        && (first.is(&["what", "how"]) && second.is(&["about"])
            || first.is(&["what"]) && second.is(&["of"]))
    {
        at += 2;
    }
    at
}

/// Whether a question points to something said before it.
pub(super) fn points(words: &[Token], index: &Index) -> bool {
    let word = |at: usize| words.get(at).map_or("", |it| it.word.as_str());
    (0..words.len()).any(|at| {
        let last = at + 1 == words.len();
        let before = at.checked_sub(1).map_or("", word);
        match word(at) {
            "it" | "its" => !["does", "is", "was"].contains(&before) || !weather(word(at + 1)),
            "they" | "them" | "their" | "theirs" => !has_antecedent(&words[..at]),
            "these" | "those" | "both" | "former" | "latter" => true,
            // "the medal that she refused" points nowhere, "when was that" does.
            "that" | "this" => last || is_function(before) || at == 0,
            "there" => {
                last && !["is", "are", "was", "were"].contains(&before)
                    || ["out", "over", "while"].contains(&before)
            }
            "then" => last && at > 0,
            "same" | "else" => true,
            "more" => last || word(at + 1) == "about" && word(at + 2) == "it",
            "one" | "ones" => at > 0 && !["no", "only", "any"].contains(&before),
            "other" | "others" => last || word(at) == "others",
            "first" | "second" | "third" | "last" | "next" | "previous" => last,
            other => is_someone_else(other, index) && !words[..at].iter().any(|it| it.name),
        }
    })
}

fn weather(word: &str) -> bool {
    ["rain", "raining", "snow", "true", "possible"].contains(&word)
}

/// Whether a plural or two names stand before a pronoun in the plural.
fn has_antecedent(before: &[Token]) -> bool {
    let plural = |it: &&Token| {
        it.word.len() > 3
            && it.word.ends_with('s')
            && !it.word.ends_with("ss")
            && !it.is(AUXILIARIES)
    };
    before.iter().any(|it| plural(&it)) || before.iter().filter(|it| it.name).count() > 1
}

/// Whether a pronoun means somebody other than the person whose documents these are, as the
/// documents' own use of `she` and `he` tells.
pub(super) fn is_someone_else(word: &str, index: &Index) -> bool {
    let (own, other) = match word {
        "he" | "him" | "his" => ("she", "he"),
        "she" | "her" | "hers" => ("he", "she"),
        _ => return false,
    };
    let frequency =
        |word: &str| terms(word).first().map_or(0, |term| index.lexical().frequency(term));
    frequency(own) >= DOMINANCE * frequency(other).max(1)
}

/// Whether a term asks for something that every person has, so that it needs nothing before it.
fn is_universal(term: &str) -> bool {
    UNIVERSAL.iter().any(|word| content_terms(word).first().is_some_and(|it| it == term))
}

/// Words without a meaning of their own that are no stop words.
const POINTING: &[&str] = &["else", "more", "one", "ones", "ok", "okay", "really", "same", "other"];
/// Openings that continue a thought.
const OPENINGS: &[&str] = &["and", "but", "also", "so", "or", "ok", "okay", "then"];
/// Verbs that open a request.
const VERBS: &[&str] = &[
    "tell",
    "show",
    "give",
    "list",
    "name",
    "describe",
    "explain",
    "compare",
    "summarise",
    "summarize",
];
const UNIVERSAL: &[&str] = &[
    "born",
    "birth",
    "birthday",
    "birthplace",
    "died",
    "death",
    "married",
    "marry",
    "age",
    "old",
    "childhood",
    "children",
    "daughters",
    "sons",
    "parents",
    "siblings",
    "sisters",
    "brothers",
    "family",
    "husband",
    "wife",
    "live",
    "lived",
    "nationality",
    "religion",
    "languages",
    "speak",
    "hobbies",
    "interests",
    "email",
    "phone",
    "contact",
    "address",
    "study",
    "studied",
    "education",
    "degrees",
    "school",
    "university",
    "thesis",
    "job",
    "jobs",
    "employers",
    "skills",
    "certificates",
    "certifications",
    "awards",
    "prizes",
    "medals",
    "publications",
    "books",
    "papers",
    "projects",
    "salary",
    "website",
    "linkedin",
    "github",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::understanding::samples;

    fn turns(questions: &[&str]) -> Vec<TurnRecord> {
        let turn = |it: &&str| {
            let (question, answer) = it.split_once(" => ").unwrap_or((it, ""));
            let (question, answer) = (question.to_owned(), answer.to_owned());
            TurnRecord { question, answer, about: None }
        };
        questions.iter().map(turn).collect()
    }

    fn check(conversation: &[&str], expected: &str) {
        let index = samples::scientist();
        let (question, before) = conversation.split_last().unwrap();
        assert_eq!(condense(question, &turns(before), &index).search, expected, "{conversation:?}");
    }

    #[test]
    fn reaches_back_to_what_stood_alone() {
        check(&["And when was that?"], "And when was that?");
        check(
            &["Which prize did she receive in 1903?", "Who gave it to her?", "And when was that?"],
            "Which prize did she receive in 1903? Who gave it to her? And when was that?",
        );
        check(&["Who gave the Davy Medal?", "why?"], "Who gave the Davy Medal? why?");
        check(
            &["When did she visit Brazil?", "Who went with her?"],
            "When did she visit Brazil? Who went with her?",
        );
    }

    #[test]
    fn what_a_turn_was_about_outlives_the_turns_before_it() {
        let index = samples::scientist();
        let mut turns = turns(&["Which prize did she receive in 1903?"]);
        for question in ["And in 1911?", "Who gave it to her?", "And when was that?"].repeat(9) {
            let condensed = condense(question, &turns, &index);
            assert_eq!(condensed.leaned_on, turns.len(), "{question}");
            assert!(condensed.search.contains("prize"), "{question}: {condensed:?}");
            let about = condensed.about(&turns);
            turns.push(TurnRecord { question: question.to_owned(), about, ..Default::default() });
            turns.drain(..turns.len().saturating_sub(2));
        }
        let alone = condense("Where was she born?", &turns, &index);
        assert_eq!((alone.leaned_on, alone.about(&turns)), (0, None));
    }

    #[test]
    fn a_new_subject_drags_nothing_along() {
        for question in [
            "Where did she study mathematics?",
            "Where was she born?",
            "Did she marry?",
            "What was the metal that separated from barium?",
            "Which awards are there?",
            "And where did she study mathematics in Paris?",
            "Why did she choose the name polonium?",
            "When did the Curies show their results to the academy?",
        ] {
            check(&["When did she visit Brazil?", question], question);
        }
    }

    #[test]
    fn fills_in_what_was_left_out() {
        for (before, question, expected) in [
            (
                "Which prize did she receive in 1903?",
                "And in 1911?",
                "Which prize did she receive in 1911?",
            ),
            (
                "Which prize did she receive in 1903?",
                "What about 1911?",
                "Which prize did she receive in 1911?",
            ),
            (
                "Who gave her the Davy Medal?",
                "and the Matteucci Medal?",
                "Who gave her the Matteucci Medal?",
            ),
            (
                "who gave her the davy medal?",
                "and the matteucci medal?",
                "who gave her the matteucci medal?",
            ),
            ("When did she visit Brazil?", "What about Italy?", "When did she visit Italy?"),
            ("What was her first licence?", "And the second one?", "What was her second licence?"),
            ("Did she study in Warsaw?", "and in Paris?", "Did she study in Paris?"),
            (
                "When did the book appear?",
                "What about the publisher?",
                "When did the book appear? What about the publisher?",
            ),
        ] {
            check(&[before, question], expected);
        }
    }

    #[test]
    fn points_into_the_last_answer() {
        check(
            &[
                "Which medals did she get? => - Davy Medal [1]\n- Matteucci Medal [2]",
                "When did she get the second one?",
            ],
            "When did she get the second one (Matteucci Medal)",
        );
        check(
            &[
                "Where did she give the lecture? => She gave it in Stockholm in 1911 [1].",
                "Who was with her there?",
            ],
            "Where did she give the lecture? Stockholm Who was with her there?",
        );
        check(
            &[
                "Who introduced her to Pierre? => It was Józef Kowalski who did [1].",
                "Where did he teach?",
            ],
            "Who introduced her to Pierre? Józef Kowalski Where did he teach?",
        );
    }

    #[test]
    fn says_when_it_is_unsure() {
        let index = samples::scientist();
        let unsure =
            |before: &str, question: &str| condense(question, &turns(&[before]), &index).needs_llm;
        assert!(unsure("When did she meet Langevin?", "What about Brussels?"));
        assert!(unsure("When did she visit Brazil?", "Who travelled?"));
        assert!(!unsure("When did she visit Brazil?", "Where was she born?"));
        assert!(!unsure("Which prize did she receive in 1903?", "And in 1911?"));
    }
}
