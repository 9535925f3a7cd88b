//! Published files of a BERT to the files that the encoder opens.

use std::collections::HashMap;

use safetensors::{Dtype, SafeTensors, tensor::TensorView};

use super::{
    ModelError,
    linear::{DEPTH_UNIT, PANEL, pack, to_bytes},
    tokens,
};

/// The files of a converted model, named in [`FILES`](super::FILES).
#[derive(Debug)]
pub struct Converted {
    /// `tokenizer.json`, without its vocabulary.
    pub tokenizer: Vec<u8>,
    /// `vocabulary.txt`.
    pub vocabulary: Vec<u8>,
    /// `weights.safetensors`.
    pub weights: Vec<u8>,
}

/// Converts the bytes of a published `tokenizer.json` and `model.safetensors` of a BERT with
/// `heads` attention heads. Matrices become signed bytes with a scale a row.
///
/// # Errors
/// [`ModelError::Malformed`] or [`ModelError::Tensor`] when the files are not of a BERT of 32-bit
/// floats with a WordPiece tokenizer.
pub fn convert(tokenizer: &[u8], weights: &[u8], heads: usize) -> Result<Converted, ModelError> {
    let (tokenizer, vocabulary) = tokens::split(tokenizer)?;
    let tensors = SafeTensors::deserialize(weights).map_err(malformed)?;
    let mut target = Target::default();
    Source { tensors, heads }.convert(&mut target)?;
    Ok(Converted { tokenizer, vocabulary, weights: target.serialize(heads)? })
}

fn malformed(error: safetensors::SafeTensorError) -> ModelError {
    ModelError::Malformed { file: "model.safetensors", reason: error.to_string() }
}

struct Source<'a> {
    tensors: SafeTensors<'a>,
    heads: usize,
}

impl Source<'_> {
    fn convert(&self, target: &mut Target) -> Result<(), ModelError> {
        let (shape, _) = self.floats("embeddings.LayerNorm.weight")?;
        let width = match *shape.as_slice() {
            [width] if self.heads > 0 && width.is_multiple_of(self.heads) => width,
            _ => {
                return Err(ModelError::Tensor {
                    name: "embeddings.LayerNorm.weight".to_owned(),
                    expected: format!("one dimension, a multiple of {} heads", self.heads),
                    got: format!("{shape:?}"),
                });
            }
        };
        self.tables(target, width)?;
        self.norm(target, "embeddings.LayerNorm", "norm")?;
        // The usual division of the scores by √d is folded into the queries.
        let scale = 1.0 / ((width / self.heads) as f32).sqrt();
        for layer in 0.. {
            let from = |part: &str| format!("encoder.layer.{layer}.{part}");
            let to = |part: &str| format!("{layer}.{part}");
            let attention =
                ["query", "key", "value"].map(|it| from(&format!("attention.self.{it}")));
            if self.tensors.tensor(&format!("{}.weight", attention[0])).is_err() {
                break;
            }
            let [query, key, value] = &attention;
            self.linear(
                target,
                &[(query, scale), (key, 1.0), (value, 1.0)],
                to("query_key_value"),
            )?;
            for (source, part) in [
                ("attention.output.dense", "attention_output"),
                ("intermediate.dense", "intermediate"),
                ("output.dense", "output"),
            ] {
                self.linear(target, &[(&from(source), 1.0)], to(part))?;
            }
            for part in ["attention.output", "output"] {
                let name = to(&format!("{}.norm", part.replace('.', "_")));
                self.norm(target, &from(&format!("{part}.LayerNorm")), &name)?;
            }
        }
        Ok(())
    }

    /// The embedding tables; type 0 is added to the positions, since every text is of type 0.
    fn tables(&self, target: &mut Target, width: usize) -> Result<(), ModelError> {
        let (shape, words) = self.floats("embeddings.word_embeddings.weight")?;
        let (bytes, scales) = to_bytes(&words, width);
        target.bytes("words".to_owned(), shape, bytes);
        target.floats("words.scale".to_owned(), vec![scales.len()], &scales);
        let (shape, mut positions) = self.floats("embeddings.position_embeddings.weight")?;
        let (_, types) = self.floats("embeddings.token_type_embeddings.weight")?;
        for row in positions.chunks_exact_mut(width) {
            row.iter_mut().zip(&types).for_each(|(it, of_type)| *it += of_type);
        }
        target.floats("positions".to_owned(), shape, &positions);
        Ok(())
    }

    /// Joins the outputs of linear layers, each scaled, to one layer.
    fn linear(
        &self,
        target: &mut Target,
        parts: &[(&String, f32)],
        name: String,
    ) -> Result<(), ModelError> {
        let (mut matrix, mut bias, mut depth) = (Vec::new(), Vec::new(), 0);
        for (part, scale) in parts {
            let (shape, weights) = self.floats(&format!("{part}.weight"))?;
            depth = match *shape.as_slice() {
                [outputs, depth]
                    if outputs.is_multiple_of(PANEL) && depth.is_multiple_of(DEPTH_UNIT) =>
                {
                    depth
                }
                _ => {
                    return Err(ModelError::Tensor {
                        name: format!("{part}.weight"),
                        expected: format!("two dimensions, multiples of {PANEL} and {DEPTH_UNIT}"),
                        got: format!("{shape:?}"),
                    });
                }
            };
            matrix.extend(weights.iter().map(|it| it * scale));
            bias.extend(self.floats(&format!("{part}.bias"))?.1.iter().map(|it| it * scale));
        }
        let (bytes, scales) = pack(&matrix, depth);
        target.bytes(format!("{name}.weight"), vec![scales.len(), depth], bytes);
        target.floats(format!("{name}.scale"), vec![scales.len()], &scales);
        target.floats(format!("{name}.bias"), vec![bias.len()], &bias);
        Ok(())
    }

    fn norm(&self, target: &mut Target, from: &str, to: &str) -> Result<(), ModelError> {
        for (source, part) in [("weight", "gain"), ("bias", "bias")] {
            let (shape, values) = self.floats(&format!("{from}.{source}"))?;
            target.floats(format!("{to}.{part}"), shape, &values);
        }
        Ok(())
    }

    /// Shape and values of a tensor.
    fn floats(&self, name: &str) -> Result<(Vec<usize>, Vec<f32>), ModelError> {
        let wrong = |got: String| ModelError::Tensor {
            name: name.to_owned(),
            expected: "32-bit floats".to_owned(),
            got,
        };
        let tensor = self.tensors.tensor(name).map_err(|error| wrong(error.to_string()))?;
        if tensor.dtype() != Dtype::F32 {
            return Err(wrong(format!("{:?}", tensor.dtype())));
        }
        let values = tensor.data().as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes));
        Ok((tensor.shape().to_vec(), values.collect()))
    }
}

/// The tensors to write.
#[derive(Default)]
struct Target(Vec<(String, Dtype, Vec<usize>, Vec<u8>)>);

impl Target {
    fn bytes(&mut self, name: String, shape: Vec<usize>, bytes: Vec<u8>) {
        self.0.push((name, Dtype::I8, shape, bytes));
    }

    fn floats(&mut self, name: String, shape: Vec<usize>, values: &[f32]) {
        let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.0.push((name, Dtype::F32, shape, bytes));
    }

    fn serialize(&self, heads: usize) -> Result<Vec<u8>, ModelError> {
        let views = self
            .0
            .iter()
            .map(|(name, kind, shape, bytes)| {
                Ok((name.as_str(), TensorView::new(*kind, shape.clone(), bytes)?))
            })
            .collect::<Result<Vec<_>, _>>()
            .map_err(malformed)?;
        let metadata = HashMap::from([("heads".to_owned(), heads.to_string())]);
        safetensors::serialize(views, Some(metadata)).map_err(malformed)
    }
}
