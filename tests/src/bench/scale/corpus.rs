//! A corpus of any size in the manner of personal dossiers: seeded, with words as rare and as common
//! as in real ones.

use anyhow::Result;
use dossier_core::{
    fakes::SeededEntropy,
    text::{Chunk, Document, chunks},
};

/// Words of the vocabulary beyond those of the sentences. Real collections have about as many for a
/// hundred thousand passages (Heaps 1978).
const VOCABULARY: usize = 60_000;
const SECTIONS: usize = 20;

/// Sentences with places for a name, a year, a number and words by their frequency.
const SENTENCES: &[&str] = &[
    "In {year} she joined {Word} {Word} as {word} engineer and led a team of {number}.",
    "The {word} project moved {number} services to {Word} and cut the cost of {word} by half.",
    "He received the {Word} certificate for {word} {word} in {month} {year}, valid for {number} months.",
    "Her thesis on {word} {word} was supervised by Professor {Word} at the University of {Word}.",
    "Grade in {Word} {number}: {word}, with the course on {word} taken twice.",
    "Responsible for {word}, {word} and the yearly report on {word} from {year} to {year}.",
    "The article about {word} {word} appeared in {month} {year} and was cited {number} times.",
    "Skills: {word}, {word}, {word}, {Word} and the basics of {word}.",
    "They presented the {word} method at the conference in {Word} and won the prize for {word}.",
    "A volunteer at the {word} centre of {Word} since {year}, with {number} hours a year.",
    "The laboratory in {Word} measured {word} by means of a {word} instrument built in {year}.",
    "Reference: {Word} {Word}, head of {word}, can be asked about the work on {word}.",
];

/// Questions in the same manner.
const QUESTIONS: &[&str] = &[
    "When did she lead the {word} project at {Word}?",
    "Which certificate for {word} {word} is valid?",
    "Who supervised the thesis on {word}?",
    "What grade did she get in the course on {word}?",
    "How many services were moved to {Word}?",
    "Which skills does she have besides {word}?",
    "Where was the {word} method presented?",
    "Who can be asked about the work on {word}?",
];

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// Writes documents and questions.
pub(super) struct Author(SeededEntropy);

impl Author {
    pub(super) fn new(seed: u64) -> Self {
        Self(SeededEntropy::new(seed))
    }

    /// Documents with this many chunks in all, cut as `dossier ingest` cuts them.
    pub(super) fn chunks(&self, count: usize) -> Result<Vec<Chunk>> {
        let mut all = Vec::with_capacity(count);
        for number in 0.. {
            let document =
                Document::read(&format!("{number:06}.md"), self.document().into_bytes())?;
            all.extend(chunks(&document));
            if all.len() >= count {
                break;
            }
        }
        all.truncate(count);
        Ok(all)
    }

    pub(super) fn question(&self) -> String {
        self.fill(self.pick(QUESTIONS))
    }

    /// A direction, evenly distributed.
    pub(super) fn direction(&self, width: usize) -> Vec<f32> {
        // A sum of uniform numbers is near enough to normal.
        let uniform = || (self.0.next() >> 40) as f32 / (1_u64 << 24) as f32 - 0.5;
        unit((0..width).map(|_| (0..4).map(|_| uniform()).sum()).collect())
    }

    fn document(&self) -> String {
        let name = self.fill("{Word} {Word}");
        let mut text = format!("---\ntitle: Papers of {name}\nperson: {name}\n---\n");
        for _ in 0..SECTIONS {
            text += &self.fill("\n## {Word} {word} {year}\n\n");
            for _ in 0..4 + self.below(6) {
                text += &self.fill(self.pick(SENTENCES));
                text.push(' ');
            }
            text.push('\n');
        }
        text
    }

    fn fill(&self, sentence: &str) -> String {
        let mut filled = String::new();
        let mut rest = sentence;
        while let Some((before, place)) = rest.split_once('{') {
            let (name, after) = place.split_once('}').unwrap_or((place, ""));
            filled += before;
            match name {
                "year" => filled += &(1970 + self.below(56)).to_string(),
                "month" => filled += self.pick(&MONTHS),
                "number" => filled += &(2 + self.below(98)).to_string(),
                "Word" => {
                    let word = self.word();
                    filled += &word[..1].to_uppercase();
                    filled += &word[1..];
                }
                _ => filled += &self.word(),
            }
            rest = after;
        }
        filled + rest
    }

    /// A word made of syllables; the word of rank r comes with a frequency of 1/r (Zipf 1935).
    fn word(&self) -> String {
        const STARTS: [&str; 16] =
            ["b", "br", "c", "d", "f", "g", "gr", "h", "k", "l", "m", "n", "p", "r", "s", "t"];
        const ENDS: [&str; 12] =
            ["a", "an", "e", "el", "er", "i", "in", "o", "on", "or", "u", "um"];
        let uniform = (self.0.next() >> 11) as f64 / (1_u64 << 53) as f64;
        let mut rank = (VOCABULARY as f64).powf(uniform) as usize;
        let mut word = String::new();
        while rank > 0 || word.len() < 4 {
            word += STARTS[rank % STARTS.len()];
            rank /= STARTS.len();
            word += ENDS[rank % ENDS.len()];
            rank /= ENDS.len();
        }
        word
    }

    fn pick<'a>(&self, choices: &[&'a str]) -> &'a str {
        choices[self.below(choices.len())]
    }

    fn below(&self, limit: usize) -> usize {
        (self.0.next() % limit as u64) as usize
    }
}

/// Scales to a length of 1.
pub(super) fn unit(vector: Vec<f32>) -> Vec<f32> {
    let length = vector.iter().map(|it| it * it).sum::<f32>().sqrt();
    vector.into_iter().map(|it| it / length).collect()
}
