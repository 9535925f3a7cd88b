//! An answer on its way out: cleaned, its citations checked and renumbered, while it arrives.
//!
//! The same for a model's fragments and for a text that is ready. A word waits until the next one
//! begins, so that its citation and the end of its sentence are known; nothing waits longer, but
//! for sentences under [`CitationPolicy::Drop`] and lines that look like a list of references.
//! Letters are taken one by one, so what comes out does not depend on how the text was cut.

use super::{
    CitationPolicy, Passage, Standing,
    citation::{Citations, Piece},
    markup::Markup,
    references::References,
    refusal::is_refusal,
    support::Basis,
    word::{Space, Word, Words},
};
use crate::text::abbreviated;

/// Follows a sentence that no passage supports, under [`CitationPolicy::Mark`].
pub const UNCONFIRMED: &str = "[unconfirmed]";
/// Most of a sentence that is kept for checking, in bytes: several times the longest that anybody
/// reads. A model that never ends one must not fill the memory.
const MAX_SENTENCE: usize = 4_096;

/// What can be sent on.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Released {
    /// Text; often empty.
    pub text: String,
    /// Positions of passages that it cites and no text before it did, in order.
    pub newly_cited: Vec<usize>,
}

/// A sentence of an answer, sent or dropped.
#[derive(Clone, Debug, PartialEq)]
pub struct Stated {
    /// Without citations.
    pub text: String,
    /// How it stands to the passages.
    pub standing: Standing,
    /// Positions of the passages that support it.
    pub by: Vec<usize>,
    /// Share of what it claims that they have, 0 to 1.
    pub score: f32,
}

/// What became of an answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    /// The end of it, still to be sent.
    pub rest: Released,
    /// All of it. Empty where nothing came, or where all was dropped.
    pub text: String,
    /// Positions of the passages cited: `[n]` names `cited[n - 1]`.
    pub cited: Vec<usize>,
    /// Its sentences.
    pub sentences: Vec<Stated>,
    /// Numbers in citations that named no passage.
    pub invalid: usize,
    /// Whether it refuses, as a whole.
    pub refusal: bool,
    /// Whether it rests on the documents: it is no refusal, and at least one of its sentences is
    /// supported and cited.
    pub grounded: bool,
    /// How much of what it claims the passages have, 0 to 1: the mean of its sentences that claim
    /// something, 0 where none does.
    pub confidence: f32,
}

impl Report {
    /// The sentences that no passage supports.
    pub fn unsupported(&self) -> impl Iterator<Item = &Stated> {
        self.sentences.iter().filter(|it| it.standing == Standing::Unsupported)
    }
}

/// Writes one answer. Feed it fragments, then [`finish`](Self::finish) it.
#[derive(Debug)]
pub struct Writer {
    basis: Basis,
    policy: CitationPolicy,
    markup: Markup,
    citations: Citations,
    references: References,
    words: Words,
    /// The sentence as far as it is known, without citations.
    sentence: String,
    /// White space before it.
    lead: Space,
    /// Positions of the passages that it cites.
    cites: Vec<usize>,
    /// What is to be written of it.
    parts: Vec<Part>,
    out: Released,
    report: Report,
}

#[derive(Debug)]
enum Part {
    Text(String),
    /// The position of a passage.
    Citation(usize),
}

impl Writer {
    /// Starts an answer that may cite `passages`: `[n]` names `passages[n - 1]`.
    pub fn new(passages: &[Passage], policy: CitationPolicy) -> Self {
        Self {
            basis: Basis::of(passages),
            policy,
            markup: Markup::default(),
            citations: Citations::default(),
            references: References::new(passages.iter().map(|passage| passage.title.as_str())),
            words: Words::default(),
            sentence: String::new(),
            lead: Space::Nothing,
            cites: Vec::new(),
            parts: Vec::new(),
            out: Released::default(),
            report: Report::default(),
        }
    }

    /// Takes a fragment; returns what can be sent on.
    pub fn push(&mut self, fragment: &str) -> Released {
        let (mut text, mut pieces) = (String::new(), Vec::new());
        fragment.chars().for_each(|letter| self.markup.take(letter, &mut text));
        text.chars().for_each(|letter| self.citations.take(letter, &mut pieces));
        self.take(pieces, false);
        std::mem::take(&mut self.out)
    }

    /// Ends the answer.
    pub fn finish(mut self) -> Report {
        let (mut text, mut pieces) = (String::new(), Vec::new());
        self.markup.finish(&mut text);
        text.chars().for_each(|letter| self.citations.take(letter, &mut pieces));
        self.citations.finish(&mut pieces);
        self.take(pieces, true);
        if let Some(word) = self.words.finish() {
            self.add(word, None);
        }
        let Self { mut report, out, .. } = self;
        report.rest = out;
        report.refusal = is_refusal(&report.text);
        let claims = report.sentences.iter().filter(|it| it.standing != Standing::Neutral);
        let scores: Vec<f32> = claims.map(|it| it.score).collect();
        report.confidence = scores.iter().sum::<f32>() / scores.len().max(1) as f32;
        let holds = |it: &Stated| it.by.iter().any(|at| report.cited.contains(at));
        report.grounded = !report.refusal && report.sentences.iter().any(holds);
        report
    }

    fn take(&mut self, pieces: Vec<Piece>, end: bool) {
        let mut kept = Vec::new();
        pieces.into_iter().for_each(|piece| self.references.take(piece, &mut kept));
        if end {
            self.references.finish(&mut kept);
        }
        for piece in kept {
            if let Some((word, next)) = self.words.take(piece) {
                self.add(word, Some(next));
            }
        }
    }

    /// Adds a word to the sentence, and ends it where `next`, the letter that begins the next word,
    /// says so.
    fn add(&mut self, word: Word, next: Option<char>) {
        let mut cites = Vec::new();
        for number in &word.numbers {
            match number.checked_sub(1).filter(|at| *at < self.basis.len()) {
                Some(at) => push_new(&mut cites, at),
                None => self.report.invalid += 1,
            }
        }
        let whole = format!("{}{}", word.text, word.after);
        if self.sentence.is_empty() && self.parts.is_empty() {
            self.lead = word.before.max(self.lead);
        } else {
            self.parts.push(Part::Text(word.before.text().to_owned()));
            self.sentence.push_str(word.before.text());
        }
        let room = MAX_SENTENCE.saturating_sub(self.sentence.len());
        self.sentence.extend(whole.chars().take(room));
        cites.iter().for_each(|at| push_new(&mut self.cites, *at));

        let line_ends = next.is_none() || word.behind >= Space::Line;
        if !line_ends && !ends_sentence(&whole, &self.sentence, next) {
            self.parts.push(Part::Text(word.text));
            self.cite(&cites, true);
            self.parts.push(Part::Text(word.after));
            if self.policy == CitationPolicy::Mark {
                self.write();
            }
            return;
        }
        let stated = self.judge();
        if stated.by.iter().any(|at| !self.cites.contains(at)) {
            // Replaces a wrong citation where it has not left yet.
            cites.clone_from(&stated.by);
        }
        // The citation stands before the full stop, wherever it came.
        let stop = word.text.trim_end_matches(['.', '!', '?', '…', ':', ';']).len();
        let (body, stop) = word.text.split_at(stop);
        self.parts.push(Part::Text(body.to_owned()));
        self.cite(&cites, !body.is_empty());
        let stop = if word.after.starts_with(stop) { "" } else { stop };
        self.parts.push(Part::Text(format!("{stop}{}", word.after)));
        if stated.standing == Standing::Unsupported {
            match self.policy {
                CitationPolicy::Mark => self.parts.push(Part::Text(format!(" {UNCONFIRMED}"))),
                CitationPolicy::Drop => self.parts.clear(),
            }
        }
        self.report.sentences.push(stated);
        self.cites.clear();
        self.write();
    }

    fn cite(&mut self, cites: &[usize], after_word: bool) {
        if after_word && !cites.is_empty() {
            self.parts.push(Part::Text(" ".to_owned()));
        }
        self.parts.extend(cites.iter().copied().map(Part::Citation));
    }

    fn judge(&mut self) -> Stated {
        let text = std::mem::take(&mut self.sentence);
        let judgement = self.basis.judge(&text, &self.cites);
        Stated { text, standing: judgement.standing, by: judgement.by, score: judgement.score }
    }

    /// Writes the parts; citations get their numbers.
    fn write(&mut self) {
        // What was dropped leaves its break of line to what comes next.
        if self.parts.is_empty() {
            return;
        }
        let lead = std::mem::take(&mut self.lead);
        let mut text = String::new();
        if !self.report.text.is_empty() {
            text.push_str(lead.text());
        }
        for part in self.parts.drain(..) {
            match part {
                Part::Text(part) => text.push_str(&part),
                Part::Citation(at) => {
                    if push_new(&mut self.report.cited, at) {
                        self.out.newly_cited.push(at);
                    }
                    let number = self.report.cited.iter().position(|it| *it == at).unwrap_or(0) + 1;
                    text.push_str(&format!("[{number}]"));
                }
            }
        }
        self.report.text.push_str(&text);
        self.out.text.push_str(&text);
    }
}

/// Adds what is not there yet; returns whether it did.
fn push_new(list: &mut Vec<usize>, item: usize) -> bool {
    let new = !list.contains(&item);
    if new {
        list.push(item);
    }
    new
}

/// Whether a sentence that has come to `word` ends with it, if `next` begins the next word.
fn ends_sentence(word: &str, sentence: &str, next: Option<char>) -> bool {
    let bare = word.trim_end_matches(['"', '”', '’', ')', '»']);
    if bare.ends_with(['!', '?']) {
        return true;
    }
    let marker = || {
        let start = sentence.trim().trim_end_matches(['.', ')']);
        start.len() <= 3 && start.chars().all(|it| it.is_ascii_digit())
    };
    bare.ends_with(['.', '…'])
        && !next.is_some_and(char::is_lowercase)
        && !abbreviated(bare)
        && !marker()
}
