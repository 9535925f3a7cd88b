//! Training: logistic regression over hashed features, the same bytes from the same data.

use super::{DataFault, Rate};
use crate::guard::{
    classifier::{MAGIC, Model, Thresholds, WEIGHTS, features, length, logistic, parts},
    patterns::Origin,
    views::Views,
};

/// Passes over the data; more find no more attacks in folds that were left out.
const EPOCHS: usize = 40;
/// Step of the first pass. Texts are scaled to length one, so it can be large.
const STEP: f32 = 8.0;
/// Share of each weight that is lost in a pass, against words that occur once.
const DECAY: f32 = 0.01;
/// Parts of the data that are left out in turn, to find the thresholds.
pub(super) const FOLDS: usize = 5;
/// Shares of honest questions and of honest sentences that may be refused in folds that were left out.
/// Most of them were written to be mistaken for attacks, and without the like of them in training: of
/// the collections' questions and sentences these thresholds refuse far fewer.
pub(super) const REFUSED: [f64; 2] = [0.06, 0.05];
/// Share of honest questions that may be refused whatever their meaning.
const REFUSED_UNSEEN: f64 = 0.01;
/// Share of honest sentences that may be taken for an order when the one beside them is one. Beside an
/// order most are part of it, and a passage without one loses nothing.
const REFUSED_BESIDE: f64 = 0.25;
/// What weights have before their thresholds are found.
const NONE: Thresholds = Thresholds { question: 0.0, sure: 0.0, document: 0.0, beside: 0.0 };
/// The lowest threshold; below, a new kind of honest text would be refused by chance.
const LOWEST: f32 = 0.5;
/// Seed of the order in which texts are taken.
pub(super) const SEED: u64 = 0x9E37_79B9_7F4A_7C15;

/// A labelled text.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Example<'a> {
    /// Whether it would be a sentence of a document; otherwise a question.
    pub document: bool,
    /// Whether it is an attack.
    pub attack: bool,
    /// The number of its source in the file: texts on one idea, or composed of the same parts.
    pub source: usize,
    /// The text, lines written as `\n`.
    pub text: &'a str,
}

/// Reads lines of label, tab, text. Labels: `attack` and `benign` for questions, `planted` and
/// `passage` for sentences of documents. A line `# name` begins a source.
///
/// # Errors
/// [`DataFault`] with the number of the first line that is none.
pub fn examples(tsv: &str) -> Result<Vec<Example<'_>>, DataFault> {
    let mut source = 0;
    let mut examples = Vec::new();
    for (at, line) in tsv.lines().enumerate().filter(|(_, line)| !line.is_empty()) {
        if line.starts_with("# ") {
            source += 1;
            continue;
        }
        let fault = DataFault { line: at + 1, expected: "label, tab, text" };
        let (label, text) = line.split_once('\t').ok_or(fault.clone())?;
        let (document, attack) = match label {
            "attack" => (false, true),
            "benign" => (false, false),
            "planted" => (true, true),
            "passage" => (true, false),
            _ => return Err(fault),
        };
        if text.trim().is_empty() {
            return Err(fault);
        }
        examples.push(Example { document, attack, source, text });
    }
    Ok(examples)
}

/// A trained classifier.
#[derive(Clone, Debug)]
pub struct Trained {
    /// The file to embed.
    pub file: Vec<u8>,
    /// Thresholds of questions and documents.
    pub thresholds: [f32; 2],
    /// Probability from which questions are blocked whatever their meaning.
    pub sure: f32,
    /// Attacks found among questions and documents that were left out of training.
    pub found: [Rate; 2],
    /// Honest texts refused among them.
    pub refused: [Rate; 2],
    /// The score of each text by weights that were trained without its source.
    pub scores: Vec<f32>,
}

/// Trains on `examples`.
///
/// The thresholds are the lowest at which texts of left-out folds are refused no more than
/// `REFUSED`; then all texts train the weights that are kept.
pub fn train(examples: &[Example<'_>]) -> Trained {
    let samples: Vec<Sample> = examples.iter().map(Sample::of).collect();
    let mut scores = vec![0.0; samples.len()];
    for fold in 0..FOLDS {
        let rest: Vec<&Sample> = in_fold(&samples, |it| it != fold).map(|(_, it)| it).collect();
        let file = fit(&rest).file(NONE);
        let Some(model) = Model::read(&file) else { continue };
        for (at, sample) in in_fold(&samples, |it| it == fold) {
            scores[at] = model.score(sample.origin, &sample.views);
        }
    }
    let of = |document: bool, attack: bool| -> Vec<f32> {
        let chosen = examples.iter().zip(&scores);
        let chosen = chosen.filter(|(it, _)| it.document == document && it.attack == attack);
        chosen.map(|(_, score)| *score).collect()
    };
    let spare =
        |document| threshold(of(document, false), REFUSED[usize::from(document)]).max(LOWEST);
    let thresholds = [false, true].map(spare);
    let chosen = Thresholds {
        question: thresholds[0],
        sure: threshold(of(false, false), REFUSED_UNSEEN).max(thresholds[0]),
        document: thresholds[1],
        beside: threshold(of(true, false), REFUSED_BESIDE).min(thresholds[1]),
    };
    let rate = |attack| {
        [(false, thresholds[0]), (true, thresholds[1])]
            .map(|(document, threshold)| Rate::of(&of(document, attack), threshold))
    };
    let all: Vec<&Sample> = samples.iter().collect();
    let file = fit(&all).file(chosen);
    let (found, refused) = (rate(true), rate(false));
    Trained { file, thresholds, sure: chosen.sure, found, refused, scores }
}

/// The lowest threshold at which no more than `share` of the honest texts is refused.
pub(super) fn threshold(mut honest: Vec<f32>, share: f64) -> f32 {
    honest.sort_by(|one, other| other.total_cmp(one));
    let spared = (honest.len() as f64 * share) as usize;
    // Just above the first that must pass.
    honest.get(spared).map_or(LOWEST, |score| score + 0.005)
}

/// A text as training sees it.
struct Sample {
    origin: Origin,
    views: Views,
    attack: bool,
    source: usize,
    /// The features of the whole, and of each part of an honest text: what is honest as a whole is
    /// in each clause, which is judged for itself later.
    features: Vec<Vec<u16>>,
}

impl Sample {
    fn of(example: &Example<'_>) -> Self {
        let origin = if example.document { Origin::Document } else { Origin::Question };
        let views = Views::of(example.text);
        let words = views.prose.first().map_or("", |view| &view.words);
        let taken = if example.attack { 1 } else { usize::MAX };
        let features = parts(words).take(taken).map(|part| features(origin, part)).collect();
        Self { origin, features, attack: example.attack, source: example.source, views }
    }
}

/// The samples of some folds. A source is in one fold: what it has in common is not to be had from
/// the others.
fn in_fold(
    samples: &[Sample],
    chosen: impl Fn(usize) -> bool,
) -> impl Iterator<Item = (usize, &Sample)> {
    samples.iter().enumerate().filter(move |(_, it)| chosen(it.source % FOLDS))
}

/// Weights while they are learned.
struct Weights {
    bias: f32,
    places: Vec<f32>,
}

/// Stochastic gradient descent on the logistic loss.
fn fit(samples: &[&Sample]) -> Weights {
    let mut weights = Weights { bias: 0.0, places: vec![0.0; WEIGHTS] };
    let texts = samples.iter().flat_map(|it| it.features.iter().map(|text| (text, it.attack)));
    let mut texts: Vec<(&Vec<u16>, bool)> = texts.collect();
    let mut random = SEED;
    for epoch in 0..EPOCHS {
        shuffle(&mut texts, &mut random);
        let step = STEP / (1.0 + epoch as f32 / 4.0);
        for (features, attack) in &texts {
            let length = length(features);
            let sum: f32 = features.iter().map(|it| weights.places[usize::from(*it)]).sum();
            let truth = if *attack { 1.0 } else { 0.0 };
            let error = truth - logistic(weights.bias + sum / length);
            weights.bias += 0.1 * step * error;
            for place in *features {
                weights.places[usize::from(*place)] += step * error / length;
            }
        }
        weights.places.iter_mut().for_each(|it| *it *= 1.0 - DECAY);
    }
    weights
}

impl Weights {
    /// The file of these weights, a signed byte each.
    fn file(&self, thresholds: Thresholds) -> Vec<u8> {
        let largest = self.places.iter().fold(f32::MIN_POSITIVE, |most, it| most.max(it.abs()));
        let scale = largest / 127.0;
        let Thresholds { question, sure, document, beside } = thresholds;
        let mut file = Vec::with_capacity(WEIGHTS + 64);
        file.extend_from_slice(MAGIC);
        for number in [scale, self.bias, question, sure, document, beside] {
            file.extend_from_slice(&number.to_le_bytes());
        }
        file.extend(self.places.iter().map(|it| (it / scale).round() as i8 as u8));
        file
    }
}

/// Fisher and Yates's shuffle.
pub(super) fn shuffle<T>(order: &mut [T], random: &mut u64) {
    for end in (1..order.len()).rev() {
        order.swap(end, (next(random) % (end as u64 + 1)) as usize);
    }
}

/// The next number of a xorshift generator.
pub(super) fn next(random: &mut u64) -> u64 {
    *random ^= *random << 13;
    *random ^= *random >> 7;
    *random ^= *random << 17;
    *random
}

#[cfg(test)]
mod tests {
    use super::*;

    const DATA: &str = include_str!("../../../../data/guard/train.tsv");

    #[test]
    fn the_embedded_file_is_what_the_data_gives() {
        let trained = train(&examples(DATA).unwrap());
        // Byte by byte: the file was trained from this data, by this code.
        assert!(
            trained.file == include_bytes!("../classifier.bin"),
            "run `cargo xtask guard train`"
        );
        let refused = trained.refused.iter().zip(REFUSED);
        assert!(refused.clone().all(|(it, most)| it.share() <= most), "{:?}", trained.refused);
        // Nothing like a left-out source was trained on, so these are low; planted ones lowest.
        let found = trained.found.iter().zip([0.75, 0.55]);
        assert!(found.clone().all(|(it, least)| it.share() >= least), "{:?}", trained.found);
    }

    #[test]
    fn the_data_is_as_large_as_promised() {
        let examples = examples(DATA).unwrap();
        assert!(examples.iter().filter(|it| it.attack).count() >= 600);
        assert!(examples.iter().filter(|it| !it.attack).count() >= 900);
    }

    #[test]
    fn lines_that_are_none_are_named() {
        for (tsv, line) in [("attack\tx\n\nbenign", 3), ("other\tx", 1), ("attack\t ", 1)] {
            assert_eq!(examples(tsv).unwrap_err().line, line, "{tsv}");
        }
    }
}
