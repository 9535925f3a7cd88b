//! Training of the plane that parts meanings, and of the scale on which its opinion is weighed with
//! that of the words. The same bytes from the same data, as in `train`.

use super::{
    Example, Rate,
    train::{FOLDS, REFUSED, SEED, next, shuffle, threshold},
};
use crate::{
    guard::{
        classifier::logistic,
        semantic::{FEATURES, Plane, features, logit},
    },
    model::Encoded,
};

/// Passes over the data.
const EPOCHS: usize = 40;
/// The first step; what is weighed has a length below two.
const STEP: f32 = 4.0;
/// Share of a weight that is lost in a step of length one, against directions that few texts have.
const DECAY: f32 = 0.000_25;
/// Passes of the regression over both opinions: three weights, a convex loss, and time enough.
const JOINT_EPOCHS: usize = 2_000;

/// A trained plane.
#[derive(Clone, Debug)]
pub struct Taught {
    /// The file to embed.
    pub file: Vec<u8>,
    /// Joint probability from which questions are blocked.
    pub threshold: f32,
    /// Attacks that meaning alone would find on folds left out, at the same share of refusals.
    pub alone: Rate,
    /// Attacks that words and meaning find.
    pub found: Rate,
    /// Honest questions that they refuse.
    pub refused: Rate,
}

/// Trains on the questions among `examples`; `words` are the scores of the other classifier on folds
/// that were left out, and from `sure` on it blocks whatever the meaning.
///
/// Each text is learned twice, alone and behind an honest question of its own fold; of the joint the
/// words' opinion is the stronger of both, as they judge clause by clause.
///
/// Opinions are weighed by logistic regression over both, on texts that neither was trained with.
/// `None` where `encode` gives no vectors of the length expected.
pub fn teach(
    examples: &[Example<'_>],
    words: &[f32],
    sure: f32,
    mut encode: impl FnMut(&str) -> Option<Encoded>,
) -> Option<Taught> {
    let mut samples = Vec::new();
    let mut random = SEED;
    let questions: Vec<(&Example<'_>, f32)> =
        examples.iter().zip(words.iter().copied()).filter(|(it, _)| !it.document).collect();
    for (example, words) in &questions {
        let fold = example.source % FOLDS;
        let mut sample = |text: &str, words| {
            let features = features(&encode(text)?)?;
            samples.push(Sample { features, attack: example.attack, fold, words, meaning: 0.0 });
            Some(())
        };
        sample(example.text, *words)?;
        // Whoever wants to be answered puts an honest question before what he is after.
        let honest = questions.iter().filter(|(it, _)| !it.attack && it.source % FOLDS == fold);
        let honest: Vec<_> = honest.collect();
        let at = next(&mut random) % honest.len().max(1) as u64;
        if let Some((before, theirs)) = honest.get(at as usize) {
            sample(&format!("{} {}", before.text, example.text), words.max(*theirs))?;
        }
    }
    for fold in 0..FOLDS {
        let plane = fit(samples.iter().filter(|it| it.fold != fold).collect());
        for sample in samples.iter_mut().filter(|it| it.fold == fold) {
            sample.meaning = plane.score(&sample.features);
        }
    }
    let mut plane = fit(samples.iter().collect());
    plane.joint = weigh(&samples);
    let scores = |attack: bool, score: &dyn Fn(&Sample) -> f32| -> Vec<f32> {
        samples.iter().filter(|it| it.attack == attack).map(score).collect()
    };
    let meaning = |it: &Sample| it.meaning;
    let joint = |it: &Sample| match it.words >= sure {
        true => 1.0,
        false => plane.joint(it.words, it.meaning),
    };
    let cut = threshold(scores(false, &joint), REFUSED[0]);
    let alone = threshold(scores(false, &meaning), REFUSED[0]);
    let alone = Rate::of(&scores(true, &meaning), alone);
    let (found, refused) =
        (Rate::of(&scores(true, &joint), cut), Rate::of(&scores(false, &joint), cut));
    plane.threshold = cut;
    Some(Taught { file: plane.file(), threshold: cut, alone, found, refused })
}

struct Sample {
    features: Vec<f32>,
    attack: bool,
    fold: usize,
    /// Scores on folds that were left out.
    words: f32,
    meaning: f32,
}

impl Sample {
    fn truth(&self) -> f32 {
        f32::from(u8::from(self.attack))
    }
}

/// Logistic regression over both opinions.
fn weigh(samples: &[Sample]) -> [f32; 3] {
    let mut weights = [0.0_f32; 3];
    let step = 0.2 / samples.len() as f32;
    let rows: Vec<([f32; 3], f32)> =
        samples.iter().map(|it| ([logit(it.words), logit(it.meaning), 1.0], it.truth())).collect();
    for _ in 0..JOINT_EPOCHS {
        let mut slope = [0.0_f32; 3];
        for (row, truth) in &rows {
            let sum: f32 = row.iter().zip(weights).map(|(one, two)| one * two).sum();
            let error = truth - logistic(sum);
            slope.iter_mut().zip(row).for_each(|(slope, x)| *slope += error * x);
        }
        weights.iter_mut().zip(slope).for_each(|(weight, slope)| *weight += step * slope);
    }
    weights
}

/// Stochastic gradient descent on the logistic loss.
fn fit(mut samples: Vec<&Sample>) -> Plane {
    let mut plane =
        Plane { joint: [0.0; 3], threshold: 1.0, bias: 0.0, weights: vec![0.0; FEATURES] };
    let mut random = SEED;
    for epoch in 0..EPOCHS {
        shuffle(&mut samples, &mut random);
        let step = STEP / (1.0 + epoch as f32);
        for sample in &samples {
            let error = sample.truth() - plane.score(&sample.features);
            plane.bias += 0.1 * step * error;
            let weights = plane.weights.iter_mut().zip(&sample.features);
            weights.for_each(|(it, x)| *it += step * (error * x - DECAY * *it));
        }
    }
    plane
}
