//! The published encoder in other runtimes: what ours is compared with.
//!
//! The network is written as an ONNX graph of 32-bit floats, which tract runs here and ONNX Runtime
//! in a Python of its own. It takes the ids of word pieces and their positions, one text a run.

mod graph;
mod tract;

use anyhow::{Context as _, Result, ensure};
use safetensors::{Dtype, SafeTensors};

use self::graph::{Attribute, Graph};
pub use self::tract::Tract;

/// Attention heads of all-MiniLM-L6-v2.
const HEADS: usize = 12;

/// The weights of the graph.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Weights {
    /// As published.
    Published,
    /// Matrices rounded to 255 steps a row, as the converted model has them.
    Rounded,
}

/// Writes the graph: inputs `tokens` and `positions`, `[1, S]`; output `hidden`, `[1, S, width]`.
///
/// # Errors
/// `published`, the bytes of `model.safetensors`, is not of a BERT.
pub fn onnx(published: &[u8], weights: Weights) -> Result<Vec<u8>> {
    Bert { tensors: SafeTensors::deserialize(published)?, weights }.write()
}

struct Bert<'a> {
    tensors: SafeTensors<'a>,
    weights: Weights,
}

impl Bert<'_> {
    fn write(&self) -> Result<Vec<u8>> {
        let mut graph = Graph::default();
        let (shape, words) = self.matrix("embeddings.word_embeddings.weight")?;
        let width = shape[1];
        graph.floats("words", &shape, &words);
        graph.integers("heads", &[0, 0, HEADS as i64, (width / HEADS) as i64]);
        graph.integers("joined", &[0, 0, width as i64]);
        let (shape, places) = self.floats("embeddings.position_embeddings.weight")?;
        graph.floats("places", &shape, &places);
        let (_, types) = self.floats("embeddings.token_type_embeddings.weight")?;
        graph.floats("type", &[width], &types[..width]);
        let word = graph.node("Gather", "word", &["words", "tokens"], vec![]);
        let place = graph.node("Gather", "place", &["places", "positions"], vec![]);
        let placed = graph.node("Add", "placed", &[&word, &place], vec![]);
        let embedded = graph.node("Add", "embedded", &[&placed, "type"], vec![]);
        let mut hidden = self.norm(&mut graph, "embeddings.LayerNorm", &embedded)?;
        for layer in 0.. {
            let prefix = format!("encoder.layer.{layer}");
            if self.tensors.tensor(&format!("{prefix}.output.dense.weight")).is_err() {
                break;
            }
            hidden = self.layer(&mut graph, &prefix, &hidden, width)?;
        }
        let output = graph.node("Identity", "hidden", &[&hidden], vec![]);
        Ok(graph.finish(&["tokens", "positions"], &output, width))
    }

    /// One transformer layer: attention and feed-forward, each with residual and norm.
    fn layer(&self, graph: &mut Graph, prefix: &str, input: &str, width: usize) -> Result<String> {
        let name = |part: &str| format!("{prefix}.{part}");
        let heads = |graph: &mut Graph, part: &str, order: [i64; 4]| -> Result<String> {
            let projected = self.linear(graph, &name(&format!("attention.self.{part}")), input)?;
            let split = name(&format!("{part}.split"));
            let split = graph.node("Reshape", &split, &[&projected, "heads"], vec![]);
            let order = vec![("perm", Attribute::Ints(order.to_vec()))];
            Ok(graph.node("Transpose", &name(&format!("{part}.heads")), &[&split], order))
        };
        let query = heads(graph, "query", [0, 2, 1, 3])?;
        let key = heads(graph, "key", [0, 2, 3, 1])?;
        let value = heads(graph, "value", [0, 2, 1, 3])?;
        let root = graph.floats(&name("root"), &[1], &[((width / HEADS) as f32).sqrt()]);
        let products = graph.node("MatMul", &name("products"), &[&query, &key], vec![]);
        let scores = graph.node("Div", &name("scores"), &[&products, &root], vec![]);
        let last = vec![("axis", Attribute::Int(-1))];
        let shares = graph.node("Softmax", &name("shares"), &[&scores], last);
        let context = graph.node("MatMul", &name("context"), &[&shares, &value], vec![]);
        let order = vec![("perm", Attribute::Ints(vec![0, 2, 1, 3]))];
        let context = graph.node("Transpose", &name("context.heads"), &[&context], order);
        let context = graph.node("Reshape", &name("context.joined"), &[&context, "joined"], vec![]);

        let attended = self.linear(graph, &name("attention.output.dense"), &context)?;
        let residual = graph.node("Add", &name("attention.residual"), &[&attended, input], vec![]);
        let attended = self.norm(graph, &name("attention.output.LayerNorm"), &residual)?;
        let wide = self.linear(graph, &name("intermediate.dense"), &attended)?;
        let wide = graph.node("Gelu", &name("gelu"), &[&wide], vec![]);
        let narrow = self.linear(graph, &name("output.dense"), &wide)?;
        let residual = graph.node("Add", &name("output.residual"), &[&narrow, &attended], vec![]);
        self.norm(graph, &name("output.LayerNorm"), &residual)
    }

    /// `input · Wᵀ + b`; PyTorch stores `W` as `[out, in]`.
    fn linear(&self, graph: &mut Graph, name: &str, input: &str) -> Result<String> {
        let (shape, weights) = self.matrix(&format!("{name}.weight"))?;
        let [outputs, depth] = [shape[0], shape[1]];
        let transposed: Vec<f32> =
            (0..outputs * depth).map(|at| weights[(at % outputs) * depth + at / outputs]).collect();
        let matrix = graph.floats(&format!("{name}.matrix"), &[depth, outputs], &transposed);
        let (shape, bias) = self.floats(&format!("{name}.bias"))?;
        let bias = graph.floats(&format!("{name}.bias"), &shape, &bias);
        let product = graph.node("MatMul", &format!("{name}.product"), &[input, &matrix], vec![]);
        Ok(graph.node("Add", name, &[&product, &bias], vec![]))
    }

    fn norm(&self, graph: &mut Graph, name: &str, input: &str) -> Result<String> {
        let [gain, bias] = ["weight", "bias"].map(|part| -> Result<String> {
            let (shape, values) = self.floats(&format!("{name}.{part}"))?;
            Ok(graph.floats(&format!("{name}.{part}"), &shape, &values))
        });
        // BERT's epsilon; the safetensors file does not carry it.
        let attributes = vec![("axis", Attribute::Int(-1)), ("epsilon", Attribute::Float(1e-12))];
        Ok(graph.node("LayerNormalization", name, &[input, &gain?, &bias?], attributes))
    }

    /// A large matrix, rounded if so wanted.
    fn matrix(&self, name: &str) -> Result<(Vec<usize>, Vec<f32>)> {
        let (shape, mut values) = self.floats(name)?;
        ensure!(shape.len() == 2, "{name}: expected two dimensions, got {shape:?}");
        if self.weights == Weights::Rounded {
            for row in values.chunks_exact_mut(shape[1]) {
                let step =
                    row.iter().fold(f32::MIN_POSITIVE, |most, it| most.max(it.abs())) / 127.0;
                row.iter_mut().for_each(|it| *it = (*it / step).round() * step);
            }
        }
        Ok((shape, values))
    }

    fn floats(&self, name: &str) -> Result<(Vec<usize>, Vec<f32>)> {
        let tensor = self.tensors.tensor(name).with_context(|| name.to_owned())?;
        ensure!(tensor.dtype() == Dtype::F32, "{name}: not of 32-bit floats");
        let values = tensor.data().as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes));
        Ok((tensor.shape().to_vec(), values.collect()))
    }
}
