//! Training of the network over the encoder's vectors, and of the scale on which its opinion is
//! weighed with that of the words. The same bytes from the same data, as in `train`.

use super::{
    Example, Rate,
    train::{FOLDS, REFUSED, SEED, shuffle, threshold},
};
use crate::guard::{
    classifier::logistic,
    semantic::{HIDDEN, Network, WIDTH, logit},
};

/// Passes over the data.
const EPOCHS: usize = 60;
/// Texts of one step.
const BATCH: usize = 32;
/// The first step; it falls to nothing in a straight line.
const STEP: f32 = 0.01;
/// Share of a weight that is lost in a step of length one, against directions that few texts have.
const DECAY: f32 = 0.1;
/// Neurons start from the sum of so many random bits, which is nearly a normal distribution.
const BITS: u32 = 64;

/// A trained network.
#[derive(Clone, Debug)]
pub struct Taught {
    /// The file to embed.
    pub file: Vec<u8>,
    /// Joint probability from which questions are blocked.
    pub threshold: f32,
    /// Attacks that the network alone would find on folds left out, at the same share of refusals.
    pub alone: Rate,
    /// Attacks that words or both together find.
    pub found: Rate,
    /// Honest questions that words or both together refuse.
    pub refused: Rate,
}

/// Trains on the questions among `examples`; `words` are the scores of the other classifier on folds
/// that were left out, and `blocks` is what it blocks at alone.
///
/// Opinions are weighed by logistic regression over both on texts that neither was trained with.
pub fn teach(
    examples: &[Example<'_>],
    words: &[f32],
    blocks: f32,
    mut encode: impl FnMut(&str) -> Option<Vec<f32>>,
) -> Option<Taught> {
    let mut samples = Vec::new();
    for (example, words) in examples.iter().zip(words).filter(|(it, _)| !it.document) {
        let vector = encode(example.text).filter(|it| it.len() == WIDTH)?;
        samples.push(Sample {
            vector,
            attack: example.attack,
            fold: example.source % FOLDS,
            words: *words,
            meaning: 0.0,
        });
    }
    for fold in 0..FOLDS {
        let rest: Vec<&Sample> = samples.iter().filter(|it| it.fold != fold).collect();
        let network = fit(&rest);
        for sample in samples.iter_mut().filter(|it| it.fold == fold) {
            sample.meaning = logistic(network.margin(&sample.vector));
        }
    }
    let mut network = fit(&samples.iter().collect::<Vec<_>>());
    network.joint = weigh(&samples);
    let scores = |attack: bool, score: &dyn Fn(&Sample) -> f32| -> Vec<f32> {
        samples.iter().filter(|it| it.attack == attack).map(score).collect()
    };
    // What the words block alone is blocked whatever the rest says.
    let joint = |it: &Sample| match it.words >= blocks {
        true => 1.0,
        false => network.joint(it.words, it.meaning),
    };
    let cut = threshold(scores(false, &joint), REFUSED);
    let rate = |attack| Rate::of(&scores(attack, &joint), cut);
    let meaning = |it: &Sample| it.meaning;
    let alone = threshold(scores(false, &meaning), REFUSED);
    let (found, refused) = (rate(true), rate(false));
    let alone = Rate::of(&scores(true, &meaning), alone);
    network.threshold = cut;
    Some(Taught { file: network.file(), threshold: cut, alone, found, refused })
}

struct Sample {
    vector: Vec<f32>,
    attack: bool,
    fold: usize,
    /// Scores on folds that were left out.
    words: f32,
    meaning: f32,
}

/// Logistic regression over both opinions.
fn weigh(samples: &[Sample]) -> [f32; 3] {
    let mut weights = [0.0_f32; 3];
    // Plain descent: three weights, a convex loss, features of the size of one.
    for _ in 0..2_000 {
        let mut slope = [0.0_f32; 3];
        for sample in samples {
            let features = [logit(sample.words), logit(sample.meaning), 1.0];
            let sum: f32 = features.iter().zip(weights).map(|(one, two)| one * two).sum();
            let error = f32::from(u8::from(sample.attack)) - logistic(sum);
            slope.iter_mut().zip(features).for_each(|(slope, feature)| *slope += error * feature);
        }
        let step = 0.2 / samples.len() as f32;
        weights.iter_mut().zip(slope).for_each(|(weight, slope)| *weight += step * slope);
    }
    weights
}

/// Parameters in one row: first layer, its biases, outputs, bias.
const HIDDEN_BIASES: usize = HIDDEN * WIDTH;
const OUTPUTS: usize = HIDDEN_BIASES + HIDDEN;
const BIAS: usize = OUTPUTS + HIDDEN;

/// Adam (Kingma and Ba 2015) with decoupled decay (Loshchilov and Hutter 2019) on the logistic loss.
fn fit(samples: &[&Sample]) -> Network {
    let mut random = SEED;
    let mut weights = vec![0.0_f32; BIAS + 1];
    // Of variance 1 / inputs, where inputs have the length one.
    weights[..HIDDEN_BIASES].iter_mut().for_each(|it| *it = normal(&mut random));
    let spread = (HIDDEN as f32).sqrt().recip();
    weights[OUTPUTS..BIAS].iter_mut().for_each(|it| *it = spread * normal(&mut random));
    let (mut means, mut squares) = (vec![0.0_f32; BIAS + 1], vec![0.0_f32; BIAS + 1]);
    let (mut mean_left, mut square_left) = (1.0_f32, 1.0_f32);
    let mut order: Vec<&Sample> = samples.to_vec();
    let mut slopes = vec![0.0_f32; BIAS + 1];
    for epoch in 0..EPOCHS {
        shuffle(&mut order, &mut random);
        let step = STEP * (1.0 - epoch as f32 / EPOCHS as f32);
        for batch in order.chunks(BATCH) {
            slopes.fill(0.0);
            batch.iter().for_each(|sample| descend(&weights, sample, &mut slopes));
            mean_left *= 0.9;
            square_left *= 0.999;
            for (at, slope) in slopes.iter().enumerate() {
                let slope = slope / batch.len() as f32;
                means[at] += 0.1 * (slope - means[at]);
                squares[at] += 0.001 * (slope * slope - squares[at]);
                let mean = means[at] / (1.0 - mean_left);
                let square = squares[at] / (1.0 - square_left);
                let decay = if at < HIDDEN_BIASES { DECAY } else { 0.0 };
                weights[at] -= step * (mean / (square.sqrt() + 1e-8) + decay * weights[at]);
            }
        }
    }
    pack(&weights)
}

/// Adds the loss's slope at one text.
fn descend(weights: &[f32], sample: &Sample, slopes: &mut [f32]) {
    let rows = weights[..HIDDEN_BIASES].chunks_exact(WIDTH);
    let active: Vec<f32> = rows
        .zip(&weights[HIDDEN_BIASES..OUTPUTS])
        .map(|(row, bias)| {
            let dot: f32 = row.iter().zip(&sample.vector).map(|(one, two)| one * two).sum();
            (dot + bias).max(0.0)
        })
        .collect();
    let outputs = &weights[OUTPUTS..BIAS];
    let sum: f32 = active.iter().zip(outputs).map(|(one, two)| one * two).sum();
    let error = logistic(weights[BIAS] + sum) - f32::from(u8::from(sample.attack));
    slopes[BIAS] += error;
    for (at, (active, output)) in active.iter().zip(outputs).enumerate() {
        slopes[OUTPUTS + at] += error * active;
        if *active > 0.0 {
            slopes[HIDDEN_BIASES + at] += error * output;
            let row = &mut slopes[at * WIDTH..(at + 1) * WIDTH];
            row.iter_mut().zip(&sample.vector).for_each(|(it, x)| *it += error * output * x);
        }
    }
}

/// Rounds the first layer to bytes.
fn pack(weights: &[f32]) -> Network {
    let first = &weights[..HIDDEN_BIASES];
    let largest = first.iter().fold(f32::MIN_POSITIVE, |most, it| most.max(it.abs()));
    let scale = largest / 127.0;
    Network {
        scale,
        bias: weights[BIAS],
        joint: [0.0; 3],
        threshold: f32::INFINITY,
        hidden_biases: std::array::from_fn(|at| weights[HIDDEN_BIASES + at]),
        outputs: std::array::from_fn(|at| weights[OUTPUTS + at]),
        hidden: first.iter().map(|it| (it / scale).round() as i8).collect(),
    }
}

/// A nearly normal number of variance one.
fn normal(random: &mut u64) -> f32 {
    let ones = super::train::next(random).count_ones() as f32;
    (ones - BITS as f32 / 2.0) / (BITS as f32 / 4.0).sqrt()
}
