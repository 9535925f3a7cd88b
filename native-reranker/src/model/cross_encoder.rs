//! The cross-encoder: a query and a document in, one score out.
//!
//! Each pair runs alone and at its own length: padding a batch costs more than its company saves,
//! and a score cannot depend on what else was asked.

use std::sync::Arc;

use tokenizers::{Tokenizer, TruncationParams, TruncationStrategy};
use tract_onnx::prelude::*;

use super::{ModelError, Network, Precision, Published, to_onnx};

/// Scores pairs of query and document with an ONNX graph.
pub struct CrossEncoder {
    id: String,
    tokenizer: Tokenizer,
    plan: Arc<TypedRunnableModel>,
    inputs: Vec<Input>,
}

/// A pair in word pieces.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Pair {
    /// Ids of the pieces.
    pub ids: Vec<i64>,
    /// 0 for the query's, 1 for the document's.
    pub types: Vec<i64>,
    /// Whether the end of the document is missing.
    pub truncated: bool,
}

/// A query that leaves no room for a document.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the query is longer than what the model reads")]
pub struct TooLong;

/// What an input of the graph takes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Input {
    Ids,
    Types,
    Mask,
}

impl std::fmt::Debug for CrossEncoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CrossEncoder").field("inputs", &self.inputs).finish_non_exhaustive()
    }
}

impl CrossEncoder {
    /// Opens a model. A graph has the inputs `input_ids` and, where it has them, `token_type_ids` and
    /// `attention_mask`, each `[B, S]`, and one output `[B, 1]`; optimising it takes some hundred
    /// milliseconds. Pairs are cut to `max_tokens`.
    ///
    /// # Errors
    /// [`ModelError::Malformed`], naming the file.
    pub fn open(
        published: Published,
        precision: Precision,
        max_tokens: usize,
    ) -> Result<Self, ModelError> {
        let graph = match published.network {
            Network::Bert { weights, heads } => to_onnx(&weights, heads, precision)?,
            Network::Onnx(graph) => graph,
        };
        let malformed = |file, reason| ModelError::Malformed { file, reason };
        let tokenizer = open_tokenizer(&published.tokenizer, max_tokens)
            .map_err(|error| malformed("tokenizer.json", error.to_string()))?;
        let (plan, inputs) =
            plan(&graph).map_err(|error| malformed("model.onnx", format!("{error:#}")))?;
        Ok(Self { id: published.id, tokenizer, plan, inputs })
    }

    /// The model's id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Cuts a pair into word pieces.
    ///
    /// # Errors
    /// [`TooLong`] when the query leaves no room for a document.
    pub fn pair(&self, query: &str, document: &str) -> Result<Pair, TooLong> {
        let encoding = self.tokenizer.encode_fast((query, document), true).map_err(|_| TooLong)?;
        let wide = |values: &[u32]| values.iter().map(|&value| i64::from(value)).collect();
        Ok(Pair {
            ids: wide(encoding.get_ids()),
            types: wide(encoding.get_type_ids()),
            truncated: !encoding.get_overflowing().is_empty(),
        })
    }

    /// Scores a pair: larger is better, of any size.
    ///
    /// # Errors
    /// [`ModelError::Run`] when the model's files do not fit together.
    pub fn score(&self, pair: &Pair) -> Result<f32, ModelError> {
        let run = |reason| ModelError::Run { reason };
        let logits = self.run(pair).map_err(|error| run(format!("{error:#}")))?;
        match logits[..] {
            [score] if score.is_finite() => Ok(score),
            _ => Err(run(format!("expected one finite number, got {logits:?}"))),
        }
    }

    fn run(&self, pair: &Pair) -> TractResult<Vec<f32>> {
        let shape = [1, pair.ids.len()];
        let inputs = self.inputs.iter().map(|input| {
            let values = match input {
                Input::Ids => Tensor::from_shape(&shape, &pair.ids),
                Input::Types => Tensor::from_shape(&shape, &pair.types),
                Input::Mask => Tensor::from_shape(&shape, &vec![1_i64; pair.ids.len()]),
            };
            Ok(values?.into())
        });
        let output = self.plan.run(inputs.collect::<TractResult<_>>()?)?;
        let logits = output
            .first()
            .map(|it| TractResult::Ok(it.try_as_plain_ram()?.as_slice::<f32>()?.to_vec()));
        Ok(logits.transpose()?.unwrap_or_default())
    }
}

fn open_tokenizer(file: &[u8], max_tokens: usize) -> tokenizers::Result<Tokenizer> {
    let mut tokenizer = Tokenizer::from_bytes(file)?;
    tokenizer.with_truncation(Some(TruncationParams {
        max_length: max_tokens,
        // Half a question is another question; half a passage is a shorter one.
        strategy: TruncationStrategy::OnlySecond,
        ..TruncationParams::default()
    }))?;
    tokenizer.with_padding(None);
    Ok(tokenizer)
}

fn plan(graph: &[u8]) -> TractResult<(Arc<TypedRunnableModel>, Vec<Input>)> {
    let mut model = onnx().model_for_read(&mut &*graph)?;
    let length = model.symbols.sym("S");
    let mut inputs = Vec::new();
    for at in 0..model.inputs.len() {
        inputs.push(match model.node(model.inputs[at].node).name.as_str() {
            "input_ids" => Input::Ids,
            "token_type_ids" => Input::Types,
            "attention_mask" => Input::Mask,
            other => {
                anyhow::bail!("input {other}: expected input_ids, token_type_ids or attention_mask")
            }
        });
        model.set_input_fact(at, i64::fact([1.to_dim(), length.to_dim()]).into())?;
    }
    Ok((model.into_optimized()?.into_runnable()?, inputs))
}
