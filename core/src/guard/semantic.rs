//! A second classifier, which reads what a question means: is it an order to a model?
//!
//! `classifier` knows words, and an attack in other words passes it. The encoder that retrieval asks
//! anyway puts texts of one meaning side by side; a small network over its vector says on which side
//! of the border one lies. Both opinions are weighed together: each is sure where the other is blind.
//! Trained by `training` and embedded, as `classifier` is.

use std::sync::LazyLock;

use super::{Inspection, Reason, classifier::logistic};

/// Id of the encoder whose vectors the network was trained on; those of another mean nothing to it.
pub const ENCODER: &str = "all-minilm-l6-v2-int8";

/// Length of a vector.
pub(super) const WIDTH: usize = 384;
/// Neurons between vector and opinion. Twice as many find no more in folds that were left out.
pub(super) const HIDDEN: usize = 32;
/// What the file begins with; the digit is the version of the layout. Little-endian floats follow,
/// those of [`Network`] in its order, then a signed byte for each weight of the first layer.
pub(super) const MAGIC: &[u8; 4] = b"DGM1";

static EMBEDDED: LazyLock<Option<Network>> =
    LazyLock::new(|| Network::read(include_bytes!("semantic.bin")));

/// Returns the probability, 0 to 1, that a question with this vector is an attack; 0 for a vector
/// that [`ENCODER`] cannot have made.
pub fn semantic(vector: &[f32]) -> f32 {
    EMBEDDED.as_ref().map_or(0.0, |network| logistic(network.margin(vector)))
}

/// Weighs what was said of a question's words together with what [`semantic`] says of its meaning.
/// What is blocked stays blocked.
pub fn join(inspection: Inspection, meaning: f32) -> Inspection {
    EMBEDDED.as_ref().map_or(inspection, |network| network.join(inspection, meaning))
}

/// The network, and how its opinion joins that of the words.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Network {
    /// What a weight of the first layer is multiplied with.
    pub(super) scale: f32,
    pub(super) bias: f32,
    /// Weights of both opinions as logits, and what is added: words, meaning, constant.
    pub(super) joint: [f32; 3],
    /// Joint probability from which a question is blocked.
    pub(super) threshold: f32,
    pub(super) hidden_biases: [f32; HIDDEN],
    pub(super) outputs: [f32; HIDDEN],
    /// The first layer, [`WIDTH`] weights a neuron.
    pub(super) hidden: Vec<i8>,
}

impl Network {
    /// Reads a file; `None` where it is none of this version.
    pub(super) fn read(file: &[u8]) -> Option<Self> {
        let rest = file.strip_prefix(MAGIC)?;
        let (floats, hidden) = rest.split_at_checked(4 * (6 + 2 * HIDDEN))?;
        let mut floats = floats.chunks_exact(4).map(|it| {
            it.try_into().map_or(0.0, f32::from_le_bytes)
        });
        let mut float = || floats.next().unwrap_or_default();
        (hidden.len() == HIDDEN * WIDTH).then(|| Self {
            scale: float(),
            bias: float(),
            joint: std::array::from_fn(|_| float()),
            threshold: float(),
            hidden_biases: std::array::from_fn(|_| float()),
            outputs: std::array::from_fn(|_| float()),
            hidden: hidden.iter().map(|byte| *byte as i8).collect(),
        })
    }

    /// The file of this network.
    #[cfg(any(feature = "training", test))]
    pub(super) fn file(&self) -> Vec<u8> {
        let floats = [self.scale, self.bias].into_iter().chain(self.joint).chain([self.threshold]);
        let floats = floats.chain(self.hidden_biases).chain(self.outputs);
        let bytes = floats.flat_map(f32::to_le_bytes);
        let hidden = self.hidden.iter().map(|weight| *weight as u8);
        MAGIC.iter().copied().chain(bytes).chain(hidden).collect()
    }

    /// The logit of the network's opinion; far below zero for what is no vector of the encoder's.
    pub(super) fn margin(&self, vector: &[f32]) -> f32 {
        if vector.len() != WIDTH {
            return f32::NEG_INFINITY;
        }
        let rows = self.hidden.chunks_exact(WIDTH).zip(self.hidden_biases).zip(self.outputs);
        rows.fold(self.bias, |sum, ((row, bias), output)| {
            let dot: f32 = row.iter().zip(vector).map(|(one, two)| f32::from(*one) * two).sum();
            sum + output * (self.scale * dot + bias).max(0.0)
        })
    }

    fn join(&self, inspection: Inspection, meaning: f32) -> Inspection {
        let score = self.joint(inspection.score, meaning);
        let found = (score >= self.threshold).then_some(Reason::Classifier);
        Inspection { reason: inspection.reason.or(found), score: inspection.score.max(score) }
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

    /// One neuron that sees the first number of a vector, and opinions of equal weight.
    fn network() -> Network {
        let mut hidden = vec![0; HIDDEN * WIDTH];
        hidden[0] = 10;
        let mut outputs = [0.0; HIDDEN];
        outputs[0] = 2.0;
        Network {
            scale: 0.5,
            bias: -4.0,
            joint: [1.0, 1.0, 0.0],
            threshold: 0.9,
            hidden_biases: [0.0; HIDDEN],
            outputs,
            hidden,
        }
    }

    fn along(first: f32) -> Vec<f32> {
        let mut vector = vec![0.0; WIDTH];
        vector[0] = first;
        vector
    }

    #[test]
    fn the_embedded_file_is_read() {
        let network = EMBEDDED.as_ref().unwrap();
        let file = include_bytes!("semantic.bin");
        assert!(file.len() <= 64 * 1024 && network.file() == file);
        assert!((0.2..1.0).contains(&network.threshold), "{}", network.threshold);
        // Either opinion speaks for an attack, neither against.
        assert!(network.joint[0] > 0.0 && network.joint[1] > 0.0, "{:?}", network.joint);
        assert_eq!(Network::read(&file[..file.len() - 1]), None);
        assert_eq!(Network::read(&file[1..]), None);
    }

    #[test]
    fn a_vector_has_an_opinion() {
        let network = network();
        assert_eq!(network.margin(&along(1.0)), 6.0);
        assert_eq!(network.margin(&along(-1.0)), -4.0);
        assert_eq!(network.margin(&[1.0]), f32::NEG_INFINITY);
        assert!(semantic(&[]) < 0.001);
    }

    #[test]
    fn opinions_are_joined() {
        let check = |words, meaning, expected: Option<Reason>| {
            let joined = network().join(Inspection { reason: None, score: words }, meaning);
            assert_eq!(joined.reason, expected, "{words} {meaning}");
            assert!(joined.score >= words);
        };
        check(0.5, 0.5, None);
        check(0.8, 0.8, Some(Reason::Classifier));
        check(0.5, 0.95, Some(Reason::Classifier));
        check(0.1, 0.95, None);
        check(0.85, 0.1, None);
        let blocked = Inspection { reason: Some(Reason::Persona), score: 0.1 };
        assert_eq!(network().join(blocked, 0.0).reason, blocked.reason);
    }

    #[test]
    fn logits_are_the_inverse() {
        for probability in [0.001, 0.02, 0.3, 0.5, 0.7, 0.98, 0.999] {
            let there_and_back = logistic(logit(probability));
            assert!((there_and_back - probability).abs() < 2e-3, "{probability} {there_and_back}");
        }
        assert!((logit(0.9) - 2.197_224_6).abs() < 1e-4);
        assert_eq!(logit(0.0), logit(0.001));
    }
}
