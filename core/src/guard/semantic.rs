//! A second classifier, which reads what a question means: is it an order to a model?
//!
//! `classifier` knows words, and an attack in other words passes it. The encoder that retrieval asks
//! anyway puts texts of one meaning side by side, and a plane parts its vectors. Both opinions are
//! weighed together: each is sure where the other is blind. Trained by `training` and embedded, as
//! `classifier` is.

use std::sync::LazyLock;

use super::{
    Inspection, Reason,
    classifier::{self, logistic},
    patterns::Origin,
};
use crate::model::Encoded;

/// Id of the encoder whose vectors the weights belong to; those of another mean nothing to them.
pub const ENCODER: &str = "all-minilm-l6-v2-int8";

/// Length of the encoder's vectors.
pub(super) const WIDTH: usize = 384;
/// Length of what is weighed: mean, largest and smallest numbers of the word pieces' vectors. The
/// mean alone finds 81 of 100 attacks where the three find 84, on folds left out and with words.
pub(super) const FEATURES: usize = 3 * WIDTH;
/// What the file begins with; the digit is the version of the layout. Little-endian floats follow:
/// those of [`Plane`] in its order.
pub(super) const MAGIC: &[u8; 4] = b"DGM1";

static EMBEDDED: LazyLock<Option<Plane>> =
    LazyLock::new(|| Plane::read(include_bytes!("semantic.bin")));

/// Returns the probability, 0 to 1, that a question of this meaning is an attack; `None` for what
/// [`ENCODER`] cannot have made.
pub fn semantic(encoded: &Encoded) -> Option<f32> {
    Some(EMBEDDED.as_ref()?.score(&features(encoded)?))
}

/// Decides by all that is known of a question without a service: what [`inspect`](super::inspect)
/// found in its words, and what [`semantic`] says of its meaning.
///
/// What is blocked stays blocked. Without a meaning the words decide alone.
pub fn join(inspection: Inspection, meaning: Option<f32>) -> Inspection {
    let (score, threshold) = match (EMBEDDED.as_ref(), meaning) {
        (Some(plane), Some(meaning)) => (plane.joint(inspection.score, meaning), plane.threshold),
        _ => (inspection.score, classifier::threshold(Origin::Question)),
    };
    decided(inspection, score, threshold)
}

fn decided(inspection: Inspection, score: f32, threshold: f32) -> Inspection {
    let found = (score >= threshold).then_some(Reason::Classifier);
    Inspection { reason: inspection.reason.or(found), score: inspection.score.max(score) }
}

/// What is weighed of an encoded question: three vectors of length one.
pub(super) fn features(encoded: &Encoded) -> Option<Vec<f32>> {
    if encoded.pooled.len() != WIDTH {
        return None;
    }
    let mut most = vec![f32::NEG_INFINITY; WIDTH];
    let mut least = vec![f32::INFINITY; WIDTH];
    // The first and last piece are marks of the model's, no words.
    let pieces = encoded.rows.len() / WIDTH;
    let words = encoded.rows.chunks_exact(WIDTH).skip(1).take(pieces.saturating_sub(2));
    for row in words {
        most.iter_mut().zip(row).for_each(|(most, x)| *most = most.max(*x));
        least.iter_mut().zip(row).for_each(|(least, x)| *least = least.min(*x));
    }
    let mut features = encoded.pooled.clone();
    for bound in [most, least] {
        let square: f32 = bound.iter().map(|x| x * x).sum();
        // A question without words has no bounds.
        let length =
            if square.is_finite() { square.sqrt().max(f32::MIN_POSITIVE) } else { return None };
        features.extend(bound.iter().map(|x| x / length));
    }
    Some(features)
}

/// The plane, and how its opinion joins that of the words.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Plane {
    /// Weights of both opinions as logits, and what is added: words, meaning, constant.
    pub(super) joint: [f32; 3],
    /// Joint probability from which a question is blocked.
    pub(super) threshold: f32,
    pub(super) bias: f32,
    /// A weight for each of [`FEATURES`].
    pub(super) weights: Vec<f32>,
}

impl Plane {
    /// Reads a file; `None` where it is none of this version.
    pub(super) fn read(file: &[u8]) -> Option<Self> {
        let (floats, []) = file.strip_prefix(MAGIC)?.as_chunks::<4>() else { return None };
        let floats: Vec<f32> = floats.iter().map(|it| f32::from_le_bytes(*it)).collect();
        let ([words, meaning, constant, threshold, bias], weights) =
            floats.split_first_chunk::<5>()?;
        (weights.len() == FEATURES).then(|| Self {
            joint: [*words, *meaning, *constant],
            threshold: *threshold,
            bias: *bias,
            weights: weights.to_vec(),
        })
    }

    /// The file of this plane.
    #[cfg(any(feature = "training", test))]
    pub(super) fn file(&self) -> Vec<u8> {
        let floats = self.joint.iter().chain([&self.threshold, &self.bias]).chain(&self.weights);
        MAGIC.iter().copied().chain(floats.flat_map(|it| it.to_le_bytes())).collect()
    }

    /// The probability by meaning alone.
    pub(super) fn score(&self, features: &[f32]) -> f32 {
        let sum: f32 = self.weights.iter().zip(features).map(|(one, two)| one * two).sum();
        logistic(self.bias + sum)
    }

    /// The joint probability of both opinions.
    pub(super) fn joint(&self, words: f32, meaning: f32) -> f32 {
        let [of_words, of_meaning, constant] = self.joint;
        logistic(of_words * logit(words) + of_meaning * logit(meaning) + constant)
    }
}

/// The inverse of [`logistic`], in operations that give every machine the same bits. Beyond a
/// thousandth of doubt an opinion says no more.
pub(super) fn logit(probability: f32) -> f32 {
    let probability = probability.clamp(0.001, 0.999);
    logarithm(probability) - logarithm(1.0 - probability)
}

/// The natural logarithm of a positive normal number: the exponent's part, and the series of the
/// inverse hyperbolic tangent for the rest.
fn logarithm(x: f32) -> f32 {
    let bits = x.to_bits();
    let exponent = (bits >> 23) as i32 - 127;
    let mantissa = f32::from_bits((bits & 0x007F_FFFF) | 0x3F80_0000);
    let y = (mantissa - 1.0) / (mantissa + 1.0);
    let square = y * y;
    let series = 1.0 + square * (1.0 / 3.0 + square * (0.2 + square * (1.0 / 7.0 + square / 9.0)));
    exponent as f32 * std::f32::consts::LN_2 + 2.0 * y * series
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(rows: &[f32]) -> Encoded {
        let wide = |first: &f32| {
            let mut row = vec![0.0; WIDTH];
            row[0] = *first;
            row
        };
        Encoded {
            pooled: wide(&1.0),
            tokens: Vec::new(),
            rows: rows.iter().flat_map(wide).collect(),
        }
    }

    #[test]
    fn the_embedded_file_is_read() {
        let plane = EMBEDDED.as_ref().unwrap();
        let file = include_bytes!("semantic.bin");
        assert!(file.len() <= 64 * 1024 && plane.file() == file);
        assert!((0.2..1.0).contains(&plane.threshold), "{}", plane.threshold);
        // Neither opinion speaks for its contrary.
        assert!(plane.joint[0] > 0.0 && plane.joint[1] > 0.0, "{:?}", plane.joint);
        assert_eq!(Plane::read(&file[..file.len() - 1]), None);
        assert_eq!(Plane::read(&file[..file.len() - 4]), None);
        assert_eq!(Plane::read(&file[1..]), None);
    }

    #[test]
    fn a_question_has_bounds() {
        let found = features(&encoded(&[9.0, 2.0, -3.0, 9.0])).unwrap();
        assert_eq!(
            (found.len(), found[0], found[WIDTH], found[2 * WIDTH]),
            (FEATURES, 1.0, 1.0, -1.0)
        );
        assert_eq!(features(&encoded(&[9.0, 9.0])), None);
        assert_eq!(semantic(&Encoded { pooled: vec![1.0], tokens: vec![], rows: vec![] }), None);
    }

    #[test]
    fn opinions_are_joined() {
        let plane =
            Plane { joint: [1.0, 1.0, 0.0], threshold: 0.9, bias: 0.0, weights: Vec::new() };
        let check = |words, meaning, expected: Option<Reason>| {
            let inspection = Inspection { reason: None, score: words };
            let joined = decided(inspection, plane.joint(words, meaning), plane.threshold);
            assert_eq!(joined.reason, expected, "{words} {meaning}");
            assert!(joined.score >= words);
        };
        check(0.5, 0.5, None);
        check(0.8, 0.8, Some(Reason::Classifier));
        check(0.5, 0.95, Some(Reason::Classifier));
        check(0.1, 0.95, None);
        check(0.85, 0.1, None);
    }

    #[test]
    fn words_decide_alone_without_a_meaning() {
        let blocked = Inspection { reason: Some(Reason::Persona), score: 0.1 };
        assert_eq!(join(blocked, None), blocked);
        assert_eq!(join(blocked, Some(0.0)).reason, blocked.reason);
        let words = |score| join(Inspection { reason: None, score }, None).reason;
        let threshold = classifier::threshold(Origin::Question);
        assert_eq!((words(threshold - 0.01), words(threshold)), (None, Some(Reason::Classifier)));
    }

    #[test]
    fn logits_are_the_inverse() {
        for probability in [0.001, 0.02, 0.3, 0.5, 0.7, 0.98, 0.999] {
            let there_and_back = logistic(logit(probability));
            assert!((there_and_back - probability).abs() < 2e-3, "{probability} {there_and_back}");
        }
        assert!((logit(0.9) - 2.197_224_6).abs() < 1e-4);
        assert_eq!(logit(0.0).to_bits(), logit(0.001).to_bits());
    }
}
