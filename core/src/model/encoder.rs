//! The sentence encoder: tokenise, look up, run the layers, pool.

use std::{borrow::Cow, sync::Arc};

use tokenizers::{Tokenizer, TruncationParams};
use tract_onnx::prelude::*;

use super::{ModelError, table::Table};

/// Longest input in word pieces, `[CLS]` and `[SEP]` included; the rest of a text is not read.
/// all-MiniLM-L6-v2 was trained on sequences of up to 256.
pub const MAX_TOKENS: usize = 256;

/// The three files of a model; embedded bytes are borrowed, files read from disk owned.
#[derive(Clone, Debug)]
pub struct ModelFiles {
    /// Id in the manifest, such as `all-minilm-l6-v2-int8`; packs name the model they were built with.
    pub id: Cow<'static, str>,
    /// `tokenizer.json`.
    pub tokenizer: Cow<'static, [u8]>,
    /// `table.safetensors`.
    pub table: Cow<'static, [u8]>,
    /// `layers.onnx`.
    pub layers: Cow<'static, [u8]>,
}

/// Turns text into unit vectors whose dot product is their similarity.
pub struct Encoder {
    id: String,
    tokenizer: Tokenizer,
    table: Table,
    table_file: Cow<'static, [u8]>,
    plan: Arc<TypedRunnableModel>,
}

impl std::fmt::Debug for Encoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Encoder").field("id", &self.id).field("width", &self.table.width).finish()
    }
}

impl Encoder {
    /// Opens a model: parses the tokenizer and optimises the graph (some hundred milliseconds).
    ///
    /// # Errors
    /// [`ModelError::Malformed`], naming the file.
    pub fn open(files: ModelFiles) -> Result<Self, ModelError> {
        let table = Table::open(&files.table)?;
        let tokenizer = tokenizer(&files.tokenizer).map_err(|error| ModelError::Malformed {
            file: "tokenizer.json",
            reason: error.to_string(),
        })?;
        let plan = plan(&files.layers, table.width).map_err(|error| ModelError::Malformed {
            file: "layers.onnx",
            reason: format!("{error:#}"),
        })?;
        Ok(Self { id: files.id.into_owned(), tokenizer, table, table_file: files.table, plan })
    }

    /// The model's id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Length of a vector.
    pub fn width(&self) -> usize {
        self.table.width
    }

    /// Encodes `text`: the mean of its token vectors, scaled to length 1 (mean pooling as in
    /// Sentence-BERT, Reimers and Gurevych 2019). Text beyond [`MAX_TOKENS`] is not read.
    ///
    /// # Errors
    /// [`ModelError::Run`] when the model's files do not fit together.
    pub fn encode(&self, text: &str) -> Result<Vec<f32>, ModelError> {
        let (_, hidden) = self.trace(text)?;
        Ok(mean(&hidden, self.table.width))
    }

    /// Returns what goes into the layers and what comes out, a row of [`width`](Self::width)
    /// numbers a token: for comparisons with other runtimes, and for late interaction.
    ///
    /// # Errors
    /// As for [`encode`](Self::encode).
    pub fn trace(&self, text: &str) -> Result<(Vec<f32>, Vec<f32>), ModelError> {
        let run = |reason: String| ModelError::Run { reason };
        let encoding =
            self.tokenizer.encode_fast(text, true).map_err(|error| run(error.to_string()))?;
        let embedded = self.table.embed(&self.table_file, encoding.get_ids())?;
        let shape = [1, encoding.get_ids().len(), self.table.width];
        let hidden = self.layers(&shape, &embedded).map_err(|error| run(format!("{error:#}")))?;
        if hidden.len() != embedded.len() {
            return Err(run(format!("{} numbers out for {} in", hidden.len(), embedded.len())));
        }
        Ok((embedded, hidden))
    }

    fn layers(&self, shape: &[usize; 3], embedded: &[f32]) -> TractResult<Vec<f32>> {
        let input = Tensor::from_shape(shape, embedded)?;
        let output = self.plan.run(tvec![input.into()])?;
        let hidden = output
            .first()
            .map(|it| TractResult::Ok(it.try_as_plain_ram()?.as_slice::<f32>()?.to_vec()));
        Ok(hidden.transpose()?.unwrap_or_default())
    }
}

fn tokenizer(file: &[u8]) -> tokenizers::Result<Tokenizer> {
    let mut tokenizer = Tokenizer::from_bytes(file)?;
    let truncation = TruncationParams { max_length: MAX_TOKENS, ..TruncationParams::default() };
    tokenizer.with_truncation(Some(truncation))?;
    tokenizer.with_padding(None);
    Ok(tokenizer)
}

fn plan(layers: &[u8], width: usize) -> TractResult<Arc<TypedRunnableModel>> {
    let mut model = onnx().model_for_read(&mut &*layers)?;
    let length = model.symbols.sym("S");
    let input = f32::fact([1.to_dim(), length.to_dim(), width.to_dim()]);
    model.set_input_fact(0, input.into())?;
    model.into_optimized()?.into_runnable()
}

fn mean(hidden: &[f32], width: usize) -> Vec<f32> {
    let mut sum = vec![0.0; width];
    for row in hidden.chunks_exact(width) {
        sum.iter_mut().zip(row).for_each(|(sum, it)| *sum += it);
    }
    // The mean's divisor cancels out in the normalisation.
    let length = sum.iter().map(|it| it * it).sum::<f32>().sqrt().max(f32::MIN_POSITIVE);
    sum.iter().map(|it| it / length).collect()
}
