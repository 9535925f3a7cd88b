//! The cross-encoder: a query and a document in, one score out.

use std::sync::Arc;

use tokenizers::{Tokenizer, TruncationParams, TruncationStrategy};
use tract_onnx::prelude::*;

use super::{Layout, ModelError, Network, Precision, Published, to_onnx};

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
            Network::Bert { weights, heads } => to_onnx(&weights, heads, precision, Layout { merged: false, cls_only: true })?,
            Network::Onnx(graph) => graph,
        };
        let mut opened = Self::open_spike(&published.tokenizer, &graph, max_tokens, None)?;
        opened.id = published.id;
        Ok(opened)
    }

    /// The model's id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// spike
    pub fn open_spike(
        tokenizer: &[u8],
        graph: &[u8],
        max_tokens: usize,
        shape: Option<(usize, usize)>,
    ) -> Result<Self, ModelError> {
        let tokenizer = open_tokenizer(tokenizer, max_tokens).map_err(|error| {
            ModelError::Malformed { file: "tokenizer.json", reason: error.to_string() }
        })?;
        let (plan, inputs) = plan(graph, shape).map_err(|error| ModelError::Malformed {
            file: "model.onnx",
            reason: format!("{error:#}"),
        })?;
        Ok(Self { id: String::new(), tokenizer, plan, inputs })
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

    /// Scores pairs of the same length: one number each, larger is better, of any size.
    ///
    /// # Errors
    /// [`ModelError::Run`] when the model's files do not fit together.
    pub fn score(&self, pairs: &[&Pair]) -> Result<Vec<f32>, ModelError> {
        let logits = self.run(pairs).map_err(|error| ModelError::Run { reason: format!("{error:#}") })?;
        if logits.len() != pairs.len() || logits.iter().any(|it| !it.is_finite()) {
            let reason = format!("{} pairs gave {logits:?}", pairs.len());
            return Err(ModelError::Run { reason });
        }
        Ok(logits)
    }

    fn run(&self, pairs: &[&Pair]) -> TractResult<Vec<f32>> {
        let length = pairs.first().map_or(0, |pair| pair.ids.len());
        let shape = [pairs.len(), length];
        let inputs = self.inputs.iter().map(|input| {
            let values: Vec<i64> = match input {
                Input::Ids => pairs.iter().flat_map(|pair| pair.ids.iter().copied()).collect(),
                Input::Types => pairs.iter().flat_map(|pair| pair.types.iter().copied()).collect(),
                Input::Mask => vec![1; pairs.len() * length],
            };
            Ok(Tensor::from_shape(&shape, &values)?.into())
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

fn plan(graph: &[u8], shape: Option<(usize, usize)>) -> TractResult<(Arc<TypedRunnableModel>, Vec<Input>)> {
    let mut model = onnx().model_for_read(&mut &*graph)?;
    let (batch, length) = match shape {
        None => (model.symbols.sym("B").to_dim(), model.symbols.sym("S").to_dim()),
        Some((b, s)) => (b.to_dim(), s.to_dim()),
    };
    let mut inputs = Vec::new();
    for at in 0..model.inputs.len() {
        let outlet = model.inputs[at];
        inputs.push(match model.node(outlet.node).name.as_str() {
            "input_ids" => Input::Ids,
            "token_type_ids" => Input::Types,
            "attention_mask" => Input::Mask,
            other => anyhow::bail!("input {other}: expected input_ids, token_type_ids, attention_mask"),
        });
        let fact = i64::fact([batch.clone(), length.clone()]);
        model.set_input_fact(at, fact.into())?;
    }
    Ok((model.into_optimized()?.into_runnable()?, inputs))
}
impl CrossEncoder {
    /// spike: ns per op
    pub fn profile(&self, pairs: &[&Pair]) -> Vec<(String, u64, usize)> {
        use tract_onnx::tract_core::plan::eval;
        fn cpu() -> u64 {
            let s = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
            s.split(' ').next().and_then(|it| it.parse().ok()).unwrap_or(0)
        }
        let length = pairs[0].ids.len();
        let inputs = self.inputs.iter().map(|input| {
            let values: Vec<i64> = match input {
                Input::Ids => pairs.iter().flat_map(|pair| pair.ids.iter().copied()).collect(),
                Input::Types => pairs.iter().flat_map(|pair| pair.types.iter().copied()).collect(),
                Input::Mask => vec![1; pairs.len() * length],
            };
            Tensor::from_shape(&[pairs.len(), length], &values).unwrap().into()
        });
        let mut all: std::collections::BTreeMap<String, (u64, usize)> = Default::default();
        let _ = cpu();
        let mut state = self.plan.spawn().unwrap();
        let _ = state.run_plan_with_eval(inputs.collect(), |ctx, st, node, input| {
            let start = std::time::Instant::now();
            let r = eval(ctx, st, node, input);
            let took = start.elapsed().as_nanos() as u64;
            let key = format!("{} {}", node.op().name(), if std::env::var("FULL").is_ok() { node.name.replace(char::is_numeric, "N") } else { String::new() });
            let e = all.entry(key).or_default();
            e.0 += took;
            e.1 += 1;
            r
        });
        let mut v: Vec<_> = all.into_iter().map(|(k, (a, b))| (k, a, b)).collect();
        v.sort_by_key(|it| std::cmp::Reverse(it.1));
        v
    }
}

impl CrossEncoder {
    /// spike
    #[allow(clippy::print_stdout)]
    pub fn nodes(&self) {
        let model = self.plan.model();
        for node in model.nodes() {
            if node.name.contains(".0.") && node.op().name().contains("MatMul") {
                println!("{} {} {:?}", node.name, node.op().name(), node.op().info().unwrap());
                println!("     {:?}", node.outputs[0].fact);
            }
        }
    }
}
