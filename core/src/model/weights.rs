//! `weights.safetensors`: the tables and matrices, read in place, and the numbers beside them.
//!
//! The word table is half of the parameters and a question touches a dozen of its rows, so nothing
//! of it is copied or widened but the rows in use. The matrices are used as the bytes they are.
//!
//! | Tensor | Type | Shape |
//! |---|---|---|
//! | `words`, `words.scale` | bytes, floats | words × width, words |
//! | `positions` | floats | positions × width; the embedding of text type 0 is in them |
//! | `norm.gain`, `norm.bias` | floats | width |
//! | `<layer>.<part>.weight`, `.scale`, `.bias` | bytes, floats, floats | outputs × depth (see `linear::pack`), outputs, outputs |
//! | `<layer>.<part>.norm.gain`, `.bias` | floats | width |
//!
//! Parts are `query_key_value`, `attention_output`, `intermediate` and `output`; the two called
//! output have a norm. The file's metadata has the number of `heads`.

use std::{borrow::Cow, ops::Range};

use safetensors::{Dtype, SafeTensors};

use super::{
    ModelError,
    layer::Layer,
    linear::{DEPTH_UNIT, Linear, PANEL},
    math::Norm,
};

const FILE: &str = "weights.safetensors";

/// An opened file.
pub(super) struct Weights {
    file: Cow<'static, [u8]>,
    /// Bytes of the word table.
    words: Range<usize>,
    word_scales: Vec<f32>,
    /// Bytes of the position table, four a number.
    positions: Range<usize>,
    norm: Norm,
    layers: Vec<Layer>,
    /// Numbers in a row.
    pub(super) width: usize,
}

impl Weights {
    /// Finds everything in `file` and checks that it fits together.
    pub(super) fn open(file: Cow<'static, [u8]>) -> Result<Self, ModelError> {
        let (_, metadata) = SafeTensors::read_metadata(&file).map_err(malformed)?;
        let heads = metadata.metadata().as_ref().and_then(|it| it.get("heads")?.parse().ok());
        let heads: usize = heads.ok_or_else(|| malformed("its metadata has no number of heads"))?;
        let tensors = SafeTensors::deserialize(&file).map_err(malformed)?;
        let reader = Reader { tensors, start: file.as_ptr().addr() };
        let width = reader.floats("norm.gain")?.len();
        if heads == 0 || width == 0 || !width.is_multiple_of(heads) {
            return Err(malformed(format!("{width} numbers a token for {heads} heads")));
        }
        let word_scales = reader.floats("words.scale")?;
        let words = reader.span("words", Dtype::I8, word_scales.len() * width)?;
        let positions = reader.rows("positions", width)?;
        let norm = reader.norm("norm", width)?;
        let layers = (0..)
            .take_while(|layer| reader.has(&format!("{layer}.query_key_value.weight")))
            .map(|layer| reader.layer(layer, heads, width))
            .collect::<Result<_, _>>()?;
        Ok(Self { words, word_scales, positions, norm, layers, width, file })
    }

    /// Runs the network on word pieces; returns a row of [`width`](Self::width) numbers for each.
    ///
    /// Ids beyond the vocabulary or the last position are a defect of the tokenizer's file.
    pub(super) fn run(&self, ids: &[u32]) -> Result<Vec<f32>, ModelError> {
        let mut rows = self.embed(ids)?;
        for layer in &self.layers {
            rows = layer.run(&self.file, &rows);
        }
        Ok(rows)
    }

    /// Word and position embeddings, added and normalised.
    fn embed(&self, ids: &[u32]) -> Result<Vec<f32>, ModelError> {
        let words = self.file[self.words.clone()].chunks_exact(self.width);
        let mut positions = self.file[self.positions.clone()].chunks_exact(4 * self.width);
        let mut rows = Vec::with_capacity(ids.len() * self.width);
        for (at, &id) in ids.iter().enumerate() {
            let word = words.clone().nth(id as usize).zip(self.word_scales.get(id as usize));
            let Some(((word, scale), position)) = word.zip(positions.next()) else {
                return Err(ModelError::Run {
                    reason: format!("word piece {id} at {at}: outside of the tables"),
                });
            };
            let word = word.iter().map(|&it| f32::from(it as i8) * scale);
            rows.extend(word.zip(floats(position)).map(|(word, position)| word + position));
        }
        self.norm.apply(&mut rows);
        Ok(rows)
    }
}

/// Looks up tensors by name.
struct Reader<'a> {
    tensors: SafeTensors<'a>,
    /// Address of the file.
    start: usize,
}

impl Reader<'_> {
    fn has(&self, name: &str) -> bool {
        self.tensors.tensor(name).is_ok()
    }

    fn layer(&self, number: usize, heads: usize, width: usize) -> Result<Layer, ModelError> {
        let linear = |part: &str, depth: usize, outputs: Option<usize>| {
            self.linear(&format!("{number}.{part}"), depth, outputs)
        };
        let norm = |part: &str| self.norm(&format!("{number}.{part}.norm"), width);
        let intermediate = linear("intermediate", width, None)?;
        Ok(Layer {
            heads,
            query_key_value: linear("query_key_value", width, Some(3 * width))?,
            attention_output: linear("attention_output", width, Some(width))?,
            attention_norm: norm("attention_output")?,
            output: linear("output", intermediate.scales.len(), Some(width))?,
            output_norm: norm("output")?,
            intermediate,
        })
    }

    /// A linear layer of the given number of outputs, or of however many it has.
    fn linear(
        &self,
        name: &str,
        depth: usize,
        outputs: Option<usize>,
    ) -> Result<Linear, ModelError> {
        let scales = self.floats(&format!("{name}.scale"))?;
        let bias = self.floats(&format!("{name}.bias"))?;
        let count = outputs.unwrap_or(scales.len());
        let whole = count == scales.len() && count == bias.len();
        if !whole || !count.is_multiple_of(PANEL) || !depth.is_multiple_of(DEPTH_UNIT) {
            let got = format!("{} scales, {} biases, depth {depth}", scales.len(), bias.len());
            return Err(malformed(format!("{name}: expected {count} outputs, got {got}")));
        }
        let weights = self.span(&format!("{name}.weight"), Dtype::I8, count * depth)?;
        Ok(Linear { weights, scales, bias, depth })
    }

    fn norm(&self, name: &str, width: usize) -> Result<Norm, ModelError> {
        let gain = self.floats(&format!("{name}.gain"))?;
        let bias = self.floats(&format!("{name}.bias"))?;
        if gain.len() != width || bias.len() != width {
            let got = format!("{} and {}", gain.len(), bias.len());
            return Err(malformed(format!("{name}: expected {width} numbers, got {got}")));
        }
        Ok(Norm { gain, bias })
    }

    fn floats(&self, name: &str) -> Result<Vec<f32>, ModelError> {
        Ok(floats(self.bytes(name, Dtype::F32)?).collect())
    }

    /// Bytes of a table of floats with rows of `width`.
    fn rows(&self, name: &str, width: usize) -> Result<Range<usize>, ModelError> {
        let bytes = self.bytes(name, Dtype::F32)?.len();
        self.span(name, Dtype::F32, bytes.next_multiple_of(4 * width))
    }

    /// Where in the file the `bytes` of a tensor are.
    fn span(&self, name: &str, kind: Dtype, bytes: usize) -> Result<Range<usize>, ModelError> {
        let data = self.bytes(name, kind)?;
        if data.len() != bytes {
            return Err(malformed(format!("{name}: expected {bytes} bytes, got {}", data.len())));
        }
        let start = data.as_ptr().addr() - self.start;
        Ok(start..start + bytes)
    }

    fn bytes(&self, name: &str, kind: Dtype) -> Result<&[u8], ModelError> {
        let tensor = self.tensors.tensor(name).map_err(malformed)?;
        if tensor.dtype() != kind {
            let got = tensor.dtype();
            return Err(malformed(format!("{name}: expected {kind:?}, got {got:?}")));
        }
        Ok(tensor.data())
    }
}

fn floats(bytes: &[u8]) -> impl Iterator<Item = f32> {
    bytes.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes))
}

fn malformed(reason: impl ToString) -> ModelError {
    ModelError::Malformed { file: FILE, reason: reason.to_string() }
}
