//! Published BERT cross-encoders (safetensors) as ONNX graphs.
//!
//! Inputs `input_ids` and `token_type_ids` `[B, S]`, output `logits` `[B, labels]`. Every row of a
//! batch is as long as the others, hence no attention mask. Only `[CLS]` is classified, so the last
//! layer computes its query, its output and its feed-forward for that token alone: a seventh of
//! the work of a network with six layers, and the same numbers.

use std::collections::BTreeSet;

use safetensors::{Dtype, SafeTensors};
use tract_onnx::{
    pb::{ModelProto, tensor_proto::DataType},
    tract_core::prelude::TractResult,
};

use super::{
    ModelError,
    onnx::{Attribute, Dim, Graph},
};

/// Number format of the matrix products.
#[derive(Clone, Copy, Debug, Eq, PartialEq, clap::ValueEnum)]
pub enum Precision {
    /// 32-bit floats: the published values.
    Float,
    /// Signed bytes: weights with a scale a column, activations with a scale a token, taken anew in
    /// each run.
    Int8,
}

/// Writes the graph of `weights` (the bytes of `model.safetensors`) with `heads` attention heads.
///
/// # Errors
/// [`ModelError::Malformed`] or [`ModelError::Tensor`] when the file is not a BERT of 32-bit floats
/// with a pooler and a classifier.
pub fn to_onnx(weights: &[u8], heads: usize, precision: Precision) -> Result<Vec<u8>, ModelError> {
    let tensors = SafeTensors::deserialize(weights).map_err(|error| ModelError::Malformed {
        file: "model.safetensors",
        reason: error.to_string(),
    })?;
    let mut bytes = Vec::new();
    let (graph, quantised) = (Graph::default(), BTreeSet::new());
    let writer = Writer { tensors, heads, precision, graph, quantised };
    encode(&writer.write()?, &mut bytes)
        .map_err(|error| ModelError::Run { reason: error.to_string() })?;
    Ok(bytes)
}

fn encode(model: &ModelProto, bytes: &mut Vec<u8>) -> TractResult<()> {
    prost::Message::encode(model, bytes)?;
    Ok(())
}

struct Writer<'a> {
    tensors: SafeTensors<'a>,
    heads: usize,
    precision: Precision,
    graph: Graph,
    /// Names of what is there in bytes, too.
    quantised: BTreeSet<String>,
}

/// A matrix `[inputs, outputs]` with its bias.
struct Linear {
    inputs: usize,
    outputs: usize,
    matrix: Vec<f32>,
    bias: Vec<f32>,
}

impl Writer<'_> {
    fn write(mut self) -> Result<ModelProto, ModelError> {
        let batch = [Dim::Any("B"), Dim::Any("S")];
        let ids = self.graph.input("input_ids", &batch);
        let types = self.graph.input("token_type_ids", &batch);
        let width = match self.vector("bert.embeddings.LayerNorm.weight")?.len() {
            width if width > 0 && width.is_multiple_of(self.heads) => width,
            width => {
                return Err(ModelError::Tensor {
                    name: "bert.embeddings.LayerNorm.weight".to_owned(),
                    expected: format!("a multiple of {} heads", self.heads),
                    got: width.to_string(),
                });
            }
        };
        self.graph.integers("heads", &[4], &[0, 0, self.heads as i64, (width / self.heads) as i64]);
        self.graph.integers("joined", &[3], &[0, 0, width as i64]);
        self.graph.integers("first", &[1], &[0]);
        self.graph.integers("zero", &[], &[0]);
        self.graph.integers("second", &[1], &[1]);
        self.graph.integers("two", &[1], &[2]);
        self.graph.integers("last", &[1], &[-1]);
        self.graph.floats("steps", &[], &[127.0]);
        self.graph.floats("tiny", &[], &[f32::MIN_POSITIVE * 127.0]);

        let mut hidden = self.embeddings(&ids, &types)?;
        let depth = self.depth();
        for layer in 0..depth {
            let last = layer + 1 == depth;
            hidden = self.layer(&format!("bert.encoder.layer.{layer}"), &hidden, width, last)?;
        }
        let cls =
            self.graph.node("Gather", "cls", &[&hidden, "zero"], vec![("axis", Attribute::Int(1))]);
        let pooler = self.linear("bert.pooler.dense", 1.0)?;
        let pooled = self.float_product("pooler", &cls, &pooler);
        let pooled = self.graph.node("Tanh", "pooled", &[&pooled], vec![]);
        let classifier = self.linear("classifier", 1.0)?;
        self.float_product("logits", &pooled, &classifier);
        self.graph.output("logits", &[Dim::Any("B"), Dim::Is(classifier.outputs)]);
        Ok(self.graph.finish())
    }

    /// Sum of word, position and type embeddings, and its norm.
    fn embeddings(&mut self, ids: &str, types: &str) -> Result<String, ModelError> {
        let [words, positions, kinds] = ["word", "position", "token_type"].map(|table| {
            let name = format!("bert.embeddings.{table}_embeddings.weight");
            let (shape, values) = self.floats(&name)?;
            Ok::<_, ModelError>(self.graph.floats(&name, &shape, &values))
        });
        let (words, positions, kinds) = (words?, positions?, kinds?);
        let words = self.graph.node("Gather", "words", &[&words, ids], vec![]);
        let kinds = self.graph.node("Gather", "kinds", &[&kinds, types], vec![]);
        // The table cut to the sequence's length: ONNX Runtime's optimiser trips over `Range`.
        let shape = self.graph.node("Shape", "shape", &[ids], vec![]);
        let length =
            self.graph.node("Slice", "length", &[&shape, "second", "two", "first"], vec![]);
        let positions =
            self.graph.node("Slice", "positions", &[&positions, "first", &length, "first"], vec![]);
        let sum = self.graph.node("Add", "words_and_kinds", &[&words, &kinds], vec![]);
        let sum = self.graph.node("Add", "embedded", &[&sum, &positions], vec![]);
        self.norm("bert.embeddings.LayerNorm", &sum)
    }

    /// One transformer layer: attention and feed-forward, each with residual and norm.
    fn layer(
        &mut self,
        prefix: &str,
        input: &str,
        width: usize,
        last: bool,
    ) -> Result<String, ModelError> {
        let name = |part: &str| format!("{prefix}.{part}");
        // The usual division of the scores by √d is folded into the query's weights.
        let scale = 1.0 / ((width / self.heads) as f32).sqrt();
        let query = self.linear(&name("attention.self.query"), scale)?;
        let key = self.linear(&name("attention.self.key"), 1.0)?;
        let value = self.linear(&name("attention.self.value"), 1.0)?;
        let residual = match last {
            true => self.first_token(&name("first_token"), input),
            false => input.to_owned(),
        };
        let query = self.product(&name("query"), &residual, &query);
        let key = self.product(&name("key"), input, &key);
        let value = self.product(&name("value"), input, &value);
        let query = self.split(&name("query.heads"), &query, [0, 2, 1, 3]);
        let key = self.split(&name("key.heads"), &key, [0, 2, 3, 1]);
        let value = self.split(&name("value.heads"), &value, [0, 2, 1, 3]);
        let graph = &mut self.graph;
        let scores = graph.node("MatMul", &name("scores"), &[&query, &key], vec![]);
        let weights =
            graph.node("Softmax", &name("weights"), &[&scores], vec![("axis", Attribute::Int(-1))]);
        let context = graph.node("MatMul", &name("context"), &[&weights, &value], vec![]);
        let order = vec![("perm", Attribute::Ints(vec![0, 2, 1, 3]))];
        let context = graph.node("Transpose", &name("context.heads"), &[&context], order);
        let context = graph.node("Reshape", &name("context.joined"), &[&context, "joined"], vec![]);

        let dense = self.linear(&name("attention.output.dense"), 1.0)?;
        let attended = self.product(&name("attended"), &context, &dense);
        let sum =
            self.graph.node("Add", &name("attention.residual"), &[&attended, &residual], vec![]);
        let attended = self.norm(&name("attention.output.LayerNorm"), &sum)?;
        let dense = self.linear(&name("intermediate.dense"), 1.0)?;
        let wide = self.product(&name("wide"), &attended, &dense);
        let wide = self.graph.node("Gelu", &name("gelu"), &[&wide], vec![]);
        let dense = self.linear(&name("output.dense"), 1.0)?;
        let narrow = self.product(&name("narrow"), &wide, &dense);
        let sum = self.graph.node("Add", &name("output.residual"), &[&narrow, &attended], vec![]);
        self.norm(&name("output.LayerNorm"), &sum)
    }

    /// `[B, S, W]` to `[B, 1, W]`: the token `[CLS]`.
    fn first_token(&mut self, name: &str, input: &str) -> String {
        self.graph.node("Slice", name, &[input, "first", "second", "second"], vec![])
    }

    /// `[B, S, W]` to heads, in the order of axes that the next product takes.
    fn split(&mut self, name: &str, input: &str, order: [i64; 4]) -> String {
        let split = format!("{name}.split");
        let split = self.graph.node("Reshape", &split, &[input, "heads"], vec![]);
        let order = vec![("perm", Attribute::Ints(order.to_vec()))];
        self.graph.node("Transpose", name, &[&split], order)
    }

    fn product(&mut self, name: &str, input: &str, linear: &Linear) -> String {
        match self.precision {
            Precision::Float => self.float_product(name, input, linear),
            Precision::Int8 => self.byte_product(name, input, linear),
        }
    }

    /// `input · matrix + bias`.
    fn float_product(&mut self, name: &str, input: &str, linear: &Linear) -> String {
        let shape = [linear.inputs, linear.outputs];
        let matrix = self.graph.floats(&format!("{name}.matrix"), &shape, &linear.matrix);
        let product =
            self.graph.node("MatMul", &format!("{name}.product"), &[input, &matrix], vec![]);
        let bias = self.graph.floats(&format!("{name}.bias"), &[linear.outputs], &linear.bias);
        self.graph.node("Add", name, &[&product, &bias], vec![])
    }

    /// The same in signed bytes.
    fn byte_product(&mut self, name: &str, input: &str, linear: &Linear) -> String {
        let (bytes, step) = self.quantise(input);
        let part = |part: &str| format!("{name}.{part}");
        let (scales, matrix) = linear.quantised();
        let shape = [linear.inputs, linear.outputs];
        let graph = &mut self.graph;
        let matrix = graph.bytes(&part("matrix"), &shape, &matrix);
        let scales = graph.floats(&part("scales"), &[linear.outputs], &scales);
        let bias = graph.floats(&part("bias"), &[linear.outputs], &linear.bias);
        let sums = graph.node("MatMulInteger", &part("sums"), &[&bytes, &matrix], vec![]);
        let to = vec![("to", Attribute::Int(DataType::Float as i64))];
        let sums = graph.node("Cast", &part("floats"), &[&sums], to);
        let sums = graph.node("Mul", &part("columns"), &[&sums, &scales], vec![]);
        let sums = graph.node("Mul", &part("rows"), &[&sums, &step], vec![]);
        graph.node("Add", name, &[&sums, &bias], vec![])
    }

    /// `input` in signed bytes with a scale a token; returns the names of both.
    fn quantise(&mut self, input: &str) -> (String, String) {
        let part = |part: &str| format!("{input}.{part}");
        let names = (part("bytes"), part("step"));
        if !self.quantised.insert(input.to_owned()) {
            return names;
        }
        let graph = &mut self.graph;
        let size = graph.node("Abs", &part("size"), &[input], vec![]);
        let largest = graph.node("ReduceMax", &part("largest"), &[&size, "last"], vec![]);
        // A token of nothing but zeros stays what it is.
        let largest = graph.node("Max", &part("positive"), &[&largest, "tiny"], vec![]);
        let step = graph.node("Div", &names.1, &[&largest, "steps"], vec![]);
        let scaled = graph.node("Div", &part("scaled"), &[input, &step], vec![]);
        let rounded = graph.node("Round", &part("rounded"), &[&scaled], vec![]);
        let to = vec![("to", Attribute::Int(DataType::Int8 as i64))];
        graph.node("Cast", &names.0, &[&rounded], to);
        names
    }

    fn norm(&mut self, name: &str, input: &str) -> Result<String, ModelError> {
        let scale = self.vector(&format!("{name}.weight"))?;
        let bias = self.vector(&format!("{name}.bias"))?;
        let scale = self.graph.floats(&format!("{name}.weight"), &[scale.len()], &scale);
        let bias = self.graph.floats(&format!("{name}.bias"), &[bias.len()], &bias);
        // BERT's epsilon; the safetensors file does not carry it.
        let attributes = vec![("axis", Attribute::Int(-1)), ("epsilon", Attribute::Float(1e-12))];
        Ok(self.graph.node("LayerNormalization", name, &[input, &scale, &bias], attributes))
    }

    /// `scale` times a layer; PyTorch stores its matrix as `[outputs, inputs]`.
    fn linear(&self, name: &str, scale: f32) -> Result<Linear, ModelError> {
        let (shape, weight) = self.floats(&format!("{name}.weight"))?;
        let mut bias = self.vector(&format!("{name}.bias"))?;
        let [outputs, inputs] = shape[..] else {
            return Err(wrong(&format!("{name}.weight"), "two dimensions", format!("{shape:?}")));
        };
        if bias.len() != outputs {
            return Err(wrong(&format!("{name}.bias"), outputs, bias.len()));
        }
        bias.iter_mut().for_each(|value| *value *= scale);
        let matrix = (0..inputs * outputs)
            .map(|at| weight[(at % outputs) * inputs + at / outputs] * scale)
            .collect();
        Ok(Linear { inputs, outputs, matrix, bias })
    }

    fn vector(&self, name: &str) -> Result<Vec<f32>, ModelError> {
        self.floats(name).map(|(_, values)| values)
    }

    fn floats(&self, name: &str) -> Result<(Vec<usize>, Vec<f32>), ModelError> {
        let tensor = self.tensors.tensor(name);
        let tensor = tensor.map_err(|error| wrong(name, "32-bit floats", error))?;
        if tensor.dtype() != Dtype::F32 {
            return Err(wrong(name, "32-bit floats", format!("{:?}", tensor.dtype())));
        }
        let values = tensor.data().as_chunks().0.iter().map(|it| f32::from_le_bytes(*it)).collect();
        Ok((tensor.shape().to_vec(), values))
    }

    /// Number of transformer layers: those named in the file.
    fn depth(&self) -> usize {
        let name = |layer| format!("bert.encoder.layer.{layer}.attention.self.query.weight");
        (0..).take_while(|&layer| self.tensors.tensor(&name(layer)).is_ok()).count()
    }
}

impl Linear {
    /// A scale a column, and the matrix in steps of it.
    fn quantised(&self) -> (Vec<f32>, Vec<i8>) {
        let mut scales = vec![f32::MIN_POSITIVE; self.outputs];
        for row in self.matrix.chunks_exact(self.outputs) {
            for (scale, value) in scales.iter_mut().zip(row) {
                *scale = scale.max(value.abs() / 127.0);
            }
        }
        let steps = self.matrix.iter().enumerate();
        let bytes = steps.map(|(at, value)| (value / scales[at % self.outputs]).round() as i8);
        let bytes = bytes.collect();
        (scales, bytes)
    }
}

fn wrong(name: &str, expected: impl ToString, got: impl ToString) -> ModelError {
    ModelError::Tensor {
        name: name.to_owned(),
        expected: expected.to_string(),
        got: got.to_string(),
    }
}
