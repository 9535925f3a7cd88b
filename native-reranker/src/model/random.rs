//! Weights of the published shape with numbers out of a hat, where no weights can be had.
//!
//! They make every part run, and say nothing of relevance: for tests and measurements alone.

use safetensors::{Dtype, tensor::TensorView};

use super::ModelError;

/// Adds a tensor: its name, shape, mean and spread.
type Add<'a> = dyn FnMut(String, &[usize], f32, f32) + 'a;

/// The shape of cross-encoder/ms-marco-MiniLM-L6-v2.
const LAYERS: usize = 6;
const WIDTH: usize = 384;
const INTERMEDIATE: usize = 1536;
const WORDS: usize = 30_522;
const POSITIONS: usize = 512;
/// Attention heads of that shape.
pub(super) const HEADS: usize = 12;

/// The bytes of a `model.safetensors`; equal seeds give equal bytes.
///
/// # Errors
/// [`ModelError::Malformed`] where safetensors cannot write them, which no seed brings about.
pub fn random_weights(seed: u64) -> Result<Vec<u8>, ModelError> {
    let mut tensors: Vec<(String, Vec<usize>, Vec<u8>)> = Vec::new();
    let mut random = Random(seed);
    let mut add = |name: String, shape: &[usize], mean: f32, spread: f32| {
        let count: usize = shape.iter().product();
        let values = (0..count).map(|_| mean + spread * random.next());
        let bytes = values.flat_map(f32::to_le_bytes).collect();
        tensors.push((name, shape.to_vec(), bytes));
    };
    // Uniform within ±√3·0.04: trained BERTs have about this deviation.
    let linear = |add: &mut Add<'_>, name: String, out, inner| {
        add(format!("{name}.weight"), &[out, inner], 0.0, 0.07);
        add(format!("{name}.bias"), &[out], 0.0, 0.07);
    };
    let norm = |add: &mut Add<'_>, name: String| {
        add(format!("{name}.weight"), &[WIDTH], 1.0, 0.1);
        add(format!("{name}.bias"), &[WIDTH], 0.0, 0.1);
    };
    for (table, rows) in [("word", WORDS), ("position", POSITIONS), ("token_type", 2)] {
        let name = format!("bert.embeddings.{table}_embeddings.weight");
        add(name, &[rows, WIDTH], 0.0, 0.1);
    }
    norm(&mut add, "bert.embeddings.LayerNorm".to_owned());
    for layer in 0..LAYERS {
        let name = |part: &str| format!("bert.encoder.layer.{layer}.{part}");
        for part in ["query", "key", "value"] {
            linear(&mut add, name(&format!("attention.self.{part}")), WIDTH, WIDTH);
        }
        linear(&mut add, name("attention.output.dense"), WIDTH, WIDTH);
        norm(&mut add, name("attention.output.LayerNorm"));
        linear(&mut add, name("intermediate.dense"), INTERMEDIATE, WIDTH);
        linear(&mut add, name("output.dense"), WIDTH, INTERMEDIATE);
        norm(&mut add, name("output.LayerNorm"));
    }
    linear(&mut add, "bert.pooler.dense".to_owned(), WIDTH, WIDTH);
    linear(&mut add, "classifier".to_owned(), 1, WIDTH);

    let malformed = |error: safetensors::SafeTensorError| ModelError::Malformed {
        file: "model.safetensors",
        reason: error.to_string(),
    };
    let views = tensors
        .iter()
        .map(|(name, shape, bytes)| Ok((name, TensorView::new(Dtype::F32, shape.clone(), bytes)?)))
        .collect::<Result<Vec<_>, _>>()
        .map_err(malformed)?;
    safetensors::serialize(views, None).map_err(malformed)
}

/// A reproducible source of numbers (SplitMix64, Steele et al. 2014).
struct Random(u64);

impl Random {
    /// The next number, uniform from -1 to 1.
    fn next(&mut self) -> f32 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        // The upper 24 bits: as many as a float keeps.
        let bits = ((mixed ^ (mixed >> 31)) >> 40) as f32;
        bits / (1 << 23) as f32 - 1.0
    }
}
