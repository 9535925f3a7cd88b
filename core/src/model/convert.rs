//! Published BERT weights (safetensors) to the two files that the encoder opens.

use std::collections::BTreeMap;

use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use tract_onnx::{pb::ModelProto, tract_core::prelude::TractResult};

use super::{
    ModelError,
    onnx::{Attribute, Graph},
};

/// Number format of the large matrices.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Precision {
    /// 32-bit floats: the published values.
    Float,
    /// Signed bytes with a scale a column (layers) or a row (word table): a quarter of the size.
    Int8,
}

/// The files written from published weights.
#[derive(Debug)]
pub struct Converted {
    /// `layers.onnx`.
    pub layers: Vec<u8>,
    /// `table.safetensors`.
    pub table: Vec<u8>,
}

/// Converts `weights` (the bytes of `model.safetensors`) with `heads` attention heads.
///
/// # Errors
/// [`ModelError::Malformed`] or [`ModelError::Tensor`] when the file is not a BERT of 32-bit floats.
pub fn convert(
    weights: &[u8],
    heads: usize,
    precision: Precision,
) -> Result<Converted, ModelError> {
    let tensors = SafeTensors::deserialize(weights).map_err(|error| ModelError::Malformed {
        file: "model.safetensors",
        reason: error.to_string(),
    })?;
    let source = Source { tensors, heads, precision };
    let model = source.layers()?;
    let mut layers = Vec::new();
    encode(&model, &mut layers).map_err(|error| ModelError::Run { reason: error.to_string() })?;
    Ok(Converted { layers, table: source.table()? })
}

fn encode(model: &ModelProto, bytes: &mut Vec<u8>) -> TractResult<()> {
    prost::Message::encode(model, bytes)?;
    Ok(())
}

struct Source<'a> {
    tensors: SafeTensors<'a>,
    heads: usize,
    precision: Precision,
}

/// A matrix or vector of floats.
struct Floats {
    shape: Vec<usize>,
    values: Vec<f32>,
}

impl Source<'_> {
    fn floats(&self, name: &str) -> Result<Floats, ModelError> {
        let wrong = |got: String| ModelError::Tensor {
            name: name.to_owned(),
            expected: "32-bit floats".to_owned(),
            got,
        };
        let tensor = self.tensors.tensor(name).map_err(|error| wrong(error.to_string()))?;
        if tensor.dtype() != Dtype::F32 {
            return Err(wrong(format!("{:?}", tensor.dtype())));
        }
        let values = tensor
            .data()
            .chunks_exact(4)
            .map(|bytes| f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
            .collect();
        Ok(Floats { shape: tensor.shape().to_vec(), values })
    }

    /// Number of transformer layers: those named in the file.
    fn depth(&self) -> usize {
        let name = |layer| format!("encoder.layer.{layer}.attention.self.query.weight");
        (0..).take_while(|&layer| self.tensors.tensor(&name(layer)).is_ok()).count()
    }

    fn layers(&self) -> Result<ModelProto, ModelError> {
        let width = match *self.floats("embeddings.LayerNorm.weight")?.shape.as_slice() {
            [width] if width.is_multiple_of(self.heads) => width,
            ref shape => {
                return Err(ModelError::Tensor {
                    name: "embeddings.LayerNorm.weight".to_owned(),
                    expected: format!("one dimension, a multiple of {} heads", self.heads),
                    got: format!("{shape:?}"),
                });
            }
        };
        let mut graph = Graph::default();
        graph.integers("heads", &[0, 0, self.heads as i64, (width / self.heads) as i64]);
        graph.integers("joined", &[0, 0, width as i64]);
        let mut hidden = self.norm(&mut graph, "embeddings.LayerNorm", "embedded")?;
        for layer in 0..self.depth() {
            hidden = self.layer(&mut graph, &format!("encoder.layer.{layer}"), &hidden, width)?;
        }
        let output = graph.node("Identity", "hidden", &[&hidden], vec![]);
        Ok(graph.finish("embedded", &output, width))
    }

    /// One transformer layer: attention and feed-forward, each with residual and norm.
    fn layer(
        &self,
        graph: &mut Graph,
        prefix: &str,
        input: &str,
        width: usize,
    ) -> Result<String, ModelError> {
        let name = |part: &str| format!("{prefix}.{part}");
        let scale = 1.0 / ((width / self.heads) as f32).sqrt();
        let heads = |graph: &mut Graph, part: &str, order: [i64; 4], scale: f32| {
            let projected =
                self.linear(graph, &name(&format!("attention.self.{part}")), input, scale)?;
            let split = graph.node(
                "Reshape",
                &name(&format!("{part}.split")),
                &[&projected, "heads"],
                vec![],
            );
            let order = vec![("perm", Attribute::Ints(order.to_vec()))];
            Ok(graph.node("Transpose", &name(&format!("{part}.heads")), &[&split], order))
        };
        // The usual division of the scores by √d is folded into the query's weights.
        let query = heads(graph, "query", [0, 2, 1, 3], scale)?;
        let key = heads(graph, "key", [0, 2, 3, 1], 1.0)?;
        let value = heads(graph, "value", [0, 2, 1, 3], 1.0)?;
        let scores = graph.node("MatMul", &name("scores"), &[&query, &key], vec![]);
        let weights =
            graph.node("Softmax", &name("weights"), &[&scores], vec![("axis", Attribute::Int(-1))]);
        let context = graph.node("MatMul", &name("context"), &[&weights, &value], vec![]);
        let order = vec![("perm", Attribute::Ints(vec![0, 2, 1, 3]))];
        let context = graph.node("Transpose", &name("context.heads"), &[&context], order);
        let context = graph.node("Reshape", &name("context.joined"), &[&context, "joined"], vec![]);

        let attended = self.linear(graph, &name("attention.output.dense"), &context, 1.0)?;
        let residual = graph.node("Add", &name("attention.residual"), &[&attended, input], vec![]);
        let attended = self.norm(graph, &name("attention.output.LayerNorm"), &residual)?;
        let wide = self.linear(graph, &name("intermediate.dense"), &attended, 1.0)?;
        let wide = graph.node("Gelu", &name("gelu"), &[&wide], vec![]);
        let narrow = self.linear(graph, &name("output.dense"), &wide, 1.0)?;
        let residual = graph.node("Add", &name("output.residual"), &[&narrow, &attended], vec![]);
        self.norm(graph, &name("output.LayerNorm"), &residual)
    }

    /// `scale · (input · Wᵀ + b)`; PyTorch stores `W` as `[out, in]`.
    fn linear(
        &self,
        graph: &mut Graph,
        name: &str,
        input: &str,
        scale: f32,
    ) -> Result<String, ModelError> {
        let weight = self.floats(&format!("{name}.weight"))?;
        let [columns, rows] = *weight.shape.as_slice() else {
            return Err(ModelError::Tensor {
                name: format!("{name}.weight"),
                expected: "two dimensions".to_owned(),
                got: format!("{:?}", weight.shape),
            });
        };
        let transposed: Vec<f32> = (0..rows * columns)
            .map(|at| weight.values[(at % columns) * rows + at / columns] * scale)
            .collect();
        let matrix = format!("{name}.matrix");
        let matrix = match self.precision {
            Precision::Float => graph.floats(&matrix, &[rows, columns], &transposed),
            Precision::Int8 => graph.bytes(&matrix, &[rows, columns], &transposed),
        };
        let bias = self.floats(&format!("{name}.bias"))?;
        let bias: Vec<f32> = bias.values.iter().map(|value| value * scale).collect();
        let bias = graph.floats(&format!("{name}.bias"), &[columns], &bias);
        let product = graph.node("MatMul", &format!("{name}.product"), &[input, &matrix], vec![]);
        Ok(graph.node("Add", name, &[&product, &bias], vec![]))
    }

    fn norm(&self, graph: &mut Graph, name: &str, input: &str) -> Result<String, ModelError> {
        let [scale, bias] = ["weight", "bias"].map(|part| -> Result<String, ModelError> {
            let tensor = self.floats(&format!("{name}.{part}"))?;
            Ok(graph.floats(&format!("{name}.{part}"), &tensor.shape, &tensor.values))
        });
        // BERT's epsilon; the safetensors file does not carry it.
        let attributes = vec![("axis", Attribute::Int(-1)), ("epsilon", Attribute::Float(1e-12))];
        Ok(graph.node("LayerNormalization", name, &[input, &scale?, &bias?], attributes))
    }

    /// The embedding tables; type 0 is folded into the positions, since every text is of type 0.
    fn table(&self) -> Result<Vec<u8>, ModelError> {
        let words = self.floats("embeddings.word_embeddings.weight")?;
        let mut positions = self.floats("embeddings.position_embeddings.weight")?;
        let types = self.floats("embeddings.token_type_embeddings.weight")?;
        let width = types.shape.last().copied().unwrap_or(1).max(1);
        for (at, value) in positions.values.iter_mut().enumerate() {
            *value += types.values[at % width];
        }
        let mut tensors = BTreeMap::new();
        let position_bytes = float_bytes(&positions.values);
        let (word_bytes, scale_bytes);
        match self.precision {
            Precision::Float => {
                word_bytes = float_bytes(&words.values);
                tensors.insert("words", (Dtype::F32, words.shape.clone(), &word_bytes));
            }
            Precision::Int8 => {
                let rows = || words.values.chunks_exact(width);
                let scales: Vec<f32> = rows()
                    .map(|row| {
                        row.iter().fold(f32::MIN_POSITIVE, |most, it| most.max(it.abs())) / 127.0
                    })
                    .collect();
                word_bytes = rows()
                    .zip(&scales)
                    .flat_map(|(row, scale)| {
                        row.iter().map(move |it| (it / scale).round() as i8 as u8)
                    })
                    .collect();
                scale_bytes = float_bytes(&scales);
                tensors.insert("words", (Dtype::I8, words.shape.clone(), &word_bytes));
                tensors.insert("scales", (Dtype::F32, vec![scales.len()], &scale_bytes));
            }
        }
        tensors.insert("positions", (Dtype::F32, positions.shape.clone(), &position_bytes));
        let malformed = |error: safetensors::SafeTensorError| ModelError::Malformed {
            file: "model.safetensors",
            reason: error.to_string(),
        };
        let views = tensors
            .into_iter()
            .map(|(name, (kind, shape, data))| Ok((name, TensorView::new(kind, shape, data)?)))
            .collect::<Result<Vec<_>, _>>()
            .map_err(malformed)?;
        safetensors::serialize(views, None).map_err(malformed)
    }
}

fn float_bytes(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}
