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
    /// Starts an answer to `question` that may cite `passages`: `[n]` names `passages[n - 1]`.
    pub fn new(passages: &[Passage], question: &str, policy: CitationPolicy) -> Self {
        Self {
            basis: Basis::of(passages, question),
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
        if whole.is_empty() && cites.is_empty() {
            // A line began with a citation of nothing.
            self.lead = word.before.max(self.lead);
            return;
        }
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
            let after_word = !word.text.is_empty();
            self.parts.push(Part::Text(word.text));
            self.cite(&cites, after_word);
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
                    let known = self.report.cited.iter().position(|it| *it == at);
                    let number = known.unwrap_or(self.report.cited.len()) + 1;
                    text.push_str(&format!("[{number}]"));
                    if known.is_none() {
                        self.report.cited.push(at);
                        self.out.newly_cited.push(at);
                    }
                }
            }
        }
        self.report.text.push_str(&text);
        self.out.text.push_str(&text);
    }
}

/// Adds what is not there yet.
fn push_new(list: &mut Vec<usize>, item: usize) {
    if !list.contains(&item) {
        list.push(item);
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{answer::REFUSAL, fakes::SeededEntropy};

    fn passages() -> Vec<Passage> {
        [
            (
                "Degrees",
                "She studied physics in Paris and took her degree in 1893 with C# and Rust.",
            ),
            (
                "Prizes and medals",
                "The Royal Society gave her the Davy Medal in 1903. Her grade was 4.00.",
            ),
            ("Posts", "She was head of the laboratory in Warsaw from 2022 - May 2025."),
        ]
        .map(|(title, text)| Passage {
            title: title.to_owned(),
            header: title.to_owned(),
            text: text.to_owned(),
        })
        .to_vec()
    }

    fn report(text: &str, policy: CitationPolicy) -> Report {
        let mut writer = Writer::new(&passages(), "", policy);
        let first = writer.push(text);
        let mut report = writer.finish();
        assert_eq!(first.text + &report.rest.text, report.text);
        let newly = [first.newly_cited, std::mem::take(&mut report.rest.newly_cited)].concat();
        assert_eq!(newly, report.cited, "each is new once");
        report
    }

    #[test]
    fn citations_are_normal_and_numbered_by_first_use() {
        for (text, expected, cited) in [
            (
                "She got the Davy Medal in 1903 [2]. She took her degree in 1893 [1], [2].",
                "She got the Davy Medal in 1903 [1]. She took her degree in 1893 [2][1].",
                vec![1, 0],
            ),
            ("The Davy Medal[2][2] and [ 2 ] 【2】.", "The Davy Medal [1] and [1].", vec![1]),
            ("The Davy Medal, 1903【2†source】.", "The Davy Medal, 1903 [1].", vec![1]),
            ("She got the Davy Medal in 1903. [2]", "She got the Davy Medal in 1903 [1].", vec![1]),
            (
                "The Davy Medal in 1903. [2] Then more.",
                "The Davy Medal in 1903 [1]. Then more.",
                vec![1],
            ),
            ("The Davy Medal [9][2][0] came in 1903.", "The Davy Medal [1] came in 1903.", vec![1]),
            ("The Davy Medal [7] came in 1903 [2].", "The Davy Medal came in 1903 [1].", vec![1]),
            ("The Davy Medal [7-9], 1903 [2].", "The Davy Medal, 1903 [1].", vec![1]),
            ("[2] The Davy Medal came in 1903.", "[1] The Davy Medal came in 1903.", vec![1]),
            ("4.00 [2]", "4.00 [1]", vec![1]),
            ("Davy Medal (1903) [2-2]", "Davy Medal (1903) [1]", vec![1]),
            // Not cited, or cited wrongly: the passage that says it.
            (
                "The Royal Society gave her the Davy Medal.",
                "The Royal Society gave her the Davy Medal [1].",
                vec![1],
            ),
            ("The Davy Medal came in 1903 [1].", "The Davy Medal came in 1903 [1].", vec![1]),
            ("An array[i] of [sic] text[", "An array[i] of [sic] text[", vec![]),
        ] {
            let report = report(text, CitationPolicy::Mark);
            assert_eq!(report.text.replace(&format!(" {UNCONFIRMED}"), ""), expected);
            assert_eq!(report.cited, cited, "{text}");
        }
        assert_eq!(report("x [7-9] y [0, 2]", CitationPolicy::Mark).invalid, 4);
    }

    #[test]
    fn the_seed_s_damages_are_mended() {
        for text in [
            "She was head of the laboratory in Warsaw from 2022 - May 2025 [1].",
            "She took her degree in 1893 with C# and Rust [1].",
            "snake_case_name and __init__ and a*b*c",
            "1. one\n2. two\n\n3. three",
        ] {
            let report = report(text, CitationPolicy::Mark);
            assert_eq!(report.text.replace(&format!(" {UNCONFIRMED}"), ""), text);
        }
        let report = report(
            "## Posts\n\n- **Head** of the laboratory in Warsaw [3]\n\nSources:\n[3] posts.md",
            CitationPolicy::Mark,
        );
        assert_eq!(report.text, "Posts\n\nHead of the laboratory in Warsaw [1]");
    }

    #[test]
    fn unsupported_sentences_are_marked_or_dropped() {
        let text = "She got the Davy Medal in 1904 [2]. She studied physics in Paris [1].\nShe likes Rome and Madrid. Bye now.";
        let marked = report(text, CitationPolicy::Mark);
        assert_eq!(
            marked.text,
            "She got the Davy Medal in 1904 [1]. [unconfirmed] She studied physics in Paris [2].\n\
             She likes Rome and Madrid. [unconfirmed] Bye now."
        );
        let unsupported: Vec<&str> = marked.unsupported().map(|it| it.text.as_str()).collect();
        assert_eq!(unsupported, ["She got the Davy Medal in 1904.", "She likes Rome and Madrid."]);
        assert!(
            marked.grounded && (marked.confidence - 1.0 / 3.0).abs() < 0.01,
            "{}",
            marked.confidence
        );

        let dropped = report(text, CitationPolicy::Drop);
        assert_eq!(dropped.text, "She studied physics in Paris [1].\nBye now.");
        assert_eq!((dropped.cited, dropped.sentences.len()), (vec![0], 4));

        let nothing = report("She won an Oscar in 2001 [1].", CitationPolicy::Drop);
        assert!(nothing.text.is_empty() && !nothing.grounded && nothing.cited.is_empty());
    }

    #[test]
    fn grounded_means_supported_and_no_refusal() {
        for (text, grounded, refusal) in [
            (REFUSAL, false, true),
            ("I could not find an answer to that in the documents. [1]", false, true),
            ("4.00 [2]", true, false),
            ("She studied physics in Paris [1].", true, false),
            (
                "The documents do not mention a PhD, but she studied physics in Paris [1].",
                true,
                false,
            ),
            ("She was the queen of Sweden [1].", false, false),
            ("Hello!", false, false),
            ("", false, false),
        ] {
            let report = report(text, CitationPolicy::Mark);
            assert_eq!((report.grounded, report.refusal), (grounded, refusal), "{text}");
        }
    }

    #[test]
    fn quotations_pass_unchanged() {
        let text = "Degrees: Physics degree, 1893 [1]. The Royal Society gave her the Davy Medal in 1903 [2]. Radium glows (faintly) [2].";
        let mut quoted = passages();
        quoted[0].text = "- Physics degree, 1893".to_owned();
        quoted[1].text.push_str(" Radium glows (faintly).");
        for policy in [CitationPolicy::Mark, CitationPolicy::Drop] {
            let mut writer = Writer::new(&quoted, "", policy);
            let first = writer.push(text).text;
            let report = writer.finish();
            assert_eq!(first + &report.rest.text, text);
            assert!((report.confidence - 1.0).abs() < 0.01);
        }
    }

    #[test]
    fn a_word_waits_for_the_next_and_no_longer() {
        let text = "The Royal Society gave her the Davy Medal in 1903, array[i] and C# too";
        let mut writer = Writer::new(&passages(), "", CitationPolicy::Mark);
        let mut released = String::new();
        for (at, letter) in text.char_indices() {
            released.push_str(&writer.push(&letter.to_string()).text);
            let whole = text[..at].rfind(char::is_whitespace).unwrap_or(0);
            assert!(released.len() >= whole, "{released:?} of {:?}", &text[..=at]);
        }
    }

    #[test]
    fn endless_text_does_not_wait() {
        for unit in ["x", "[1", "*", "<b", " ", "_a", "[1]", "#", "`", "References", "<!--", "1,"] {
            let mut writer = Writer::new(&passages(), "", CitationPolicy::Drop);
            for _ in 0..3_000 {
                writer.push(unit);
            }
            let kept = writer.sentence.len() + writer.parts.len();
            assert!(kept <= 3_000 * 24, "{unit}: {kept}");
            writer.finish();
        }
    }

    /// Whatever the text, and wherever it is cut.
    #[test]
    fn cuts_make_no_difference() {
        const PIECES: &[&str] = &[
            "She ",
            "studied ",
            "physics",
            " in Paris",
            " 1893",
            ".",
            ". ",
            "! ",
            "\n",
            "\n\n",
            " ",
            "[1]",
            "[2]",
            "[1, 3]",
            "[9]",
            "[",
            "]",
            "【2】",
            "[1†so",
            "urce]",
            "[1-",
            "**",
            "*",
            "_",
            "__",
            "`",
            "```",
            "# ",
            "- ",
            "> ",
            "<b>",
            "</b>",
            "<",
            ">",
            "<!--",
            "-->",
            "<img ",
            "C#",
            "snake_case",
            "Sources:",
            "References",
            "[2] prizes.md",
            "Prizes and medals",
            "Dr. ",
            "2022 - May 2025",
            "é",
            "🦀",
            "\t",
            "\"",
            "(",
            ")",
            "1. ",
            "Rome ",
            "…",
            "~~",
        ];
        let entropy = SeededEntropy::new(4);
        let below = |limit: usize| (entropy.next() % limit as u64) as usize;
        for round in 0..1_000 {
            let text: String = (0..below(24)).map(|_| PIECES[below(PIECES.len())]).collect();
            let policy = if round % 2 == 0 { CitationPolicy::Mark } else { CitationPolicy::Drop };
            let expected = report(&text, policy);
            let mut writer = Writer::new(&passages(), "", policy);
            let mut joined = String::new();
            let mut rest = text.as_str();
            while !rest.is_empty() {
                let cut = rest.char_indices().nth(1 + below(5)).map_or(rest.len(), |(at, _)| at);
                joined.push_str(&writer.push(&rest[..cut]).text);
                rest = &rest[cut..];
            }
            let got = writer.finish();
            assert_eq!(joined + &got.rest.text, expected.text, "{text:?}");
            assert_eq!(
                (got.cited, got.sentences),
                (expected.cited.clone(), expected.sentences),
                "{text:?}"
            );
            for number in 1..=expected.cited.len() {
                assert!(expected.text.contains(&format!("[{number}]")), "{text:?}");
            }
            assert_eq!(expected.text.trim(), expected.text, "{text:?}");
        }
    }
}
