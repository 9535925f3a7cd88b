//! One transformer layer: attention and feed-forward, each with residual and norm after it, as in
//! BERT (Devlin et al. 2018).

use super::{
    attention::attend,
    linear::Linear,
    math::{Norm, gelu},
};

/// The parameters of a layer.
pub(super) struct Layer {
    pub(super) heads: usize,
    /// Queries, keys and values side by side.
    pub(super) query_key_value: Linear,
    pub(super) attention_output: Linear,
    pub(super) attention_norm: Norm,
    pub(super) intermediate: Linear,
    pub(super) output: Linear,
    pub(super) output_norm: Norm,
}

impl Layer {
    /// Takes and returns a row of numbers a token; `file` holds the matrices.
    pub(super) fn run(&self, file: &[u8], input: &[f32]) -> Vec<f32> {
        let queries_keys_values = self.query_key_value.apply(file, input);
        let context = attend(&queries_keys_values, self.heads, self.output_norm.width());
        let mut attended = self.attention_output.apply(file, &context);
        self.attention_norm.add_and_apply(input, &mut attended);
        let mut wide = self.intermediate.apply(file, &attended);
        wide.iter_mut().for_each(|it| *it = gelu(*it));
        let mut output = self.output.apply(file, &wide);
        self.output_norm.add_and_apply(&attended, &mut output);
        output
    }
}
